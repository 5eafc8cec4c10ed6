"""Logs that share records: a fork reads through to the one it came from, which lies in another slot.

What forks share does not change but for erasures, so it may be read beside the scripts. An erasure is marked in the
conversation that keeps the record until it has reached all forks; a deletion keeps what a fork may still show.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, NamedTuple

from turnlog.codec import Record
from turnlog.errors import CorruptRecord
from turnlog.ports import Key
from turnlog.stores.decide import Known
from turnlog.stores.redis import headers, keys
from turnlog.stores.redis.frame import pack_id, unpack
from turnlog.stores.redis.lists import Lists
from turnlog.stores.redis.servers import Script, Servers

_ERASED, _SPREAD, _TRIM = Script("erased"), Script("spread"), Script("trim")
_PARENTS_REMEMBERED = 10_000
_FORKS_PER_CALL = 500
_SHARED_AT_ONCE = 100
_FORK_YOUNG_S = 3600


class Part(NamedTuple):
    """The records above `base` that a conversation keeps, as far as they are shown: up to `upto`."""

    key: Key
    base: int
    upto: int


class Logs:
    """Finds and changes what logs share."""

    def __init__(self, servers: Servers, lists: Lists) -> None:
        self._servers = servers
        self._lists = lists
        self._parents: dict[Key, tuple[str | None, int]] = {}

    async def above(self, key: Key) -> list[Part]:
        """What a conversation shows of those it was forked from, nearest first."""
        parts: list[Part] = []
        parent, upto = await self._parent(key)
        while parent is not None and upto > 0:
            key = Key(key.tenant, parent)
            parent, base = await self._parent(key)
            parts.append(Part(key, base, upto))
            upto = min(upto, base)
        return parts

    async def _parent(self, key: Key) -> tuple[str | None, int]:
        known = self._parents.get(key)
        if known is None:
            parent, base = await self._servers.call("HMGET", keys.of(key, "h")[0], "p", "b")
            known = headers.text(parent), int(base or 0)
            if base is not None:
                self.learn(key, parent, base)
        return known

    def learn(self, key: Key, parent: bytes | None, base: bytes) -> None:
        """Remember what a conversation was forked from."""
        if len(self._parents) >= _PARENTS_REMEMBERED:
            self._parents.clear()
        self._parents[key] = headers.text(parent), int(base)

    async def known(self, key: Key, records: Iterable[Record]) -> dict[str, Known]:
        """Those of the records' ids that are in the part that is shared."""
        ids = list({record.id: pack_id(record.id) for record in records}.items())
        parts = await self.above(key)
        answers = await asyncio.gather(
            *(self._servers.call("HMGET", keys.of(part.key, "i")[0], *(id_ for _, id_ in ids)) for part in parts)
        )
        found: dict[str, Known] = {}
        for part, seqs in zip(parts, answers, strict=True):
            for (id_, _), seq in zip(ids, seqs, strict=True):
                if seq is not None and int(seq) <= part.upto:
                    record = (await self._slice(part, int(seq), int(seq)))[0]
                    found[id_] = Known(record.seq, record.digest, record.created_at)
        return found

    async def shared(self, key: Key, first: int, last: int) -> list[Record]:
        """The records from `first` to `last` that others keep."""
        parts = await self.above(key)
        slices = await asyncio.gather(*(self._slice(part, first, last) for part in reversed(parts)))
        return [record for records in slices for record in records]

    async def shared_within(self, key: Key, first: int, last: int, tokens: int) -> list[Record]:
        """The last of the records from `first` to `last` that others keep, up to the one that makes them cost more than
        `tokens`."""
        records: list[Record] = []
        while last >= first and tokens >= 0:
            some = await self.shared(key, max(first, last - _SHARED_AT_ONCE + 1), last)
            last -= len(some)
            while some and tokens >= 0:
                records.append(some.pop())
                tokens -= records[-1].tokens
        return records[::-1]

    async def _slice(self, part: Part, first: int, last: int) -> list[Record]:
        first, last = max(first, part.base + 1), min(last, part.upto)
        if first > last:
            return []
        place = keys.of(part.key, "l")[0]
        frames = await self._servers.call("LRANGE", place, first - part.base - 1, last - part.base - 1)
        return numbered(frames, first, last)

    async def erase(self, part: Part, tombstone: Record, frame: bytes, now: int) -> None:
        """Put a tombstone in the place of a record, and tell all forks that show it."""
        place = (tombstone.seq - part.base - 1, tombstone.seq, frame)
        answer = await self._tell(part.key, keys.of(part.key, "hsl"), now, *place)
        if answer[0] == b"pending":
            await self.spread(part.key, tombstone.seq, now)

    async def spread(self, key: Key, seq: int, now: int) -> None:
        """Tell all forks that a record was erased, then take the mark away that says they are to be told."""
        await self._tell_forks(key, seq, now)
        await self._servers.run(_SPREAD, keys.of(key, "h"), seq)

    async def _tell_forks(self, key: Key, seq: int, now: int) -> None:
        async for fork, at, _ in self._forks(key):
            if at >= seq:
                answer = await self._tell(fork, keys.of(fork, "hs"), now, key.conversation_id)
                if answer[0] == b"pending":
                    await self._tell_forks(fork, seq, now)

    async def _tell(self, key: Key, names: Sequence[str], now: int, *args: Any) -> Any:
        shard = "" if self._servers.target.cluster else self._lists.shard(key)
        answer = await self._servers.run(_ERASED, names, shard, key.tenant, key.conversation_id, now, *args)
        if not shard and answer[0] == b"pending":
            _, _, updated, user, tags = answer
            await self._lists.add(key, int(updated), headers.text(user), headers.split(tags))
        return answer

    async def _forks(self, key: Key) -> AsyncIterator[tuple[Key, int, int]]:
        """What is said to be forked from a conversation: which, at what seq, when."""
        cursor = b"0"
        while True:
            cursor, said = await self._servers.call("HSCAN", keys.of(key, "f")[0], cursor, "COUNT", _FORKS_PER_CALL)
            for n in range(0, len(said), 2):
                at, since = said[n + 1].split(b" ")
                yield Key(key.tenant, said[n].decode()), int(at), int(since)
            if cursor == b"0":
                return

    async def trim(self, key: Key, now: int) -> None:
        """Drop what no fork shows of a deleted conversation, and then of the deleted ones that it came from."""
        parent: str | None = key.conversation_id
        while parent is not None:
            key = Key(key.tenant, parent)
            dead, above = await self._servers.call("HMGET", keys.of(key, "h")[0], "d", "p")
            if dead is None:
                return
            keep = await self._kept(key, now)
            while await self._servers.run(_TRIM, keys.of(key, "hli"), keep):
                pass
            parent = headers.text(above)

    async def _kept(self, key: Key, now: int) -> int:
        kept = 0
        async for fork, at, since in self._forks(key):
            parent, head, dead = await self._servers.call("HMGET", keys.of(fork, "h")[0], "p", "n", "d")
            if head is None and now - since < _FORK_YOUNG_S * 1_000_000:
                kept = max(kept, at)  # it is about to be there
            elif head is not None and headers.text(parent) == key.conversation_id and int(head) > 0:
                kept = max(kept, min(at, int(head)))
            elif head is None or dead is not None or headers.text(parent) != key.conversation_id:
                await self._servers.call("HDEL", keys.of(key, "f")[0], fork.conversation_id, write=True)
        return kept


def numbered(frames: list[bytes], first: int, last: int) -> list[Record]:
    """The records from `first` to `last`. Raises `CorruptRecord` if one is missing."""
    if len(frames) != last - first + 1:
        raise CorruptRecord(seq=first + len(frames), reason="it is missing")
    return [unpack(frame, first + n) for n, frame in enumerate(frames)]
