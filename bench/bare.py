"""SQLite through its driver and nothing else: what the store is measured against."""

from pathlib import Path

import apsw

_INSERT = "INSERT INTO log VALUES (?, ?, ?)"


class Bare:
    """A table keyed by (conversation, seq), WAL, synchronous=FULL; the writers take turns."""

    def __init__(self, path: Path, *, writers: int) -> None:
        self.connection = apsw.Connection(str(path))
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self.connection.execute(f"PRAGMA {pragma}").fetchall()
        self.connection.execute(
            "CREATE TABLE log (conversation INTEGER, seq INTEGER, body TEXT, PRIMARY KEY (conversation, seq)) WITHOUT ROWID"
        )
        self._writers = writers
        self._count = 0

    def insert(self, text: str) -> None:
        """One row; outside a transaction, one commit."""
        seq, conversation = divmod(self._count, self._writers)
        self.connection.execute(_INSERT, (conversation, seq + 1, text))
        self._count += 1

    def insert_many(self, text: str, rows: int) -> None:
        """Rows that share a commit."""
        self.connection.execute("BEGIN IMMEDIATE")
        for _ in range(rows):
            self.insert(text)
        self.connection.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()
