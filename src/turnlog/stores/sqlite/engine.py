"""SQLite itself: opening a file, its schema, its errors, its statements."""

import os
import re
import time
from contextlib import suppress
from functools import cache
from importlib.resources import files

import apsw

from turnlog.errors import SchemaTooNew, StoreUnavailable
from turnlog.stores.sqlite.parking import refuse_left

APPLICATION_ID = 0x7475726E  # "turn"
_HERE = files(__package__)
EMPTYING_MS = 50
"""How long emptying the WAL holds up writers while it waits for readers."""
READER_HOLDS = "the write-ahead log still holds what was erased: a reader needs it"
EMPTY_AGAIN_S = 0.02
_BROKEN = (apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.CorruptError, apsw.NotADBError)


def _named(text: str) -> dict[str, str]:
    found = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], (sql.strip() for sql in found[2::2]), strict=True))


SQL = _named((_HERE / "queries.sql").read_text())


@cache
def migrations() -> list[str]:
    """The steps of the schema, oldest first; the n-th leads to version n."""
    steps = sorted((entry for entry in (_HERE / "migrations").iterdir()), key=lambda entry: entry.name)
    return [step.read_text() for step in steps if step.name.endswith(".sql")]


def connect(path: str, *, busy_timeout_s: float) -> apsw.Connection:
    """A connection to the file, which is made when it is not there; a commit on it returns after the fsync."""
    refuse_left(path)
    _make_private(path)
    connection = apsw.Connection(path, statementcachesize=256)
    connection.set_busy_timeout(int(busy_timeout_s * 1000))
    version(connection)  # before a pragma changes a file that is not ours
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "secure_delete = ON",  # also what a fold saves over: erased later, its old states are not found again
        "cache_size = -16000",
        "temp_store = MEMORY",
        "wal_autocheckpoint = 1000",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def _make_private(path: str) -> None:
    """Make the file, if it is not there, for its owner alone; SQLite gives the files beside it the same mode."""
    with suppress(OSError):  # SQLite will tell why it cannot be opened
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


_STATE = """
SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id, pragma_user_version
"""


def version(connection: apsw.Connection) -> int:
    """The version of the schema in the file. Raises when the file is not ours or from newer software."""
    application, found, tables = map(int, connection.execute(_STATE).get)  # in one statement: another process may migrate
    if application != APPLICATION_ID and tables:
        raise StoreUnavailable("the file is an SQLite database of another application")
    if found > len(migrations()):
        raise SchemaTooNew(found=found, supported=len(migrations()))
    return found


def migrate(connection: apsw.Connection) -> None:
    """Bring the schema up to date, each step in a transaction of its own; several processes may do this at once."""
    while version(connection) < len(migrations()):
        connection.execute("BEGIN IMMEDIATE")
        try:
            step = version(connection)
            if step < len(migrations()):
                connection.execute(migrations()[step]).fetchall()
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {step + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def empty_wal(connection: apsw.Connection) -> bool:
    """Move all that is in the WAL into the file and cut the WAL to nothing, if no reader needs it any more."""
    timeout_ms = int(connection.pragma("busy_timeout"))
    connection.set_busy_timeout(EMPTYING_MS)
    try:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.BusyError:
        return False
    finally:
        connection.set_busy_timeout(timeout_ms)
    return True


def vacuum(path: str, *, busy_timeout_s: float) -> None:
    """Write the file anew, without what page splits left between its rows. Writers wait meanwhile. Raises `TurnlogError`."""
    desk = Desk(path, busy_timeout_s=busy_timeout_s)
    try:
        connection = desk.connection()
        connection.execute("PRAGMA temp_store = FILE")  # it may be as large as what is kept
        connection.execute("VACUUM")
        until = time.monotonic() + busy_timeout_s
        while not empty_wal(connection):
            if time.monotonic() > until:
                raise StoreUnavailable(READER_HOLDS)
            time.sleep(EMPTY_AGAIN_S)
    except apsw.Error as error:
        raise translate(error) from error
    finally:
        desk.close()


def bring_up_to_date(path: str, *, busy_timeout_s: float) -> None:
    """Make the file if it is not there, and give it the present schema. Raises `TurnlogError`."""
    desk = Desk(path, busy_timeout_s=busy_timeout_s)
    try:
        desk.connection()
    except apsw.Error as error:
        raise translate(error) from error
    finally:
        desk.close()


def translate(error: apsw.Error) -> Exception:
    """The error that callers see. What can only be a defect in a statement of ours stays what it is."""
    if isinstance(error, apsw.SQLError | apsw.MisuseError | apsw.RangeError | apsw.MismatchError | apsw.ConstraintError):
        return error
    return StoreUnavailable(f"{type(error).__name__.removesuffix('Error')}: {error}")


class Desk:
    """One thread's connection: opened when it is needed, and anew after the engine broke under it."""

    def __init__(self, path: str, *, busy_timeout_s: float) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._connection: apsw.Connection | None = None

    def connection(self) -> apsw.Connection:
        """The connection, with the schema checked. Raises `apsw.Error` or `TurnlogError`."""
        if self._connection is None:
            connection = connect(self._path, busy_timeout_s=self._busy_timeout_s)
            try:
                migrate(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def recover(self, error: BaseException) -> None:
        """Leave no transaction open; let go of a connection that `error` may have broken."""
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except apsw.Error:
            self.close()
        if isinstance(error, _BROKEN):
            self.close()

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
