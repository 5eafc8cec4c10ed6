"""Keeps logs in the memory of the process, for tests and notebooks."""

from collections.abc import Iterable, Iterator, Sequence
from secrets import randbits
from typing import Any

import msgspec

from turnlog.codec import ERASED, Record, checked, intact
from turnlog.errors import (
    ConversationDeleted,
    ConversationExists,
    ConversationNotFound,
    HeadMoved,
    MessageNotFound,
    RevisionMoved,
    SnapshotMoved,
)
from turnlog.store import PAGE_BYTES, Appended, Fault, Finding, Header, Key, Position, Recent, RecordPage, Snapshot, Stale
from turnlog.stores.append import Known, behind, decide_append, later


class Log:
    """One conversation: its header, its own records by seq, the place of each id, its parent's log."""

    def __init__(self, header: Header, parent: "Log | None" = None) -> None:
        self.header = header
        self.parent = parent
        self.records: dict[int, Record] = {}
        self.seqs: dict[str, int] = {}
        self.totals: dict[int, int] = {}  # the tokens of all messages up to a seq, as they were appended
        self.forks: list[Log] = []
        self.snapshots: dict[tuple[str, int], Snapshot] = {}
        self.deleted = False

    def owner(self, seq: int) -> "Log":
        """The log that the message at `seq` was written in."""
        log = self
        # decision 004: a fork copies nothing, so a message is looked for in the log that it was written in
        while log.parent is not None and seq <= log.header.parent_seq:
            log = log.parent
        return log

    def known(self, id_: str) -> Known | None:
        """The record with this id, here or in the part that parents share."""
        log, upto = self, self.header.head
        while True:
            # an id counts only up to where the fork branched off: what the parent got later is not in this log
            seq = log.seqs.get(id_)
            if seq is not None and seq <= upto:
                record = log.records[seq]
                return Known(seq, record.digest, record.created_at)
            if log.parent is None:
                return None
            upto = min(upto, log.header.parent_seq)
            log = log.parent

    def showing(self, seq: int) -> "Iterator[Log]":
        """This log and all forks that show its message `seq`."""
        yield self
        for fork in self.forks:
            if fork.header.parent_seq >= seq:
                yield from fork.showing(seq)

    def shown(self) -> int:
        """Up to which seq this log is shown, by itself or by forks."""
        return self.header.head if not self.deleted else self.kept()

    def kept(self) -> int:
        """Up to which seq forks show this log."""
        return max((min(fork.header.parent_seq, fork.shown()) for fork in self.forks), default=0)

    def set(self, **changes: Any) -> None:
        """Change the header."""
        self.header = msgspec.structs.replace(self.header, **changes)

    def touch(self, now: int, **changes: Any) -> None:
        """Change the header at `now`."""
        self.set(updated_at=later(self.header.updated_at, now), **changes)

    def at(self, seq: int) -> Record:
        """The record at `seq`, whoever keeps it. Raises `CorruptRecord`."""
        return checked(self.owner(seq).records[seq])

    def within(self, seqs: Iterable[int], bytes_max: int) -> list[Record]:
        """The records at `seqs` in their order, up to the one that makes them weigh more than `bytes_max`, which only the
        first may.
        """
        found: list[Record] = []
        for seq in seqs:
            record = self.at(seq)
            bytes_max -= len(record.body)
            if found and bytes_max < 0:
                break
            found.append(record)
        return found


