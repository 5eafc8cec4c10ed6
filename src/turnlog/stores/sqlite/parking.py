"""No connection to a file is open while the process forks.

SQLite keeps the locks that a process has on a file in memory of its own, and the operating system does not hand them to a
child. A child that opens the file believes that it holds its parent's locks: when the parent closes the file, the
write-ahead log is deleted under the child, and what it was told is stored is gone. So all lanes are brought to a halt and
their connections closed before a fork; they are opened anew when they are needed. decision 048
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

import apsw

from turnlog.errors import StoreUnavailable
from turnlog.process import keep

PARK_S_MAX = 5.0
"""How long a fork waits for the work that lanes have under way."""


class Parked(Protocol):
    """What holds connections."""

    busy: threading.Lock
    """Held while a connection is used."""

    def let_go(self) -> None:
        """Close the connections; they are opened when they are needed. Called with `busy` held."""


_lanes: "WeakSet[Parked]" = WeakSet()
_halted: list[Parked] = []
_left: set[tuple[int, int]] = set()
_forking = threading.Lock()


def register(lane: Parked) -> None:
    """Halt `lane` at each fork, as long as it lives."""
    with _forking:
        _lanes.add(lane)


def refuse_left(path: str) -> None:
    """Raise `StoreUnavailable` for a file that the parent had open when this process was forked."""
    if _left and _file(path) in _left:
        raise StoreUnavailable("the file was in use while this process was forked: it cannot be opened in it")


def _halt() -> None:
    _forking.acquire()
    until = time.monotonic() + PARK_S_MAX
    for lane in list(_lanes):
        if lane.busy.acquire(timeout=max(0.0, until - time.monotonic())):
            _halted.append(lane)
            with suppress(apsw.Error):
                lane.let_go()


def _go_on() -> None:
    while _halted:
        _halted.pop().busy.release()
    _forking.release()


def _in_child() -> None:
    left = apsw.connections()
    keep(*left)  # collected, they would be closed, and the parent's files with them
    # `filename` takes no lock of SQLite's, which a thread that is not here might hold
    _left.update(file for connection in left if (file := _file(connection.filename)) is not None)
    _go_on()


def _file(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_halt, after_in_parent=_go_on, after_in_child=_in_child)
