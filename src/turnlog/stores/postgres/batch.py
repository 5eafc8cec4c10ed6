"""Batches of appends that share a statement, and the answer to each member."""

import asyncio
from collections.abc import Callable, Sequence
from math import inf

import msgspec

from turnlog.codec import Record
from turnlog.errors import (
    ConversationDeleted,
    ConversationNotFound,
    StoreFailed,
    StoreUnavailable,
    TooLarge,
    TurnlogError,
)
from turnlog.store import Appended, Key
from turnlog.stores.append import CLOCK_SKEW_MAX_US, Known, decide_append
from turnlog.stores.postgres.encoding import Column, Names, Param, Row, arrays, column, hexes, int8s, ints, number, texts

BYTES_PER_BATCH = 8 << 20
"""A batch is full when its bodies have this many bytes."""
BYTES_PER_APPEND = 256 << 20
"""Limit of the bodies of one append: PostgreSQL takes no message of 1 GB, and needs several times the memory."""
APPEND = "SELECT * FROM turnlog.append_1($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_ANY_HEAD = -1
LOOK_ONLY = -2
_NOT_THERE = -1
_DELETED = -2
_APPEND_ONE = "SELECT turnlog.append_one_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_ONE_TYPES = (20, 25, 25, 20, 20, 20, 20, 20, 23, 21, 17, 17, 17)  # int8, text, int4, int2, bytea
_ONE_FORMS = (0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1)
_APPEND_FRESH = "SELECT turnlog.append_fresh_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"


class WaitingAppend(msgspec.Struct, eq=False):
    """An append that waits until the loop's time `until` at most; `done` brings its `Appended` or its error.

    `fresh` are its records without those that come twice, `columns` what is stored of each of them. `alone` tells that it
    was in a batch that failed, so it travels in none any more.
    """

    key: Key
    records: Sequence[Record]
    now: int
    expect_head: int | None
    done: asyncio.Future[Appended]
    until: float
    log: int
    fresh: dict[str, Record]
    columns: list[Column]
    size: int
    expect: int
    alone: bool = False

    def may_follow(self, others: Sequence["WaitingAppend"]) -> bool:
        """Return whether one statement can decide this append after `others` on the same conversation."""
        # an expectation is about the head before the statement, so one that follows another cannot be decided in it
        if self.expect != _ANY_HEAD or others[0].expect != _ANY_HEAD or others[0].key != self.key:
            return False
        return all(self.fresh.keys().isdisjoint(other.fresh) for other in others)

    def fail(self, error: TurnlogError) -> None:
        """Give the waiter an error that no one else holds, unless it has its answer."""
        if not self.done.done():
            self.done.set_exception(error)


class Answered:
    """Calls `fail` if its block is left by an exception: a defect must not leave the waiters without an answer."""

    __slots__ = ("fail",)

    def __init__(self, fail: Callable[[StoreUnavailable], None]) -> None:
        self.fail = fail

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        if kind is not None:
            self.fail(StoreUnavailable(f"{kind.__name__} while it was appended"))


def prepare(
    names: Names,
    key: Key,
    records: Sequence[Record],
    now: int,
    expect_head: int | None,
    done: asyncio.Future[Appended],
    until: float,
) -> WaitingAppend:
    """Prepare an append; one that cannot be sent at all fails here, before it is in a batch with others."""
    fresh = {record.id: record for record in records}
    expect = _ANY_HEAD if expect_head is None else expect_head
    if len(fresh) < len(records) and any(fresh[one.id].digest != one.digest for one in records):
        expect = LOOK_ONLY  # an id with two bodies: it will be refused, and only the answer has to be found out
    size = sum([len(record.body) for record in records])
    if size > BYTES_PER_APPEND:
        raise TooLarge("records", limit=BYTES_PER_APPEND, actual=size, unit="bytes")
    columns = [column(record, names) for record in fresh.values()]
    return WaitingAppend(key, records, now, expect_head, done, until, names.log_again(key), fresh, columns, size, expect)


