"""Real servers for a section: PostgreSQL with durable commits, Valkey with its append-only file written every second."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.postgres import PostgresServer, postgres
from tests.support.valkey import ValkeyServer, valkey

from bench.measure import Options

_POSTGRES = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "max_connections": 200,
}
_VALKEY = ("--appendonly", "yes", "--appendfsync", "everysec")


class Servers:
    """What runs for a section; every `place` in it is one that nobody else uses."""

    def __init__(self, options: Options, database: PostgresServer, keys: ValkeyServer) -> None:
        self.postgres = database
        self.valkey = keys
        self._scratch = options.scratch
        self._places = 0

    def place(self, engine: str) -> str:
        """The URL of a new database, of the one Valkey, or of a new file."""
        self._places += 1
        name = f"bench_{self._places}"
        if engine == "postgres":
            self.postgres.execute(f"CREATE DATABASE {name}")
            return self.postgres.url(name)
        return self.valkey.url if engine == "redis" else f"{self._scratch}/{name}.db"

    def path(self, name: str) -> Path:
        """A file that is gone afterwards."""
        return self._scratch / name

    def store(self, engine: str) -> str:
        """The URL of a store of turnlog's on a new place."""
        if engine == "ram":
            return "ram:"
        return f"sqlite:///{self.place(engine)}" if engine == "sqlite" else self.place(engine)


@contextmanager
def servers(options: Options) -> Iterator[Servers]:
    """Both servers on free ports, with their data in temporary directories."""
    with postgres(options.scratch / "postgres", **_POSTGRES) as database, valkey(*_VALKEY) as keys:
        yield Servers(options, database, keys)
