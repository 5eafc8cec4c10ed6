"""Changes a log behind its store's back, as somebody may who can write to the file, the tables or the keys.

A row is put with its id where the store looks for ids, so that nothing but the integrity state can tell.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import apsw
import psycopg

from support.valkey import ValkeyServer
from turnlog import Turnlog
from turnlog.codec import Record
from turnlog.store import Key
from turnlog.stores.postgres import encoding
from turnlog.stores.postgres.encoding import Names
from turnlog.stores.redis import keys, record_format


class Intruder(Protocol):
    """Writes to one conversation's data, past every rule."""

    def put(self, seq: int, record: Record) -> None:
        """`record` in the place of the row at `seq`, and its id in the place of that one's."""

    def drop(self, seq: int) -> None:
        """The row at `seq` goes; nothing else is changed."""

    def set_head(self, head: int) -> None:
        """What the header says."""

    def set_epoch(self, epoch: int) -> None:
        """How many erasures the header counts."""

    def cut(self, head: int, last: int) -> None:
        """The rows behind `head`, up to `last`, go, and the header says so."""

    def forget(self) -> None:
        """All states of folds go."""

    def save(self) -> Any:
        """All that is kept of the conversation."""

    def restore(self, saved: Any) -> None:
        """Put back what `save` gave."""


def intruder(store: str, url: str, key: Key, server: Any = None) -> Intruder:
    match store:
        case "sqlite":
            return InFile(url.removeprefix("sqlite:///"), key)
        case "postgres":
            return InTables(url, key)
        case _:
            return InKeys(server, key)


class InFile:
    TABLES = {"message": "conversation", "message_id": "conversation", "mark": "conversation", "snapshot": "conversation"}

    def __init__(self, path: str, key: Key) -> None:
        self.path = path
        self.n = int(self.do("SELECT n FROM conversation WHERE tenant = ? AND id = ?", *key)[0][0])

    def do(self, sql: str, *bound: Any) -> list[Any]:
        connection = apsw.Connection(self.path)
        try:
            connection.set_busy_timeout(10_000)
            return connection.execute(sql, bound).fetchall()
        finally:
            connection.close()

    def put(self, seq: int, record: Record) -> None:
        row = self._row(seq)
        self.do("DELETE FROM message_id WHERE conversation = ? AND message = ?", self.n, row)
        self.do("INSERT OR REPLACE INTO message_id VALUES (?, ?, ?)", record.id, self.n, row)
        self.do(
            "UPDATE message SET (id, created_at, tokens, version, digest, checksum, body) = (?,?,?,?,?,?,?) WHERE n = ?",
            record.id, record.created_at, record.tokens, record.version, record.digest, record.checksum, record.body, row,
        )  # fmt: skip

    def drop(self, seq: int) -> None:
        self.do("DELETE FROM message WHERE n = ?", self._row(seq))

    def set_head(self, head: int) -> None:
        self.do("UPDATE conversation SET head = ? WHERE n = ?", head, self.n)

    def set_epoch(self, epoch: int) -> None:
        self.do("UPDATE conversation SET epoch = ? WHERE n = ?", epoch, self.n)

    def cut(self, head: int, last: int) -> None:
        self.do("UPDATE conversation SET head = ?, last = ? WHERE n = ?", head, self._row(head), self.n)
        rows = "SELECT n FROM message WHERE conversation = ? AND seq > ?"
        self.do(f"DELETE FROM message_id WHERE message IN ({rows})", self.n, head)
        self.do("DELETE FROM message WHERE conversation = ? AND seq > ?", self.n, head)

    def forget(self) -> None:
        self.do("DELETE FROM snapshot WHERE conversation = ?", self.n)

    def save(self) -> Any:
        tables = {name: self.do(f"SELECT * FROM {name} WHERE conversation = ?", self.n) for name in self.TABLES}
        return tables | {"conversation": self.do("SELECT * FROM conversation WHERE n = ?", self.n)}

    def restore(self, saved: Any) -> None:
        for name, rows in saved.items():
            self.do(f"DELETE FROM {name} WHERE {'n' if name == 'conversation' else 'conversation'} = ?", self.n)
            for row in rows:
                self.do(f"INSERT INTO {name} VALUES ({','.join('?' * len(row))})", *row)

    def _row(self, seq: int) -> int:
        return int(self.do("SELECT n FROM message WHERE conversation = ? AND seq = ?", self.n, seq)[0][0])


