"""No connection to a file is open while the process forks.

SQLite keeps the locks that a process has on a file in memory of its own, and the operating system does not hand them to a
child. A child that opens the file believes that it holds its parent's locks: when the parent closes the file, the
write-ahead log is deleted under the child, and what it was told is stored is gone. So all lanes are brought to a halt and
their connections closed before a fork; they are opened anew when they are needed. decision 048

What a child is told of its parent's connections is noted in the parent, and all locks are made anew in the child.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from weakref import WeakKeyDictionary, WeakSet

import apsw

from turnlog.errors import StoreUnavailable, TurnlogError
from turnlog.process import keep

PARK_S_MAX = 5.0
"""Seconds for which a fork waits for running jobs of lanes."""


class Parked(Protocol):
    """An object that holds connections."""

    busy: threading.Lock
    """Held while a connection is in use."""

    def let_go(self) -> None:
        """Close the connections until they are needed again. The caller holds `busy`."""


_lanes: "WeakSet[Parked]" = WeakSet()
_halted: dict[int, list[Parked]] = {}
"""By thread that forks: what it has halted."""
_files: "WeakKeyDictionary[apsw.Connection, tuple[int, int] | None]" = WeakKeyDictionary()
"""By connection, noted when it is opened: a connection that is busy in another thread does not tell its file."""
_left: set[tuple[int, int] | None] = set()
_UNKNOWN = (-1, -1)
"""Stands for any file in `_left`."""
_forking = threading.RLock()  # it knows its owner, which a hook that was interrupted does not


def register(lane: Parked) -> None:
    """Halt `lane` at each fork, as long as it lives."""
    with _forking:
        _lanes.add(lane)


def refuse_left(path: str) -> None:
    """Raise `StoreUnavailable` for a file that the parent had open when this process was forked."""
    if _left and (_UNKNOWN in _left or _file(path) in _left):
        raise StoreUnavailable("the file was in use while this process was forked: it cannot be opened in it")


def _halt() -> None:
    _forking.acquire()
    halted = _halted[threading.get_ident()] = []
    until = time.monotonic() + PARK_S_MAX
    for lane in list(_lanes):
        if lane.busy.acquire(timeout=max(0.0, until - time.monotonic())):
            halted.append(lane)
            with suppress(apsw.Error, OSError, TurnlogError):  # a connection that stays open is one of those that are left
                lane.let_go()
    for connection in apsw.connections():
        while connection not in _files and not _note(connection) and time.monotonic() < until:
            time.sleep(0.01)


def _go_on() -> None:
    try:
        for lane in _halted.pop(threading.get_ident(), ()):
            lane.busy.release()
    finally:
        with suppress(RuntimeError):  # interrupted before it was acquired
            _forking.release()


def _in_child() -> None:
    # Of the connections nothing is asked: a thread that is not here may hold their locks.
    complete = False
    try:
        left = apsw.connections()
        _left.update(_files.get(connection, _UNKNOWN) for connection in left)
        _left.discard(None)
        keep(*left)  # collected, they would be closed, and the parent's files with them
        complete = True
    finally:
        if not complete:
            _left.add(_UNKNOWN)
        _begin_anew()


def _begin_anew() -> None:
    """Reset lanes and locks in the child, which has none of the threads that own them."""
    global _forking, _lanes  # noqa: PLW0603  # the parent's are of no use
    _forking = threading.RLock()
    lanes, _lanes = _lanes, WeakSet()
    _halted.clear()
    for lane in list(lanes):
        lane.busy = threading.Lock()


def _note(connection: apsw.Connection) -> bool:
    """Note the file of `connection`; return whether it is known."""
    try:
        _files[connection] = _file(connection.filename)
    except (apsw.Error, ValueError):  # raised, it would fail whoever makes a connection
        return False
    return True


def _noted(connection: apsw.Connection) -> None:
    _note(connection)


def _file(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat() if path else None  # without a path it is in memory
    except OSError:
        return None
    return found and (found.st_dev, found.st_ino)


if hasattr(os, "register_at_fork"):
    apsw.connection_hooks.append(_noted)
    os.register_at_fork(before=_halt, after_in_parent=_go_on, after_in_child=_in_child)
