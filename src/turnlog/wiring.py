"""From a URL and settings to a `Turnlog` and its runner: the one module that knows every store."""

import inspect
import re
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from turnlog.errors import InvalidInput
from turnlog.fold import MISTAKES, Fold, check_fold
from turnlog.llm import Ledger, Spending, open_model
from turnlog.log.turnlog import Turnlog
from turnlog.memory.defaults import default_folds
from turnlog.settings import Settings
from turnlog.store import Store
from turnlog.stores.ram import RamStore
from turnlog.stores.sqlite import SqliteStore
from turnlog.tokens import counter
from turnlog.worker import Runner, WorkerConfig

LINGER_S = 0.02
"""How long a worker's save waits for others, to be committed with them."""
FOLDS_GROUP = "turnlog.folds"
"""The group of entry points that the setting `folds` may name."""
_DOTTED = re.compile(r"[\w.]+:[\w.]+")


def connect(
    url: str | None = None, *, settings: Settings | None = None, folds: Sequence[Fold[Any]] = (), working: bool = False
) -> Turnlog:
    """A `Turnlog` on the store at `url` (default: `settings.store`); open it with `async with` or `open()`.

    `settings` default to those of the environment (`Settings.from_env()`). `folds` are added to the built-in ones and to
    those that `settings.folds` names. `working` is for a process that only folds: its saves wait for company, so that
    appends of other processes to the same file wait less.

    `ram:` keeps everything in this process; `sqlite:///relative/path` and `sqlite:////absolute/path` in a file;
    `postgresql://user@host/database` in a database, the URL being what libpq takes; `redis://host:port/0` (or `rediss:`,
    `unix:///path`, `redis+cluster://host:port,host:port`, the same with `valkey`) on a Redis or Valkey server or cluster.
    Raises `InvalidInput` for a URL, a setting or a fold that cannot be used.
    """
    settings = Settings.from_env() if settings is None else settings
    if not isinstance(settings, Settings):
        raise InvalidInput("settings", f"must be a turnlog.Settings, not {type(settings).__name__}")
    store = open_store(settings.store if url is None else url, settings, linger_s=LINGER_S if working else 0.0)
    count_tokens = counter(settings.tokenizer)
    llm = open_model(settings, Ledger(Spending(store).keep))
    if not isinstance(folds, Sequence):
        raise InvalidInput("folds", f"must be a list of folds, not {folds!r}")
    kinds = (*load_folds(settings.folds, default_folds(llm)), *folds)
    return Turnlog(store, settings, count_tokens=count_tokens, folds=kinds, llm=llm)


def load_folds(names: str, built_in: Sequence[Fold[Any]]) -> tuple[Fold[Any], ...]:
    """The folds by the setting `folds`: the `built_in` ones, without those named with `-` before, and those named.

    Raises `InvalidInput` with the setting and the name.
    """
    kept = {fold.name: fold for fold in built_in}
    loaded = []
    for name in filter(None, map(str.strip, names.split(","))):
        if not name.startswith("-"):
            loaded.append(_fold(name))
        elif kept.pop(name[1:], None) is None:
            raise _refused(name, f"is not a built-in fold; those are {', '.join(fold.name for fold in built_in)}")
    return (*kept.values(), *loaded)


def _fold(name: str) -> Fold[Any]:
    kind = _imported(name)
    if not isinstance(kind, type) or not all(hasattr(kind, part) for part in ("name", "version", "initial", "step")):
        raise _refused(name, "is not a class with name, version, initial and step")
    required = [
        each.name for each in inspect.signature(kind).parameters.values() if each.default is each.empty and each.kind < 2
    ]
    if required:
        raise _refused(name, f"takes constructor arguments ({', '.join(required)}): give it to connect(folds=[...])")
    fold: Fold[Any] = kind()
    try:
        check_fold(fold)
    except InvalidInput as error:
        raise _refused(name, f"is not a fold: {error}") from error
    return fold


def _imported(name: str) -> object:
    """What an installed entry point is for, or the object at `package.module:Class`."""
    entry: EntryPoint | None = EntryPoint(name, name, FOLDS_GROUP)
    if not _DOTTED.fullmatch(name):
        entry = next(iter(entry_points(group=FOLDS_GROUP, name=name)), None)
    if entry is None:
        raise _refused(name, f"is neither package.module:Class nor an installed entry point of the group {FOLDS_GROUP}")
    try:
        return entry.load()
    except MISTAKES as error:
        raise _refused(name, f"cannot be imported: {type(error).__name__}: {error}") from error


def _refused(name: str, rule: str) -> InvalidInput:
    return InvalidInput("folds", f"{name!r} in TURNLOG_FOLDS {rule}")


def runner(log: Turnlog, tenants: Sequence[str] = (), *, config: WorkerConfig | None = None) -> Runner:
    """The runner that folds the conversations of `tenants` (default: that of `log`), configured by `log.settings`."""
    settings = log.settings
    own = WorkerConfig(
        concurrency=settings.fold_concurrency, pause_s=settings.fold_pause_s, backlog_min=settings.fold_backlog_min
    )
    return Runner(log.store, log.folds, tenants=tenants or (log.tenant,), config=config or own, clock=log.clock)


def open_store(url: str, settings: Settings, *, linger_s: float = 0.0) -> Store:
    """The store that `url` names; in a file, saves of folds wait up to `linger_s` for company.

    Raises `InvalidInput` for a URL that names none.
    """
    if not isinstance(url, str):
        raise InvalidInput("store", f"must be a URL, not {type(url).__name__}")
    scheme, _, rest = url.partition(":")
    if scheme == "ram" and not rest:
        return RamStore()
    if scheme == "sqlite" and rest.startswith("///") and len(rest) > 3:
        return SqliteStore(rest[3:], timeout_s=settings.store_timeout_s, linger_s=linger_s)
    if scheme in ("postgresql", "postgres"):
        from turnlog.stores.postgres import PostgresStore

        return PostgresStore(url, timeout_s=settings.store_timeout_s, sharded=settings.postgres_sharded)
    if scheme.partition("+")[0] in ("redis", "rediss", "valkey", "valkeys", "unix"):
        from turnlog.stores.redis import RedisStore

        return RedisStore(url, timeout_s=settings.store_timeout_s)
    raise InvalidInput("store", "must be ram:, sqlite:///path (sqlite:////path when absolute), postgresql://… or redis://…")
