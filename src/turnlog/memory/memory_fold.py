"""What the folds of memory share: their versions, the lease of a fold that calls a language model, and work in a thread."""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

LEASE_S = 420.0
"""Seconds for which a fold that calls a language model has a conversation for itself."""
BY_RULES, BY_MODEL = 1, 101
"""The versions of the folds. Raise the first with the rules, the second with what a model is asked."""
_BY_MODEL_FIRST = 101
INLINE_MAX = 500
"""Characters of text that a step reads on the event loop; a thread costs more than reading them."""

T = TypeVar("T")

# decision 047: threads share one interpreter lock, so a second thread would only keep the lock from the loop for longer.
# One lock for each loop, because an asyncio lock cannot be awaited from two.
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


class MemoryFold:
    """A fold that works by rules, or with a language model as another version, which one worker at a time runs."""

    lease_s: float

    def __init__(self, *, by_model: bool) -> None:
        self.version = BY_MODEL if by_model else BY_RULES
        if by_model:
            self.lease_s = LEASE_S

    @property
    def previous(self) -> int:
        """The version that was in use before: rules came before the first version with a model."""
        return BY_RULES if self.version == _BY_MODEL_FIRST else self.version - 1


async def in_thread(work: Callable[[], T], *, characters: int) -> T:
    """Return what `work` returns. It reads so many characters: many are read in a thread, one call at a time for each
    event loop, so that the loop serves requests meanwhile.
    """
    if characters <= INLINE_MAX:
        return work()
    async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        return await asyncio.to_thread(work)
