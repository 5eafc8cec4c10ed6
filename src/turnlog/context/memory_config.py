"""A policy in the four numbers that other libraries ask for."""

from math import floor
from typing import Literal

import msgspec

from turnlog.context.policy import ContextPolicy, check_whole, override, preset
from turnlog.errors import InvalidInput

Strategy = Literal["sliding_window", "summary", "entity", "combined"]

PRESET_OF: dict[str, str] = {"sliding_window": "window", "summary": "summary", "entity": "entity", "combined": "full"}
"""The preset of `ContextPolicy` that each strategy starts from."""

_HIGHEST_LOW = 0.9
_SHARES_OF_LOW = 0.8


class MemoryConfig(msgspec.Struct, frozen=True):
    """A strategy and its bounds, all whole numbers from 1 on. Raises `InvalidInput` with the field and the rule.

    A context costs at most `max_tokens`. Its window grows to `max_messages`, or with a summary to `summarize_after` if that
    is less; then it is cut to the newest `context_window` messages, and the summary, if any, covers those before.
    """

    strategy: Strategy = "combined"
    max_messages: int = 50
    max_tokens: int = 4000
    summarize_after: int = 20
    context_window: int = 10

    def __post_init__(self) -> None:
        if not isinstance(self.strategy, str) or self.strategy not in PRESET_OF:
            raise InvalidInput("strategy", f"must be one of {', '.join(PRESET_OF)}")
        for field in ("max_messages", "max_tokens", "summarize_after", "context_window"):
            check_whole(field, getattr(self, field), 1, 1_000_000)
        if self.context_window > self.max_messages:
            raise InvalidInput("context_window", "must not be more than max_messages")

    @property
    def policy(self) -> ContextPolicy:
        """The policy with these bounds; the shares of the sections shrink when the window must be cut hard."""
        base = preset(PRESET_OF[self.strategy])
        most = min(self.max_messages, self.summarize_after) if base.share("summary") else self.max_messages
        low = min(_HIGHEST_LOW, self.context_window / most)
        scale = min(1.0, _SHARES_OF_LOW * low / (sum(base.sections.values()) or 1.0))
        shares = {name: floor(scale * share * 10_000) / 10_000 for name, share in base.sections.items()}
        return override(base, {"budget_tokens": self.max_tokens, "max_messages": most, "low": low, "sections": shares})
