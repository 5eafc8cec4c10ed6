"""A call that ends in an error leaves nothing behind that a collector would have to find: no error holds itself.

What waits for the collector makes a process grow between its rounds, and slows the rounds down.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from support.postgres import PostgresServer
from turnlog import codec, user
from turnlog.store import Header, Key, Snapshot
from turnlog.stores.postgres import PostgresStore
from turnlog.validation import Limits

NOW = 1_700_000_000_000_000
CALLS = 50
KEY, NOBODY, DECAYED = Key("acme", "c1"), Key("acme", "nobody"), Key("acme", "decayed")
TELLING = ("frame", "traceback", "Future", "Append", "Batch", "Refused", "StoreFailed")


def record(id_: str, text: str = "hello") -> codec.Record:
    return codec.encode(user(text, id=id_), tokens=1, limits=Limits())


TOO_MUCH = replace(record("x"), tokens=2**40)
ERRORS: dict[str, Callable[[PostgresStore], Awaitable[object]]] = {
    "append to nobody": lambda store: store.append(NOBODY, [record("x")], now=NOW),
    "append other words": lambda store: store.append(KEY, [record("a", "other")], now=NOW),
    "append behind a head that moved": lambda store: store.append(KEY, [record("x")], now=NOW, expect_head=9),
    "append what the server refuses": lambda store: store.append(KEY, [TOO_MUCH], now=NOW),
    "append in a batch that the server refuses": lambda store: asyncio.gather(
        store.append(KEY, [TOO_MUCH], now=NOW), store.append(DECAYED, [TOO_MUCH], now=NOW)
    ),
    "read nobody": lambda store: store.read(NOBODY, limit=1),
    "read what decayed": lambda store: store.read(DECAYED, limit=1),
    "list with a zero byte": lambda store: store.list_headers("\0", limit=1),
    "update with a zero byte": lambda store: store.update(KEY, {"title": "\0"}, now=NOW),
    "create what is there": lambda store: store.create("acme", Header("c1", NOW, NOW)),
    "save over what moved": lambda store: store.save_snapshot(KEY, "f", 1, Snapshot(1, 0, b""), expect_watermark=9),
    "delete nobody": lambda store: store.delete(NOBODY, now=NOW),
}


def objects() -> Counter[str]:
    found = Counter(type(each).__name__ for each in gc.get_objects())
    return Counter({name: found[name] for name in TELLING})


async def fail(store: PostgresStore, call: Callable[[PostgresStore], Awaitable[object]]) -> None:
    for _ in range(CALLS):
        outcomes = await asyncio.gather(call(store), return_exceptions=True)
        assert isinstance(outcomes[0], Exception)


@pytest.mark.parametrize("name", ERRORS)
async def test_an_error_leaves_nothing_for_the_collector(postgres_server: PostgresServer, name: str) -> None:
    postgres_server.empty()
    store = PostgresStore(postgres_server.url())
    await store.open()
    try:
        await store.create("acme", Header("c1", NOW, NOW), [record("a")])
        await store.create("acme", Header("decayed", NOW, NOW), [replace(record("a"), body=b"?")])
        await fail(store, ERRORS[name])
        gc.collect()
        before = objects()
        gc.disable()
        await fail(store, ERRORS[name])
        left = objects() - before
        assert max(left.values(), default=0) < CALLS / 2, left
    finally:
        gc.enable()
        await store.close()
