"""The folds whose states are gathered for the user: each is put into the book before it is stored (`fold.Shared`).

Several folds of one conversation end their steps at about the same time, and several conversations of one user are worked on
at once. So whoever comes while a book is being written waits, and one of those who wait writes for all of them: a book is
written once or twice for what would be three writes that race with each other.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from turnlog.fold import Still
from turnlog.memory.entities import Entities
from turnlog.memory.facts import Facts
from turnlog.memory.hearing import Hearing, Heeding
from turnlog.memory.profile import Profile
from turnlog.memory.user import repository
from turnlog.memory.user.contributions import contribution
from turnlog.memory.user.model import Taught
from turnlog.store import Header, Key, Snapshot, Store


class Sharing:
    """Who waits to put something into which book."""

    def __init__(self) -> None:
        self._lines: dict[tuple[int, str, str], _Line] = {}

    async def put(self, store: Store, user_id: str, item: repository.Item) -> repository.Place:
        """Put what a conversation taught into its user's book, with what others put there now; where."""
        name = id(store), item.key.tenant, user_id
        line = self._lines.setdefault(name, _Line(store))
        line.waiting.append(item)
        try:
            async with line.turn:
                if not item.done:
                    await repository.put(store, item.key.tenant, user_id, line.waiting)
        finally:
            line.waiting.remove(item)
            if not line.waiting:
                self._lines.pop(name, None)
        return item.outcome()


class _Line:
    """The items for one book; it holds the store, so that no other can have its id."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.turn = asyncio.Lock()
        self.waiting: list[repository.Item] = []


class Gathering(Heeding):
    """Makes a fold's states part of the user's book (`fold.Shared`, `fold.SharedAnew`). Folds that are given the same
    `sharing` write together.
    """

    name: str

    def __init__(self, hearing: Hearing | None = None, *, sharing: Sharing | None = None) -> None:
        super().__init__(hearing)
        self._sharing = sharing or Sharing()

    async def share(self, store: Store, key: Key, header: Header, after: Snapshot) -> Still | None:
        return await self._share(store, key, header, after, Taught.merge)

    async def share_anew(self, store: Store, key: Key, header: Header, after: Snapshot) -> Still | None:
        return await self._share(store, key, header, after, Taught.replaced)

    async def _share(
        self, store: Store, key: Key, header: Header, after: Snapshot, join: Callable[[Taught, Taught], Taught]
    ) -> Still | None:
        if header.user_id is None:
            return None
        told = {self.name: contribution(self.name, self.version, after, header.updated_at)}
        item = repository.Item(key, after.epoch, self.version, Taught(header.updated_at, **told), join)
        place = await self._sharing.put(store, header.user_id, item)
        return partial(repository.stays, store, key, place)


class SharedProfile(Gathering, Profile):
    """`Profile`, gathered for the user."""


class SharedEntities(Gathering, Entities):
    """`Entities`, gathered for the user."""


class SharedFacts(Gathering, Facts):
    """`Facts`, gathered for the user."""
