"""The contract, on a real PostgreSQL server."""

from collections.abc import Callable

import pytest

from support.postgres import PostgresServer
from turnlog.stores.postgres import PostgresStore
from turnlog.testing import StoreContract

DATABASE = "contract"


@pytest.fixture(scope="module")
def server(postgres_server: PostgresServer) -> PostgresServer:
    postgres_server.execute(f"CREATE DATABASE {DATABASE}")
    return postgres_server


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def factory(self, server: PostgresServer) -> Callable[[], PostgresStore]:
        server.empty(DATABASE)
        return lambda: PostgresStore(server.url(DATABASE))


class TestPostgresStoreOfShards(StoreContract):
    """With each statement on one conversation alone, as tables that are distributed need it."""

    @pytest.fixture
    def factory(self, server: PostgresServer) -> Callable[[], PostgresStore]:
        server.empty(DATABASE)
        return lambda: PostgresStore(server.url(DATABASE), sharded=True)
