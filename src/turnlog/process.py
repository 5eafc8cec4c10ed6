"""Objects that are open in one process and cannot be used in another one that was forked from it.

Connections, threads and event loops are shared with the parent after `os.fork`, or do not exist at all in the child. An open
object registers itself here; in the child its `abandon` is called, so that it is not open there and can be opened anew.
Nothing is checked on any call: `os.getpid` costs 350 ns on some machines, the hook costs nothing. decision 048
"""

import asyncio
import os
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from turnlog.errors import StoreUnavailable

S = TypeVar("S")

NOT_OPEN = "it is not open: call `open()`, or use it as a context manager"
ABANDONED = "it was opened in another process: open it anew after a fork"


class Opened(Protocol):
    """What is open in this process."""

    def abandon(self) -> None:
        """Forget connections, threads and loops without touching them: they are the parent's. Called in the child."""


_opened: "WeakSet[Opened]" = WeakSet()
_abandoned: "WeakSet[Any]" = WeakSet()
_kept: list[object] = []
_locks: "WeakKeyDictionary[Any, tuple[asyncio.AbstractEventLoop, asyncio.Lock]]" = WeakKeyDictionary()


def opened(it: Opened) -> None:
    """Have `it` abandoned in every child that is forked from now on, until it is `closed`."""
    _abandoned.discard(it)
    _opened.add(it)


def closed(it: Opened) -> None:
    """There is nothing left that a child would have to abandon."""
    _opened.discard(it)


def one_at_a_time(method: Callable[[S], Coroutine[Any, Any, None]]) -> Callable[[S], Coroutine[Any, Any, None]]:
    """`method`, which opens something: a task that calls it while another one is at it waits until that one is done."""

    @wraps(method)
    async def call(self: S) -> None:
        loop = asyncio.get_running_loop()
        known = _locks.get(self)
        if known is None or known[0] is not loop:  # also in a child: whoever was at it is not there
            known = _locks[self] = (loop, asyncio.Lock())
        async with known[1]:
            await method(self)

    return call


def unusable(it: object) -> StoreUnavailable:
    """The error for a call on something that is not open in this process."""
    return StoreUnavailable(ABANDONED if it in _abandoned else NOT_OPEN)


def keep(*objects: object) -> None:
    """Never let `objects` be collected: when they are, they say goodbye on the parent's sockets, take its sockets out of the
    epoll object that both share, or delete its files.
    """
    _kept.extend(objects)
    try:
        import ctypes
    except ImportError:  # the list holds them until the interpreter ends
        return
    for each in objects:  # also while the interpreter ends, when modules are emptied
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))


def _abandon_all() -> None:
    for each in list(_opened):
        each.abandon()
        _abandoned.add(each)
    _opened.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
