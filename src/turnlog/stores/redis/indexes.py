"""What spans conversations: lists by time, by user, by tag, and the work that folds have to do.

On one server a script writes them together with the conversation. In a cluster they lie in other slots. There a conversation
is put into its lists before it is written (decision 022), and moved up in them after an append, before the acknowledgement.
An entry that names nothing is passed over, one at a wrong time is put right by who reads it, and a sweep looks at all.
"""

import asyncio
import logging
from bisect import insort
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from turnlog.errors import ConversationNotFound, CorruptRecord, StoreFailed
from turnlog.store import Header, Key, Position, Stale
from turnlog.stores.redis import header_fields, keys
from turnlog.stores.redis.cluster import Script, Servers
from turnlog.stores.redis.connection import Address

_PLACE, _SETTLE, _DUE, _DONE, _LOAD, _HEADER, _HISTORY = map(
    Script, ("place", "settle", "due", "done", "load", "header", "history")
)
_logger = logging.getLogger(__name__)
_AT_ONCE = 500
"""How many conversations are read at once."""
_TAKEN_AT_ONCE, _TAKEN_IN_MAX = 1000, 20_000
_RESERVED = (0, Stale("", 0, 0, 0))

A = TypeVar("A")
B = TypeVar("B")


class Lists:
    """Reads and writes the lists of all tenants."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._shards = keys.SHARDS if servers.target.cluster else 1

    def shard(self, key: Key) -> str:
        """Return the prefix of the lists of the tenant that hold this conversation."""
        return keys.shard(key, self._shards)

    async def add(self, key: Key, updated: int, user_id: str | None, tags: tuple[str, ...]) -> None:
        """Put a conversation into its lists after a write."""
        shard = self.shard(key)
        arrival = self._servers.run(_PLACE, [shard + ":u", shard + ":a"], key.conversation_id, updated)
        await asyncio.gather(arrival, self.place(key, updated, keys.lists(key.tenant, user_id, tags)))

    async def place(self, key: Key, updated: int, names: Sequence[str]) -> None:
        """Put a conversation into lists at a time, unless it is there at a later one."""
        await asyncio.gather(*(self._servers.run(_PLACE, [name], key.conversation_id, updated) for name in names))

    async def remove(self, key: Key, user_id: str | None, tags: tuple[str, ...], *, wholly: bool = True) -> None:
        """Remove a conversation from these lists, and with `wholly` from its shard."""
        names = keys.lists(key.tenant, user_id, tags)
        if wholly:
            names += [self.shard(key) + kind for kind in (":u", ":t")]
        calls = [self._servers.call("ZREM", name, key.conversation_id, write=True) for name in names]
        if wholly:
            calls.append(self._servers.call("SREM", self.shard(key) + ":a", key.conversation_id, write=True))
        await asyncio.gather(*calls)

    async def mend(self, header: Header, key: Key) -> bool:
        """Put a conversation into the lists that miss it; return whether any did."""
        shard = self.shard(key)
        names = [*keys.lists(key.tenant, header.user_id, header.tags), shard + ":u"]
        scores = await asyncio.gather(*(self._servers.call("ZSCORE", name, header.id) for name in names))
        arrived = await self._servers.call("SISMEMBER", shard + ":a", header.id)
        numbered = arrived or await self._servers.call("ZSCORE", shard + ":t", header.id)
        wrong = [
            (name, score)
            for name, score in zip(names, scores, strict=True)
            if score is None or _time(score) != header.updated_at
        ]
        for name, score in wrong:
            if score is not None:
                await self._settle(name, header.id, _time(score), header.updated_at)
        if any(score is None for _, score in wrong) or not numbered:
            await self.add(key, header.updated_at, header.user_id, header.tags)
        return bool(wrong) or not numbered

    async def living(self, key: Key) -> Header | None:
        """Return the header of a conversation, None if it does not exist or was deleted. Raises `CorruptRecord`."""
        return _living(key, await self._servers.run(_HEADER, keys.of(key, "h"), write=False))

    async def _listed(self, tenant: str, places: Sequence[Position], user_id: str | None) -> list[Header | None]:
        """What is left of the headers at these places in a list, of this user if it is given: one that is damaged does not
        keep all from being listed. It stands where it is listed, and belongs to whom it is listed for.
        """
        found = await self._fields([Key(tenant, place.conversation_id) for place in places])
        return [_left(Key(tenant, at.conversation_id), each, at, user_id) for at, each in zip(places, found, strict=True)]

    async def _fields(self, asked: Sequence[Key]) -> list[list[bytes | None] | None]:
        """What headers consist of, None where one cannot be read at all. Each server names its history once before and once
        after, not with each header.
        """
        names = {key: keys.of(key, "h")[0] for key in asked}
        before = await self._histories(names.values())
        found = await asyncio.gather(*map(self._hash, names.values()))
        if before != await self._histories(names.values()):  # a failover came between: which header is whose is not known
            return [await self._servers.run(_HEADER, [name], write=False) for name in names.values()]
        return [
            None if values is None else [*values, before[self._servers.place(names[key])]]
            for key, values in zip(asked, found, strict=True)
        ]

    async def _hash(self, name: str) -> list[bytes | None] | None:
        try:
            return list(await self._servers.call("HMGET", name, *header_fields.FIELDS))
        except StoreFailed as error:
            _logger.warning("%r cannot be listed: %s", name, error)
            return None

    async def _histories(self, names: Iterable[str]) -> dict[Address, bytes]:
        """Return the names that the servers of these keys give the history of their data."""
        one_of = {self._servers.place(name): name for name in names}
        told = await asyncio.gather(*(self._servers.run(_HISTORY, [name], write=False) for name in one_of.values()))
        return dict(zip(one_of, told, strict=True))

    async def walk(
        self, tenant: str, user_id: str | None, tag: str | None, after: Position | None, size: int
    ) -> AsyncIterator[tuple[Position, Header]]:
        """Yield the conversations of a list after `after`, latest first, each with the position of the walk."""
        if user_id is not None:
            names = keys.lists(tenant, user_id, ())
        elif tag is not None:
            names = keys.lists(tenant, None, (tag,))
        else:
            names = [shard + ":u" for shard in keys.shards(tenant, self._shards)]
        # decision 022: entries at a time that is too late are met too early; they wait here for their place
        early: list[
            tuple[Position, Header]
        ] = []  # met too early, since a wrong clock or a failover left them at a later time
        while entries := await self._behind(names, after, min(size, _AT_ONCE)):
            places = [place for place, _ in entries]
            found = await self._listed(tenant, places, user_id)
            for (place, name), header in zip(entries, found, strict=True):
                while early and early[-1][0] > place:
                    yield place, early.pop()[1]
                if header is None or header.updated_at != place.updated_at:
                    await self._correct(tenant, name, place, header)
                if header is not None and header.updated_at < place.updated_at:
                    insort(early, (Position(header.updated_at, header.id), header), key=lambda entry: entry[0])
                elif header is not None:
                    yield place, header
            after = places[-1]
        for place, header in reversed(early):
            yield place, header

    async def _correct(self, tenant: str, name: str, place: Position, header: Header | None) -> None:
        """Correct an entry, in a cluster; on one server the scripts keep all entries right."""
        if not self._servers.target.cluster:
            return
        if header is not None:
            await self._settle(name, place.conversation_id, place.updated_at, header.updated_at)
        elif await self.is_dead(Key(tenant, place.conversation_id)):  # else it may be about to be there
            await self._servers.call("ZREM", name, place.conversation_id, write=True)

    async def is_dead(self, key: Key) -> bool:
        """Return whether a conversation was deleted."""
        try:
            return await self._servers.call("HGET", keys.of(key, "h")[0], "d") is not None
        except StoreFailed:  # what is there is no header
            return False

    async def _settle(self, name: str, id_: str, seen: int, right: int | str) -> None:
        await self._servers.run(_SETTLE, [name], id_, seen, right)

    async def _behind(self, names: Sequence[str], after: Position | None, size: int) -> list[tuple[Position, str]]:
        pages = await asyncio.gather(*(self._page(name, after, size) for name in names))
        merged = sorted(((entry, name) for page, name in zip(pages, names, strict=True) for entry in page), reverse=True)
        # beyond the end of a page that may go on, entries are not known to be next
        known = max((page[-1] for page in pages if len(page) >= size), default=None)
        return [(entry, name) for entry, name in merged if known is None or entry >= known]

    async def _page(self, name: str, after: Position | None, size: int) -> list[Position]:
        """Return at least `size` entries of one list after `after`, if it has as many."""
        top, skip, found = "+inf" if after is None else after.updated_at, 0, list[Position]()
        while len(found) < size:
            said = await self._servers.call("ZRANGE", name, top, "-inf", "BYSCORE", "REV", "LIMIT", skip, size, "WITHSCORES")
            page = [Position(_time(said[n + 1]), said[n].decode()) for n in range(0, len(said), 2)]
            found += [entry for entry in page if after is None or entry < after]
            skip += size
            if len(page) < size:
                break
        return found

    async def tidy(self, name: str) -> int:
        """Take out of a list what does not belong there; how many entries that were.

        What may be about to be written loses its reservation first, so that it is begun anew, also with its lists.
        """
        taken, cursor = 0, b"0"
        while True:
            cursor, said = await self._servers.call("ZSCAN", name, cursor, "COUNT", _AT_ONCE)
            entries = [(said[n].decode(), _time(said[n + 1])) for n in range(0, len(said), 2)]
            taken += sum(await in_chunks(entries, lambda entry: self._judge(name, *entry)))
            if cursor == b"0":
                return taken

    async def _judge(self, name: str, id_: str, score: int) -> bool:
        tenant = keys.tenant(name)
        key = Key(tenant, id_)
        try:
            header = await self.living(key)
        except (CorruptRecord, StoreFailed) as error:  # where it belongs is not known
            _logger.warning("%r stays in %r: %s", id_, name, error)
            return False
        if header is not None and keys.belongs(name, header.user_id, header.tags):
            return False
        if header is None:
            # decision 022: first the reservation, then the entry: what was about to be written is refused and begins anew
            await self._servers.call("UNLINK", keys.of(key, "q")[0], write=True)
        await self._settle(name, id_, score, "")
        header = await self.living(key)  # it may have come to be, or been changed, just now
        if header is not None and keys.belongs(name, header.user_id, header.tags):
            await self.add(key, header.updated_at, header.user_id, header.tags)
        return True

    async def stale(self, tenant: str, fold: str, limit: int) -> list[Stale]:
        """Return conversations with messages that a fold has not seen, longest untouched first."""
        found = await asyncio.gather(*(self._due(tenant, shard, fold, limit) for shard in keys.shards(tenant, self._shards)))
        return [stale for _, stale in sorted(entry for entries in found for entry in entries)[:limit]]

    async def _due(self, tenant: str, shard: str, fold: str, limit: int) -> list[tuple[int, Stale]]:
        due, cursor = f"{shard}:d:{fold}", f"{shard}:c:{fold}"
        names = [*(shard + kind for kind in (":u", ":a", ":t", ":n")), due, cursor]
        found: dict[str, tuple[int, Stale]] = {}
        kept: set[bytes] = set()
        for _ in range(_TAKEN_IN_MAX // _TAKEN_AT_ONCE):  # who is due longest shows when all that arrived are taken in
            _, _, taken = await self._servers.run(_DUE, names, 0, 0)
            if not taken:
                break
        while len(found) < limit:
            ids, numbers, taken = await self._servers.run(_DUE, names, len(kept), min(limit, _AT_ONCE))
            looks = await in_chunks(ids, lambda id_: self._look(Key(tenant, id_.decode()), fold))
            done: list[bytes] = []
            before = len(kept)
            for id_, number, look in zip(ids, numbers, looks, strict=True):
                if look is None:
                    done += (id_, number)
                    continue
                # counted, so that the script passes over those that stay due and gives the next ones
                kept.add(id_)
                if look is not _RESERVED:
                    found[id_.decode()] = look
            if done:
                await self._servers.run(_DONE, [shard + ":t", shard + ":a", due], *done)
            elif len(kept) == before and not taken:
                break
        return sorted(found.values())[:limit]

    async def _look(self, key: Key, fold: str) -> tuple[int, Stale] | None:
        try:
            answer = await self._servers.run(_LOAD, keys.of(key, "hsq"), fold, write=False)
        except StoreFailed as error:  # it is due once it is mended
            _logger.warning("%r is passed over: %s", key.conversation_id, error)
            return _RESERVED
        if answer[0] != b"ok":
            return _RESERVED if answer[0] == b"gone" and answer[1] else None
        _, state, head, epoch, updated = answer
        watermark = header_fields.number(state.split(b" ", 1)[0]) if state is not None else 0
        return (
            (header_fields.number(updated), Stale(key.conversation_id, head, watermark, epoch)) if head > watermark else None
        )


async def in_chunks(asked: Sequence[A], ask: Callable[[A], Awaitable[B]]) -> list[B]:
    """Ask in chunks; return all answers."""
    answers: list[B] = []
    for n in range(0, len(asked), _AT_ONCE):
        answers += await asyncio.gather(*(ask(each) for each in asked[n : n + _AT_ONCE]))
    return answers


def _living(key: Key, values: Sequence[bytes | None]) -> Header | None:
    try:
        return header_fields.build(key, values)
    except ConversationNotFound:
        return None


def _left(key: Key, values: Sequence[bytes | None] | None, place: Position, user_id: str | None) -> Header | None:
    if values is None:
        return None
    try:
        return header_fields.build(key, values)
    except ConversationNotFound:
        return None
    except CorruptRecord as error:
        _logger.warning("%s", error)
        header = header_fields.left(key, values)
        owner = user_id if header.user_id is None and values[2] is not None else header.user_id
        return msgspec.structs.replace(header, user_id=owner, updated_at=header.updated_at or place.updated_at)


def _time(score: bytes) -> int:
    return int(float(score))
