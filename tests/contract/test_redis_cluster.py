"""The contract, on a Valkey cluster of three primaries and three replicas, with every write confirmed by a replica."""

from collections.abc import Callable

import pytest

from support.valkey import ValkeyCluster
from turnlog.stores.redis import RedisStore
from turnlog.testing import StoreContract


class TestRedisCluster(StoreContract):
    @pytest.fixture(params=["server", "replicated"])
    def factory(self, cluster_server: ValkeyCluster, request: pytest.FixtureRequest) -> Callable[[], RedisStore]:
        cluster_server.flush()
        return lambda: RedisStore(f"{cluster_server.url}?durability={request.param}")
