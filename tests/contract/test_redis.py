"""The contract, on one Valkey server."""

from collections.abc import Callable, Iterator

import pytest

from servers.valkey import ValkeyServer, valkey
from turnlog.stores.redis import RedisStore
from turnlog.testing import StoreContract


@pytest.fixture(scope="module")
def server() -> Iterator[ValkeyServer]:
    with valkey() as started:
        yield started


class TestRedisStore(StoreContract):
    @pytest.fixture
    def factory(self, server: ValkeyServer) -> Callable[[], RedisStore]:
        server.ask("FLUSHALL")
        return lambda: RedisStore(server.url)
