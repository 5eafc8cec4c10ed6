"""Work that is not left half done when whoever waits for it is cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of `work`. If the caller is cancelled meanwhile, `work` goes on to its end first.

    For erasures, which are several calls of the store: one that stops in between leaves words known. The wait is bounded by
    the store's time limits.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    try:
        while not task.done():
            try:
                await asyncio.wait([task])  # unlike `await task`, this does not cancel the task
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is None:
            return task.result()
        if not task.cancelled():
            task.exception()  # taken note of: the caller is told of the cancellation
        raise cancelled
    finally:
        del task, cancelled  # an error that holds this frame would be in a cycle with them
