"""The fold `summary`: for now the beginnings of the newest messages."""

from collections.abc import Sequence
from typing import Any

import msgspec

from turnlog.message import Message


class SummaryState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest words."""

    text: str = ""


class Summary:
    """The fold."""

    name = "summary"
    version = 1

    def __init__(self, llm: Any = None) -> None:
        pass

    def initial(self) -> SummaryState:
        return SummaryState()

    async def step(self, state: SummaryState, messages: Sequence[Message]) -> SummaryState:
        return SummaryState((state.text + " ".join(m.text[:20] for m in messages))[-500:])
