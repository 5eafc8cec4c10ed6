"""Closes open objects in a forked child, which cannot use them (decision 048).

After `os.fork` the child shares connections and event loops with its parent, and has none of its threads. An open object
registers itself here; a hook calls its `abandon` in the child, where it can then be opened again. Calls check nothing:
`os.getpid` would cost each of them 350 ns on some machines.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from turnlog.errors import StoreUnavailable

S = TypeVar("S")

NOT_OPEN = "it is not open: use it as a context manager, or call `open()`"
ABANDONED = "it was opened in another process: call `open()` again after a fork"


class Opened(Protocol):
    """An object that is open in this process."""

    def abandon(self) -> None:
        """Forget connections, threads and loops without touching them, since they are the parent's. Called in the child."""


_opened: "WeakSet[Opened]" = WeakSet()
_abandoned: "WeakSet[Any]" = WeakSet()
_kept: list[object] = []
_locks: "WeakKeyDictionary[Any, tuple[asyncio.AbstractEventLoop, asyncio.Lock]]" = WeakKeyDictionary()


def opened(it: Opened) -> None:
    """Abandon `it` in every child that is forked from now on, until it is `closed`."""
    _abandoned.discard(it)
    _opened.add(it)


def closed(it: Opened) -> None:
    """Stop abandoning `it` in children."""
    _opened.discard(it)


def one_at_a_time(method: Callable[[S], Coroutine[Any, Any, None]]) -> Callable[[S], Coroutine[Any, Any, None]]:
    """Decorate a method that opens something: tasks that call it at once run it one after the other."""

    @wraps(method)
    async def call(self: S) -> None:
        loop = asyncio.get_running_loop()
        known = _locks.get(self)
        if known is None or known[0] is not loop:  # in a forked child, too: the task that held the lock is not there
            known = _locks[self] = (loop, asyncio.Lock())
        async with known[1]:
            await method(self)

    return call


def unusable(it: object) -> StoreUnavailable:
    """Return the error for a call on an object that is not open in this process."""
    return StoreUnavailable(ABANDONED if it in _abandoned else NOT_OPEN)


def keep(*objects: object) -> None:
    """Keep `objects` from being collected: their finalizers would send to the parent's sockets, remove its sockets from the
    epoll object that both share, or delete its files.
    """
    _kept.extend(objects)
    try:
        import ctypes
    except ImportError:  # the list holds them until the interpreter ends
        return
    for each in objects:  # decision 048: a reference that outlives even the modules, which are emptied at exit
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))


def _abandon_all() -> None:
    for each in list(_opened):
        each.abandon()
        _abandoned.add(each)
    _opened.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
