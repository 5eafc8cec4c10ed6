"""The fold `knowledge` whose states become part of the user's book before they are stored (`fold.Shared`)."""

import asyncio
from functools import partial
from weakref import WeakValueDictionary

from turnlog.fold import Still
from turnlog.memory.extraction import Extractor
from turnlog.memory.knowledge import Knowledge
from turnlog.memory.user import repository
from turnlog.memory.user.contributions import contribution
from turnlog.store import Header, Key, Snapshot, Store


class SharedKnowledge(Knowledge):
    """`Knowledge`, gathered for the user (`fold.Shared`, `fold.SharedAnew`)."""

    def __init__(self, extractor: Extractor | None = None) -> None:
        super().__init__(extractor)
        # Several conversations of one user are folded at once: each writes the book in its turn, since those that race for
        # it read and write it again and again. Workers of other processes race (decision 046).
        self._turns: WeakValueDictionary[tuple[int, str, str], asyncio.Lock] = WeakValueDictionary()

    async def share(self, store: Store, key: Key, header: Header, after: Snapshot) -> Still | None:
        return await self._share(store, key, header, after, rebuilt=False)

    async def share_anew(self, store: Store, key: Key, header: Header, after: Snapshot) -> Still | None:
        return await self._share(store, key, header, after, rebuilt=True)

    async def _share(self, store: Store, key: Key, header: Header, after: Snapshot, *, rebuilt: bool) -> Still | None:
        if header.user_id is None:
            return None
        fresh = contribution(self.version, after, header.updated_at)
        async with self._turns.setdefault((id(store), key.tenant, header.user_id), asyncio.Lock()):
            place = await repository.put(store, key, header.user_id, fresh, rebuilt=rebuilt)
        return partial(repository.stays, store, key, place)
