"""A cache of what was made of model replies, so that the same prompt is not paid for twice within some minutes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
LIMIT = 256
KEPT_S = 600.0


class ReplyCache(Generic[T]):
    """Keeps up to `limit` values in this process, each for `seconds`, and then no byte of it (law 11).

    Callers who ask for one key at once share one call. A failed call is not kept; one that nobody waits for is cancelled.
    """

    def __init__(self, *, limit: int = LIMIT, seconds: float = KEPT_S) -> None:
        self._limit = limit
        self._seconds = seconds
        self._tasks: dict[object, asyncio.Task[T]] = {}
        self._waiting: dict[asyncio.Task[T], int] = {}

    async def get(self, key: object, make: Callable[[], Awaitable[T]]) -> T:
        """The value for `key`, from `make` if it is not there."""
        task = self._tasks.get(key)
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            task = self._begin(key, make)
        self._waiting[task] = self._waiting.get(task, 0) + 1
        try:
            return await asyncio.shield(task)
        finally:
            self._leave(task)

    def _begin(self, key: object, make: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        async def made() -> T:
            return await make()

        while len(self._tasks) >= self._limit:
            self._tasks.pop(next(iter(self._tasks)))
        task = self._tasks[key] = asyncio.create_task(made())
        task.add_done_callback(lambda done: self._done(key, done))
        return task

    def _leave(self, task: asyncio.Task[T]) -> None:
        self._waiting[task] -= 1
        if not self._waiting[task]:
            del self._waiting[task]
            task.cancel()  # does nothing to one that is done

    def _done(self, key: object, task: asyncio.Task[T]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._forget(key, task)
        else:
            task.get_loop().call_later(self._seconds, self._forget, key, task)

    def _forget(self, key: object, task: asyncio.Task[T]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
