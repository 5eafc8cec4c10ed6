"""Functions of the reading lanes; each reads inside one transaction."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import apsw
import msgspec

from turnlog.codec import Record, checked, intact
from turnlog.errors import ConversationDeleted, ConversationNotFound, CorruptRecord
from turnlog.store import Fault, Header, Key, Position, Recent, RecordPage, Snapshot, Stale
from turnlog.stores.append import behind
from turnlog.stores.sqlite.connection import SQL
from turnlog.stores.sqlite.schema import refuse_newer

MARK_EVERY = 64
_ALL = 1 << 62
"""More bytes than any log has: no limit."""
_json = msgspec.json.decode
_OWN_TEXTS = (6, 9, 10, 11, 12)
"""Columns of `header` with text of the conversation itself, without its parent's id."""
_NO_TEXT = "\ufffd"
"""Replaces bytes that are not valid UTF-8."""


class RowPlace(NamedTuple):
    """The number of a conversation, and the row of its last message."""

    n: int
    last: int | None


def find(connection: apsw.Connection, key: Key) -> tuple[RowPlace, Header]:
    """Return a conversation. Raises `ConversationNotFound`, `ConversationDeleted`, or `CorruptRecord` for decay."""
    row = _row(connection, key)
    return RowPlace(row[1], row[3]), _header(row)


def find_to_erase(connection: apsw.Connection, key: Key) -> tuple[RowPlace, Header]:
    """`find`, also for a header that decayed: it comes without tags and metadata, since nothing may keep a conversation from
    being erased.
    """
    row = _row(connection, key)
    return RowPlace(row[1], row[3]), _listed(row)


def _row(connection: apsw.Connection, key: Key) -> tuple[Any, ...]:
    row = header_row(connection, key)
    if row is None:
        raise ConversationNotFound(key.conversation_id)
    if row[2]:
        raise ConversationDeleted(key.conversation_id)
    return row


def header_row(connection: apsw.Connection, key: Key) -> tuple[Any, ...] | None:
    """The row of a conversation, deleted or not, with no tags in it, and others than were written, if its text decayed."""
    try:
        row = connection.execute(SQL["header"], key).fetchone()
    # decision 015: a row whose text decayed is read as bytes, so that it can still be shown and erased
    except UnicodeDecodeError:
        row = None
    else:
        if row is not None or _NO_TEXT not in key.conversation_id:
            return row
    id_ = _kept_id(connection, key.tenant, key.conversation_id)
    row = connection.execute(SQL["header_bytes"], (key.tenant, id_)).fetchone()
    return None if row is None else _as_text(row)


def _kept_id(connection: apsw.Connection, tenant: str, id_: str) -> bytes | str:
    """Return the stored bytes of the id that is shown as `id_`, which may have decayed."""
    # a listing shows decayed bytes as U+FFFD, and what it shows must name the conversation in the next call
    begin, decayed, _ = id_.partition(_NO_TEXT)
    if decayed:
        for (found,) in connection.execute(SQL["ids"], (tenant, begin)):
            if not found.startswith(begin.encode()):
                break
            if found.decode(errors="replace") == id_:
                return bytes(found)
    return id_


