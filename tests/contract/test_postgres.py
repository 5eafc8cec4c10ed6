"""The contract, on a real PostgreSQL server."""

from collections.abc import Callable, Iterator

import pytest
from servers.postgres import PostgresServer, postgres

from turnlog.stores.postgres import PostgresStore
from turnlog.testing import StoreContract


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with postgres(tmp_path_factory.mktemp("postgres") / "data") as running:
        yield running


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def factory(self, server: PostgresServer) -> Callable[[], PostgresStore]:
        server.empty()
        return lambda: PostgresStore(server.url())
