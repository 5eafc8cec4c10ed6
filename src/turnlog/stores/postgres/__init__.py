"""The store on PostgreSQL: committed before the acknowledgement, many processes on the same data."""

import re
from collections.abc import Sequence
from contextlib import closing
from importlib.resources import files
from typing import Any, NoReturn

import msgspec

from turnlog.codec import Record, checksum
from turnlog.errors import (
    ConversationDeleted,
    ConversationExists,
    ConversationNotFound,
    CorruptRecord,
    HeadMoved,
    MessageNotFound,
    RevisionMoved,
    SnapshotMoved,
    StoreUnavailable,
)
from turnlog.ports import Appended, Fault, Finding, Header, Key, Page, Position, Recent, SchemaVersion, Snapshot, Stale
from turnlog.stores.decide import decide
from turnlog.stores.postgres import doctor, schema, values
from turnlog.stores.postgres.values import (
    Param,
    blob,
    boolean,
    columns,
    int8s,
    integer,
    log_of,
    number,
    signed,
    text,
    texts,
)
from turnlog.stores.postgres.wire import Pool, Row
from turnlog.stores.postgres.writer import LANES, OPTIONS, Writer

_FOUND = re.split(r"^-- name: (\w+)\n", (files(__package__) / "queries.sql").read_text(), flags=re.MULTILINE)
SQL = dict(zip(_FOUND[1::2], _FOUND[2::2], strict=True))
_FAR = 2**63 - 1
_Expected = tuple[int | None, int | None]
_PAGE = 1000
_header = msgspec.json.Decoder(Header).decode
_json = msgspec.json.Encoder().encode


