"""The contract, on a Valkey cluster of three primaries and three replicas, with every write confirmed by a replica."""

from collections.abc import Callable, Iterator

import pytest

from servers.valkey import ValkeyCluster, valkey_cluster
from turnlog.stores.redis import RedisStore
from turnlog.testing import StoreContract


@pytest.fixture(scope="module")
def cluster() -> Iterator[ValkeyCluster]:
    with valkey_cluster() as formed:
        yield formed


class TestRedisCluster(StoreContract):
    @pytest.fixture(params=["server", "replicated"])
    def factory(self, cluster: ValkeyCluster, request: pytest.FixtureRequest) -> Callable[[], RedisStore]:
        cluster.flush()
        return lambda: RedisStore(f"{cluster.url}?durability={request.param}")