def _as_text(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Convert a row of `header_bytes` to one of `header`; title and tags are removed if a text has decayed."""
    shown = [value.decode(errors="replace") if isinstance(value, bytes) else value for value in row]
    try:
        for at in _OWN_TEXTS:
            if row[at] is not None:
                row[at].decode()
    except UnicodeDecodeError:
        # an empty text is no JSON: whoever decodes the tags sees that the row decayed
        shown[10], shown[11] = None, ""
    return tuple(shown)


def decayed(conversation_id: str, header: Header | None = None) -> CorruptRecord:
    """Return the error for a decayed header."""
    reason = f"the header of conversation {conversation_id!r} is not what was written"
    return CorruptRecord(seq=0, reason=reason, record=header)


def _header(row: tuple[Any, ...]) -> Header:
    bare = _bare(row)
    # no append leaves a negative head: it decayed, and nothing that is counted from it would be right
    if row[15] < 0:
        raise decayed(bare.id, bare)
    try:
        return msgspec.structs.replace(bare, tags=tuple(_json(row[11])), metadata=_json(row[12]))
    except (msgspec.DecodeError, TypeError) as error:
        raise decayed(bare.id, bare) from error


def _listed(row: tuple[Any, ...]) -> Header:
    """Return the header, without tags and metadata if it decayed: one such header must not fail a whole listing."""
    try:
        return _header(row)
    except CorruptRecord as error:
        if not isinstance(error.record, Header):
            raise
        return error.record


def _bare(row: tuple[Any, ...]) -> Header:
    (
        post, _, _, _, store, incarnation, id_, created, updated, user, title, _, _, parent, parent_seq, head, revision,
        epoch, archived, version, tokens,
    ) = row  # fmt: skip
    refuse_newer(post)
    return Header(
        id_, created, updated, user, title, (), {}, parent, parent_seq, max(head, 0), revision, epoch, bool(archived),
        version,
        # decision 049: the conversation's own number XOR that of the file, cut to 64 bits because both are signed
        f"{(store ^ incarnation) & 0xFFFF_FFFF_FFFF_FFFF:016x}",
        max(tokens, 0),
    )  # fmt: skip


def read(
    connection: apsw.Connection, key: Key, after: int, before: int | None, limit: int, bytes_max: int, newest: bool
) -> RecordPage:
    place, header = find(connection, key)
    # header and rows are of one moment, since the lane reads them in one transaction: the head is exact
    end = header.head if before is None else min(before - 1, header.head)
    count = min(end - after, limit)
    if count <= 0:
        return RecordPage(header, [], more=False)
    last = end if newest else after + count
    walk = _walk_down if newest else _walk_up
    records, _ = walk(connection, _begin(connection, place, header.head, last), last - count + 1, last, bytes_max)
    return RecordPage(header, records, more=len(records) < end - after)


def recent(
    connection: apsw.Connection,
    key: Key,
    tokens: int,
    limit: int,
    bytes_max: int,
    pinned: Sequence[int],
    folds: Sequence[tuple[str, int]],
) -> Recent:
    place, header = find(connection, key)
    snapshots = tuple(_snapshot(connection, place, *fold) for fold in folds)
    first, head = max(behind(snapshots, header.epoch), header.head - limit) + 1, header.head
    records: list[Record] = []
    cut = False
    if first <= head:
        records, cut = _take(connection, "recent", (place.last, head, first, tokens), head, -1, bytes_max)
        # decision 002: rows are a chain; a chain that ends before the budget does has lost a link
        if not cut and head - len(records) >= first and sum([record.tokens for record in records]) <= tokens:
            raise CorruptRecord(seq=head - len(records), reason="its row is missing")
        records.reverse()
    pins: list[Record] = []
    for first, last in _runs(seq for seq in sorted(set(pinned)) if 0 < seq <= head - len(records)):
        pins += _walk_up(connection, _begin(connection, place, head, last), first, last, _ALL)[0]
    return Recent(header, records, pins, snapshots, cut)


def _runs(seqs: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and last number of each gapless run in ascending `seqs`."""
    runs: list[tuple[int, int]] = []
    for seq in seqs:
        if runs and runs[-1][1] == seq - 1:
            runs[-1] = runs[-1][0], seq
        else:
            runs.append((seq, seq))
    return runs


def row_at(connection: apsw.Connection, place: RowPlace, head: int, seq: int) -> tuple[int, Record | None]:
    """Return the row of the message at `seq` and its record, decayed or not; None if the row holds no record."""
    row = connection.execute(SQL["row_at"], (*_begin(connection, place, head, seq), seq)).fetchone()
    if row is None:
        raise CorruptRecord(seq=seq, reason="its row is missing")
    n, name, *rest = row
    return n, _record(name, *rest, seq)


def _record(name: bytes, *rest: Any) -> Record | None:
    """Build a record from its id in bytes and its other fields; None if the id is not valid UTF-8."""
    try:
        return Record(name.decode(), *rest)
    except UnicodeDecodeError:
        return None


def _begin(connection: apsw.Connection, place: RowPlace, head: int, seq: int) -> tuple[int | None, int]:
    """Return a row at or a little above `seq`, and the seq of that row."""
    # decision 002: near the end the chain itself is shorter than the search for a mark
    if head - seq < MARK_EVERY:
        return place.last, head
    return connection.execute(SQL["begin"], (place.n, seq)).fetchone() or (place.last, head)


def _walk_up(
    connection: apsw.Connection, begin: tuple[int | None, int], first: int, last: int, bytes_max: int
) -> tuple[list[Record], bool]:
    records, cut = _take(connection, "up", (*begin, first, last), first, 1, bytes_max)
    if not cut and len(records) != last - first + 1:
        raise CorruptRecord(seq=first + len(records), reason="its row is missing")
    return records, cut


def _walk_down(
    connection: apsw.Connection, begin: tuple[int | None, int], first: int, last: int, bytes_max: int
) -> tuple[list[Record], bool]:
    records, cut = _take(connection, "down", (*begin, first, last), last, -1, bytes_max)
    if not cut and len(records) != last - first + 1:
        raise CorruptRecord(seq=last - len(records), reason="its row is missing")
    records.reverse()
    return records, cut


def _take(
    connection: apsw.Connection, statement: str, bound: tuple[int | None, ...], seq: int, step: int, bytes_max: int
) -> tuple[list[Record], bool]:
    """The records of the rows that a statement gives from `seq` on, and whether they were cut because they weigh too much.

    The rows come one by one, so that no more of them are in memory than are taken.
    """
    records: list[Record] = []
    try:
        for row in connection.execute(SQL[statement], bound):
            record = Record(*row[:8])
            # the walk counts by itself: a decayed link that skips or repeats a row shows here, before its text leaves
            if record.seq != seq:
                raise CorruptRecord(seq=seq, reason="its row is missing")
            if row[8] != seq:
                raise CorruptRecord(seq=seq, reason=f"seq {row[8]} stands in its place", record=record)
            bytes_max -= len(record.body)
            if bytes_max < 0 and records:
                return records, True
            records.append(checked(record))
            seq += step
    except UnicodeDecodeError as error:
        raise CorruptRecord(seq=seq, reason="its id is no text") from error
    return records, False


def listing(
    connection: apsw.Connection, tenant: str, user_id: str | None, tag: str | None, archived: bool | None,
    updated_since: int | None, after: Position | None, limit: int,
) -> list[Header]:  # fmt: skip
    where = ["c.tenant = ?", "c.deleted = 0"]
    values: list[str | bytes | int] = [tenant]
    for clause, value in (
        ("c.user_id = ?", user_id),
        ("c.n IN (SELECT conversation FROM conversation_tag WHERE tenant = c.tenant AND tag = ?)", tag),
        ("c.archived = ?", archived),
        # decision 002: `active` is `updated_at` in steps of 65 ms; the index finds the step, the next clause the rest
        ("c.active >= ? >> 16", updated_since),
        ("c.updated_at >= ?", updated_since),
    ):
        if value is not None:
            where.append(clause)
            values.append(value)
    if after is not None:
        # an id that decayed is bound as bytes; the CAST makes it comparable with those that are text
        where.append("c.active <= ? >> 16 AND (c.updated_at, c.id) < (?, CAST(? AS TEXT))")
        values += (after.updated_at, after.updated_at, _kept_id(connection, tenant, after.conversation_id))
    rest = f"WHERE {' AND '.join(where)} ORDER BY c.active DESC, c.updated_at DESC, c.id DESC LIMIT ?"
    values.append(limit)
    try:
        return [_listed(row) for row in connection.execute(_select("header") + rest, values)]
    except UnicodeDecodeError:
        return [_listed(_as_text(row)) for row in connection.execute(_select("header_bytes") + rest, values)]


def _select(statement: str) -> str:
    # one list of columns for both: the statement that finds one header, with another condition
    return SQL[statement].rsplit("WHERE", 1)[0]


def load_snapshot(connection: apsw.Connection, key: Key, fold: str, version: int) -> Snapshot | None:
    return _snapshot(connection, find(connection, key)[0], fold, version)


def _snapshot(connection: apsw.Connection, place: RowPlace, fold: str, version: int) -> Snapshot | None:
    row = connection.execute(SQL["snapshot"], (place.n, fold, version)).fetchone()
    return None if row is None else Snapshot(*row)


def stale(connection: apsw.Connection, tenant: str, fold: str, version: int, limit: int, since: int) -> list[Stale]:
    try:
        return [Stale(*row) for row in connection.execute(SQL["stale"], (tenant, fold, version, limit, since))]
    except UnicodeDecodeError:
        return _stale_with_text(connection, tenant, fold, version, limit, since)


def _stale_with_text(
    connection: apsw.Connection, tenant: str, fold: str, version: int, limit: int, since: int
) -> list[Stale]:
    """As `stale`, leaving out conversations whose ids decayed."""
    found: list[Stale] = []
    for id_, *rest in connection.execute(SQL["stale_bytes"], (tenant, fold, version, -1, since)):
        if len(found) == limit:
            break
        with suppress(UnicodeDecodeError):
            found.append(Stale(id_.decode(), *rest))
    return found


def verify(connection: apsw.Connection, key: Key) -> list[Fault]:
    place, header = find(connection, key)
    faults, expected = [], header.head
    for *fields, seq, n, conversation in connection.execute(SQL["all_rows"], (place.n,)):
        record = _record(*fields)
        if seq != expected:
            faults.append(Fault(expected, f"is missing: seq {seq} stands in its place"))
        if record is None or not intact(record):
            faults.append(Fault(seq, "does not match its checksum"))
        if record is None or connection.execute(SQL["by_id"], (record.id, conversation)).get != n:
            faults.append(Fault(seq, "is not found by its id"))
        went_down, expected = seq <= expected, seq - 1
        # a decayed link may lead into another log or upwards: to go on would report the other's rows, or never end
        if conversation != place.n or not went_down:
            break
    else:
        if expected != 0:
            faults.append(Fault(expected, "is missing, with all before it"))
    return faults[::-1]
