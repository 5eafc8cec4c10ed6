"""The contract, on one Valkey server."""

from collections.abc import Callable

import pytest

from support.valkey import ValkeyServer
from turnlog.stores.redis import RedisStore
from turnlog.testing import StoreContract


class TestRedisStore(StoreContract):
    @pytest.fixture
    def factory(self, valkey_server: ValkeyServer) -> Callable[[], RedisStore]:
        valkey_server.ask("FLUSHALL")
        return lambda: RedisStore(valkey_server.url)
