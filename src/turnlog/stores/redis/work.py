"""What a store has accepted and not finished."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from turnlog.errors import StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")


class OpenCalls:
    """Counts running calls, so that a store can finish them before it closes."""

    def __init__(self) -> None:
        self.closing = False
        self._calls = 0
        self._idle: asyncio.Event | None = None

    def __enter__(self) -> None:
        if self.closing:
            raise StoreUnavailable("the store is closed")
        self._calls += 1

    def __exit__(self, *_: object) -> None:
        self._calls -= 1
        # the event is made when somebody waits for it: calls do without
        if self._calls == 0 and self._idle is not None:
            self._idle.set()

    async def finish(self, within_s: float) -> None:
        """Accept no more calls; return when all accepted ones are done, or after `within_s` seconds."""
        self.closing = True
        if self._calls:
            self._idle = self._idle or asyncio.Event()
            try:
                await asyncio.wait_for(self._idle.wait(), within_s)
            except TimeoutError:
                pass

    def begin(self) -> None:
        """Accept calls."""
        self.closing, self._idle = False, None


class _Worker(Protocol):
    @property
    def work(self) -> OpenCalls: ...


W = TypeVar("W", bound=_Worker)


def accepted(
    method: Callable[Concatenate[W, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[W, P], Coroutine[Any, Any, T]]:
    """Decorate a method so that closing waits for its running calls."""

    async def counted(self: W, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self.work:
            return await method(self, *args, **kwargs)

    return update_wrapper(counted, method)
