"""The store on PostgreSQL: committed before the acknowledgement, many processes on the same data."""

import re
from collections.abc import Sequence
from contextlib import ExitStack, closing
from importlib.resources import files
from typing import Any, NamedTuple, NoReturn

import msgspec

from turnlog import process
from turnlog.codec import Record, intact
from turnlog.errors import (
    ConversationDeleted,
    ConversationExists,
    ConversationNotFound,
    CorruptRecord,
    StoreFailed,
    StoreUnavailable,
)
from turnlog.store import (
    PAGE_BYTES,
    Appended,
    Fault,
    Finding,
    Header,
    Key,
    Position,
    Recent,
    RecordPage,
    SchemaVersion,
    Snapshot,
    Stale,
)
from turnlog.stores.append import decide_append
from turnlog.stores.postgres import diagnostics, encoding, quarantine, schema, timeouts
from turnlog.stores.postgres.connection import READING, WRITING, Pool
from turnlog.stores.postgres.encoding import (
    Expected,
    Names,
    Param,
    Row,
    arrays,
    blob,
    boolean,
    header_in,
    header_of,
    int8s,
    integer,
    listed,
    number,
    refuse,
    text,
    texts,
)
from turnlog.stores.postgres.group_commit import LANES, GroupWriter
from turnlog.stores.postgres.timeouts import Patience

_FOUND = re.split(r"^-- name: (\w+)\n", (files(__package__) / "queries.sql").read_text(), flags=re.MULTILINE)
SQL = dict(zip(_FOUND[1::2], _FOUND[2::2], strict=True))
_FAR = 2**63 - 1
_PAGE = 1000
_ROWS_PER_STEP = 2000
"""How many rows one step of a deletion removes: about 10 ms of the server."""
_json = msgspec.json.Encoder().encode


