"""Decides appends without I/O (laws 1, 3 and 5), and the time at which a conversation was last touched."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from turnlog.codec import ERASED, Record
from turnlog.errors import HeadMoved, KeyReused
from turnlog.store import Appended, Snapshot

CLOCK_SKEW_MAX_US = 86_400_000_000
"""One day: a stored time further in the future than this was written by a wrong clock."""


def later(stored_us: int, now_us: int) -> int:
    """`updated_at` after a change at `now_us`: it does not go back, unless a wrong clock had set it far ahead."""
    return now_us if stored_us - now_us > CLOCK_SKEW_MAX_US else max(stored_us, now_us)


class Known(NamedTuple):
    """A record that is in the log: its place, its digest (`ERASED` when it was erased) and its time."""

    seq: int
    digest: bytes
    created_at: int


def decide_append(
    head: int, records: Sequence[Record], known: Mapping[str, Known], expect_head: int | None
) -> tuple[Appended, list[tuple[int, Record]]]:
    """The answer to an append at `head`, and the records to store, each with its seq.

    `known` holds those of the ids that are in the log already. Raises `KeyReused` or `HeadMoved`.
    """
    if len(records) == 1 and not known and expect_head in (None, head):
        [record] = records
        return Appended((record.id,), (head + 1,), (record.created_at,), 1), [(head + 1, record)]
    placed: list[Known] = []
    fresh: dict[str, Known] = {}
    added: list[tuple[int, Record]] = []
    for record in records:
        there = known.get(record.id) or fresh.get(record.id)
        if there is None:
            seq = head + len(added) + 1
            there = fresh[record.id] = Known(seq, record.digest, record.created_at)
            added.append((seq, record))
        elif there.digest != record.digest and there.digest != ERASED:
            raise KeyReused(message_id=record.id, seq=there.seq)
        placed.append(there)
    if added and expect_head is not None and expect_head != head:
        raise HeadMoved(expected=expect_head, actual=head)
    ids = tuple([record.id for record in records])
    seqs, _, times = zip(*placed, strict=True)
    return Appended(ids, seqs, times, len(added)), added


def behind(snapshots: Sequence[Snapshot | None], epoch: int) -> int:
    """The seq behind which the newest records are read: the watermark of the first snapshot if it is of this `epoch`."""
    first = snapshots[0] if snapshots else None
    return first.watermark if first is not None and first.epoch == epoch else 0
