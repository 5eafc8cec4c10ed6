"""From options to a `Turnlog`, and from errors to exit codes: what every command does alike."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer

from turnlog.errors import StoreUnavailable, TurnlogError
from turnlog.log.turnlog import Turnlog
from turnlog.settings import Settings
from turnlog.store import Store
from turnlog.wiring import connect, open_store

T = TypeVar("T")

EXIT_FAILED = 1
EXIT_REJECTS = 3

ConversationId = Annotated[str, typer.Argument(metavar="ID", help="The conversation.")]
StoreUrl = Annotated[
    str | None, typer.Option("--store", metavar="URL", envvar="TURNLOG_STORE", help="Where the conversations are kept.")
]
Tenant = Annotated[
    str | None, typer.Option("--tenant", metavar="NAME", envvar="TURNLOG_TENANT", help="Whose conversations these are.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def make_sure(yes: bool, question: str) -> None:
    """Go on only if somebody says so, or has said `yes` beforehand. Raises what makes the command end."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("is needed where nobody can be asked", param_hint="--yes")
    typer.confirm(question, abort=True, err=True)


@contextmanager
def failing(as_json: bool) -> Iterator[None]:
    """Turn an error of turnlog into one line on stderr and the exit code for it."""
    try:
        yield
    except TurnlogError as error:
        if as_json:
            problem = {"code": error.code, "detail": str(error), "retryable": error.retryable} | error.facts
            sys.stderr.write(msgspec.json.encode(problem).decode() + "\n")
        else:
            sys.stderr.write(f"turnlog: {error} [{error.code}]\n")
        raise typer.Exit(EXIT_FAILED) from None


def read_settings(store: str | None, tenant: str | None) -> Settings:
    """The settings of the environment, with these options in the place of theirs."""
    told = {"store": store, "tenant": tenant}
    return msgspec.structs.replace(Settings.from_env(os.environ), **{name: value for name, value in told.items() if value})


def store_file(url: str) -> Path | None:
    """The file that a store's URL names, None when it names none."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def make_room(url: str) -> None:
    """Create the directory of the store's file. Raises `StoreUnavailable`."""
    if path := store_file(url):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"cannot create {path.parent}: {error.strerror}") from None


def run(
    work: Callable[[Turnlog], Awaitable[T]], store: str | None, tenant: str | None, as_json: bool, *, create: bool = False
) -> T:
    """What `work` makes of the `Turnlog` that the options name. Without `create` the store must be there already."""

    async def within() -> T:
        settings = read_settings(store, tenant)
        path = store_file(settings.store)
        if create:
            make_room(settings.store)
        elif path and not path.exists():
            raise StoreUnavailable(f"there is no file {path}")
        async with connect(settings=settings) as log:
            return await work(log)

    with failing(as_json):
        return asyncio.run(within())


def ask(work: Callable[[Store], Awaitable[T]], store: str | None, as_json: bool, *, create: bool = False) -> T:
    """What `work` makes of the store that the options name, which is not opened. With `create` there is room for it."""

    async def within() -> T:
        settings = read_settings(store, None)
        if create:
            make_room(settings.store)
        return await work(open_store(settings.store, settings))

    with failing(as_json):
        return asyncio.run(within())