class PostgresStore:
    """Keeps the logs in the schema `turnlog` of a database; `url` is what libpq takes.

    Appends use connections of their own, everything else up to `connections`. A call that has no answer within `timeout_s`
    fails and its connection is given up. Where the tables are distributed by `log` over several servers, `sharded` keeps
    each statement on one of them: appends to one conversation travel together, those to several do not.
    """

    def __init__(self, url: str, *, timeout_s: float = 30.0, connections: int = 8, sharded: bool = False) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._connections = connections
        self._sharded = sharded
        self._pools: tuple[Pool, Pool] | None = None
        self._writer: Writer | None = None

    async def open(self) -> None:
        if self._pools is not None:
            return
        pool = Pool(self._url, limit=self._connections, timeout_s=self._timeout_s)
        try:
            await schema.migrate(pool)
        except BaseException:
            pool.close()
            raise
        lanes = self._connections if self._sharded else LANES
        writing = Pool(self._url, limit=lanes, timeout_s=self._timeout_s, options=OPTIONS)
        self._pools, self._writer = (
            (pool, writing),
            Writer(writing, timeout_s=self._timeout_s, lanes=lanes, sharded=self._sharded),
        )

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        pools, self._pools = self._pools, None
        if writer is not None:
            await writer.close()
        for pool in pools or ():
            pool.close()

    async def ping(self) -> None:
        await self._ask("ping")

    async def create(self, tenant: str, header: Header, records: Sequence[Record] = ()) -> Appended | None:
        key = Key(tenant, header.id)
        if not records:
            await self._create(key, header, [])
            return None
        appended, fresh = decide(0, records, {}, None)
        await self._create(key, header, [record for _, record in fresh])
        return appended

    async def append(self, key: Key, records: Sequence[Record], *, now: int, expect_head: int | None = None) -> Appended:
        if self._writer is None:
            raise StoreUnavailable("it is not open")
        return await self._writer.submit(key, records, now, expect_head)

    async def get(self, key: Key) -> Header:
        return (await self._read(key, 0, 1, 0, newest=False))[0]

    async def read(self, key: Key, *, after: int = 0, before: int | None = None, limit: int, newest: bool = False) -> Page:
        before = _FAR if before is None else before
        header, records = await self._read(key, after, before, limit, newest=newest)
        there = max(min(header.head, before - 1) - after, 0)
        count = min(there, limit)
        first = after + 1 + (there - count if newest else 0)
        if [record.seq for record in records] != list(range(first, first + count)):
            raise CorruptRecord(seq=first, reason=f"not all {count} rows from here on are there")
        return Page(header, records, more=count < there)

    async def recent(
        self, key: Key, *, tokens: int, limit: int, pinned: Sequence[int] = (), folds: Sequence[tuple[str, int]] = ()
    ) -> Recent:
        rows = await self._ask(
            "recent", *_named(key), number(tokens), number(limit), int8s(list(pinned)), texts(name for name, _ in folds),
            int8s([version for _, version in folds]), binary=True, prepare=True,
        )  # fmt: skip
        header = _there(rows, key)
        snapshots: list[Snapshot | None] = [None] * len(folds)
        records: list[Record] = []
        pins: list[Record] = []
        for _, _, part, *row in rows[1:]:
            if part == b"s":
                snapshots[integer(row[0]) - 1] = Snapshot(integer(row[2]), integer(row[5]), row[7] or b"")
            else:
                (records if part == b"r" else pins).append(values.record(row))
        first = header.head - len(records) + 1
        if [record.seq for record in reversed(records)] != list(range(first, header.head + 1)):
            raise CorruptRecord(seq=first, reason="not all rows from here on are there")
        return Recent(header, records[::-1], pins, tuple(snapshots))

    async def update(
        self,
        key: Key,
        changes: dict[str, Any],
        *,
        now: int,
        expect_revision: int | None = None,
        expect_head: int | None = None,
    ) -> Header:
        told = await self._call(
            "update", key, key, texts(changes), text(changes.get("title")), _labels(key.tenant, changes.get("tags", ())),
            text(_json(changes.get("metadata", {})).decode()), boolean(changes.get("archived", False)), number(now),
            number(expect_revision), number(expect_head), expected=(expect_head, expect_revision),
        )  # fmt: skip
        return _header(told[3] or b"")

    async def list_headers(
        self,
        tenant: str,
        *,
        user_id: str | None = None,
        tag: str | None = None,
        archived: bool | None = None,
        updated_since: int | None = None,
        after: Position | None = None,
        limit: int,
    ) -> list[Header]:
        wanted: list[tuple[str, Sequence[Param]]] = []
        if user_id is not None:
            wanted.append(("c.user_id = {}", [text(user_id)]))
        if tag is not None:
            wanted.append(("c.labels @> {} AND c.labels <> '{{}}'", [_labels(tenant, [tag])]))
        if archived is not None:
            wanted.append(("c.archived = {}", [boolean(archived)]))
        if updated_since is not None:
            wanted.append(("c.touched >= ({0}::int8 >> 28) AND c.updated_at >= {0}", [number(updated_since)]))
        if after is not None:
            place = [number(after.updated_at), text(after.conversation_id)]
            wanted.append(("c.touched <= ({0}::int8 >> 28) AND (c.updated_at, c.id) < ({0}, {1})", place))
        sql, params = SQL["list"].strip().rstrip(";"), [text(tenant)]
        for clause, values_ in wanted:
            sql += " AND " + clause.format(*(f"${len(params) + n}" for n, _ in enumerate(values_, 1)))
            params += values_
        sql += f" ORDER BY c.touched DESC, c.updated_at DESC, c.id DESC LIMIT {int(limit)}"
        return [_header(row[0] or b"") for row in await self._rows(sql, *params)]

    async def fork(self, key: Key, header: Header) -> Header:
        new = Key(key.tenant, header.id)
        told = await self._call(
            "fork", key, new, number(log_of(new)), text(new.conversation_id), number(header.parent_seq),
            number(header.created_at), number(header.updated_at), text(header.user_id), text(header.title),
            _labels(key.tenant, header.tags), text(_json(header.metadata).decode()), boolean(header.archived),
            number(header.version), seq=header.parent_seq,
        )  # fmt: skip
        return _header(told[3] or b"")

    async def redact(self, key: Key, tombstone: Record, *, now: int) -> int:
        told = await self._call(
            "redact", key, key, number(tombstone.seq), number(tombstone.tokens), number(tombstone.version),
            number(signed(tombstone.checksum)), blob(tombstone.body), number(now), seq=tombstone.seq,
        )  # fmt: skip
        return int(told[1] or 0)

    async def delete(self, key: Key, *, now: int) -> None:
        await self._call("delete", key, key, number(now))

    async def load_snapshot(self, key: Key, fold: str, version: int) -> Snapshot | None:
        rows = await self._ask("load_snapshot", *_named(key), text(fold), number(version), binary=True)
        if not rows:
            raise ConversationNotFound(key.conversation_id)
        deleted, watermark, epoch, state = rows[0]
        if deleted != b"\0":
            raise ConversationDeleted(key.conversation_id)
        return None if watermark is None else Snapshot(integer(watermark), integer(epoch), state or b"")

    async def save_snapshot(self, key: Key, fold: str, version: int, snapshot: Snapshot, *, expect_watermark: int) -> None:
        await self._call(
            "save_snapshot", key, key, text(fold), number(version), number(snapshot.watermark), number(snapshot.epoch),
            blob(snapshot.state), number(expect_watermark),
        )  # fmt: skip

    async def stale(self, tenant: str, fold: str, version: int, *, limit: int, since: int = 0) -> list[Stale]:
        rows = await self._ask("stale", text(tenant), text(fold), number(version), number(limit), number(since))
        return [Stale((id_ or b"").decode(), *(int(told or 0) for told in rest)) for id_, *rest in rows]

    async def verify(self, key: Key) -> list[Fault]:
        header = await self.get(key)
        faults = []
        for after in range(0, header.head, _PAGE):
            _, records = await self._read(key, after, min(after + _PAGE, header.head) + 1, _PAGE, newest=False)
            if not records:
                faults.append(Fault(after + 1, f"is missing, with all up to the head at {header.head}"))
                break
            there = {record.seq: record for record in records}
            for seq in range(after + 1, min(after + _PAGE, header.head) + 1):
                record = there.get(seq)
                if record is None:
                    faults.append(Fault(seq, "is missing"))
                elif checksum(record.id, record.created_at, record.body) != record.checksum:
                    faults.append(Fault(seq, "does not match its checksum"))
        beyond = await self._ask("beyond", number(log_of(key)))
        return faults + [Fault(int(row[0] or 0), "is outside of the log that the header tells") for row in beyond]

    async def residue(self) -> tuple[str, ...]:
        return (
            "Dead rows keep bytes in the tables' files until `VACUUM (FULL)`.",
            "The write-ahead log keeps bytes until its segments are recycled and written over.",
        )

    async def doctor(self) -> list[Finding]:
        with self._one_connection() as pool:
            return await doctor.examine(pool)

    async def schema_version(self) -> SchemaVersion:
        with self._one_connection() as pool:
            return await schema.version(pool)

    async def migrate(self) -> None:
        with self._one_connection() as pool:
            await schema.migrate(pool, post=True)

    def _one_connection(self) -> closing[Pool]:
        """For a call that may come while the store is not open."""
        return closing(Pool(self._url, limit=1, timeout_s=self._timeout_s))

    async def _create(self, key: Key, header: Header, records: Sequence[Record]) -> None:
        made = await self._ask(
            "create", number(log_of(key)), number(header.created_at), number(header.updated_at), number(len(records)),
            number(header.version), boolean(header.archived), text(key.tenant), text(header.id), text(header.user_id),
            text(header.title), _labels(key.tenant, header.tags), text(_json(header.metadata).decode()),
            *columns(((), record) for record in records),
        )  # fmt: skip
        if not made:
            await self._refuse(key)

    async def _refuse(self, key: Key) -> NoReturn:
        """Tell why the id of `key` cannot be taken."""
        try:
            await self.get(key)
        except ConversationDeleted:
            raise
        except ConversationNotFound:  # of 2**64 numbers, another conversation has this one's
            pass
        raise ConversationExists(key.conversation_id)

    async def _read(self, key: Key, after: int, before: int, limit: int, *, newest: bool) -> tuple[Header, list[Record]]:
        rows = await self._ask(
            "read", *_named(key), number(after), number(before), number(limit), boolean(newest), binary=True, prepare=True
        )
        return _there(rows, key), [values.record(row[2:]) for row in rows[1:]]

    async def _call(
        self, name: str, key: Key, new: Key, *params: Param, seq: int = 0, expected: _Expected = (None, None)
    ) -> Row:
        """What a function that answers with a state says. Raises what the state means."""
        [row] = await self._ask(name, *_named(key), *params)
        a, b = int(row[1] or 0), int(row[2] or 0)
        match int(row[0] or 0):
            case 0:
                return row
            case 1:
                raise ConversationNotFound(key.conversation_id)
            case 2:
                raise ConversationDeleted(key.conversation_id)
            case 3:
                return await self._refuse(new)
            case 4:
                raise HeadMoved(expected=expected[0] or 0, actual=a)
            case 5:
                raise RevisionMoved(expected=expected[1] or 0, actual=a)
            case 6:
                raise MessageNotFound(key.conversation_id, seq)
            case _:
                raise SnapshotMoved(watermark=a, epoch=b)

    async def _ask(self, name: str, *params: Param, binary: bool = False, prepare: bool = False) -> list[Row]:
        return await self._rows(SQL[name], *params, binary=binary, prepare=prepare)

    async def _rows(self, sql: str, *params: Param, binary: bool = False, prepare: bool = False) -> list[Row]:
        if self._pools is None:
            raise StoreUnavailable("it is not open")
        return await self._pools[0].ask(sql, *params, binary=binary, prepare=prepare)


def _named(key: Key) -> tuple[Param, Param, Param]:
    return number(log_of(key)), text(key.tenant), text(key.conversation_id)


def _there(rows: list[Row], key: Key) -> Header:
    """The header, of rows of which the first begins with it and with whether the conversation is deleted."""
    if not rows:
        raise ConversationNotFound(key.conversation_id)
    header, deleted = rows[0][:2]
    if deleted != b"\0":
        raise ConversationDeleted(key.conversation_id)
    return _header(header or b"")


def _labels(tenant: str, tags: Sequence[str]) -> Param:
    return texts(f"{tenant}/{tag}" for tag in tags)
