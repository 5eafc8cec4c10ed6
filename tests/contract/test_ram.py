"""The contract, on the store in memory."""

from collections.abc import Callable

import pytest

from turnlog.stores.ram import RamStore
from turnlog.testing import StoreContract


class TestRamStore(StoreContract):
    @pytest.fixture
    def factory(self) -> Callable[[], RamStore]:
        logs: dict = {}
        return lambda: RamStore(logs)
