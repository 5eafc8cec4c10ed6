"""The contract on PostgreSQL behind PgBouncer in transaction mode, where no session keeps anything from call to call."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from support.pgbouncer import pgbouncer
from support.postgres import USER, PostgresServer, postgres
from turnlog.stores.postgres import PostgresStore
from turnlog.testing import StoreContract


class Pooled:
    """A server and the pooler in front of it."""

    def __init__(self, server: PostgresServer, pooler: str) -> None:
        self.server = server
        self.url = f"postgresql://{USER}@{pooler}/postgres"


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooled]:
    directory: Path = tmp_path_factory.mktemp("pooled")
    with postgres(directory / "data", fsync="off") as server, pgbouncer(directory, server) as pooler:
        yield Pooled(server, pooler)


class TestPostgresStoreBehindPgBouncer(StoreContract):
    @pytest.fixture
    def factory(self, pooled: Pooled) -> Callable[[], PostgresStore]:
        pooled.server.empty()
        return lambda: PostgresStore(pooled.url)


def test_clients_take_turns_in_one_session_of_the_server(pooled: Pooled) -> None:
    with psycopg.connect(pooled.url, autocommit=True) as one, psycopg.connect(pooled.url, autocommit=True) as other:
        asked = [client.execute("SELECT pg_backend_pid()").fetchone() for client in (one, other, one, other)]
    assert len(set(asked)) == 1