class Batch:
    """Appends that share a statement, by conversation; with `care`, the server looks before it writes."""

    def __init__(self, *, care: bool) -> None:
        self.care = care
        self.by_log: dict[int, list[WaitingAppend]] = {}
        self.appends = 0
        self.bytes = 0
        self.until = inf

    def take(self, append: WaitingAppend) -> bool:
        """Add an append if it can share the statement; return whether it was added."""
        others = self.by_log.get(append.log)
        if others is None:
            self.by_log[append.log] = [append]
        elif append.may_follow(others):
            others.append(append)
        else:
            return False
        self.appends += 1
        self.until = min(self.until, append.until)
        self.bytes += append.size
        return True

    def members(self) -> list[WaitingAppend]:
        """Return all appends, those of one conversation in order."""
        return [append for group in self.by_log.values() for append in group]

    def _fresh_params(self) -> list[Param]:
        counts, times, expected, weights, sums, columns = [], [], [], [], [], []
        earliest = _FAR
        for place, group in enumerate(self.by_log.values(), 1):
            nth = total = 0
            for append in group:
                for told in append.columns:
                    nth += 1
                    total += told.tokens
                    columns.append(((place, nth, total), told))
                # a header that was touched later than this had a wrong clock, and its batch takes the careful way
                earliest = min(earliest, append.now)
            counts.append(nth)
            sums.append(total)
            times.append(max([append.now for append in group]) if len(group) > 1 else group[0].now)
            expected.append(group[0].expect)
            # decision 014: the header holds an upper bound of its log's bytes, by which a page is read without a loop
            weights.append(sum([append.size for append in group]))
        ahead = number(earliest + CLOCK_SKEW_MAX_US)
        numbers = map(int8s, (counts, times, expected, weights, sums))
        return [*self._named(), *numbers, ahead, *arrays(columns)]

    def fresh(self) -> tuple[str, list[bytes | None], Sequence[int], Sequence[int]]:
        """Return the statement for appends of new messages, and the values, types and forms of its parameters."""
        first = next(iter(self.by_log.values()))[0]
        # decision 011: a record alone with plain parameters costs the server 240 us, in arrays 440
        if self.appends == 1 and len(first.fresh) == 1:
            return _APPEND_ONE, _one_values(first), _ONE_TYPES, _ONE_FORMS
        values, types, forms = zip(*self._fresh_params(), strict=True)
        return _APPEND_FRESH, list(values), types, forms

    def params(self, *, wait_ms: int = 0) -> list[Param]:
        """Return the parameters of `APPEND`; `wait_ms` replaces the session's time limit for locks."""
        appends = [(place, append) for place, group in enumerate(self.by_log.values(), 1) for append in group]
        told = [each for place, append in appends for each in (place, append.now, append.expect, append.size)]
        columns = [((place,), told) for place, (_, append) in enumerate(appends, 1) for told in append.columns]
        return [number(wait_ms), *self._named(), int8s(told), *arrays(columns)]

    def _named(self) -> list[Param]:
        keys = [appends[0].key for appends in self.by_log.values()]
        return [int8s(list(self.by_log)), texts(key.tenant for key in keys), texts(key.conversation_id for key in keys)]

    def settle(self, row: Row) -> None:
        """Give each append its answer: the heads before, and of each record that was there already its place in the batch,
        seq, digest and time."""
        heads = ints(row[0])
        there = _known(row[1:]) if len(row) > 1 else {}
        at = 0
        for head, group in zip(heads, self.by_log.values(), strict=True):
            stored = 0
            for append in group:
                found = {id_: there[n] for n, id_ in enumerate(append.fresh, at + 1) if n in there} if there else {}
                at += len(append.fresh)
                stored += _settle(append, head + stored, found)

    def fail(self, error: StoreUnavailable | StoreFailed) -> None:
        """Fail all members, each with its own error: a shared one would hold the frames of all."""
        kind = StoreFailed if isinstance(error, StoreFailed) else StoreUnavailable
        for append in self.members():
            append.fail(kind(error.reason))


_FAR = 2**62


def _known(row: Row) -> dict[int, Known]:
    """Return the records that existed before, by their place in the batch."""
    ats, seqs, digests, times = row
    if not ats:
        return {}
    found = zip(ints(ats), ints(seqs), hexes(digests), ints(times), strict=True)
    return {at: Known(seq, digest, created_at) for at, seq, digest, created_at in found}


def _one_values(append: WaitingAppend) -> list[bytes | None]:
    key = append.key
    numbers, name, digest, body = append.columns[0]
    return [
        b"%d" % append.log,
        key.tenant.encode(),
        key.conversation_id.encode(),
        b"%d" % append.now,
        b"%d" % append.expect,
        *[b"%d" % each for each in numbers],
        name,
        digest,
        body,
    ]


def _settle(append: WaitingAppend, head: int, known: dict[str, Known]) -> int:
    """Give an append its answer; return how many of its records were stored."""
    try:
        if head == _NOT_THERE:
            raise ConversationNotFound(append.key.conversation_id)
        if head == _DELETED:
            raise ConversationDeleted(append.key.conversation_id)
        appended, fresh = decide_append(head, append.records, known, append.expect_head)
    except TurnlogError as error:
        append.fail(error.with_traceback(None))  # which would hold this frame, and it the error
        return 0
    if not append.done.done():
        append.done.set_result(appended)
    return len(fresh)
