"""What an append does, decided apart from where it is kept (laws 1, 3 and 5)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from turnlog.codec import Record
from turnlog.errors import HeadMoved, KeyReused
from turnlog.ports import Appended


class Known(NamedTuple):
    """A record that is in the log: its place, its digest (0 when it was erased) and its time."""

    seq: int
    digest: int
    created_at: int


def decide(
    head: int, records: Sequence[Record], known: Mapping[str, Known], expect_head: int | None
) -> tuple[Appended, list[tuple[int, Record]]]:
    """The answer to an append at `head`, and the records to store, each with its seq.

    `known` holds those of the ids that are in the log already. Raises `KeyReused` or `HeadMoved`.
    """
    seen = dict(known)
    fresh: list[tuple[int, Record]] = []
    for record in records:
        there = seen.get(record.id)
        if there is None:
            seq = head + len(fresh) + 1
            seen[record.id] = Known(seq, record.digest, record.created_at)
            fresh.append((seq, record))
        elif there.digest not in (0, record.digest):
            raise KeyReused(message_id=record.id, seq=there.seq)
    if fresh and expect_head is not None and expect_head != head:
        raise HeadMoved(expected=expect_head, actual=head)
    placed = [seen[record.id] for record in records]
    ids = tuple([record.id for record in records])
    return Appended(ids, tuple([p.seq for p in placed]), tuple([p.created_at for p in placed]), len(fresh)), fresh
