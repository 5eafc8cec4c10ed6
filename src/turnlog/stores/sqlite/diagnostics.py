"""Examines what bears on the durability of a file: journal, `synchronous`, access rights, free disk, schema."""

import shutil
import stat
from pathlib import Path

import apsw

from turnlog.errors import StoreUnavailable
from turnlog.store import Finding, SchemaVersion
from turnlog.stores.sqlite import schema
from turnlog.stores.sqlite.connection import connect, translate
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
