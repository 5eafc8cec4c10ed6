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

SETTLED_NS = 2_000_000_000
"""A folder that changed within this time may change again and have the same times: clocks of file systems are coarse."""

_making = threading.Lock()


def make_private(path: Path) -> None:
    """Make the file, if it is not there, for its owner alone; SQLite gives the files beside it the same mode."""
    path = path.resolve()
    with _making, suppress(OSError):  # SQLite will tell why it cannot be opened
        if not path.exists():
            _make(path)


def _make(path: Path) -> None:
    """Make the file under another name, and close it before it gets its own: nobody can have locks on it by then."""
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
    """Names a file whatever it is called."""

    device: int
    number: int


def inode(path: Path) -> Inode | None:
    """The file at `path`, None when there is none."""
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
    birth = getattr(found, "st_birthtime_ns", None) or getattr(found, "st_birthtime", None) or _birth(path)
    return f"{found.st_dev}:{found.st_ino}:{birth}"


_AT_FDCWD, _STATX_BTIME, _BTIME_AT = -100, 0x800, 80


def _birth(path: Path) -> str:
    """When the file was made, by Linux's `statx`, which Python 3.11 does not have; empty where it is not told."""
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


class Watch:
    """Tells whether a file that SQLite has open, and those beside it, are still the ones at their paths."""

    def __init__(self, path: Path) -> None:
        real = path.resolve()
        self._paths = (path, real.with_name(f"{real.name}-wal"), real.with_name(f"{real.name}-shm"))
        self._folder = path.parent
        self._linked = path.is_symlink()
        self._settled: tuple[int, ...] | None = None
        self._opened = self._look()

    @property
    def file(self) -> Inode | None:
        """The file itself."""
        return self._opened[0]

    def unmoved(self) -> bool:
        """Whether all are in their place.

        One look at the folder is enough most of the time: whatever is removed, renamed or put in a file's place changes its
        times. They do not tell while they are so young that a change may not have made them younger.
        """
        folder = self._times()
        if folder is not None and folder == self._settled:
            return True
        self._settled = None
        if self._look() != self._opened:
            return False
        if folder is not None and not self._linked and time.time_ns() - max(folder[2:]) > SETTLED_NS:
            self._settled = folder
        return True

    def lost_wal(self) -> bool:
        """Whether nothing but the WAL is gone, and nobody has begun a new one."""
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
