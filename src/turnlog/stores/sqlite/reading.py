"""What the reading lanes do: each function reads on a connection inside one transaction."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import apsw
import msgspec

from turnlog.codec import Record, checksum
from turnlog.errors import ConversationDeleted, ConversationNotFound, CorruptRecord
from turnlog.ports import Fault, Header, Key, Page, Position, Recent, Snapshot, Stale
from turnlog.stores.decide import behind
from turnlog.stores.sqlite.engine import SQL

MARK_EVERY = 64
_json = msgspec.json.decode
_json_rows = msgspec.json.Decoder(list[tuple[int, str, int, int, int, int, int, str]]).decode


class Place(NamedTuple):
    """Where a conversation is kept: its number, and the row of its last message."""

    n: int
    last: int | None


def find(connection: apsw.Connection, key: Key) -> tuple[Place, Header]:
    """The conversation. Raises `ConversationNotFound` or `ConversationDeleted`."""
    row = connection.execute(SQL["header"], key).fetchone()
    if row is None:
        raise ConversationNotFound(key.conversation_id)
    if row[1]:
        raise ConversationDeleted(key.conversation_id)
    return Place(row[0], row[16]), _header(row)


def _header(row: tuple) -> Header:  # type: ignore[type-arg]
    (
        _,
        _,
        id_,
        created,
        updated,
        user,
        title,
        tags,
        metadata,
        parent,
        parent_seq,
        head,
        revision,
        epoch,
        archived,
        version,
        *_,
    ) = row
    return Header(
        id_, created, updated, user, title, tuple(_json(tags)), _json(metadata), parent, parent_seq, head, revision, epoch,
        bool(archived), version,
    )  # fmt: skip


def read(connection: apsw.Connection, key: Key, after: int, before: int | None, limit: int, newest: bool) -> Page:
    place, header = find(connection, key)
    end = header.head if before is None else min(before - 1, header.head)
    count = min(end - after, limit)
    if count <= 0:
        return Page(header, [], more=False)
    last = end if newest else after + count
    records = _walk(connection, _begin(connection, place, header.head, last), last - count + 1, last)
    return Page(header, records, more=count < end - after)


def recent(
    connection: apsw.Connection, key: Key, tokens: int, limit: int, pinned: Sequence[int], folds: Sequence[tuple[str, int]]
) -> Recent:
    place, header = find(connection, key)
    snapshots = tuple(_snapshot(connection, place, *fold) for fold in folds)
    first = max(behind(snapshots, header.epoch), header.head - limit) + 1
    records = []
    if first <= header.head:
        records = _records(connection, "recent", (place.last, header.head, first, tokens), header.head)
    pins = []
    for first, last in _runs(seq for seq in sorted(set(pinned)) if 0 < seq <= header.head - len(records)):
        pins += _walk(connection, _begin(connection, place, header.head, last), first, last)
    return Recent(header, records, pins, snapshots)


def _runs(seqs: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of each run without a gap in ascending `seqs`."""
    runs: list[tuple[int, int]] = []
    for seq in seqs:
        if runs and runs[-1][1] == seq - 1:
            runs[-1] = runs[-1][0], seq
        else:
            runs.append((seq, seq))
    return runs


def row_at(connection: apsw.Connection, place: Place, head: int, seq: int) -> tuple[int, int, int]:
    """The row of the message at `seq`, the conversation that it was written in, and its digest."""
    row = connection.execute(SQL["row_at"], (*_begin(connection, place, head, seq), seq)).fetchone()
    if row is None:
        raise CorruptRecord(seq=seq, reason="its row is missing")
    n, conversation, digest = row
    return n, conversation, digest


def _begin(connection: apsw.Connection, place: Place, head: int, seq: int) -> tuple[int | None, int]:
    """A row not far above `seq`, and its own seq."""
    if head - seq < MARK_EVERY:
        return place.last, head
    return connection.execute(SQL["begin"], (place.n, seq)).fetchone() or (place.last, head)


def _walk(connection: apsw.Connection, begin: tuple[int | None, int], first: int, last: int) -> list[Record]:
    records = _records(connection, "walk", (*begin, first, last), last)
    if len(records) != last - first + 1:
        raise CorruptRecord(seq=first, reason=f"not all rows from here to {last} are there")
    return records


def _records(connection: apsw.Connection, statement: str, bound: tuple[int | None, ...], last: int) -> list[Record]:
    """The records of the rows that a statement walks from seq `last` down."""
    try:
        rows = connection.execute(SQL[statement], bound).get
    except UnicodeDecodeError as error:
        raise CorruptRecord(seq=last, reason="there, or before it, are bytes that are no text") from error
    records = [
        Record(id_, created, tokens, body.encode(), digest, check, version, seq)
        for seq, id_, created, tokens, version, digest, check, body in reversed(_json_rows(rows))
    ]
    first = last - len(records) + 1
    if not records or [record.seq for record in records] != list(range(first, last + 1)):
        raise CorruptRecord(seq=first, reason=f"not all rows from here to {last} are there, each in its place")
    return records


def listing(
    connection: apsw.Connection, tenant: str, user_id: str | None, tag: str | None, archived: bool | None,
    updated_since: int | None, after: Position | None, limit: int,
) -> list[Header]:  # fmt: skip
    where = ["c.tenant = ?", "c.deleted = 0"]
    values: list[str | int] = [tenant]
    for clause, value in (
        ("c.user_id = ?", user_id),
        ("c.n IN (SELECT conversation FROM conversation_tag WHERE tenant = c.tenant AND tag = ?)", tag),
        ("c.archived = ?", archived),
        ("c.active >= ? >> 16", updated_since),
        ("c.updated_at >= ?", updated_since),
    ):
        if value is not None:
            where.append(clause)
            values.append(value)
    if after is not None:
        where.append("c.active <= ? >> 16 AND (c.updated_at, c.id) < (?, ?)")
        values += (after.updated_at, *after)
    select = SQL["header"].rsplit("WHERE", 1)[0]
    sql = f"{select} WHERE {' AND '.join(where)} ORDER BY c.active DESC, c.updated_at DESC, c.id DESC LIMIT ?"
    return [_header(row) for row in connection.execute(sql, (*values, limit))]


def load_snapshot(connection: apsw.Connection, key: Key, fold: str, version: int) -> Snapshot | None:
    return _snapshot(connection, find(connection, key)[0], fold, version)


def _snapshot(connection: apsw.Connection, place: Place, fold: str, version: int) -> Snapshot | None:
    row = connection.execute(SQL["snapshot"], (place.n, fold, version)).fetchone()
    return None if row is None else Snapshot(*row)


def stale(connection: apsw.Connection, tenant: str, fold: str, version: int, limit: int, since: int) -> list[Stale]:
    return [Stale(*row) for row in connection.execute(SQL["stale"], (tenant, fold, version, limit, since))]


def verify(connection: apsw.Connection, key: Key) -> list[Fault]:
    place, header = find(connection, key)
    faults, expected = [], header.head
    for n, conversation, seq, id_, created, check, body in connection.execute(SQL["all_rows"], (place.n,)):
        if seq != expected:
            faults.append(Fault(expected, f"is missing: seq {seq} stands in its place"))
        if checksum(id_, created, body) != check:
            faults.append(Fault(seq, "does not match its checksum"))
        if connection.execute(SQL["by_id"], (id_, conversation)).get != n:
            faults.append(Fault(seq, "is not found by its id"))
        went_down, expected = seq <= expected, seq - 1
        if conversation != place.n or not went_down:
            break
    else:
        if expected != 0:
            faults.append(Fault(expected, "is missing, with all before it"))
    return faults[::-1]
