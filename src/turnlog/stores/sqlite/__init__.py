"""The embedded store: one SQLite file in WAL mode, durable by an fsync before each acknowledgement."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import apsw

from turnlog.codec import Record
from turnlog.errors import StoreUnavailable
from turnlog.ports import Appended, Fault, Finding, Header, Key, Page, Position, Recent, SchemaVersion, Snapshot, Stale
from turnlog.stores.sqlite import doctor, engine, reading, writing
from turnlog.stores.sqlite.batch import Reader, Writer
from turnlog.stores.sqlite.engine import Desk
from turnlog.stores.sqlite.lane import Call, Empty, Lane, Save
from turnlog.stores.sqlite.writing import Append

T = TypeVar("T")

_READERS = 2


class SqliteStore:
    """Keeps the logs in one file.

    One thread writes: whatever waits while it commits goes into its next transaction (group commit). Other threads read.
    Several processes may use the file at once; a writer waits up to `timeout_s` for another one. Saves of folds wait up to
    `linger_s` for others to share a transaction with: each transaction costs the other processes what they had cached.
    """

    def __init__(self, path: str, *, timeout_s: float = 30.0, linger_s: float = 0.0) -> None:
        self._path = path
        self._linger_s = linger_s
        self._timeout_s = timeout_s
        self._writer: Lane | None = None
        self._readers: list[Lane] = []

    async def open(self) -> None:
        if self._writer is not None:
            return
        self._writer = Lane("turnlog-write", Writer(self._desk()), linger_s=self._linger_s)
        try:
            await self._write(lambda connection: None)
        except BaseException:
            await self.close()
            raise
        self._readers = [Lane("turnlog-read", Reader(self._desk())) for _ in range(_READERS)]

    async def close(self) -> None:
        lanes = [*self._readers, *([self._writer] if self._writer else [])]
        self._writer, self._readers = None, []
        for lane in lanes:
            await lane.close()

    async def ping(self) -> None:
        await self._write(writing.touch)

    async def create(self, tenant: str, header: Header, records: Sequence[Record] = ()) -> Appended | None:
        return await self._write(lambda connection: writing.create(connection, tenant, header, records))

    async def append(self, key: Key, records: Sequence[Record], *, now: int, expect_head: int | None = None) -> Appended:
        appended: Appended = await self._open_writer().submit(Append(key, records, now, expect_head))
        return appended

    async def get(self, key: Key) -> Header:
        return await self._read(lambda connection: reading.find(connection, key)[1])

    async def read(self, key: Key, *, after: int = 0, before: int | None = None, limit: int, newest: bool = False) -> Page:
        return await self._read(lambda connection: reading.read(connection, key, after, before, limit, newest))

    async def recent(
        self, key: Key, *, tokens: int, limit: int, pinned: Sequence[int] = (), folds: Sequence[tuple[str, int]] = ()
    ) -> Recent:
        return await self._read(lambda connection: reading.recent(connection, key, tokens, limit, pinned, folds))

    async def update(
        self,
        key: Key,
        changes: dict[str, Any],
        *,
        now: int,
        expect_revision: int | None = None,
        expect_head: int | None = None,
    ) -> Header:
        return await self._write(
            lambda connection: writing.update(connection, key, changes, now, expect_revision, expect_head)
        )

    async def list_headers(
        self,
        tenant: str,
        *,
        user_id: str | None = None,
        tag: str | None = None,
        archived: bool | None = None,
        updated_since: int | None = None,
        after: Position | None = None,
        limit: int,
    ) -> list[Header]:
        return await self._read(
            lambda connection: reading.listing(connection, tenant, user_id, tag, archived, updated_since, after, limit)
        )

    async def fork(self, key: Key, header: Header) -> Header:
        return await self._write(lambda connection: writing.fork(connection, key, header))

    async def redact(self, key: Key, tombstone: Record, *, now: int) -> int:
        return await self._erase(lambda connection: writing.redact(connection, key, tombstone, now))

    async def delete(self, key: Key, *, now: int) -> None:
        await self._erase(lambda connection: writing.delete(connection, key, now))

    async def load_snapshot(self, key: Key, fold: str, version: int) -> Snapshot | None:
        return await self._read(lambda connection: reading.load_snapshot(connection, key, fold, version))

    async def save_snapshot(self, key: Key, fold: str, version: int, snapshot: Snapshot, *, expect_watermark: int) -> None:
        await self._open_writer().submit(
            Save(lambda connection: writing.save_snapshot(connection, key, fold, version, snapshot, expect_watermark))
        )

    async def stale(self, tenant: str, fold: str, version: int, *, limit: int, since: int = 0) -> list[Stale]:
        return await self._read(lambda connection: reading.stale(connection, tenant, fold, version, limit, since))

    async def verify(self, key: Key) -> list[Fault]:
        return await self._read(lambda connection: reading.verify(connection, key))

    async def residue(self) -> tuple[str, ...]:
        return ("Unused parts of pages of the file may keep copies until `turnlog doctor --repair` writes it anew.",)

    async def doctor(self) -> list[Finding]:
        return await asyncio.to_thread(doctor.examine, self._path, busy_timeout_s=self._timeout_s)

    async def schema_version(self) -> SchemaVersion:
        return await asyncio.to_thread(doctor.schema_version, self._path)

    async def migrate(self) -> None:
        await asyncio.to_thread(engine.bring_up_to_date, self._path, busy_timeout_s=self._timeout_s)

    async def sweep(self, *, now: int) -> int:
        """Write the file anew, without what page splits left of erased text; nothing is ever half done. Writers wait."""
        await asyncio.to_thread(engine.vacuum, self._path, busy_timeout_s=self._timeout_s)
        return 0

    def _desk(self) -> Desk:
        return Desk(self._path, busy_timeout_s=self._timeout_s)

    def _open_writer(self) -> Lane:
        if self._writer is None:
            raise StoreUnavailable("it is not open")
        return self._writer

    async def _write(self, work: Callable[[apsw.Connection], T]) -> T:
        result: T = await self._open_writer().submit(Call(work))
        return result

    async def _erase(self, work: Callable[[apsw.Connection], T]) -> T:
        """`_write`, and then empty the WAL, which holds what was erased.

        Raises `StoreUnavailable` if somebody reads on in it for longer than the time limit: erased all the same, and a
        repeated call empties it.
        """
        until = asyncio.get_running_loop().time() + self._timeout_s
        done = self._open_writer().submit(Call(work))
        await asyncio.wait([done])
        while not await self._open_writer().submit(Empty()):
            if asyncio.get_running_loop().time() > until:
                raise StoreUnavailable(engine.READER_HOLDS)
            await asyncio.sleep(engine.EMPTY_AGAIN_S)
        result: T = done.result()
        return result

    async def _read(self, work: Callable[[apsw.Connection], T]) -> T:
        self._open_writer()
        lane = min(self._readers, key=lambda reader: reader.waiting)
        result: T = await lane.submit(Call(work))
        return result
