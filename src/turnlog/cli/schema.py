"""`turnlog schema`: which form the stored data has, and bringing it up to date."""

import typer

from turnlog.cli.options import EXIT_FAILED, AsJson, StoreUrl, ask
from turnlog.cli.output import say, write_json
from turnlog.store import SchemaVersion, Store, Versioned

schema = typer.Typer(no_args_is_help=True, help="The form of the stored data.")


@schema.command()
def check(store: StoreUrl = None, as_json: AsJson = False) -> None:
    """Tell whether the data has the form that this turnlog writes; change nothing. Ends with 1 when it has not."""
    if not _report(ask(_version, store, as_json), as_json):
        raise typer.Exit(EXIT_FAILED)


@schema.command()
def migrate(store: StoreUrl = None, as_json: AsJson = False) -> None:
    """Bring the data up to date, once nothing older uses the store."""

    async def work(store: Store) -> SchemaVersion | None:
        if isinstance(store, Versioned):
            await store.migrate()
        return await _version(store)

    _report(ask(work, store, as_json, create=True), as_json)


async def _version(store: Store) -> SchemaVersion | None:
    return await store.schema_version() if isinstance(store, Versioned) else None


def _report(version: SchemaVersion | None, as_json: bool) -> bool:
    """Print the version; whether the data is up to date, as it is in a store whose data has no version."""
    found, supported = version or (0, 0)
    up_to_date = found >= supported
    if as_json:
        write_json({"found": found, "supported": supported, "up_to_date": up_to_date})
    elif version is None:
        say("this store has no schema")
    elif up_to_date:
        say(f"schema {found}: up to date")
    else:
        say(f"schema {found}, this turnlog writes {supported}: run `turnlog schema migrate`")
    return up_to_date
