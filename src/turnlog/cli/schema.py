"""`turnlog schema`: which form the stored data has, and bringing it up to date."""

import apsw
import typer

from turnlog.cli.calls import EXIT_FAILED, AsJson, StoreUrl, failing, read_settings, run, store_file
from turnlog.cli.output import say, write_json
from turnlog.errors import StoreUnavailable
from turnlog.log import Turnlog
from turnlog.stores.sqlite import engine

schema = typer.Typer(no_args_is_help=True, help="The form of the stored data.")


@schema.command()
def check(store: StoreUrl = None, as_json: AsJson = False) -> None:
    """Tell whether the data has the form that this turnlog writes; change nothing. Ends with 1 when it has not."""
    with failing(as_json):
        found, supported = _versions(read_settings(store, None).store)
    _report(found, supported, as_json)
    if found != supported:
        raise typer.Exit(EXIT_FAILED)


@schema.command()
def migrate(store: StoreUrl = None, as_json: AsJson = False) -> None:
    """Bring the data up to date. Opening a store does so too."""

    async def work(log: Turnlog) -> None:
        await log.ping()

    run(work, store, None, as_json, create=True)
    with failing(as_json):
        found, supported = _versions(read_settings(store, None).store)
    _report(found, supported, as_json)


def _versions(url: str) -> tuple[int, int]:
    """The version of the schema in the store, 0 for none, and the one that this turnlog writes."""
    path = store_file(url)
    supported = len(engine.migrations())
    if path is None:
        return supported, supported
    if not path.exists():
        return 0, supported
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return engine.version(connection), supported
        finally:
            connection.close()
    except apsw.Error as error:
        raise StoreUnavailable(str(error)) from error


def _report(found: int, supported: int, as_json: bool) -> None:
    if as_json:
        write_json({"found": found, "supported": supported, "up_to_date": found == supported})
    elif found == supported:
        say(f"schema {found}: up to date")
    else:
        say(f"schema {found}, this turnlog writes {supported}: run `turnlog schema migrate`")
