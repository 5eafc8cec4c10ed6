"""Connections to the file: how they are opened, checked and closed, their errors and their write-ahead log."""

import logging
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

import apsw

from turnlog.errors import InvalidInput, SchemaTooNew, StoreFailed, StoreUnavailable, TurnlogError
from turnlog.stores.sqlite import schema
from turnlog.stores.sqlite.file_identity import Watch, inode, make_private, nameless, place_of, refuse_foreign
from turnlog.stores.sqlite.fork_guard import refuse_left

EMPTYING_MS = 50
"""Milliseconds for which emptying the WAL delays writers while it waits for readers."""
READER_HOLDS = "the write-ahead log still holds what was erased: a reader needs it"
EMPTY_AGAIN_S = 0.02
LATELY_S = 0.01
"""Seconds for which a writer relies on its last look at the folder; it looks again before it acknowledges (decision 013)."""
STORE_WIDE = (
    *(apsw.BusyError, apsw.LockedError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.NotADBError, apsw.ProtocolError),
    *(apsw.PermissionsError, StoreUnavailable, SchemaTooNew),
)
"""Errors that would hit every other change, too."""
MACHINE = (apsw.IOError, apsw.FullError, apsw.NoMemError)
"""Errors of the machine, which may concern one conversation or all that follow."""
_UNAVAILABLE = (*STORE_WIDE, *MACHINE, apsw.InterruptError, apsw.AbortError, apsw.SchemaChangeError)
_BROKEN = (apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.CorruptError, apsw.NotADBError)


_logger = logging.getLogger(__name__)


def _named(text: str) -> dict[str, str]:
    found = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], (sql.strip() for sql in found[2::2]), strict=True))


SQL = _named((files(__package__) / "queries.sql").read_text())


def path_of(path: str) -> Path:
    """Return the file that `path` names. Raises `InvalidInput` if SQLite could take it for something else."""
    if not path or path.startswith((":", "file:")) or any(mark in path for mark in "?#\0"):
        rule = "must name a file: not :memory:, not a file: URI, no parameters (ram: keeps everything in this process)"
        raise InvalidInput("store", rule)
    return Path(path).absolute()


def connect(path: Path, *, busy_timeout_s: float, begun: bool) -> apsw.Connection:
    """Open a connection to an existing file; a commit returns after the `fsync`. Raises `StoreUnavailable` if `begun`
    and the file holds no data of turnlog.
    """
    refuse_left(str(path))
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=256)
    with ExitStack() as undo:
        undo.callback(connection.close)
        refuse_foreign(path)
        connection.set_busy_timeout(int(busy_timeout_s * 1000))
        taken = schema.taken(connection)  # before a pragma changes a file that is not ours
        if begun and taken.pre == 0:
            raise StoreUnavailable("there is a file without data of turnlog in the place of the one that was used")
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "fullfsync = ON",  # on macOS an fsync leaves it to the disk when; elsewhere this changes nothing
            "checkpoint_fullfsync = ON",
            "secure_delete = ON",  # also what a fold saves over: erased later, its old states are not found again
            "cache_size = -16000",
            "temp_store = MEMORY",
            "wal_autocheckpoint = 1000",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        undo.pop_all()
    return connection


def empty_wal(connection: apsw.Connection) -> bool:
    """Move the content of the WAL into the file and truncate the WAL; False if a reader still needs it."""
    timeout_ms = int(connection.pragma("busy_timeout"))
    connection.set_busy_timeout(EMPTYING_MS)
    try:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.BusyError:
        return False
    finally:
        connection.set_busy_timeout(timeout_ms)
    return True


def vacuum(connection: apsw.Connection, *, busy_timeout_s: float) -> None:
    """Rewrite the file without the remains of page splits (decision 012). Writers wait meanwhile."""
    connection.execute("PRAGMA temp_store = FILE")  # it may be as large as what is kept
    connection.execute("VACUUM")
    until = time.monotonic() + busy_timeout_s
    while not empty_wal(connection):
        if time.monotonic() > until:
            raise StoreUnavailable(READER_HOLDS)
        time.sleep(EMPTY_AGAIN_S)


def attempt(work: Callable[[], object]) -> Exception | None:
    """Do `work`; the error that ended it, without its traceback, whose frames would keep the jobs alive (decision 013).

    What is neither ours nor the engine's is decayed data or a defect, and is logged with its traceback.
    """
    try:
        work()
    # decision 057: the one broad handler of this store; whatever a job raises, its waiters are told and its neighbours go on
    except Exception as error:
        if not isinstance(error, TurnlogError | apsw.Error):
            _logger.exception("the SQLite store failed")
        return error.with_traceback(None)
    return None


