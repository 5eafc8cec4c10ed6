"""Users with conversations, on two handles of one store, and what is still stored of what was erased."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from test_folds import Stage, staged

from turnlog import Conversation, ConversationNotFound, Settings, Turnlog, user
from turnlog.errors import ConversationDeleted
from turnlog.fold import UNBOUND, catch_up, replay
from turnlog.log.assembly import FOLD
from turnlog.memory.defaults import SharedKnowledge
from turnlog.memory.user import pages, repository
from turnlog.memory.user.contributions import contribution
from turnlog.memory.user.digest import UserDigest
from turnlog.memory.user.model import Contribution, UserMemory
from turnlog.memory.user.sealing import unseal
from turnlog.store import Header, Key, Store

FOLD_OF_USERS = SharedKnowledge()
VERSION = (FOLD_OF_USERS.name, FOLD_OF_USERS.version)
PLAIN = "My name is Ada. I live in Lisbon."
SECRET = "I live in Xyzzyville. I love plughcake."
SECRET_WORDS = (b"xyzzy", b"plugh")


class Home:
    """A user `name` with three conversations: one plain, one with the secret, one that shows in a context what is known."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage = stage
        self.name = name
        self.log = self.on(stage.first)
        self.plain = self.secret = self.other = self.log.conversation("none")

    def on(self, store: Any) -> Turnlog:
        """A log on that store, as of another process."""
        return Turnlog(store, Settings(tenant=self.stage.tenant), clock=self.stage.clock, folds=[FOLD_OF_USERS])

    async def begin(self, *, folded: bool = True) -> "Home":
        self.plain = await self.log.create(user(PLAIN), user_id=self.name)
        self.secret = await self.log.create(user(SECRET), user("More."), user_id=self.name)
        self.other = await self.log.create(user("Hello."), user_id=self.name)
        if folded:
            await self.fold(self.plain, self.secret)
        await self.other.context()
        return self

    async def fold(self, *conversations: Conversation, store: Any = None) -> None:
        for conversation in conversations:
            try:
                await catch_up(store or self.stage.second, conversation.key, FOLD_OF_USERS)
            except ConversationNotFound:
                pass

    async def headers(self) -> list[Header]:
        return await self.stage.second.list_headers(self.stage.tenant, user_id=self.name, limit=200)

    async def settle(self) -> None:
        """What a runner does: fold all that is behind."""
        for header in await self.headers():
            await self.fold(self.log.conversation(header.id))

    async def stored(self) -> list[bytes]:
        """All that is derived and stored of the user, as it lies there and without seals."""
        raw, seals = await book_of(self.stage.second, self.stage.tenant, self.name)
        texts = list(raw)
        for header in await self.headers():
            key = Key(self.stage.tenant, header.id)
            found = await self.stage.second.recent(key, tokens=0, limit=1, folds=[UNBOUND, FOLD, VERSION])
            states = [snapshot.state for snapshot in found.snapshots if snapshot]
            texts += states + [text for state in states for seal in seals if (text := unseal(state, seal, header.id))]
        return texts

    async def check_gone(self) -> None:
        """Nothing that is stored tells a word of the secret, and no context does."""
        for text in await self.stored():
            assert not any(word in text.lower() for word in SECRET_WORDS), text
        for header in await self.headers():
            if header.id != self.secret.id and not header.archived:
                context = await self.on(self.stage.second).conversation(header.id).context()
                shown = "\n".join(message.text for message in context.messages).lower().encode()
                assert not any(word in shown for word in SECRET_WORDS), shown

    async def check_known(self) -> UserMemory:
        """The book says what a replay of all conversations that are not archived says."""
        known = await self.on(self.stage.second).user(self.name).memory()
        expected = {}
        for header in await self.headers():
            told = await self._contribution(header)
            if not header.archived and told:
                expected[header.id] = told
        assert known.contributions == expected
        return known

    async def _contribution(self, header: Header) -> Contribution | None:
        key = Key(self.stage.tenant, header.id)
        if await self.stage.second.load_snapshot(key, *VERSION) is None:
            return None
        made = await replay(self.stage.second, key, FOLD_OF_USERS)
        return contribution(FOLD_OF_USERS.version, made, header.updated_at)


async def book_of(store: Store, tenant: str, name: str) -> tuple[list[bytes], list[str]]:
    """All states and records of the user's book, and the seals."""
    raw: list[bytes] = []
    seals: list[str] = []
    for generation in range(1, 9):
        try:
            key = pages.place(tenant, pages.hidden_name(name), generation)
            derived = [pages.CORRECTIONS, *pages.PAGES, pages.CANDIDATES, pages.DIGEST]
            found = await store.recent(key, tokens=1 << 40, limit=999, folds=[UNBOUND, *derived])
        except ConversationDeleted:
            continue
        except ConversationNotFound:
            break
        raw += [record.body for record in found.records]
        raw += [snapshot.state for snapshot in found.snapshots if snapshot]
        digest = found.snapshots[-1]
        seals += [read.seal] if digest and (read := pages.read_digest(digest.state)) else []
    return raw, seals


async def digest_of_candidates(home: Home) -> UserDigest | None:
    return await repository.glance(home.stage.second, home.stage.tenant, pages.hidden_name(home.name))


@asynccontextmanager
async def homes(url: str, tenant: str) -> AsyncIterator[Stage]:
    async with staged(url, tenant) as stage:
        yield stage
