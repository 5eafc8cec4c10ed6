"""The contract, on the embedded store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from turnlog.stores.sqlite import SqliteStore
from turnlog.testing import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def factory(self, tmp_path: Path) -> Callable[[], SqliteStore]:
        return lambda: SqliteStore(str(tmp_path / "turnlog.db"))
