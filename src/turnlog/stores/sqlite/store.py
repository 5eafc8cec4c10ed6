"""The embedded store: one SQLite file in WAL mode, with an `fsync` before each acknowledgement."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import apsw

from turnlog import process
from turnlog.codec import Record
from turnlog.errors import ConversationDeleted, StoreUnavailable, TurnlogError
from turnlog.store import (
    PAGE_BYTES,
    Appended,
    Fault,
    Finding,
    Header,
    Key,
    Position,
    Recent,
    RecordPage,
    SchemaVersion,
    Snapshot,
    Stale,
)
from turnlog.stores.sqlite import diagnostics, reads, writes
from turnlog.stores.sqlite.connection import EMPTY_AGAIN_S, READER_HOLDS, Desk, Origin, path_of
from turnlog.stores.sqlite.thread import Empty, LongStep, Save, StoreThread, ThreadCall
from turnlog.stores.sqlite.transaction import FileWriter, Reader
from turnlog.stores.sqlite.writes import AppendJob

T = TypeVar("T")

_READERS = 2


class SqliteStore:
    """Keeps the logs in one file.

    One thread writes: whatever waits while it commits goes into its next transaction (group commit). Other threads read.
    Several processes may use the file at once; a writer waits up to `timeout_s` for another one. Saves of folds wait up to
    `linger_s` for others to share a transaction with: each transaction costs the other processes what they had cached.
    """

    def __init__(self, path: str, *, timeout_s: float = 30.0, linger_s: float = 0.0) -> None:
        self._path = path_of(path)
        self._linger_s = linger_s
        self._timeout_s = timeout_s
        self._writer: StoreThread | None = None
        self._readers: list[StoreThread] = []
        self._erasing: set[asyncio.Task[Any]] = set()

    @process.one_at_a_time
    async def open(self) -> None:
        if self._writer is not None:
            return
        process.opened(self)
        origin = Origin()
        self._writer = StoreThread("turnlog-write", FileWriter(self._desk(origin, make=True)), linger_s=self._linger_s)
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self.close)
            await self._write(None, lambda connection: None)
            undo.pop_all()
        self._readers = [StoreThread("turnlog-read", Reader(self._desk(origin))) for _ in range(_READERS)]

    async def close(self) -> None:
        while self._erasing:  # whoever asked for these may have gone; they are finished all the same
            await asyncio.wait(self._erasing)
        lanes = [*self._readers, *([self._writer] if self._writer else [])]
        self._writer, self._readers = None, []
        for lane in lanes:
            await lane.close()
        process.closed(self)

    def abandon(self) -> None:
        """Forget the lanes, whose threads this process does not have."""
        process.keep(self._writer, *self._readers, *self._erasing)
        self._writer, self._readers, self._erasing = None, [], set()

    async def ping(self) -> None:
        await self._write(None, writes.touch)

    async def create(self, tenant: str, header: Header, records: Sequence[Record] = ()) -> Appended | None:
        key = Key(tenant, header.id)
        return await self._write(key, lambda connection: writes.create(connection, tenant, header, records))

    async def append(self, key: Key, records: Sequence[Record], *, now: int, expect_head: int | None = None) -> Appended:
        job = AppendJob(key=key, records=records, now=now, expect_head=expect_head)
        appended: Appended = await self._open_writer().submit(job)
        return appended

    async def get(self, key: Key) -> Header:
        return await self._read(lambda connection: reads.find(connection, key)[1])

    async def read(
        self,
        key: Key,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        bytes_max: int = PAGE_BYTES,
        newest: bool = False,
    ) -> RecordPage:
        return await self._read(lambda connection: reads.read(connection, key, after, before, limit, bytes_max, newest))

    async def recent(
        self,
        key: Key,
        *,
        tokens: int,
        limit: int,
        bytes_max: int = PAGE_BYTES,
        pinned: Sequence[int] = (),
        folds: Sequence[tuple[str, int]] = (),
    ) -> Recent:
        return await self._read(lambda connection: reads.recent(connection, key, tokens, limit, bytes_max, pinned, folds))

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
            key, lambda connection: writes.update(connection, key, changes, now, expect_revision, expect_head)
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
            lambda connection: reads.listing(connection, tenant, user_id, tag, archived, updated_since, after, limit)
        )

    async def fork(self, key: Key, header: Header) -> Header:
        return await self._write(key, lambda connection: writes.fork(connection, key, header))

    async def redact(self, key: Key, tombstone: Record, *, now: int) -> int:
        async def erase() -> int:
            return await self._write(key, lambda connection: writes.redact(connection, key, tombstone, now))

        return await self._erase(erase())

    async def move_epoch(self, key: Key, *, now: int) -> int:
        return await self._write(key, lambda connection: writes.move_epoch(connection, key, now))

    async def delete(self, key: Key, *, now: int) -> None:
        """Mark the conversation as deleted, then remove its rows in steps, between which others write (decision 015)."""

        async def erase() -> None:
            dead = await self._write(key, lambda connection: writes.bury(connection, key, now))
            n: int | None = dead.n
            while n is not None:
                n = await self._step(key, n)
            if dead.again:
                raise ConversationDeleted(key.conversation_id)

        await self._erase(erase())

    async def load_snapshot(self, key: Key, fold: str, version: int) -> Snapshot | None:
        return await self._read(lambda connection: reads.load_snapshot(connection, key, fold, version))

    async def save_snapshot(self, key: Key, fold: str, version: int, snapshot: Snapshot, *, expect_watermark: int) -> None:
        work = lambda connection: writes.save_snapshot(connection, key, fold, version, snapshot, expect_watermark)  # noqa: E731
        await self._open_writer().submit(Save(key=key, work=work))

    async def drop_snapshots(self, key: Key, fold: str, *, below: int) -> None:
        await self._write(key, lambda connection: writes.drop_versions(connection, key, fold, below))

    async def stale(self, tenant: str, fold: str, version: int, *, limit: int, since: int = 0) -> list[Stale]:
        return await self._read(lambda connection: reads.stale(connection, tenant, fold, version, limit, since))

    async def verify(self, key: Key) -> list[Fault]:
        return await self._read(lambda connection: reads.verify(connection, key))

    async def residue(self) -> tuple[str, ...]:
        return ("Unused parts of pages of the file may keep copies until `turnlog doctor --repair` writes it anew.",)

    async def doctor(self) -> list[Finding]:
        return await asyncio.to_thread(diagnostics.examine, self._path, busy_timeout_s=self._timeout_s)

    async def schema_version(self) -> SchemaVersion:
        return await asyncio.to_thread(diagnostics.schema_version, self._path)

    async def migrate(self) -> None:
        await asyncio.to_thread(diagnostics.bring_up_to_date, self._desk(make=True))

    async def mark_restored(self) -> None:
        """Give every conversation a new incarnation.

        A copy that lies in another place is noticed when it is opened; call this where a backup was copied over the file.
        """
        await asyncio.to_thread(diagnostics.mark_restored, self._desk())

    async def sweep(self, *, now: int) -> int:
        """Drop the rest of deletions that a crash cut short; then write the file anew, without what page splits left of
        erased text. Writers wait.
        """
        return await asyncio.to_thread(diagnostics.sweep, self._desk(), busy_timeout_s=self._timeout_s)

    def _desk(self, origin: Origin | None = None, *, make: bool = False) -> Desk:
        return Desk(self._path, busy_timeout_s=self._timeout_s, make=make, origin=origin)

    def _open_writer(self) -> StoreThread:
        if self._writer is None:
            raise process.unusable(self)
        return self._writer

    async def _write(self, key: Key | None, work: Callable[[apsw.Connection], T]) -> T:
        result: T = await self._open_writer().submit(ThreadCall(key=key, work=work))
        return result

    async def _step(self, key: Key, n: int) -> int | None:
        """Remove some rows of conversation `n`; return the conversation to continue with, or None."""
        result: int | None = await self._open_writer().submit(
            LongStep(key=key, work=lambda connection: writes.trim(connection, n))
        )
        return result

    async def _erase(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` brings, once the WAL, which holds what was erased, is empty; also finished if the caller goes."""
        task = asyncio.create_task(self._erased(work))
        self._erasing.add(task)
        task.add_done_callback(self._erasing.discard)
        return await asyncio.shield(task)

    async def _erased(self, work: Coroutine[Any, Any, T]) -> T:
        """Raises `StoreUnavailable` if somebody reads on in the WAL for longer than the time limit: erased all the same, and
        a repeated call empties it.
        """
        refused: TurnlogError | None = None
        try:
            result = await work
        except TurnlogError as error:  # perhaps because it is erased already
            refused = error
        until = asyncio.get_running_loop().time() + self._timeout_s
        while not await self._open_writer().submit(Empty()):
            if asyncio.get_running_loop().time() > until:
                raise StoreUnavailable(READER_HOLDS)
            await asyncio.sleep(EMPTY_AGAIN_S)
        try:
            if refused is not None:
                raise refused
            return result
        finally:
            refused = None  # it would hold this frame, and this frame it

    async def _read(self, work: Callable[[apsw.Connection], T]) -> T:
        self._open_writer()
        lane = min(self._readers, key=lambda reader: reader.waiting)
        result: T = await lane.submit(ThreadCall(work=work))
        return result
