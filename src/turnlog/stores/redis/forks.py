"""Logs that share records: a fork reads through to the one it came from, which lies in another slot.

What forks share does not change but for erasures, so it may be read beside the scripts. An erasure is marked in the
conversation that keeps the record until it has reached all forks; a deletion keeps what a fork may still show. Forks
themselves tell what they show; what their parents note of them only says where to ask (decision 022).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, NamedTuple

from turnlog.codec import Record, checked
from turnlog.errors import CorruptRecord
from turnlog.store import PAGE_BYTES, Key
from turnlog.stores.append import Known
from turnlog.stores.redis import header_fields, keys
from turnlog.stores.redis.cluster import Script, Servers, refuse
from turnlog.stores.redis.indexes import Lists
from turnlog.stores.redis.record_format import pack_id, total_at, unpack, weight

_ERASED, _SPREAD, _TRIM, _VOID, _ADOPT, _SLICE, _SINCE = map(
    Script, ("erased", "spread", "trim", "void", "adopt", "slice", "since")
)
_PARENTS_REMEMBERED = 10_000
_FORKS_PER_CALL = 500
_SHARED_AT_ONCE = 100
_PARTS_AT_ONCE = 4
"""How many parts are read at once; each may return as many bytes as the caller wants in total."""


class SharedPart(NamedTuple):
    """The records of a conversation from `base` + 1 to `upto`, which a fork shows."""

    key: Key
    base: int
    upto: int


class Logs:
    """Reads and changes the records that logs share."""

    def __init__(self, servers: Servers, lists: Lists) -> None:
        self._servers = servers
        self._lists = lists
        self._parents: dict[Key, tuple[str | None, int]] = {}
        self._parents_of = 0

    async def above(self, key: Key) -> list[SharedPart]:
        """Return the parts that a fork shows of its ancestors, nearest first."""
        parts: list[SharedPart] = []
        # decision 022: what a fork shows is in its own header; the parent's note only says where to ask
        parent, upto = await self._parent(key)
        while parent is not None and upto > 0:
            key = Key(key.tenant, parent)
            parent, base = await self._parent(key)
            parts.append(SharedPart(key, base, upto))
            upto = min(upto, base)
        return parts

    async def _parent(self, key: Key) -> tuple[str | None, int]:
        self._forget_another_history()
        known = self._parents.get(key)
        if known is None:
            parent, base = await self._servers.call("HMGET", keys.of(key, "h")[0], "p", "b")
            known = header_fields.parent(parent), header_fields.number(base)
            if base is not None:
                self.learn(key, parent, base)
        return known

    def _forget_another_history(self) -> None:
        """Forget the parents after a failover or restart: an id may belong to another fork now."""
        # decision 023: what was remembered is of the history before
        if self._parents_of != self._servers.changes:
            self._parents.clear()
            self._parents_of = self._servers.changes

    def learn(self, key: Key, parent: bytes | None, base: bytes) -> None:
        """Remember the parent of a conversation."""
        if len(self._parents) >= _PARENTS_REMEMBERED:
            self._parents.clear()
        self._parents[key] = header_fields.parent(parent), header_fields.number(base)

    async def known(self, key: Key, records: Iterable[Record]) -> dict[str, Known]:
        """Return those of the records' ids that exist in the shared parts."""
        ids = list({record.id: pack_id(record.id) for record in records}.items())
        parts = await self.above(key)
        answers = await asyncio.gather(
            *(self._servers.call("HMGET", keys.of(part.key, "i")[0], *(id_ for _, id_ in ids)) for part in parts)
        )
        found: dict[str, Known] = {}
        for part, seqs in zip(parts, answers, strict=True):
            for (id_, _), seq in zip(ids, seqs, strict=True):
                # an id counts only within the part that is shared: the parent may have got it after the fork
                if seq is not None and part.base < int(seq) <= part.upto:
                    frames, _ = await self._slice(part, int(seq), int(seq), PAGE_BYTES, newest=False)
                    if not frames:
                        raise CorruptRecord(seq=int(seq), reason="it is missing")
                    record = unpack(frames[0][1], int(seq))
                    found[id_] = Known(record.seq, record.digest, record.created_at)
        return found

    async def shared(
        self, key: Key, first: int, last: int, *, bytes_max: int, newest: bool = False, begun: bool = False
    ) -> tuple[list[Record], bool]:
        """The records from `first` to `last` that others keep, from the one end or the other, up to the one that makes them
        weigh more than `bytes_max`, which only the first may unless it has `begun` before; and whether that ended them.
        """
        parts = [part for part in await self.above(key) if part.base < last and part.upto >= first]
        parts = parts if newest else parts[::-1]
        records: list[Record] = []
        # decision 024: each answer may be as large as the page, so that only a few are asked for at once
        for n in range(0, len(parts), _PARTS_AT_ONCE):
            some = parts[n : n + _PARTS_AT_ONCE]
            slices = await asyncio.gather(*(self._slice(part, first, last, bytes_max, newest=newest) for part in some))
            for frames, cut in slices:
                for seq, frame in frames:
                    bytes_max -= weight(frame)
                    if bytes_max < 0 and (begun or records):
                        return records, True
                    records.append(checked(unpack(frame, seq)))
                if cut:
                    return records, True
        return records, False

    async def shared_within(
        self, key: Key, first: int, last: int, tokens: int, *, bytes_max: int, begun: bool
    ) -> tuple[list[Record], bool]:
        """The last of the records from `first` to `last` that others keep, up to the one that makes them cost more than
        `tokens` or weigh more than `bytes_max`; and whether bytes ended them.
        """
        records: list[Record] = []
        while last >= first and tokens >= 0:
            # tokens are counted here, not in the script: it reads a hundred records at a time until they suffice
            low = max(first, last - _SHARED_AT_ONCE + 1)
            some, cut = await self.shared(key, low, last, bytes_max=bytes_max, newest=True, begun=begun or bool(records))
            for record in some:
                records.append(record)
                tokens -= record.tokens
                bytes_max -= len(record.body)
                if tokens < 0:
                    return records[::-1], False
            if cut:
                return records[::-1], True
            last = low - 1
        return records[::-1], False

    async def total(self, key: Key, seq: int, above: int) -> int:
        """The tokens of a conversation up to `seq`, of which the conversation has `above` in all."""
        if seq == 0:
            return 0
        own = SharedPart(key, (await self._parent(key))[1], seq)
        part = next(part for part in [own, *await self.above(key)] if part.base < seq)
        try:
            frames, _ = await self.frames(part.key, part.base, seq, seq)
            return total_at(frames[0][1], above)
        except CorruptRecord:
            return above  # a fork of a damaged log is made all the same, and counts too much rather than nothing

    async def pinned(self, key: Key, seqs: Sequence[int]) -> list[Record]:
        """Return the records at these seqs from the shared parts."""
        answers = [await self.shared(key, seq, seq, bytes_max=PAGE_BYTES) for seq in seqs]
        return [record for records, _ in answers for record in records]

    async def _slice(
        self, part: SharedPart, first: int, last: int, bytes_max: int, *, newest: bool
    ) -> tuple[list[tuple[int, bytes]], bool]:
        first, last = max(first, part.base + 1), min(last, part.upto)
        if first > last:
            return [], False
        return await self.frames(part.key, part.base, first, last, bytes_max=bytes_max, newest=newest)

    async def frames(
        self, key: Key, base: int, first: int, last: int, *, bytes_max: int = PAGE_BYTES, newest: bool = False
    ) -> tuple[list[tuple[int, bytes]], bool]:
        """Frames that a conversation keeps itself, from one end, each with its seq, and whether bytes ended them.

        Raises `CorruptRecord` if one is missing.
        """
        args = (base, first, last, bytes_max, "1" if newest else "")
        frames, cut = await self._servers.run(_SLICE, keys.of(key, "hl"), *args, write=False)
        return list(placed(frames, first, last, newest=newest, cut=bool(cut))), bool(cut)

    async def erase(self, part: SharedPart, tombstone: Record, frame: bytes, now: int) -> None:
        """Replace a record by a tombstone, and tell all forks that show it."""
        place = (tombstone.seq - part.base - 1, tombstone.seq, frame)
        answer = await self._tell(part.key, keys.of(part.key, "hsli"), now, *place)
        refuse(part.key, answer)
        # the mark in the owner outlives a crash between the two calls: a sweep, or the next erasure, goes on
        if answer[0] == b"pending":
            await self.spread(part.key, tombstone.seq, now)

    async def spread(self, key: Key, seq: int, now: int) -> None:
        """Tell all forks that a record was erased, then take the mark away that says they are to be told.

        A fork that is not there yet reads the tombstone once it is.
        """
        await self._tell_forks(key, seq, now)
        await self._servers.run(_SPREAD, keys.of(key, "h"), seq)

    async def _tell_forks(self, key: Key, seq: int, now: int) -> None:
        # read before the forks are told, so that one that comes meanwhile is known to have read the tombstone
        since = await self._servers.run(_SINCE, keys.of(key, "h"), write=False)
        async for fork, number, at in self._forks(key):
            if at >= seq:
                answer = await self._tell(fork, keys.of(fork, "hs"), now, key.conversation_id, number, *since)
                if answer[0] == b"pending":
                    await self._tell_forks(fork, seq, now)

    async def _tell(self, key: Key, names: Sequence[str], now: int, *args: Any) -> Any:
        shard = "" if self._servers.target.cluster else self._lists.shard(key)
        answer = await self._servers.run(_ERASED, names, shard, key.tenant, key.conversation_id, now, *args)
        if not shard and answer[0] == b"pending" and len(answer) > 2:
            _, _, updated, user, tags = answer
            await self._lists.add(key, header_fields.number(updated), header_fields.text(user), header_fields.split(tags))
        return answer

    async def _forks(self, key: Key) -> AsyncIterator[tuple[Key, str, int]]:
        """Yield the noted forks of a conversation: key, number, seq."""
        cursor = b"0"
        while True:
            cursor, said = await self._servers.call("HSCAN", keys.of(key, "f")[0], cursor, "COUNT", _FORKS_PER_CALL)
            for n in range(0, len(said), 2):
                number, _, fork = said[n].decode().partition(" ")
                yield Key(key.tenant, fork), number, int(said[n + 1])
            if cursor == b"0":
                return

    async def trim(self, key: Key) -> bool:
        """Drop what no fork shows of a deleted conversation, and then of the deleted ones that it came from; whether there
        was something to drop.
        """
        parent: str | None = key.conversation_id
        changed = False
        while parent is not None:
            key = Key(key.tenant, parent)
            dead, above = await self._servers.call("HMGET", keys.of(key, "h")[0], "d", "p")
            if dead is None:
                break
            changed |= await self._trim_one(key)
            parent = header_fields.parent(above)
        return changed

    async def _trim_one(self, key: Key) -> bool:
        changed = False
        while True:
            # the count of adoptions goes with the trim: a fork that is noted in between makes the script do nothing
            adopted, before = await self._servers.call("HMGET", keys.of(key, "h")[0], "y", "n")
            keep, dropped = await self.shown(key)
            changed |= dropped > 0 or keep < header_fields.number(before)
            while (left := await self._servers.run(_TRIM, keys.of(key, "hli"), keep, adopted or "")) > 0:
                pass
            if left == 0:
                return changed

    async def shown(self, key: Key) -> tuple[int, int]:
        """Up to which seq forks show what a conversation keeps; and how many notes went of forks that show nothing.

        A fork that is noted and not there is forbidden to come, so that what is dropped on this answer is missed by nobody.
        """
        kept = dropped = 0
        async for fork, number, at in self._forks(key):
            # decision 022: the note may be of a fork that is about to come; without its reservation it cannot
            state, *what = await self._servers.run(_VOID, keys.of(fork, "hq"), number)
            head, dead = what if state == b"there" else (0, 1)
            if dead and not head:
                await self._servers.call("HDEL", keys.of(key, "f")[0], f"{number} {fork.conversation_id}", write=True)
                dropped += 1
            else:
                kept = max(kept, min(at, head))
        return kept, dropped

    async def adopt(self, parent: Key, fork: Key, number: str, at: int) -> bool:
        """Note a fork in its parent; return whether the note was missing, as after a failover."""
        return bool(await self._servers.run(_ADOPT, keys.of(parent, "hf"), number, fork.conversation_id, at))


def placed(
    frames: list[bytes], first: int, last: int, *, newest: bool = False, cut: bool = False
) -> Iterable[tuple[int, bytes]]:
    """Frames from one end of the seqs from `first` to `last`, each with its seq.

    Raises `CorruptRecord` if one is missing: unless they are `cut`, all must be there.
    """
    if not cut and len(frames) != last - first + 1:
        raise CorruptRecord(seq=last - len(frames) if newest else first + len(frames), reason="it is missing")
    return zip(range(last, first - 1, -1) if newest else range(first, last + 1), frames, strict=False)


def numbered(frames: list[bytes], first: int) -> list[Record]:
    """Decode records from the seq `first` on. Raises `CorruptRecord`."""
    return [checked(unpack(frame, seq)) for seq, frame in enumerate(frames, first)]
