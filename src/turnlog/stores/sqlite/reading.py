"""What the reading lanes do: each function reads on a connection inside one transaction."""

from typing import NamedTuple

import apsw
import msgspec

from turnlog.codec import Record, checksum
from turnlog.errors import ConversationDeleted, ConversationNotFound, CorruptRecord
from turnlog.ports import Fault, Header, Key, Page, Position, Snapshot, Stale
from turnlog.stores.sqlite.engine import SQL

_json = msgspec.json.decode


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
    (_, _, id_, created, updated, user, title, tags, metadata, parent, parent_seq, head, revision, epoch, archived, version, *_) = row
    return Header(
        id_, created, updated, user, title, tuple(_json(tags)), _json(metadata), parent, parent_seq, head, revision, epoch,
        bool(archived), version,
    )  # fmt: skip


def read(connection: apsw.Connection, key: Key, after: int, before: int | None, limit: int, newest: bool) -> Page:
    place, header = find(connection, key)
    end = header.head + 1 if before is None else min(before, header.head + 1)
    high = end if newest else min(end, after + limit + 1)
    count = min(high - after - 1, limit)
    if count <= 0:
        return Page(header, [], more=False)
    rows = connection.execute(SQL["walk"], (_begin(connection, place, header, high - 1), after, high, count)).fetchall()
    if len(rows) != count:
        raise CorruptRecord(seq=high - len(rows) - 1, reason="its row is missing")
    records = [Record(id_, created, tokens, body, digest, check, version, seq)
               for seq, id_, created, tokens, version, digest, check, body in reversed(rows)]  # fmt: skip
    return Page(header, records, more=count < end - after - 1)


def row_at(connection: apsw.Connection, place: Place, seq: int) -> tuple[int, int, int]:
    """The row of the message at `seq`, the conversation that it was written in, and its digest."""
    begin = connection.execute(SQL["begin"], (place.n, seq)).get or place.last
    row = connection.execute(SQL["row_at"], (begin, seq)).fetchone()
    if row is None:
        raise CorruptRecord(seq=seq, reason="its row is missing")
    return row


def _begin(connection: apsw.Connection, place: Place, header: Header, seq: int) -> int | None:
    if seq == header.head:
        return place.last
    return connection.execute(SQL["begin"], (place.n, seq)).get or place.last


def listing(
    connection: apsw.Connection, tenant: str, user_id: str | None, tag: str | None, archived: bool | None,
    updated_since: int | None, after: Position | None, limit: int,
) -> list[Header]:  # fmt: skip
    where, values = ["c.tenant = ?", "c.deleted = 0"], [tenant]
    for clause, value in (
        ("c.user_id = ?", user_id),
        ("c.n IN (SELECT conversation FROM conversation_tag WHERE tenant = c.tenant AND tag = ?)", tag),
        ("c.archived = ?", archived),
        ("c.updated_at >= ?", updated_since),
    ):
        if value is not None:
            where.append(clause)
            values.append(value)
    if after is not None:
        where.append("(c.updated_at, c.id) < (?, ?)")
        values += after
    select = SQL["header"].split("WHERE")[0]
    sql = f"{select} WHERE {' AND '.join(where)} ORDER BY c.updated_at DESC, c.id DESC LIMIT ?"
    return [_header(row) for row in connection.execute(sql, (*values, limit))]


def load_snapshot(connection: apsw.Connection, key: Key, fold: str, version: int) -> Snapshot | None:
    place, _ = find(connection, key)
    row = connection.execute(SQL["snapshot"], (place.n, fold, version)).fetchone()
    return None if row is None else Snapshot(*row)


def stale(connection: apsw.Connection, tenant: str, fold: str, version: int, limit: int) -> list[Stale]:
    return [Stale(*row) for row in connection.execute(SQL["stale"], (tenant, fold, version, limit))]


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
        expected = seq - 1
        if conversation != place.n:
            break
    else:
        if expected != 0:
            faults.append(Fault(expected, "is missing, with all before it"))
    return faults[::-1]