class InTables:
    TABLES = ("message", "snapshot", "conversation")

    def __init__(self, url: str, key: Key) -> None:
        self.url = url
        with psycopg.connect(url) as connection:
            [secret] = connection.execute("SELECT secret FROM turnlog.schema").fetchone() or [b""]
        self.names = Names(secret)
        self.log = self.names.log(key)

    def do(self, sql: str, *bound: Any) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql, bound)  # type: ignore[arg-type]

    def put(self, seq: int, record: Record) -> None:
        numbers, id_, digest, body = encoding.column(record, self.names)
        mark = numbers[1]
        self.do("DELETE FROM turnlog.message WHERE log = %s AND mark = %s AND seq <> %s", self.log, mark, seq)
        self.do("DELETE FROM turnlog.message WHERE log = %s AND seq = %s", self.log, seq)
        self.do(
            "INSERT INTO turnlog.message VALUES (%s, %s, %s, %s, %s, 0, %s, %s, %s, %s, %s)",
            self.log, *numbers[:2], seq, *numbers[2:], digest, id_, body,
        )  # fmt: skip

    def drop(self, seq: int) -> None:
        self.do("DELETE FROM turnlog.message WHERE log = %s AND seq = %s", self.log, seq)

    def set_head(self, head: int) -> None:
        self.do("UPDATE turnlog.conversation SET head = %s WHERE log = %s", head, self.log)

    def set_epoch(self, epoch: int) -> None:
        self.do("UPDATE turnlog.conversation SET epoch = %s WHERE log = %s", epoch, self.log)

    def cut(self, head: int, last: int) -> None:
        self.set_head(head)
        self.do("DELETE FROM turnlog.message WHERE log = %s AND seq > %s", self.log, head)

    def forget(self) -> None:
        self.do("DELETE FROM turnlog.snapshot WHERE log = %s", self.log)

    def save(self) -> Any:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return {name: self._copy_out(connection, name) for name in self.TABLES}

    def _copy_out(self, connection: "psycopg.Connection[Any]", name: str) -> bytes:
        select = f"SELECT * FROM turnlog.{name} WHERE log = {self.log}"
        with connection.cursor().copy(f"COPY ({select}) TO STDOUT (FORMAT binary)") as copy:  # type: ignore[arg-type]
            return b"".join(copy)

    def restore(self, saved: Any) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for name, rows in saved.items():
                connection.execute(f"DELETE FROM turnlog.{name} WHERE log = {self.log}")  # type: ignore[arg-type]
                with connection.cursor().copy(f"COPY turnlog.{name} FROM STDIN (FORMAT binary)") as copy:  # type: ignore[arg-type]
                    copy.write(rows)


class InKeys:
    def __init__(self, server: ValkeyServer, key: Key) -> None:
        self.server = server
        self.header, self.list, self.ids, self.states = keys.of(key, "hlis")

    def put(self, seq: int, record: Record) -> None:
        there = record_format.pack_id(record_format.unpack(self.server.ask("LINDEX", self.list, seq - 1), seq).id)
        if self.server.ask("HGET", self.ids, there) == b"%d" % seq:
            self.server.ask("HDEL", self.ids, there)
        self.server.ask("LSET", self.list, seq - 1, record_format.pack(record))
        self.server.ask("HSET", self.ids, record_format.pack_id(record.id), seq)

    def drop(self, seq: int) -> None:
        self.server.ask("LSET", self.list, seq - 1, b"gone")
        self.server.ask("LREM", self.list, 1, b"gone")

    def set_head(self, head: int) -> None:
        self.server.ask("HSET", self.header, "n", head)

    def set_epoch(self, epoch: int) -> None:
        self.server.ask("HSET", self.header, "e", epoch)

    def cut(self, head: int, last: int) -> None:
        for seq in range(last, head, -1):
            record = record_format.unpack(self.server.ask("RPOP", self.list), seq)
            self.server.ask("HDEL", self.ids, record_format.pack_id(record.id))
        self.set_head(head)

    def forget(self) -> None:
        self.server.ask("DEL", self.states)

    def save(self) -> Any:
        return {name: self.server.ask("DUMP", name) for name in (self.header, self.list, self.ids, self.states)}

    def restore(self, saved: Any) -> None:
        for name, value in saved.items():
            assert self.server.ask("RESTORE", name, 0, value, "REPLACE") == b"OK"


async def records(log: Turnlog, key: Key) -> Sequence[Record]:
    """The whole log; the record at seq n has index n - 1."""
    return (await log.store.read(key, limit=10_000)).records
