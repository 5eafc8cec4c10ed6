"""What all tests share: how hard the property tests try, and one server of each kind for the whole session."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from support.postgres import PostgresServer, postgres
from support.valkey import ValkeyCluster, ValkeyServer, valkey, valkey_cluster

FUZZ = int(os.environ.get("TURNLOG_FUZZ", "1"))
"""How many times the default number of examples the property tests try."""

settings.register_profile(
    "turnlog",
    deadline=None,
    max_examples=50 * FUZZ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)
settings.load_profile("turnlog")


def pytest_collection_finish() -> None:
    """Keep what was imported out of each garbage collection from now on: it is most of the heap."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with postgres(tmp_path_factory.mktemp("postgres") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    with valkey() as running:
        yield running


@pytest.fixture(scope="session")
def cluster_server() -> Iterator[ValkeyCluster]:
    """Six nodes."""
    with valkey_cluster() as formed:
        yield formed


@pytest.fixture
def store_url(store: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a store of the kind that the test is given as `store`; servers have seen other tests before."""
    match store:
        case "ram":
            return "ram:"
        case "sqlite":
            return f"sqlite:///{tmp_path}/turnlog.db"
        case "postgres":
            server: PostgresServer = request.getfixturevalue("postgres_server")
            return server.url()
        case _:
            return str(request.getfixturevalue(f"{store}_server").url)


@pytest.fixture
def tenant() -> str:
    """A tenant that nobody had before."""
    return f"t-{uuid4().hex}"
