"""What the tests of the contract stand on: open handles, records, and a few sentences about a log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from inspect import signature
from typing import Any

from turnlog import codec
from turnlog.codec import Record
from turnlog.message import Message
from turnlog.store import Header, Key, RecordPage, Store
from turnlog.timestamps import from_micros
from turnlog.validation import Limits

TENANT = "acme"
KEY = Key(TENANT, "c1")
NOW = 1_700_000_000_000_000
SAID_AT = 1_600_000_000_000_000


def handles(test: Callable[..., Awaitable[None]]) -> Callable[[Any, Callable[[], Store]], None]:
    """The test as a plain function, run with as many open handles on the same data as it has parameters."""
    count = len(signature(test).parameters) - 1

    def run(self: Any, factory: Callable[[], Store]) -> None:
        asyncio.run(_run(test, self, factory, count))

    run.__name__, run.__qualname__, run.__doc__ = test.__name__, test.__qualname__, test.__doc__
    run.__module__ = test.__module__
    return run


async def _run(test: Callable[..., Awaitable[None]], self: Any, factory: Callable[[], Store], count: int) -> None:
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(_open(factory())) for _ in range(count)]
        await test(self, *opened)


@asynccontextmanager
async def _open(store: Store) -> AsyncIterator[Store]:
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def record(text: str, *, id: str | None = None, tokens: int = 1) -> Record:
    """What a user said; its id is its text unless told otherwise."""
    message = Message("user", text, id=id or text, created_at=from_micros(SAID_AT))
    return codec.encode(message, tokens=tokens, limits=Limits())


def records(*texts: str) -> list[Record]:
    """What a user said, one thing after another."""
    return [record(text) for text in texts]


def numbered(first: int, last: int) -> list[Record]:
    """The records m<first> to m<last>."""
    return [record(f"m{n}") for n in range(first, last + 1)]


def header(conversation_id: str = "c1", *, at: int = NOW, **fields: Any) -> Header:
    """A conversation that began at `at`."""
    return Header(conversation_id, at, at, **fields)


async def begin(store: Store, *texts: str, key: Key = KEY) -> None:
    """Create a conversation that holds these messages."""
    await store.create(key.tenant, header(key.conversation_id), records(*texts))


async def branch(store: Store, parent: str, fork: str, at: int) -> Header:
    """Fork a conversation."""
    return await store.fork(Key(TENANT, parent), header(fork, parent=parent, parent_seq=at, head=at))


async def add(store: Store, conversation_id: str, *texts: str) -> None:
    """Append messages to a conversation."""
    await store.append(Key(TENANT, conversation_id), records(*texts), now=NOW)


async def page(store: Store, key: Key = KEY) -> RecordPage:
    """The whole log."""
    return await store.read(key, limit=10_000)


async def log(store: Store, conversation_id: str = "c1") -> list[str]:
    """The ids in a log, after a look that its seqs have no gap, its head is the last and `verify` finds nothing."""
    key = Key(TENANT, conversation_id)
    found = await page(store, key)
    assert [entry.seq for entry in found.records] == list(range(1, found.header.head + 1))
    assert await store.verify(key) == []
    return [entry.id for entry in found.records]


async def erase(store: Store, conversation_id: str, seq: int, *, now: int = NOW) -> int:
    """Redact a message, the way `Conversation.redact` does."""
    key = Key(TENANT, conversation_id)
    found = await store.read(key, after=seq - 1, before=seq + 1, limit=1)
    return await store.redact(key, codec.tombstone(found.records[0]), now=now)


def said(found: RecordPage) -> list[Message]:
    """The messages of a page."""
    return [codec.decode(entry) for entry in found.records]