class _Open(NamedTuple):
    """The connections and state of an open store."""

    names: Names
    pool: Pool
    writer: GroupWriter
    patience: Patience
    pools: tuple[Pool, ...]


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
        self._open: _Open | None = None

    @process.one_at_a_time
    async def open(self) -> None:
        if self._open is not None:
            return
        process.opened(self)
        pool = self._pool(self._connections, READING)
        with ExitStack() as undo:
            undo.callback(pool.close)
            await schema.migrate(pool)
            names = Names(await schema.secret(pool))
            undo.pop_all()
        lanes = self._connections if self._sharded else LANES
        writing, alone = self._pool(lanes, WRITING), self._pool(quarantine.LANES, WRITING)
        waiting = self._pool(timeouts.LANES, READING)
        writer = GroupWriter(writing, alone, names, timeout_s=self._timeout_s, lanes=lanes, sharded=self._sharded)
        self._open = _Open(names, pool, writer, Patience(pool, waiting), (pool, writing, alone, waiting))

    def _pool(self, limit: int, options: str) -> Pool:
        return Pool(self._url, limit=limit, timeout_s=self._timeout_s, options=options)

    async def close(self) -> None:
        was, self._open = self._open, None
        if was is not None:
            await was.writer.close()
            for pool in was.pools:
                pool.close()
        process.closed(self)

    def abandon(self) -> None:
        """Forget the connections, which are the parent's."""
        process.keep(self._open)
        self._open = None

    async def ping(self) -> None:
        await self._ask("ping")

    async def create(self, tenant: str, header: Header, records: Sequence[Record] = ()) -> Appended | None:
        key = Key(tenant, header.id)
        if not records:
            await self._create(key, header, [])
            return None
        appended, fresh = decide_append(0, records, {}, None)
        await self._create(key, header, [record for _, record in fresh])
        return appended

    async def append(self, key: Key, records: Sequence[Record], *, now: int, expect_head: int | None = None) -> Appended:
        return await self._opened.writer.submit(key, records, now, expect_head)

    async def get(self, key: Key) -> Header:
        return header_in(await self._read(key, 0, 1, 0), key)

    async def read(
        self,
        key: Key,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        bytes_max: int = PAGE_BYTES,
        newest: bool = False,
    ) -> RecordPage:
        before = _FAR if before is None else before
        rows = await self._read(key, after, before, limit, bytes_max=bytes_max, newest=newest)
        header = header_in(rows, key)
        found = [row[2:] for row in rows[1:] if row[2] is not None]
        cut = len(found) < len(rows) - 1
        if len(found) > 1 and integer(found[0][0]) > integer(found[1][0]):
            found.reverse()
        there = max(min(header.head, before - 1) - after, 0)
        whole = min(there, limit)
        count = len(found) if cut else whole
        first = after + 1 + (there - count if newest else 0)
        if [integer(row[0]) for row in found] != list(range(first, first + count)):
            raise CorruptRecord(seq=first, reason=f"not all {count} rows from here on are there")
        return RecordPage(header, [encoding.record(row) for row in found], more=count < there)

    async def recent(
        self,
        key: Key,
        *,
        tokens: int,
        limit: int,
        bytes_max: int = PAGE_BYTES,
        pinned: Sequence[int] = (),
        folds: Sequence[tuple[str, int]] = (),
    ) -> Recent:
        rows = await self._ask(
            "recent", *self._named(key), number(tokens), number(limit), int8s(list(pinned)),
            texts(name for name, _ in folds), int8s([version for _, version in folds]), number(bytes_max),
            binary=True, prepare=True,
        )  # fmt: skip
        header = header_in(rows, key)
        snapshots: list[Snapshot | None] = [None] * len(folds)
        parts: dict[bytes | None, list[Row]] = {b"r": [], b"p": [], b"c": []}
        for _, _, part, *row in rows[1:]:
            if part == b"s":
                snapshots[integer(row[0]) - 1] = Snapshot(integer(row[2]), integer(row[6]), row[7] or b"")
            else:
                parts[part].append(row)
        records = [encoding.record(row) for row in reversed(parts[b"r"])]
        first = header.head - len(records) + 1
        if [record.seq for record in records] != list(range(first, header.head + 1)):
            raise CorruptRecord(seq=first, reason="not all rows from here on are there")
        pins = [encoding.record(row) for row in parts[b"p"]]
        return Recent(header, records, pins, tuple(snapshots), bool(parts[b"c"]))

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
            "update", key, texts(changes), text(changes.get("title")), _labels(key.tenant, changes.get("tags", ())),
            _metadata(changes.get("metadata", {})), boolean(changes.get("archived", False)), number(now),
            number(expect_revision), number(expect_head), expected=(expect_head, expect_revision),
        )  # fmt: skip
        return header_of(told[3] or b"")

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
        return [listed(row[0] or b"") for row in await self._rows(sql, *params)]

    async def fork(self, key: Key, header: Header) -> Header:
        new = Key(key.tenant, header.id)
        told = await self._call(
            "fork", key, number(self._opened.names.log(new)), text(new.conversation_id), number(header.parent_seq),
            number(header.created_at), number(header.updated_at), text(header.user_id), text(header.title),
            _labels(key.tenant, header.tags), _metadata(header.metadata), boolean(header.archived),
            number(header.version), number(schema.random_int8()), seq=header.parent_seq, new=new,
        )  # fmt: skip
        return header_of(told[3] or b"")

    async def redact(self, key: Key, tombstone: Record, *, now: int) -> int:
        numbers, id_, digest, body = encoding.column(tombstone, self._opened.names)
        told = await self._call(
            "redact", key, number(tombstone.seq), *map(number, numbers), blob(id_), blob(digest), blob(body), number(now),
            seq=tombstone.seq,
        )  # fmt: skip
        return int(told[1] or 0)

    async def move_epoch(self, key: Key, *, now: int) -> int:
        return int((await self._call("move_epoch", key, number(now)))[1] or 0)

    async def delete(self, key: Key, *, now: int) -> None:
        opened = self._opened
        log = opened.names.log(key)
        [row] = await opened.patience.ask(SQL["delete"], *self._named(key), number(now))
        again = row[0] == b"2"
        if not again or row[1] == b"1":  # a deletion that was cut short left rows
            await purge(opened.patience, log)
        if again or row[0] != b"0":
            refuse(row, key)

    async def sweep(self, *, now: int) -> int:
        pool = self._one_connection()
        with closing(pool):
            await schema.version(pool)
            logs = [int(row[0] or 0) for row in await pool.ask(SQL["purging"])]
            for log in logs:
                await purge(Patience(pool, pool), log)
        return len(logs)

    async def mark_restored(self) -> None:
        with closing(self._one_connection()) as pool:
            await schema.version(pool)
            await schema.mark_restored(pool)

    async def load_snapshot(self, key: Key, fold: str, version: int) -> Snapshot | None:
        rows = await self._ask("load_snapshot", *self._named(key), text(fold), number(version), binary=True)
        if not rows:
            raise ConversationNotFound(key.conversation_id)
        deleted, watermark, epoch, state = rows[0]
        if deleted != b"\0":
            raise ConversationDeleted(key.conversation_id)
        return None if watermark is None else Snapshot(integer(watermark), integer(epoch), state or b"")

    async def save_snapshot(self, key: Key, fold: str, version: int, snapshot: Snapshot, *, expect_watermark: int) -> None:
        await self._call(
            "save_snapshot", key, text(fold), number(version), number(snapshot.watermark), number(snapshot.epoch),
            blob(snapshot.state), number(expect_watermark),
        )  # fmt: skip

    async def drop_snapshots(self, key: Key, fold: str, *, below: int) -> None:
        await self._call("drop_snapshots", key, text(fold), number(below))

    async def stale(self, tenant: str, fold: str, version: int, *, limit: int, since: int = 0) -> list[Stale]:
        rows = await self._ask("stale", text(tenant), text(fold), number(version), number(limit), number(since))
        return [Stale((id_ or b"").decode(), *(int(told or 0) for told in rest)) for id_, *rest in rows]

    async def verify(self, key: Key) -> list[Fault]:
        header = await self.get(key)
        faults: list[Fault] = []
        after = 0
        while after < header.head:
            rows = await self._read(key, after, header.head + 1, _PAGE)
            found = {integer(row[2]): row for row in rows[1:] if row[2] is not None}
            if not found:
                faults.append(Fault(after + 1, f"is missing, with all up to the head at {header.head}"))
                break
            last = max(found) if len(found) < len(rows) - 1 else min(after + _PAGE, header.head)
            for seq in range(after + 1, last + 1):
                if seq not in found:
                    faults.append(Fault(seq, "is missing"))
                elif not intact(encoding.raw(found[seq][2:])):
                    faults.append(Fault(seq, "does not match its checksum"))
            after = last
        beyond = await self._ask("beyond", self._named(key)[0])
        return faults + [Fault(int(row[0] or 0), "is outside of the log that the header tells") for row in beyond]

    async def residue(self) -> tuple[str, ...]:
        return (
            "Dead rows keep bytes in the tables' files until `VACUUM (FULL)`.",
            "The write-ahead log keeps bytes until its segments are recycled and written over.",
        )

    async def doctor(self) -> list[Finding]:
        with closing(self._one_connection()) as pool:
            return await diagnostics.examine(pool)

    async def schema_version(self) -> SchemaVersion:
        with closing(self._one_connection()) as pool:
            return await schema.version(pool)

    async def migrate(self) -> None:
        with closing(self._one_connection()) as pool:
            await schema.migrate(pool, post=True)

    def _one_connection(self) -> Pool:
        """Return a pool for a call that may come while the store is not open."""
        return self._pool(1, READING)

    @property
    def _opened(self) -> _Open:
        if self._open is None:
            raise process.unusable(self)
        return self._open

    def _named(self, key: Key) -> tuple[Param, Param, Param]:
        return number(self._opened.names.log(key)), text(key.tenant), text(key.conversation_id)

    async def _create(self, key: Key, header: Header, records: Sequence[Record]) -> None:
        names = self._opened.names
        made = await self._ask(
            "create", number(names.log(key)), number(header.created_at), number(header.updated_at),
            number(len(records)), number(sum([len(record.body) for record in records])),
            number(schema.random_int8()), number(header.version), boolean(header.archived),
            text(key.tenant), text(header.id), text(header.user_id), text(header.title), _labels(key.tenant, header.tags),
            _metadata(header.metadata), blob(names.secret),
            *arrays(((), encoding.column(record, names)) for record in records),
        )  # fmt: skip
        if not made:
            await self._refuse(key)

    async def _refuse(self, key: Key) -> NoReturn:
        """Raise the reason why the id of `key` cannot be used."""
        try:
            await self.get(key)
        except ConversationDeleted:
            raise
        except ConversationNotFound:  # of 2**64 numbers, another conversation has this one's
            if await schema.secret(self._opened.pool) != self._opened.names.secret:
                raise StoreUnavailable("the schema was made anew since it was opened: open it again") from None
        raise ConversationExists(key.conversation_id)

    async def _read(
        self, key: Key, after: int, before: int, limit: int, *, bytes_max: int = PAGE_BYTES, newest: bool = False
    ) -> list[Row]:
        return await self._ask(
            "read", *self._named(key), number(after), number(before), number(limit), boolean(newest), number(bytes_max),
            binary=True, prepare=True,
        )  # fmt: skip

    async def _call(
        self, name: str, key: Key, *params: Param, seq: int = 0, expected: Expected = (None, None), new: Key | None = None
    ) -> Row:
        """Call a function that answers with a state; raise the error that the state means."""
        [row] = await self._opened.patience.ask(SQL[name], *self._named(key), *params)
        if row[0] == b"3":
            await self._refuse(new or key)
        if row[0] != b"0":
            refuse(row, key, seq=seq, expected=expected)
        return row

    async def _ask(self, name: str, *params: Param, binary: bool = False, prepare: bool = False) -> list[Row]:
        return await self._rows(SQL[name], *params, binary=binary, prepare=prepare)

    async def _rows(self, sql: str, *params: Param, binary: bool = False, prepare: bool = False) -> list[Row]:
        return await self._opened.pool.ask(sql, *params, binary=binary, prepare=prepare)


async def purge(through: Patience, log: int) -> None:
    """Remove the rows of a deleted conversation that no fork shows, in steps that delay no one."""
    place, upto = 1, _FAR
    while True:
        [row] = await through.ask(SQL["purge"], number(log), number(place), number(upto), number(_ROWS_PER_STEP))
        if row[0] != b"0":
            return
        place, upto = int(row[1] or 0), int(row[2] or 0)


def _metadata(value: dict[str, Any]) -> Param:
    try:
        return text(_json(value).decode())
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
        raise StoreFailed(f"the metadata is no JSON: {error}") from None


def _labels(tenant: str, tags: Sequence[str]) -> Param:
    return texts(f"{tenant}/{tag}" for tag in tags)
