"""The embedded store: one SQLite file in WAL mode, durable by an fsync before each acknowledgement."""

from turnlog.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
