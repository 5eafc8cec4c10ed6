"""Where a file lies, and whether what lies there is still what was opened.

Nothing here opens a file that SQLite may have open: closing any descriptor of it cancels every POSIX lock that this process
holds on it, and then another process takes the file for its own and deletes the WAL ("How To Corrupt An SQLite Database
File", 2.2; decision 013).
"""

import ctypes
import os
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple
from weakref import WeakSet

from turnlog.errors import StoreUnavailable

SETTLED_NS = 2_000_000_000
"""A directory that changed within this time may change again without new times: file systems have coarse clocks."""

_making = threading.Lock()


def make_private(path: Path) -> None:
    """Create a missing file with mode 0600; SQLite gives the files beside it the same mode."""
    path = path.resolve()
    # decision 013: the lock is for systems without hard links, where two threads could make and close the file
    with _making, suppress(OSError):  # SQLite will tell why it cannot be opened
        if not path.exists():
            _make(path)


def _make(path: Path) -> None:
    """Create the file under another name, and close it before it gets its own: no one can have locks on it yet."""
    # decision 013: a descriptor that is closed here cancels no lock, since no one has the file under its own name
    made = path.with_name(f"{path.name}.{token_hex(8)}.new")
    _touch(made)
    try:
        path.hardlink_to(made)  # unlike a rename, this takes no file's place
    except FileExistsError:
        pass
    except (OSError, NotImplementedError, AttributeError):  # no links: threads of this process wait until it is closed
        _touch(path)
    finally:
        made.unlink()


def _touch(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600))


class Inode(NamedTuple):
    """Identifies a file independently of its name."""

    device: int
    number: int


def inode(path: Path) -> Inode | None:
    """Return the file at `path`, or None."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Inode(found.st_dev, found.st_ino)


def place_of(path: Path) -> str:
    """Tells a file from its copies and from whatever lay at its path before: device, inode and time of birth, as text.

    An inode alone does not: the next file that is made often gets that of the last one that was removed.
    """
    found = path.stat()
    # decision 049: an inode number is used again at once on ext4; the time of birth tells two files apart
    birth = getattr(found, "st_birthtime_ns", None) or getattr(found, "st_birthtime", None) or _birth(path)
    return f"{found.st_dev}:{found.st_ino}:{birth}"


_AT_FDCWD, _STATX_BTIME, _BTIME_AT = -100, 0x800, 80


def _birth(path: Path) -> str:
    """Return the time of birth from Linux's `statx`, which Python 3.11 does not offer; empty if it is unknown."""
    told = ctypes.create_string_buffer(256)
    try:
        failed = ctypes.CDLL(None).statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BTIME, told)
    except (AttributeError, OSError, TypeError):
        return ""
    [mask] = struct.unpack_from("=I", told, 0)
    if failed or not mask & _STATX_BTIME:
        return ""
    seconds, nanoseconds = struct.unpack_from("=qI", told, _BTIME_AT)
    return f"{seconds}.{nanoseconds:09}"


def _place(path: Path) -> str | None:
    try:
        return place_of(path)
    except OSError:
        return None


def nameless(file: Inode) -> bool:
    """Return whether `file`, which this process has open, has no name any more; False if the system cannot say."""
    with suppress(OSError):
        # decision 013: `stat` on the path would ask about another file, and opening this one again would lose its locks
        for descriptor in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                found = descriptor.stat()  # opens nothing
                if (found.st_dev, found.st_ino) == file:
                    return found.st_nlink == 0
    return False


class Watch:
    """Checks whether the open file, its WAL and its index are still the ones at their paths."""

    def __init__(self, path: Path) -> None:
        real = path.resolve()
        self._paths = (path, real.with_name(f"{real.name}-wal"), real.with_name(f"{real.name}-shm"))
        self._folder = path.parent
        self._linked = path.is_symlink()
        self._settled: tuple[int, ...] | None = None
        self._opened = self._look()
        self.place = _place(path)
        with _known:
            _live.add(self)
            # decision 013: what a later open compares with, to know a WAL that was left behind by the file before
            _last[real] = self.place, {place for beside in self._paths[1:] if (place := _place(beside))}

    def forget(self) -> None:
        """Stop watching: the file is closed."""
        with _known:
            _live.discard(self)

    def saved(self) -> None:
        """Record that the content of the removed WAL is in the file, so that others may open it."""
        with _known:
            for watch in [watch for watch in _live if watch._opened[:2] == self._opened[:2]]:
                _live.discard(watch)

    def in_danger(self, real: Path) -> bool:
        """Return whether `real` is this file and its WAL is gone."""
        return self._paths[1] == real.with_name(f"{real.name}-wal") and self.lost_wal()

    @property
    def file(self) -> Inode | None:
        """Return the file that was opened."""
        return self._opened[0]

    def unmoved(self) -> bool:
        """Whether all are in their place.

        One look at the folder is enough most of the time: whatever is removed, renamed or put in a file's place changes its
        times. They do not tell while they are so young that a change may not have made them younger.
        """
        folder = self._times()
        # decision 013: one `stat` instead of three, 4 us each on an append of 57
        if folder is not None and folder == self._settled:
            return True
        self._settled = None
        if self._look() != self._opened:
            return False
        # a symbolic link's target lies in another folder, whose times are not looked at: never settled
        if folder is not None and not self._linked and time.time_ns() - max(folder[2:]) > SETTLED_NS:
            self._settled = folder
        return True

    def replaced(self) -> bool:
        """Return whether another file is at the path."""
        return self._look()[0] not in (None, self._opened[0])

    def lost_wal(self) -> bool:
        """Return whether only the WAL is gone, and no one has created a new one."""
        file, wal, shm = self._look()
        return file == self._opened[0] and wal is None and shm in (None, self._opened[2])

    def _look(self) -> tuple[Inode | None, ...]:
        return tuple([inode(path) for path in self._paths])

    def _times(self) -> tuple[int, ...] | None:
        try:
            found = self._folder.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns


_known = threading.Lock()
_live: "WeakSet[Watch]" = WeakSet()
"""The watches of all files that this process has open."""
_last: dict[Path, tuple[str | None, set[str]]] = {}
"""By path: the file that this process last opened there, and its WAL and index."""


def refuse_foreign(path: Path) -> None:
    """Raise `StoreUnavailable` if SQLite would read or make a WAL at `path` that does not belong to the file there.

    Call it with the file open, but before SQLite reads: what takes the file's place after that is not what was opened.
    """
    real = path.resolve()
    with _known:
        file, beside = _last.get(real, (None, set()))
        waiting = any(watch.in_danger(real) for watch in _live)
    if waiting:
        raise StoreUnavailable("the write-ahead log was removed: what it held is not in the file yet")
    if not beside or file == _place(real):
        return
    left = [f"{real.name}{end}" for end in ("-wal", "-shm") if _place(real.with_name(f"{real.name}{end}")) in beside]
    if left:
        raise StoreUnavailable(f"the file was replaced, and {', '.join(left)} beside it belong to the old one: remove them")