def translate(error: Exception) -> TurnlogError:
    """Return the `TurnlogError` for an error, a new one for each caller."""
    if isinstance(error, TurnlogError):
        return _twin(error)
    reason = f"{type(error).__name__.removesuffix('Error')}: {error}"
    if isinstance(error, _UNAVAILABLE):
        return StoreUnavailable(reason)
    return StoreFailed(reason)


def _twin(error: TurnlogError) -> TurnlogError:
    """Copy an error without its traceback and cause, whose frames would keep its job alive (decision 013)."""
    twin = type(error).__new__(type(error), *error.args)
    twin.__dict__.update(error.__dict__)
    return twin


class Origin:
    """The file that a store has opened; its connections open no other file (decision 013)."""

    def __init__(self) -> None:
        self.place: str | None = None
        self.replaced = False

    def refuse_other(self, path: Path) -> None:
        """Raise `StoreUnavailable` if another file is at `path`, or has been."""
        if self.place is not None and self.place != place_of(path):
            self.replaced = True
        if self.replaced:
            names = f"{path.name}-wal and {path.name}-shm"
            raise StoreUnavailable(f"its file was replaced: close the store, remove {names} if they are left, open it again")


class Desk:
    """The connection of one thread. It is opened when needed, and again after an error of the engine or after the file of
    `origin` is back in its place. With `make`, the first opening creates a missing file.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float, make: bool = False, origin: Origin | None = None) -> None:
        self._path = path
        self._origin = origin or Origin()
        self._busy_timeout_s = busy_timeout_s
        self._make = make
        self._connection: apsw.Connection | None = None
        self._watch: Watch | None = None
        self._checked_s = 0.0

    def connection(self, *, post: bool = False, lately: bool = False) -> apsw.Connection:
        """Return the connection after a check of file and schema; `post` also takes the `.post` steps of the schema. With
        `lately`, a check younger than `LATELY_S` is enough: each check releases the interpreter lock (decision 013).

        Raises `apsw.Error` or `TurnlogError`.
        """
        if self._connection is None:
            self._open(post)
            assert self._connection is not None
        elif not lately or time.monotonic() > self._checked_s + LATELY_S:
            self.check()
        return self._connection

    def check(self) -> None:
        """Raise `StoreUnavailable` if the open file is no longer the one at the path."""
        if self._watch is not None and not self._watch.unmoved():
            self._checked_s = 0.0
            if self._watch.replaced():
                self._origin.replaced = True
            if self._save():
                self._drop()
            raise StoreUnavailable("its file, or the write-ahead log beside it, was removed or replaced")
        self._checked_s = time.monotonic()

    def _open(self, post: bool) -> None:
        if self._make:
            make_private(self._path)
        before = inode(self._path)
        if before is None:
            folder = self._path.parent
            raise StoreUnavailable(f"there is no {f'file {self._path}' if folder.is_dir() else f'folder {folder}'}")
        self._origin.refuse_other(self._path)
        connection = connect(self._path, busy_timeout_s=self._busy_timeout_s, begun=not self._make)
        with ExitStack() as undo:
            undo.callback(connection.close)
            schema.migrate(connection, post=post)
            watch = Watch(self._path)
            if watch.file != before:
                raise StoreUnavailable("its file was replaced")
            schema.notice_copy(connection, place_of(self._path))
            undo.pop_all()
        self._connection, self._watch, self._make = connection, watch, False
        self._origin.place = watch.place

    def _save(self) -> bool:
        """Move the content of a removed WAL into its file; return whether the connection may be closed.

        That is possible only when no reader uses the WAL: until then, a new WAL would start in its middle (decision 013).
        """
        connection, watch = self._connection, self._watch
        if connection is None or watch is None or watch.unmoved():
            return True
        try:
            if watch.lost_wal():  # acknowledged text is nowhere else
                if not empty_wal(connection):
                    return False
                watch.saved()
            elif watch.file is not None and nameless(watch.file):
                empty_wal(connection)  # left as it is, it would be taken for that of the next file
        except apsw.Error:
            return not watch.lost_wal()
        return True

    def recover(self, error: BaseException) -> None:
        """Roll back an open transaction, and close a connection that `error` may have broken."""
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            broken = isinstance(error, _BROKEN)
        except apsw.Error:
            broken = True
        if broken and self._save():
            self._drop()

    def close(self) -> None:
        """Close the connection; if its WAL was removed, after the content is in the file or the time limit has passed."""
        until = time.monotonic() + self._busy_timeout_s
        while not self._save() and time.monotonic() < until:
            time.sleep(EMPTY_AGAIN_S)
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._watch is not None:
            self._watch.forget()
        self._connection, self._watch = None, None
