"""Examines and maintains a file as a whole, on a connection of its own, whether the store is open or not."""

import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import apsw

from turnlog.errors import StoreUnavailable
from turnlog.store import Finding, SchemaVersion
from turnlog.stores.sqlite import schema, writes
from turnlog.stores.sqlite.connection import Desk, connect, translate, vacuum
from turnlog.stores.sqlite.file_identity import refuse_foreign

ROOM_BYTES_GOOD = 1 << 30
ROOM_BYTES_LEAST = 64 << 20
_SYNCHRONOUS = ("off", "normal", "full", "extra")


def schema_version(path: Path) -> SchemaVersion:
    """Return the schema version of the file, 0 if it is missing, and the version that this software writes."""
    if not path.exists():
        return SchemaVersion(0, schema.SUPPORTED)
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            refuse_foreign(path)
            return SchemaVersion(schema.taken(connection).pre, schema.SUPPORTED)
        finally:
            connection.close()
    except apsw.Error as error:
        raise translate(error) from error


def examine(path: Path, *, busy_timeout_s: float) -> list[Finding]:
    """Return the findings on a file. Raises `StoreUnavailable` if it is missing or not a file of turnlog."""
    version = schema_version(path)
    if not path.exists():
        raise StoreUnavailable(f"there is no file {path}")
    try:
        connection = connect(path, busy_timeout_s=busy_timeout_s, begun=False)
        try:
            journal = str(connection.pragma("journal_mode"))
            synchronous = _SYNCHRONOUS[int(connection.pragma("synchronous"))]
        finally:
            connection.close()
    except apsw.Error as error:
        raise translate(error) from error
    return [_journal(journal), _synchronous(synchronous), _mode(path), _room(path), _schema(version)]


def _journal(mode: str) -> Finding:
    if mode == "wal":
        return Finding("journal_mode", mode, "ok", "Readers and the writer do not wait for each other.")
    return Finding("journal_mode", mode, "warn", "Readers and the writer wait for each other: this disk cannot hold a WAL.")


def _synchronous(level: str) -> Finding:
    if level in ("full", "extra"):
        return Finding("synchronous", level, "ok", "What is acknowledged is on the disk, also after a power cut.")
    return Finding("synchronous", level, "bad", "A power cut may lose what was acknowledged.")


def _mode(path: Path) -> Finding:
    bits = stat.S_IMODE(path.stat().st_mode)
    if bits & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding("file_mode", f"{bits:04o}", "warn", "Others than the owner may open the file: `chmod 600` ends that.")
    return Finding("file_mode", f"{bits:04o}", "ok", "Only the owner may open the file.")


def _room(path: Path) -> Finding:
    free = shutil.disk_usage(path.parent).free
    value = f"{free >> 20} MiB"
    if free < ROOM_BYTES_LEAST:
        return Finding("free_disk", value, "bad", "Appends are about to be refused: the disk is full.")
    if free < ROOM_BYTES_GOOD:
        return Finding("free_disk", value, "warn", "Less than 1 GiB is left; on a full disk appends are refused.")
    return Finding("free_disk", value, "ok", "There is room.")


def _schema(version: SchemaVersion) -> Finding:
    if version.found == version.supported:
        return Finding("schema", str(version.found), "ok", "The data has the form that this turnlog writes.")
    return Finding("schema", str(version.found), "warn", f"Opening the store brings it to {version.supported}.")


T = TypeVar("T")


def bring_up_to_date(desk: Desk) -> None:
    """Create a missing file, and take all steps of the schema. Raises `TurnlogError`."""
    _on(desk, lambda connection: None, post=True)


def mark_restored(desk: Desk) -> None:
    """Give all conversations a new incarnation. Raises `TurnlogError`."""
    _on(desk, lambda connection: _in_transaction(connection, schema.mark_restored))


def sweep(desk: Desk, *, busy_timeout_s: float) -> int:
    """Finish deletions, also of what no link between rows leads to, and write the file anew; how many there were. Raises
    `TurnlogError`.
    """

    def work(connection: apsw.Connection) -> int:
        count = 0
        # decision 015: a decayed link may have cut rows off from the grave that led to them
        _in_transaction(connection, writes.trim_again)
        while (n := _in_transaction(connection, writes.trim_next)) is not None:
            count += 1
            while n is not None:
                n = _in_transaction(connection, lambda connection, n=n: writes.trim(connection, n))  # type: ignore[misc]
        # decision 012: page splits leave copies of old text between rows; only a new file is without them
        vacuum(connection, busy_timeout_s=busy_timeout_s)
        return count

    return _on(desk, work)


def _on(desk: Desk, work: Callable[[apsw.Connection], T], *, post: bool = False) -> T:
    try:
        return work(desk.connection(post=post))
    except apsw.Error as error:
        raise translate(error) from error
    finally:
        desk.close()


def _in_transaction(connection: apsw.Connection, work: Callable[[apsw.Connection], T]) -> T:
    with schema.transaction(connection):
        schema.gate(connection)
        return work(connection)
