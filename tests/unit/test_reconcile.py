"""What a client's transcript and the log have in common."""

import msgspec

import turnlog
from turnlog import codec
from turnlog.codec import Record
from turnlog.log.reconcile import match_ids, match_words
from turnlog.message import Message
from turnlog.validation import Limits

SAID = [turnlog.user("a", id="m1"), turnlog.assistant("b", id="m2"), turnlog.user("c", id="m3")]


def stored(*messages: Message) -> list[Record]:
    records = [codec.encode(message, tokens=1, limits=Limits()) for message in messages]
    return [msgspec.structs.replace(record, seq=seq) for seq, record in enumerate(records, 1)]


def test_a_transcript_that_goes_on_matches_up_to_the_head() -> None:
    assert match_ids(stored(*SAID[:2]), stored(*SAID)) == (2, None)
    assert match_words(stored(*SAID[:2]), SAID) == (2, None)


def test_a_transcript_that_stops_early_matches_as_far_as_it_goes() -> None:
    assert match_ids(stored(*SAID), stored(*SAID[:2])) == (2, None)
    assert match_words(stored(*SAID), SAID[:2]) == (2, None)


def test_other_words_part_at_their_seq() -> None:
    other = [SAID[0], turnlog.assistant("B", id="m2")]
    assert match_ids(stored(*SAID), stored(*other)) == (1, 2)
    assert match_words(stored(*SAID), other) == (1, 2)


def test_a_new_message_before_the_end_of_the_log_parts() -> None:
    assert match_ids(stored(*SAID), stored(SAID[0], turnlog.user("new", id="m9"))) == (1, 2)


def test_ids_in_another_order_part() -> None:
    assert match_ids(stored(*SAID), stored(SAID[1], SAID[0])) == (1, 3)


def test_a_transcript_may_leave_out_the_beginning() -> None:
    assert match_ids(stored(*SAID), stored(SAID[1], SAID[2], turnlog.user("new", id="m9"))) == (2, None)


def test_an_erased_message_agrees_with_any() -> None:
    log = stored(*SAID)
    log[1] = codec.tombstone(log[1])
    assert match_ids(log, stored(*SAID)) == (3, None)
    assert match_words(log, SAID) == (3, None)


def test_what_an_idempotency_key_salted_is_the_same_message() -> None:
    salted = [codec.encode(message, tokens=1, limits=Limits(), salt=b"3") for message in SAID]
    assert match_ids([msgspec.structs.replace(record, seq=seq) for seq, record in enumerate(salted, 1)], stored(*SAID)) == (
        3,
        None,
    )
