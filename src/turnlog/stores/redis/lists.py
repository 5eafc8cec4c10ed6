"""What spans conversations: lists by time, by user, by tag, and the work that folds have to do.

On one server a script writes them together with the conversation. In a cluster they lie elsewhere and are written after it,
before the acknowledgement, so that writing them twice does no harm; what a crash leaves out, a sweep puts in. So a list
is a hint: whoever reads it looks at the headers.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from turnlog.errors import ConversationDeleted, ConversationNotFound
from turnlog.ports import Header, Key, Position, Stale
from turnlog.stores.redis import headers, keys
from turnlog.stores.redis.servers import Script, Servers

_TOUCH, _DUE, _DONE, _LOAD = Script("touch"), Script("due"), Script("done"), Script("load")


class Lists:
    """The lists of all tenants."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._shards = keys.SHARDS if servers.target.cluster else 1

    def shard(self, key: Key) -> str:
        """The beginning of the names of those of the tenant's lists that hold this conversation."""
        return keys.shard(key, self._shards)

    async def add(self, key: Key, updated: int, user_id: str | None, tags: tuple[str, ...]) -> None:
        """A conversation was written to: put it where it belongs now."""
        shard, id_ = self.shard(key), key.conversation_id
        touch = self._servers.run(_TOUCH, [shard + ":u", shard + ":a"], shard, id_, updated)
        names = keys.lists(key.tenant, user_id, tags)
        await asyncio.gather(touch, *(self._servers.call("ZADD", name, "GT", updated, id_, write=True) for name in names))

    async def remove(self, key: Key, user_id: str | None, tags: tuple[str, ...], *, wholly: bool = True) -> None:
        """Take a conversation out of these lists, and if `wholly` out of its shard."""
        names = keys.lists(key.tenant, user_id, tags)
        if wholly:
            names += [self.shard(key) + kind for kind in (":u", ":t")]
        calls = [self._servers.call("ZREM", name, key.conversation_id, write=True) for name in names]
        if wholly:
            calls.append(self._servers.call("SREM", self.shard(key) + ":a", key.conversation_id, write=True))
        await asyncio.gather(*calls)

    async def misses(self, header: Header, key: Key) -> bool:
        """Whether a list does not hold the conversation at its time."""
        shard = self.shard(key)
        names = [*keys.lists(key.tenant, header.user_id, header.tags), shard + ":u"]
        scores = await asyncio.gather(*(self._servers.call("ZSCORE", name, header.id) for name in names))
        arrived = await self._servers.call("SISMEMBER", shard + ":a", header.id)
        numbered = await self._servers.call("ZSCORE", shard + ":t", header.id)
        return not (arrived or numbered) or any(score is None or float(score) < header.updated_at for score in scores)

    async def living(self, key: Key, *, dead_too: bool = False) -> Header | None:
        """The header of a conversation, None where there is none; with `dead_too`, a deleted one raises as ever."""
        try:
            return headers.build(key, await self._servers.call("HMGET", keys.of(key, "h")[0], *headers.FIELDS))
        except ConversationDeleted:
            if dead_too:
                raise
            return None
        except ConversationNotFound:
            return None

    async def walk(
        self, tenant: str, user_id: str | None, tag: str | None, after: Position | None, size: int
    ) -> AsyncIterator[Header]:
        """Living conversations behind `after` that a list names, latest first."""
        if user_id is not None:
            names = keys.lists(tenant, user_id, ())
        elif tag is not None:
            names = keys.lists(tenant, None, (tag,))
        else:
            names = [shard + ":u" for shard in keys.shards(tenant, self._shards)]
        while entries := await self._behind(names, after, size):
            found = await asyncio.gather(*(self.living(Key(tenant, entry.conversation_id)) for entry in entries))
            for header in found:
                if header is not None:
                    yield header
            after = entries[-1]

    async def _behind(self, names: Sequence[str], after: Position | None, size: int) -> list[Position]:
        pages = await asyncio.gather(*(self._page(name, after, size) for name in names))
        merged = sorted((entry for page in pages for entry in page), reverse=True)
        # beyond the end of a page that may go on, entries are not known to be next
        known = max((page[-1] for page in pages if len(page) >= size), default=None)
        return [entry for entry in merged if known is None or entry >= known]

    async def _page(self, name: str, after: Position | None, size: int) -> list[Position]:
        """At least `size` entries of one list behind `after`, if it has as many."""
        top, skip, found = "+inf" if after is None else after.updated_at, 0, list[Position]()
        while len(found) < size:
            said = await self._servers.call("ZRANGE", name, top, "-inf", "BYSCORE", "REV", "LIMIT", skip, size, "WITHSCORES")
            page = [Position(int(float(said[n + 1])), said[n].decode()) for n in range(0, len(said), 2)]
            found += [entry for entry in page if after is None or entry < after]
            skip += size
            if len(page) < size:
                break
        return found

    async def stale(self, tenant: str, fold: str, limit: int) -> list[Stale]:
        """Conversations that a fold has not seen to their end, longest untouched first."""
        found = await asyncio.gather(*(self._due(tenant, shard, fold, limit) for shard in keys.shards(tenant, self._shards)))
        return [stale for _, stale in sorted(entry for entries in found for entry in entries)[:limit]]

    async def _due(self, tenant: str, shard: str, fold: str, limit: int) -> list[tuple[int, Stale]]:
        due, cursor = f"{shard}:d:{fold}", f"{shard}:c:{fold}"
        found: dict[str, tuple[int, Stale]] = {}
        while len(found) < limit:
            names = [*(shard + kind for kind in (":u", ":a", ":t", ":n")), due, cursor]
            ids, numbers = await self._servers.run(_DUE, names, len(found), limit)
            looks = await asyncio.gather(*(self._look(Key(tenant, id_.decode()), fold) for id_ in ids))
            fresh = [look for look in looks if look is not None and look[1].conversation_id not in found]
            done = [
                part
                for entry, look in zip(zip(ids, numbers, strict=True), looks, strict=True)
                if look is None
                for part in entry
            ]
            if done:
                await self._servers.run(_DONE, [shard + ":t", shard + ":a", due], *done)
            elif not fresh:
                break
            found |= {look[1].conversation_id: look for look in fresh}
        return list(found.values())

    async def _look(self, key: Key, fold: str) -> tuple[int, Stale] | None:
        answer = await self._servers.run(_LOAD, keys.of(key, "hs"), fold, write=False)
        if answer[0] != b"ok":
            return None
        _, state, head, epoch, updated = answer
        watermark = int(state.split(b" ", 1)[0]) if state is not None else 0
        return (int(updated), Stale(key.conversation_id, head, watermark, epoch)) if head > watermark else None
