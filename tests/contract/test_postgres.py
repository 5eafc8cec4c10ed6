"""The contract, on a real PostgreSQL server."""

from collections.abc import Callable

import pytest

from servers.postgres import PostgresServer
from turnlog.stores.postgres import PostgresStore
from turnlog.testing import StoreContract


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def factory(self, postgres_server: PostgresServer) -> Callable[[], PostgresStore]:
        postgres_server.empty()
        return lambda: PostgresStore(postgres_server.url())
