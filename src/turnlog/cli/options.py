"""Options that commands share, and the way from options to a `Turnlog` and from errors to exit codes."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from turnlog.errors import StoreUnavailable, TurnlogError
from turnlog.log.turnlog import Turnlog
from turnlog.settings import Settings
from turnlog.store import Store
from turnlog.wiring import connect, open_store

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

EXIT_FAILED = 1
EXIT_REJECTS = 3


class Command(click.Command):
    """A command that takes ids that begin with a hyphen, as nanoid makes them once in 64."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        params = self.get_params(ctx)
        if not any(param.param_type_name == "argument" for param in params):
            return super().parse_args(ctx, args)
        flags = {flag[:2] for param in params for flag in (*param.opts, *param.secondary_opts)}
        end = args.index("--") if "--" in args else len(args)
        # NUL cannot occur in an argument: it hides the hyphen from the parser. decision 055
        hidden = [f"\0{arg}" if _is_id(arg, flags) else arg for arg in args[:end]]
        rest = super().parse_args(ctx, hidden + args[end:])
        ctx.params = {name: _unhidden(value) for name, value in ctx.params.items()}
        return rest


def _is_id(arg: str, flags: set[str]) -> bool:
    return len(arg) > 2 and arg[0] == "-" and arg[:2] not in flags


def _unhidden(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_unhidden(each) for each in value]
    return value.removeprefix("\0") if isinstance(value, str) else value


command = partial(click.command, cls=Command)
"""Declares a command of turnlog."""
STORE = click.option(
    "--store",
    metavar="URL",
    envvar="TURNLOG_STORE",
    show_envvar=True,
    show_default=Settings().store,
    help="URL of the store.",
)
TENANT = click.option(
    "--tenant", metavar="NAME", envvar="TURNLOG_TENANT", show_envvar=True, show_default=Settings().tenant, help="The tenant."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
CONVERSATION_ID = click.argument("conversation_id", metavar="ID")
YES = click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")


def at_most(default: int) -> Callable[[F], F]:
    """The option `-n`: how many items to print."""
    return click.option("-n", "--limit", type=click.IntRange(min=1), default=default, help="Most items to print.")


def on_tenant(function: F) -> F:
    """Add the options of a command on one tenant: `--store`, `--tenant` and `--json`."""
    return STORE(TENANT(AS_JSON(function)))


def make_sure(yes: bool, question: str) -> None:
    """Ask for confirmation unless `yes`. Raises what ends the command when the answer is no or nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.BadParameter("is needed where nobody can be asked", param_hint="--yes")
    click.confirm(question, abort=True, err=True)


@contextmanager
def failing(as_json: bool) -> Iterator[None]:
    """Turn an error of turnlog or of a file into one line on stderr and exit code 1."""
    try:
        yield
    except TurnlogError as error:
        problem = {"code": error.code, "detail": str(error), "retryable": error.retryable} | error.facts
        told = msgspec.json.encode(problem).decode() if as_json else f"turnlog: {error} [{error.code}]"
        sys.stderr.write(told + "\n")
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stderr.write(f"turnlog: {error.filename}: {error.strerror}\n")
    else:
        return
    raise click.exceptions.Exit(EXIT_FAILED)


def read_settings(store: str | None, tenant: str | None) -> Settings:
    """The settings from the environment, with these options instead of theirs."""
    options = {name: value for name, value in (("store", store), ("tenant", tenant)) if value}
    return msgspec.structs.replace(Settings.from_env(os.environ), **options)


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
    """The result of `work` on the `Turnlog` that the options name. Without `create`, the store's file must exist."""

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
    """The result of `work` on the store that the options name, which is not opened. With `create` its directory is made."""

    async def within() -> T:
        settings = read_settings(store, None)
        if create:
            make_room(settings.store)
        return await work(open_store(settings.store, settings))

    with failing(as_json):
        return asyncio.run(within())
