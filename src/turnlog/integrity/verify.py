"""Reads a log once, page by page, and finds what was changed behind the store's back."""

from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec

from turnlog.codec import Record, intact
from turnlog.errors import CorruptRecord, InvalidInput
from turnlog.fold import replay
from turnlog.integrity.compare import Comparison, Witness, joined
from turnlog.integrity.digest import Digest, Integrity, Seen, read_state
from turnlog.store import Fault, Key, Snapshot, Store

_PAGE = 1000
_RUINS = 1000
"""So many places that cannot be read are looked for; then the rest of the log counts as one of them."""
_ANOTHER_HISTORY = "has another incarnation than the digest: its history may have gone back since, or it is a copy"
_ANOTHER_KEY = "was made with another key: nothing can be compared with it"


class Inspection(msgspec.Struct, frozen=True):
    """What an inspection of a log found, up to its `head`, each with its seq (0: about the log as a whole).

    Up to the seq `reached` the messages were held against the integrity state or an exported digest, behind it against
    their checksums only. `notes` are no faults: what was erased since, and what could not be compared.
    """

    conversation_id: str
    head: int
    reached: int
    faults: list[Fault]
    notes: list[Fault]


class Unread(NamedTuple):
    """Places of a log that cannot be read, the first and the last, and why."""

    first: int
    last: int
    why: str


async def inspect(store: Store, key: Key, fold: Integrity, *, against: Digest | None = None) -> Inspection:
    """Hold the log against its checksums, its header, the stored state of `fold`, and a digest that was kept elsewhere.

    Raises `InvalidInput` for a digest of another conversation, or for what is no digest.
    """
    snapshot = await store.load_snapshot(key, fold.name, fold.version)
    begun = await store.get(key)
    head = begun.head
    witnesses, faults = _witnesses(key, fold, snapshot, against)
    comparisons = [Comparison(witness) for witness in witnesses]
    unread = []
    async for part in _Reading(store, key).parts(head):
        if isinstance(part, Unread):
            unread.append(part)
        else:
            faults += [Fault(record.seq, "does not match its checksum") for record in part if not intact(record)]
        for comparison in comparisons:
            _take(comparison, part)
    epoch = (await store.get(key)).epoch
    faults += [fault for comparison in comparisons for fault in comparison.faults(head, epoch)]
    faults += await store.verify(key)
    reached = min(head, max((witness.seen.watermark for witness in witnesses), default=0))
    notes = [note for comparison in comparisons for note in comparison.notes(epoch)] + _behind(reached, head)
    if against is not None and against.incarnation not in ("", begun.incarnation):
        notes.append(Fault(0, _ANOTHER_HISTORY))
    return Inspection(key.conversation_id, head, reached, joined(faults + _unread(unread, faults)), joined(notes))


async def remake(store: Store, key: Key, fold: Integrity) -> Snapshot:
    """Fold the log as it is now from its first message on, and put that in the place of the stored state, whatever that was.

    Raises `CorruptRecord` for a record that is not intact, `SnapshotMoved` when somebody else saved a state meanwhile.
    """
    there = await store.load_snapshot(key, fold.name, fold.version)
    after = await replay(store, key, fold, batch=_PAGE)
    watermark = there.watermark if there and there.epoch == after.epoch else 0
    await store.save_snapshot(key, fold.name, fold.version, after, expect_watermark=watermark)
    return after


def _take(comparison: Comparison, part: list[Record] | Unread) -> None:
    if isinstance(part, Unread):
        for seq in range(part.first, min(part.last, comparison.watermark) + 1):
            comparison.take(seq, None)
    else:
        for record in part:
            comparison.take(record.seq, record)


