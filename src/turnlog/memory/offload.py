"""Work that only computes, done beside the event loop.

Whoever folds text on the loop that serves requests stops them all for as long as that takes. Here it is done in a thread, so
that the loop has its turn every few milliseconds.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

AT_ONCE_MAX = 500
"""Characters of text that are worked on within the event loop, at most: a thread for them would cost more than they do."""

T = TypeVar("T")

# decision 047: threads share one interpreter lock, so that a second one would do nothing but keep the loop from it longer;
# of each loop, for a lock of asyncio cannot be waited for from two
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def offload(work: Callable[[], T], *, characters: int) -> T:
    """What `work` returns, which reads so many characters of text: in a thread, one at a time for each event loop."""
    if characters <= AT_ONCE_MAX:
        return work()
    async with _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        return await asyncio.to_thread(work)
