"""From a URL and settings to a `Turnlog` and to what folds for it: the one place that knows every store."""

from collections.abc import Sequence

from turnlog.errors import InvalidInput
from turnlog.llm import Ledger, Spending, open_model
from turnlog.log.turnlog import Turnlog
from turnlog.settings import Settings
from turnlog.store import Store
from turnlog.stores.ram import RamStore
from turnlog.stores.sqlite import SqliteStore
from turnlog.tokens import counter
from turnlog.worker import Runner, WorkerConfig

LINGER_S = 0.02
"""How long what a worker saves waits for company."""


def connect(url: str | None = None, *, settings: Settings | None = None, working: bool = False) -> Turnlog:
    """A `Turnlog` on the store at `url` (default: `settings.store`); open it with `async with` or `open()`.

    `working` is for a process that does nothing but fold: it is easy on those that append to the same file.

    `ram:` keeps everything in this process; `sqlite:///relative/path` and `sqlite:////absolute/path` in a file;
    `postgresql://user@host/database` in a database, the URL being what libpq takes; `redis://host:port/0` (or `rediss:`,
    `unix:///path`, `redis+cluster://host:port,host:port`, the same with `valkey`) on a Redis or Valkey server or cluster.
    """
    settings = settings or Settings()
    store = open_store(url or settings.store, settings, linger_s=LINGER_S if working else 0.0)
    count_tokens = counter(settings.tokenizer)
    return Turnlog(store, settings, count_tokens=count_tokens, llm=open_model(settings, Ledger(Spending(store).keep)))


def runner(log: Turnlog, tenants: Sequence[str] = (), *, config: WorkerConfig | None = None) -> Runner:
    """What keeps the memory of `tenants` (default: that of `log`) up with what is said, as `log.settings` say."""
    told = log.settings
    own = WorkerConfig(concurrency=told.fold_concurrency, pause_s=told.fold_pause_s, backlog_min=told.fold_backlog_min)
    return Runner(log.store, log.folds, tenants=tenants or (log.tenant,), config=config or own, clock=log.clock)


def open_store(url: str, settings: Settings, *, linger_s: float = 0.0) -> Store:
    """The store that `url` names; in a file, saves of folds wait up to `linger_s` for company.

    Raises `InvalidInput` for a URL that names none.
    """
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
