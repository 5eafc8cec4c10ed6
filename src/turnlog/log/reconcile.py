"""How far a client's whole transcript agrees with the log: pure comparisons over what both hold."""

import asyncio
from collections.abc import Sequence

import msgspec

from turnlog import codec
from turnlog.codec import ERASED, Record
from turnlog.message import Message


def match_words(stored: Sequence[Record], transcript: Sequence[Message]) -> tuple[int, int | None]:
    """How many messages agree in role and content from the first one on, and the seq where they part, None if nowhere.

    An erased message agrees with any.
    """
    same = 0
    for mine, theirs in zip(map(codec.decode, stored), transcript, strict=False):
        if not mine.redacted and (mine.role, mine.content) != (theirs.role, theirs.content):
            return same, same + 1
        same += 1
    return same, None


def match_ids(stored: Sequence[Record], records: Sequence[Record]) -> tuple[int, int | None]:
    """How many records of a transcript are in the log, in its order, and the seq where they part, None if nowhere.

    Only the end of a transcript may be new, and only behind the end of the log. An erased message agrees with any.
    """
    places = {record.id: record for record in stored}
    at = matched = 0
    for record in records:
        there = places.get(record.id)
        if there is None:
            break
        if there.seq <= at:
            return matched, at + 1
        if there.digest != ERASED and there.body != record.body:  # a digest may be salted
            return matched, there.seq
        at, matched = there.seq, matched + 1
    new = records[matched:]
    if new and (at != len(stored) or any(record.id in places for record in new)):
        return matched, at + 1
    return matched, None


_COMPARED = 500
"""Messages that are compared in one go."""


class Reconciled(msgspec.Struct, frozen=True):
    """What `reconcile` did: how many messages of the transcript were in the log and how many were added to it.

    `diverged_at` is the seq at which the transcript says something else; then the rest went to the fork `forked_to`.
    """

    conversation_id: str
    matched: int
    appended: int
    head: int
    diverged_at: int | None = None
    forked_to: str | None = None


async def match_words_in_turns(stored: Sequence[codec.Record], transcript: Sequence[Message]) -> tuple[int, int | None]:
    """`match_words`, with a turn for others now and then."""
    same = 0
    for first in range(0, min(len(stored), len(transcript)), _COMPARED):
        matched, parted_at = match_words(stored[first : first + _COMPARED], transcript[first : first + _COMPARED])
        same += matched
        if parted_at is not None:
            return same, same + 1
        await asyncio.sleep(0)
    return same, None
