"""The store on Redis or Valkey, on one server or a cluster: each append is one script, atomic and idempotent.

How durable an acknowledgement is, is a matter of the server's settings, which `doctor` tells; with `durability=replicated`
in the URL a write is acknowledged only when a replica has it.
"""

from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager
from itertools import accumulate
from typing import Any

from msgspec.structs import replace

from turnlog import process
from turnlog.codec import Record, checked
from turnlog.errors import (
    CorruptRecord,
    HeadMoved,
    KeyReused,
    MessageNotFound,
    RevisionMoved,
    SchemaTooNew,
    SnapshotMoved,
    StoreFailed,
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
from turnlog.stores.append import Known, decide_append
from turnlog.stores.redis import diagnostics, header_fields, keys
from turnlog.stores.redis.births import Births
from turnlog.stores.redis.cluster import Script, Servers, read_url, refuse
from turnlog.stores.redis.diagnostics import Sweep
from turnlog.stores.redis.forks import Logs, SharedPart, numbered, placed
from turnlog.stores.redis.indexes import Lists
from turnlog.stores.redis.record_format import pack, unpack, unpack_id, unpack_time, weight
from turnlog.stores.redis.work import OpenCalls, accepted

SCHEMA = 1
_CALL_BYTES = 200
"""About the bytes of an append in addition to its frames."""

_APPEND, _READ, _RECENT, _UPDATE, _DELETE, _EPOCH, _SAVE, _LOAD, _DROP, _HEADER = map(
    Script, ("append", "read", "recent", "update", "delete", "epoch", "save", "load", "drop", "header")
)


class RedisStore:
    """Keeps the logs on the servers that `url` names. Every call ends within `timeout_s`, or soon after."""

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self.work = OpenCalls()
        self._timeout_s = timeout_s
        self._target = read_url(url)
        self._flags = ("c" if self._target.cluster else "") + ("w" if self._target.replicated else "")
        self._servers = Servers(self._target, timeout_s)
        self._lists = Lists(self._servers)
        self._logs = Logs(self._servers, self._lists)
        self._births = Births(self._servers, self._lists, self._logs)

    async def open(self) -> None:
        self._servers.opened = True
        self.work.begin()
        process.opened(self._servers)
        process.opened(self)
        with ExitStack() as undo:
            undo.callback(self._servers.close)
            await diagnostics.refuse_eviction(self._servers)
            version = await self.schema_version()
            if not version.found:
                await self.migrate()
            undo.pop_all()

    async def close(self) -> None:
        try:
            await self.work.finish(self._timeout_s)
        finally:
            self._servers.close()
            process.closed(self._servers)
            process.closed(self)

    def abandon(self) -> None:
        """Forget the running calls, which no one in a forked child awaits."""
        self.work = OpenCalls()

    @accepted
    async def ping(self) -> None:
        await self._servers.call("SET", keys.PING, 1, write=True)

    @accepted
    async def create(self, tenant: str, header: Header, records: Sequence[Record] = ()) -> Appended | None:
        appended, fresh = decide_append(0, records, {}, None) if records else (None, [])
        totals = list(accumulate(record.tokens for _, record in fresh))
        frames = [pack(record, total) for (_, record), total in zip(fresh, totals, strict=True)]
        await self._births.create(Key(tenant, header.id), replace(header, tokens=sum(totals[-1:])), frames)
        return appended

    async def append(self, key: Key, records: Sequence[Record], *, now: int, expect_head: int | None = None) -> Appended:
        with self.work:  # as `accepted` does, without its call
            answer = await self._append(key, records, now, expect_head, self._flags)
            if type(answer) is not int and answer[0] == b"fork":
                self._logs.learn(key, answer[1], answer[2])
                return await self._append_to_fork(key, records, now, expect_head)
            return await self._appended(key, records, answer, expect_head)

    def _append(
        self, key: Key, records: Sequence[Record], now: int, expect_head: int | None, flags: str
    ) -> Coroutine[Any, Any, Any]:
        frames = [pack(record) for record in records]
        expected = "" if expect_head is None else expect_head
        said = (now, expected, flags, len(frames), *frames)
        return self._servers.join(_APPEND, keys.of(key, "hli"), said, size=_CALL_BYTES + sum(map(len, frames)))

    async def _append_to_fork(self, key: Key, records: Sequence[Record], now: int, expect_head: int | None) -> Appended:
        """What a fork shares does not change under us, so its ids are looked for before the script runs."""
        known = await self._logs.known(key, records)
        try:
            if known:
                decide_append(0, [record for record in records if record.id in known], known, None)
        except KeyReused:
            await self._get(key)
            raise
        rest = [record for record in records if record.id not in known]
        answer = await self._append(key, rest, now, expect_head, self._flags + "f")
        own = await self._appended(key, rest, answer, expect_head)
        known |= {id_: Known(seq, b"", at) for id_, seq, at in zip(own.ids, own.seqs, own.times_us, strict=True)}
        ids = tuple([record.id for record in records])
        places = [known[id_] for id_ in ids]
        return Appended(ids, tuple([at.seq for at in places]), tuple([at.created_at for at in places]), own.stored)

    async def _appended(self, key: Key, records: Sequence[Record], answer: Any, expect_head: int | None) -> Appended:
        if type(answer) is int:  # the new head: all were new
            return _all_new(records, answer)
        refuse(key, answer)
        if answer[0] == b"moved":
            raise HeadMoved(expected=expect_head or 0, actual=answer[1])
        if answer[0] == b"reused":
            raise KeyReused(message_id=unpack_id(answer[1]), seq=answer[2])
        _, _, stored, updated, user, tags, places = answer
        await self._enlist(key, header_fields.number(updated), header_fields.text(user), header_fields.split(tags))
        ids = tuple([record.id for record in records])
        return Appended(ids, tuple(places[::2]), tuple(map(unpack_time, places[1::2])), stored)

    @accepted
    async def get(self, key: Key) -> Header:
        return await self._get(key)

    async def _get(self, key: Key) -> Header:
        return header_fields.build(key, await self._servers.run(_HEADER, keys.of(key, "h"), write=False))

    async def _left(self, key: Key) -> Header:
        """Return the header, or what is left of a damaged one."""
        return header_fields.left(key, await self._servers.run(_HEADER, keys.of(key, "h"), write=False))

    @accepted
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
        bounds = (after, "" if before is None else before, limit, "1" if newest else "", bytes_max)
        answer = await self._servers.run(_READ, keys.of(key, "hl"), *bounds, write=False)
        header = header_fields.build(key, answer[0])
        _, first, last, more, frames, _, cut = answer
        if first > last:
            return RecordPage(header, [], more=False)
        if first <= header.parent_seq:
            return await self._read_through(key, header, answer, newest)
        if not cut and len(frames) != last - first + 1:
            raise CorruptRecord(seq=first + len(frames), reason="it is missing")
        records = numbered(frames, last - len(frames) + 1 if newest else first)
        return RecordPage(header, records, more=bool(more or cut))

    async def _read_through(self, key: Key, header: Header, answer: Any, newest: bool) -> RecordPage:
        """Return a page of a fork that begins in a shared part; `answer` holds the fork's own records."""
        _, first, last, more, frames, left, cut = answer
        base, here = header.parent_seq, max(first, header.parent_seq + 1)
        own = (
            list(placed(frames[::-1] if newest else frames, here, last, newest=newest, cut=bool(cut)))
            if here <= last
            else []
        )
        if newest:
            records = [checked(unpack(frame, seq)) for seq, frame in own]
            if not cut:
                shared, cut = await self._logs.shared(
                    key, first, min(last, base), bytes_max=left, newest=True, begun=bool(own)
                )
                records += shared
            return RecordPage(header, records[::-1], more=bool(more or cut))
        budget = left + sum(weight(frame) for _, frame in own)
        records, through = await self._logs.shared(key, first, min(last, base), bytes_max=budget)
        budget -= sum(len(record.body) for record in records)
        for seq, frame in () if through else own:
            budget -= weight(frame)
            if budget < 0:
                through = True
                break
            records.append(checked(unpack(frame, seq)))
        return RecordPage(header, records, more=bool(more or cut or through))

    @accepted
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
        pins = sorted(set(pinned))
        names = (f"{version} {fold}" for fold, version in folds)
        args = (tokens, limit, bytes_max, len(pins), *pins, *names)
        answer = await self._servers.run(_RECENT, keys.of(key, "hls"), *args, write=False)
        header = header_fields.build(key, answer[0])
        _, states, frames, rest, behind, found, left, cut = answer
        records = numbered(frames[::-1], header.head - len(frames) + 1)
        if header.parent_seq > behind and rest >= 0 and not cut:
            shared, cut = await self._logs.shared_within(
                key, behind + 1, header.parent_seq, rest, bytes_max=left, begun=bool(records)
            )
            records = shared + records
        before = [seq for seq in pins if 0 < seq <= min(header.head - len(records), header.parent_seq)]
        shared = await self._logs.pinned(key, before) if before else []
        own = [checked(unpack(frame, seq)) for seq, frame in zip(found[::2], found[1::2], strict=True)]
        return Recent(header, records, shared + own, tuple([_snapshot(state) for state in states]), bool(cut))

    @accepted
    async def update(
        self,
        key: Key,
        changes: dict[str, Any],
        *,
        now: int,
        expect_revision: int | None = None,
        expect_head: int | None = None,
    ) -> Header:
        expected = ("" if expect is None else expect for expect in (expect_revision, expect_head))
        if self._target.cluster and changes.get("tags"):  # first the lists: what a crash leaves there is passed over
            await self._lists.place(key, now, keys.lists(key.tenant, None, tuple(changes["tags"])))
        answer = await self._run(_UPDATE, key, "h", *self._place(key), now, *expected, *header_fields.changes(changes))
        if answer[0] == b"revised":
            raise RevisionMoved(expected=expect_revision or 0, actual=answer[1])
        if answer[0] == b"moved":
            raise HeadMoved(expected=expect_head or 0, actual=answer[1])
        header = header_fields.build(key, answer[1])
        left = tuple(tag for tag in header_fields.split(answer[2]) if tag not in header.tags)
        await self._delist(key, None, left, wholly=False)
        await self._enlist(key, header.updated_at, header.user_id, header.tags)
        return header

    @accepted
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
        found: list[Header] = []
        async for place, header in self._lists.walk(tenant, user_id, tag, after, limit):
            if updated_since is not None and place.updated_at < updated_since:
                break
            matches = (user_id is None or header.user_id == user_id) and (tag is None or tag in header.tags)
            fresh = updated_since is None or header.updated_at >= updated_since
            behind = after is None or Position(header.updated_at, header.id) < after
            if matches and fresh and behind and (archived is None or header.archived == archived):
                found.append(header)
            if len(found) == limit:
                break
        return sorted(found, key=lambda header: (header.updated_at, header.id), reverse=True)

    @accepted
    async def fork(self, key: Key, header: Header) -> Header:
        if header.parent_seq < 0:
            raise MessageNotFound(key.conversation_id, header.parent_seq)
        return await self._births.fork(key, header)

    @accepted
    async def redact(self, key: Key, tombstone: Record, *, now: int) -> int:
        header = await self._left(key)  # nothing may keep a message from being erased
        seq = tombstone.seq
        if not 1 <= seq <= header.head:
            raise MessageNotFound(key.conversation_id, seq)
        parts = [SharedPart(key, header.parent_seq, header.head), *await self._logs.above(key)]
        keeper = next(part for part in parts if part.base < seq)
        await self._logs.erase(keeper, tombstone, pack(tombstone), now)
        return (await self._left(key)).epoch

    @accepted
    async def move_epoch(self, key: Key, *, now: int) -> int:
        answer = await self._run(_EPOCH, key, "hs", *self._place(key), now)
        _, epoch, updated, user, tags = answer
        await self._enlist(key, header_fields.number(updated), header_fields.text(user), header_fields.split(tags))
        return int(epoch)

    @accepted
    async def delete(self, key: Key, *, now: int) -> None:
        answer = await self._run(_DELETE, key, "hlisfq", *self._place(key), now)
        _, user, tags = answer
        await self._delist(key, header_fields.text(user), header_fields.split(tags))
        await self._logs.trim(key)

    @accepted
    async def load_snapshot(self, key: Key, fold: str, version: int) -> Snapshot | None:
        answer = await self._run(_LOAD, key, "hsq", f"{version} {fold}", write=False)
        return _snapshot(answer[1])

    @accepted
    async def save_snapshot(self, key: Key, fold: str, version: int, snapshot: Snapshot, *, expect_watermark: int) -> None:
        state = b"%d %d " % (snapshot.watermark, snapshot.epoch) + snapshot.state
        answer = await self._run(_SAVE, key, "hs", f"{version} {fold}", expect_watermark, snapshot.epoch, state)
        if answer[0] == b"moved":
            raise SnapshotMoved(watermark=answer[1], epoch=answer[2])

    @accepted
    async def drop_snapshots(self, key: Key, fold: str, *, below: int) -> None:
        await self._run(_DROP, key, "hs", fold, below)

    @accepted
    async def stale(self, tenant: str, fold: str, version: int, *, limit: int, since: int = 0) -> list[Stale]:
        return await self._lists.stale(tenant, f"{version} {fold}", limit)

    @accepted
    async def verify(self, key: Key) -> list[Fault]:
        return await diagnostics.verify(self._servers, self._logs, key, await self._get(key))

    async def residue(self) -> tuple[str, ...]:
        file = "The append-only file keeps bytes until it is written anew, which `turnlog doctor --repair` begins."
        lists = "A failover may take a conversation off its user's list; `turnlog doctor --repair` puts it there again."
        return (file, lists) if self._target.cluster else (file,)

    async def doctor(self) -> list[Finding]:
        async with self._asking():
            return await diagnostics.doctor(self._servers)

    async def schema_version(self) -> SchemaVersion:
        async with self._asking():
            found = int(await self._servers.call("GET", keys.SCHEMA) or 0)
        if found > SCHEMA:
            raise SchemaTooNew(found=found, supported=SCHEMA)
        return SchemaVersion(found, SCHEMA)

    async def migrate(self) -> None:
        async with self._asking():
            await self._servers.call("SET", keys.SCHEMA, SCHEMA, "NX", write=True)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        """Open the connections for a call on a store that is not open."""
        was_open, self._servers.opened = self._servers.opened, True
        try:
            yield
        finally:
            if not was_open:
                self._servers.close()

    async def sweep(self, *, now: int) -> int:
        """Put right what a crash left half done beside the conversations; how many had something to put right. Then let the
        servers write their append-only files anew, without what was erased.

        Looks at every conversation, some at a time: to be run now and then, and after a failover.
        """
        async with self._asking():
            await self.schema_version()
            mended = await Sweep(self._servers, self._lists, self._logs).run(now)
            await diagnostics.rewrite_files(self._servers)
            return mended

    def _place(self, key: Key) -> tuple[str, str, str]:
        """What a script needs to write the lists itself, which it can on one server only."""
        return "" if self._target.cluster else self._lists.shard(key), key.tenant, key.conversation_id

    async def _enlist(self, key: Key, updated: int, user_id: str | None, tags: tuple[str, ...]) -> None:
        if self._target.cluster:
            await self._lists.add(key, updated, user_id, tags)

    async def _delist(self, key: Key, user_id: str | None, tags: tuple[str, ...], *, wholly: bool = True) -> None:
        if self._target.cluster:
            await self._lists.remove(key, user_id, tags, wholly=wholly)

    async def _run(self, script: Script, key: Key, kinds: str, *args: Any, write: bool = True) -> Any:
        answer = await self._servers.run(script, keys.of(key, kinds), *args, write=write)
        refuse(key, answer)
        return answer


def _all_new(records: Sequence[Record], head: int) -> Appended:
    if len(records) == 1:
        record = records[0]
        return Appended((record.id,), (head,), (record.created_at,), 1)
    ids, times = tuple([record.id for record in records]), tuple([record.created_at for record in records])
    return Appended(ids, tuple(range(head - len(ids) + 1, head + 1)), times, len(ids))


def _snapshot(kept: bytes | None) -> Snapshot | None:
    if kept is None:
        return None
    try:
        watermark, epoch, state = kept.split(b" ", 2)
        return Snapshot(int(watermark), int(epoch), state)
    except ValueError as error:
        raise StoreFailed(f"a snapshot is damaged: {error}") from error
