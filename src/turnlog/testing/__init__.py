"""What tests of things built on turnlog need: the contracts of stores and of folds, and a clock to turn by hand.

Needs pytest, and no plugin of it.
"""

import pytest

pytest.register_assert_rewrite("turnlog.testing.contract", "turnlog.testing.fold")

from turnlog.testing.clock import FakeClock  # noqa: E402 - pytest has to know the contract before it is imported
from turnlog.testing.contract import StoreContract  # noqa: E402
from turnlog.testing.fold import DeterministicFoldContract, FoldContract  # noqa: E402

__all__ = ["DeterministicFoldContract", "FakeClock", "FoldContract", "StoreContract"]