def _witnesses(
    key: Key, fold: Integrity, snapshot: Snapshot | None, against: Digest | None
) -> tuple[list[Witness], list[Fault]]:
    """Who can tell what the log was, and what is wrong with those who cannot."""
    witnesses, faults = [], []
    if snapshot is not None:
        seen, what = _known(snapshot, fold)
        if seen is not None:
            witnesses.append(Witness("integrity state", fold, seen, snapshot.epoch))
        else:
            faults.append(Fault(0, f"has an integrity state that {what}"))
    if against is not None:
        if against.conversation_id != key.conversation_id:
            raise InvalidInput("against", f"is a digest of conversation {against.conversation_id!r}")
        its = next((each for each in (fold, Integrity()) if each.key_id.hex() == against.key_id), None)
        if its is not None:
            witnesses.append(Witness("exported digest", its, against.seen, against.epoch, foreign=True))
        else:
            faults.append(Fault(0, f"has an exported digest that {_ANOTHER_KEY}"))
    return witnesses, faults


def _known(snapshot: Snapshot, fold: Integrity) -> tuple[Seen | None, str]:
    """What a stored state tells, or what is wrong with it."""
    try:
        seen = read_state(snapshot.state)
    except InvalidInput as error:
        return None, error.rule
    if seen.key_id != fold.key_id:
        return None, _ANOTHER_KEY
    if seen.watermark != snapshot.watermark:
        return None, f"is of {seen.watermark} messages, but has the watermark {snapshot.watermark}"
    return seen, ""


def _unread(unread: list[Unread], faults: list[Fault]) -> list[Fault]:
    """What could not be read, but for places of each of which something is known already."""
    named = sorted({fault.seq for fault in faults})
    told = []
    for first, last, why in unread:
        if bisect_right(named, last) - bisect_left(named, first) <= last - first:
            also = f", nor what follows up to seq {last}" if last > first else ""
            told.append(Fault(first, f"cannot be read{also}: {why}"))
    return told


def _behind(reached: int, head: int) -> list[Fault]:
    if reached == head:
        return []
    if not reached:
        return [Fault(0, "has no integrity state to be compared with: its messages were held against their checksums only")]
    return [Fault(reached + 1, "and what follows was held against checksums only: the digest does not reach further")]


class _Reading:
    """Reads a log that may have holes."""

    def __init__(self, store: Store, key: Key) -> None:
        self._store = store
        self._key = key
        self._ruins = 0

    async def parts(self, head: int) -> AsyncIterator[list[Record] | Unread]:
        """All places from 1 to `head` in order: records, and runs of places that cannot be read."""
        waiting: Unread | None = None
        first = 1
        while first <= head:
            if self._ruins > _RUINS:
                waiting = Unread(waiting.first if waiting else first, head, "too much before it cannot be read")
                break
            found, last = await self._part(first, min(first + _PAGE - 1, head))
            first = last + 1
            for part in found:
                if isinstance(part, Unread):
                    waiting = Unread(waiting.first, part.last, waiting.why) if waiting else part
                    continue
                if waiting:
                    yield waiting
                    waiting = None
                yield part
        if waiting:
            yield waiting

    async def _part(self, first: int, last: int) -> tuple[list[list[Record] | Unread], int]:
        """What is in the places from `first` on, and up to which one: not up to `last` if a place cannot be read, or if that
        is too much for one page.
        """
        try:
            page = await self._store.read(self._key, after=first - 1, before=last + 1, limit=last - first + 1)
        except CorruptRecord as error:
            if first < last:
                return await self._part(first, error.seq - 1 if first < error.seq <= last else first)
            self._ruins += 1
            found = error.record
            return [[found] if isinstance(found, Record) else Unread(first, last, error.reason)], last
        if page.more and page.records:
            last = page.records[-1].seq
        parts = _with_holes(page.records, first, last)
        self._ruins += sum(isinstance(part, Unread) for part in parts)
        return parts, last


def _with_holes(records: list[Record], first: int, last: int) -> list[list[Record] | Unread]:
    if [record.seq for record in records] == list(range(first, last + 1)):
        return [records]
    there = {record.seq: record for record in records}
    return [[there[seq]] if seq in there else Unread(seq, seq, "it is missing") for seq in range(first, last + 1)]
