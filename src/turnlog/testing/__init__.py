"""What tests of things built on turnlog need: the contracts of stores and of folds, a clock to turn by hand, and language
models that say what they are told to.

Needs pytest, and no plugin of it.
"""

import pytest

pytest.register_assert_rewrite("turnlog.testing.store_contract", "turnlog.testing.fold_contract")

from turnlog.testing.clock import FakeClock  # noqa: E402 - pytest has to know the contract before it is imported
from turnlog.testing.fold_contract import DeterministicFoldContract, FoldContract  # noqa: E402
from turnlog.testing.llm import ScriptedLLM  # noqa: E402
from turnlog.testing.llm_server import LLMServer, llm_server  # noqa: E402
from turnlog.testing.store_contract import StoreContract  # noqa: E402

__all__ = [
    "DeterministicFoldContract",
    "FakeClock",
    "FoldContract",
    "LLMServer",
    "ScriptedLLM",
    "StoreContract",
    "llm_server",
]
