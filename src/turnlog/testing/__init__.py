"""For tests of what is built on turnlog: the contracts of stores and folds, a clock to turn by hand, and scripted models.

The contracts are for pytest, without a plugin. Everything else works without pytest.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

with suppress(ImportError):
    import pytest

    pytest.register_assert_rewrite("turnlog.testing.store_contract", "turnlog.testing.fold_contract")

from turnlog.testing.clock import FakeClock
from turnlog.testing.fold_contract import DeterministicFoldContract, FoldContract
from turnlog.testing.llm import ScriptedLLM
from turnlog.testing.llm_server import LLMServer, llm_server

if TYPE_CHECKING:
    from turnlog.testing.store_contract import StoreContract

__all__ = [
    "DeterministicFoldContract",
    "FakeClock",
    "FoldContract",
    "LLMServer",
    "ScriptedLLM",
    "StoreContract",
    "llm_server",
]


def __getattr__(name: str) -> Any:
    """`StoreContract`, which alone imports pytest, when it is first asked for."""
    if name != "StoreContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from turnlog.testing.store_contract import StoreContract

    return StoreContract