class RamStore:
    """Keeps the logs in dictionaries. Stores with the same `logs` are handles on the same data."""

    def __init__(self, logs: dict[Key, Log] | None = None) -> None:
        self.logs: dict[Key, Log] = {} if logs is None else logs

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def ping(self) -> None:
        pass

    async def create(self, tenant: str, header: Header, records: Sequence[Record] = ()) -> Appended | None:
        key = Key(tenant, header.id)
        self._refuse_if_there(key)
        log = Log(_new(header))
        # decided before the log is there: a batch that is refused leaves no conversation behind
        appended, fresh = decide_append(0, records, {}, None) if records else (None, [])
        self.logs[key] = log
        self._put(log, fresh, header.updated_at)
        return appended

    async def append(self, key: Key, records: Sequence[Record], *, now: int, expect_head: int | None = None) -> Appended:
        log = self._log(key)
        known = {record.id: there for record in records if (there := log.known(record.id))}
        appended, fresh = decide_append(log.header.head, records, known, expect_head)
        if fresh:
            self._put(log, fresh, now)
        return appended

    async def get(self, key: Key) -> Header:
        return self._log(key).header

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
        log = self._log(key)
        end = log.header.head + 1 if before is None else min(before, log.header.head + 1)
        seqs = range(after + 1, end)
        chosen = seqs[-limit:][::-1] if newest else seqs[:limit]
        records = log.within(chosen, bytes_max)
        return RecordPage(log.header, records[::-1] if newest else records, more=len(records) < len(seqs))

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
        log = self._log(key)
        snapshots = tuple(log.snapshots.get(fold) for fold in folds)
        floor = max(behind(snapshots, log.header.epoch), log.header.head - limit)
        wanted: list[int] = []
        for seq in range(log.header.head, floor, -1):
            wanted.append(seq)
            tokens -= log.owner(seq).records[seq].tokens
            if tokens < 0:
                break
        records = log.within(wanted, bytes_max)
        first = log.header.head - len(records) + 1
        before = [log.at(seq) for seq in sorted(set(pinned)) if 0 < seq < first]
        return Recent(log.header, records[::-1], before, snapshots, len(records) < len(wanted))

    async def update(
        self,
        key: Key,
        changes: dict[str, Any],
        *,
        now: int,
        expect_revision: int | None = None,
        expect_head: int | None = None,
    ) -> Header:
        log = self._log(key)
        header = log.header
        if expect_revision is not None and expect_revision != header.revision:
            raise RevisionMoved(expected=expect_revision, actual=header.revision)
        if expect_head is not None and expect_head != header.head:
            raise HeadMoved(expected=expect_head, actual=header.head)
        log.touch(now, **changes, revision=header.revision + 1)
        return log.header

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
        found = [
            header
            for key, log in self.logs.items()
            if key.tenant == tenant
            and not log.deleted
            and ((header := log.header).user_id == user_id or user_id is None)
            and (tag is None or tag in header.tags)
            and (archived is None or header.archived == archived)
            and (updated_since is None or header.updated_at >= updated_since)
            and (after is None or Position(header.updated_at, header.id) < after)
        ]
        return sorted(found, key=lambda header: (header.updated_at, header.id), reverse=True)[:limit]

    async def fork(self, key: Key, header: Header) -> Header:
        parent = self._log(key)
        if not 0 <= header.parent_seq <= parent.header.head:
            raise MessageNotFound(key.conversation_id, header.parent_seq)
        new = Key(key.tenant, header.id)
        self._refuse_if_there(new)
        seq = header.parent_seq
        tokens = parent.owner(seq).totals[seq] if seq else 0
        fork = Log(_new(header, head=seq, epoch=parent.header.epoch, tokens=tokens), parent)
        parent.forks.append(fork)
        self.logs[new] = fork
        return fork.header

    async def redact(self, key: Key, tombstone: Record, *, now: int) -> int:
        log = self._log(key)
        if not 1 <= tombstone.seq <= log.header.head:
            raise MessageNotFound(key.conversation_id, tombstone.seq)
        owner = log.owner(tombstone.seq)
        there = owner.records[tombstone.seq]
        # decision 004: only the first erasure moves the epoch, so that a retry drops nothing that was folded since
        if there.digest != ERASED or not intact(there):
            owner.records[tombstone.seq] = tombstone
            owner.seqs[tombstone.id] = tombstone.seq
            for shown in owner.showing(tombstone.seq):
                shown.touch(now, epoch=shown.header.epoch + 1)
                shown.snapshots.clear()
        return log.header.epoch

    async def move_epoch(self, key: Key, *, now: int) -> int:
        log = self._log(key)
        log.touch(now, epoch=log.header.epoch + 1)
        log.snapshots.clear()
        return log.header.epoch

    async def delete(self, key: Key, *, now: int) -> None:
        log: Log | None = self._log(key)
        assert log is not None
        log.deleted = True
        log.header = Header(
            key.conversation_id, 0, now, parent=log.header.parent, parent_seq=log.header.parent_seq, head=log.header.head
        )
        log.snapshots.clear()
        # decision 004: what this fork held back in its dead ancestors can go now
        while log is not None and log.deleted:
            self._trim(log)
            log = log.parent

    async def load_snapshot(self, key: Key, fold: str, version: int) -> Snapshot | None:
        return self._log(key).snapshots.get((fold, version))

    async def save_snapshot(self, key: Key, fold: str, version: int, snapshot: Snapshot, *, expect_watermark: int) -> None:
        log = self._log(key)
        there = log.snapshots.get((fold, version))
        watermark = there.watermark if there else 0
        if watermark != expect_watermark or snapshot.epoch != log.header.epoch:
            raise SnapshotMoved(watermark=watermark, epoch=log.header.epoch)
        log.snapshots[fold, version] = snapshot

    async def drop_snapshots(self, key: Key, fold: str, *, below: int) -> None:
        snapshots = self._log(key).snapshots
        for name, version in list(snapshots):
            if name == fold and version < below:
                del snapshots[name, version]

    async def stale(self, tenant: str, fold: str, version: int, *, limit: int, since: int = 0) -> list[Stale]:
        found = []
        for key, log in self.logs.items():
            there = log.snapshots.get((fold, version))
            watermark = there.watermark if there else 0
            header = log.header
            if key.tenant == tenant and not log.deleted and header.head > watermark and header.updated_at >= since:
                found.append((header.updated_at, Stale(header.id, header.head, watermark, header.epoch)))
        return [stale for _, stale in sorted(found)[:limit]]

    async def verify(self, key: Key) -> list[Fault]:
        log = self._log(key)
        faults = []
        for seq in range(log.header.parent_seq + 1, log.header.head + 1):
            record = log.records.get(seq)
            if record is None:
                faults.append(Fault(seq, "is missing"))
            elif not intact(record):
                faults.append(Fault(seq, "does not match its checksum"))
            elif log.seqs.get(record.id) != seq:
                faults.append(Fault(seq, "is not found by its id"))
        return faults

    async def residue(self) -> tuple[str, ...]:
        return ()

    async def doctor(self) -> list[Finding]:
        return [Finding("durability", "none", "warn", "Everything is gone with the process.")]

    def _log(self, key: Key) -> Log:
        log = self.logs.get(key)
        if log is None:
            raise ConversationNotFound(key.conversation_id)
        if log.deleted:
            raise ConversationDeleted(key.conversation_id)
        return log

    def _refuse_if_there(self, key: Key) -> None:
        try:
            self._log(key)
        except ConversationDeleted:
            raise
        except ConversationNotFound:
            return
        raise ConversationExists(key.conversation_id)

    @staticmethod
    def _put(log: Log, fresh: Sequence[tuple[int, Record]], now: int) -> None:
        total = log.header.tokens
        for seq, record in fresh:
            log.records[seq] = msgspec.structs.replace(record, seq=seq)
            log.seqs[record.id] = seq
            total = log.totals[seq] = total + record.tokens
        log.touch(now, head=log.header.head + len(fresh), tokens=total)

    @staticmethod
    def _trim(log: Log) -> None:
        keep = log.kept()
        for seq in [seq for seq in log.records if seq > keep]:
            del log.seqs[log.records.pop(seq).id], log.totals[seq]
        log.set(head=min(log.header.head, keep))


def _new(header: Header, **changes: Any) -> Header:
    """The header of a conversation that begins now. All is gone with the process, so that no history can go back."""
    return msgspec.structs.replace(header, **changes, incarnation=f"{randbits(64):016x}")
