"""What an append and a reading that were under way at once tell together."""

from datetime import UTC, datetime

import msgspec
import pytest

from turnlog import Limits, codec, user
from turnlog.codec import Record
from turnlog.log.assembly import joined
from turnlog.store import Appended, Header, Recent

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def record(text: str) -> Record:
    return codec.encode(user(text, id=text, created_at=NOON), tokens=1, limits=Limits())


def stored(text: str, seq: int) -> Record:
    return msgspec.structs.replace(record(text), seq=seq)


def read(*texts: str) -> Recent:
    records = [stored(text, seq) for seq, text in enumerate(texts, 1)]
    return Recent(Header("c", 0, 5, head=len(records)), records, [], ())


def appended(*seqs: int) -> Appended:
    return Appended(tuple("x" for _ in seqs), seqs, tuple(0 for _ in seqs), len(seqs))


def test_what_was_read_before_the_append_gets_the_messages_behind_it() -> None:
    found = joined(read("a"), [record("b"), record("c")], appended(2, 3), now=9)
    assert found is not None
    assert (found.header.head, found.header.updated_at) == (3, 9)
    assert found.records == [stored("a", 1), stored("b", 2), stored("c", 3)]


def test_what_was_read_after_the_append_has_them_already() -> None:
    seen = read("a", "b")
    assert joined(seen, [record("b")], appended(2), now=1) == seen


def test_a_repetition_adds_what_is_new_alone() -> None:
    found = joined(read("a"), [record("a"), record("b")], appended(1, 2), now=9)
    assert found is not None
    assert [one.seq for one in found.records] == [1, 2]


@pytest.mark.parametrize("seqs", [(3, 4), (2, 4), (3, 2)])
def test_messages_of_others_in_between_are_not_guessed(seqs: tuple[int, int]) -> None:
    assert joined(read("a"), [record("b"), record("c")], appended(*seqs), now=9) is None
