"""Finishes work whose caller is cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Return the outcome of `work`. If the caller is cancelled, the cancellation continues after `work` has ended.

    Erasures use this: they take several calls of the store, and one that stops in between would leave text behind. The time
    limits of the store bound the wait.
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
            task.exception()  # retrieved, or asyncio would log it: the caller gets the cancellation
        raise cancelled
    finally:
        del task, cancelled  # an error that holds this frame would be in a cycle with them
