"""No call of a store leaves an object behind, whether it succeeds or fails; what the store itself keeps in memory aside.

The short form makes a hundred calls of each kind a round, TURNLOG_FAULTS=long ten thousand. A call that leaks a future, an
error and its frames leaves dozens of blocks of memory; half a block for each call is a bound that noise does not reach.
"""

import asyncio
import gc
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from msgspec.structs import replace

from support.kinds import ALL
from turnlog import Settings, TurnlogError, codec, user
from turnlog.store import Header, Key, Snapshot, Store
from turnlog.validation import Limits
from turnlog.wiring import open_store

CALLS = 10_000 if os.environ.get("TURNLOG_FAULTS") == "long" else 40
WARM = 150
"""Calls before it counts, which fill the caches that hold a few."""
ROUNDS = 3
BLOCKS_MAX = 0.5
SETTLED_S = 0.02
NOW = 1_700_000_000_000_000
GROW_IN_MEMORY = {"create", "append", "fork"}
"""Calls after which the store in memory holds more, as it should."""


@pytest.fixture(autouse=True)
def only_new_objects() -> None:
    """Keep what other tests left out of each collection, which would take longer than the calls."""
    gc.collect()
    gc.freeze()


def record(text: str) -> codec.Record:
    return codec.encode(user(text, id=text), tokens=1, limits=Limits())


async def left_behind(call: Callable[[], Awaitable[object]], calls: int = CALLS, *, allowed: float = BLOCKS_MAX) -> float:
    """Blocks of memory that a call leaves behind: the least of several rounds, since a leak shows in each of them.

    Threads of the store may still be at work for callers that have gone: they get a second to let go.
    """
    await _several(call, WARM)
    await asyncio.sleep(SETTLED_S)
    found = []
    for _ in range(ROUNDS):
        gc.collect()
        before = sys.getallocatedblocks()
        await _several(call, calls)
        found.append(await _left_since(before, calls, allowed))
    return min(found)


async def _left_since(before: int, calls: int, allowed: float) -> float:
    until = time.monotonic() + 1.0
    while True:
        gc.collect()
        left = (sys.getallocatedblocks() - before) / calls
        if left <= allowed or time.monotonic() > until:
            return left
        await asyncio.sleep(SETTLED_S)


async def _several(call: Callable[[], Awaitable[object]], count: int) -> None:
    """The calls, in groups; errors of ours are what they should be."""
    for start in range(0, count, 10):
        await asyncio.gather(*(_outcome(call) for _ in range(min(10, count - start))))
    await asyncio.sleep(0)


async def _outcome(call: Callable[[], Awaitable[object]]) -> None:
    try:
        await call()
    except TurnlogError:
        pass


@asynccontextmanager
async def scene(url: str, tenant: str) -> AsyncIterator[tuple[Store, Key]]:
    """A store with a conversation of three messages."""
    store = open_store(url, Settings())
    await store.open()
    try:
        key = Key(tenant, "c1")
        await store.create(tenant, Header("c1", NOW, NOW, "ann"), [record("a"), record("b"), record("c")])
        yield store, key
    finally:
        await store.close()


def succeeding(store: Store, key: Key) -> dict[str, Callable[[], Awaitable[object]]]:
    """One call of each method, to be repeated."""
    stone = codec.tombstone(replace(record("b"), seq=2))
    name = map(str, itertools.count())
    return {
        "ping": store.ping,
        "create": lambda: store.create(key.tenant, Header(f"n{next(name)}", NOW, NOW)),
        "append": lambda: store.append(key, [record(f"m{next(name)}")], now=NOW),
        "append again": lambda: store.append(key, [record("a")], now=NOW),
        "get": lambda: store.get(key),
        "read": lambda: store.read(key, limit=2),
        "recent": lambda: store.recent(key, tokens=9, limit=2, pinned=[1], folds=[("f", 1)]),
        "update": lambda: store.update(key, {"title": "t", "tags": ("x",)}, now=NOW),
        "list_headers": lambda: store.list_headers(key.tenant, limit=2),
        "fork": lambda: store.fork(
            key, Header(f"f{next(name)}", NOW, NOW, parent=key.conversation_id, parent_seq=1, head=1)
        ),
        "redact": lambda: store.redact(key, stone, now=NOW),
        "move_epoch": lambda: store.move_epoch(key, now=NOW),
        "load_snapshot": lambda: store.load_snapshot(key, "f", 1),
        "drop_snapshots": lambda: store.drop_snapshots(key, "f", below=1),
        "stale": lambda: store.stale(key.tenant, "f", 1, limit=2),
        "verify": lambda: store.verify(Key(key.tenant, "small")),
    }


def failing(store: Store, key: Key) -> dict[str, Callable[[], Awaitable[object]]]:
    """A call of each method that has to fail."""
    nobody = Key(key.tenant, "nobody")
    stone = codec.tombstone(replace(record("z"), seq=1 << 20))
    return {
        "create": lambda: store.create(key.tenant, Header("c1", NOW, NOW)),
        "append": lambda: store.append(nobody, [record("a")], now=NOW),
        "append other words": lambda: store.append(key, [replace(record("a"), digest=b"x" * 16)], now=NOW),
        "append elsewhere": lambda: store.append(key, [record("new")], now=NOW, expect_head=1 << 20),
        "get": lambda: store.get(nobody),
        "read": lambda: store.read(nobody, limit=2),
        "recent": lambda: store.recent(nobody, tokens=9, limit=2),
        "update": lambda: store.update(key, {"title": "t"}, now=NOW, expect_revision=1 << 20),
        "fork": lambda: store.fork(key, Header("f", NOW, NOW, parent="c1", parent_seq=1 << 20, head=1 << 20)),
        "redact": lambda: store.redact(key, stone, now=NOW),
        "move_epoch": lambda: store.move_epoch(nobody, now=NOW),
        "delete": lambda: store.delete(nobody, now=NOW),
        "load_snapshot": lambda: store.load_snapshot(nobody, "f", 1),
        "save_snapshot": lambda: store.save_snapshot(key, "f", 1, Snapshot(1, 1 << 20, b""), expect_watermark=0),
        "drop_snapshots": lambda: store.drop_snapshots(nobody, "f", below=1),
        "verify": lambda: store.verify(nobody),
    }


@pytest.mark.parametrize("store", ALL)
async def test_calls_that_succeed_leave_nothing_behind(store: str, store_url: str, tenant: str) -> None:
    async with scene(store_url, tenant) as (opened, key):
        await opened.create(key.tenant, Header("small", NOW, NOW), [record("a")])
        found = {}
        for name, call in succeeding(opened, key).items():
            if store != "ram" or name not in GROW_IN_MEMORY:
                found[name] = await left_behind(call)
        assert {name: left for name, left in found.items() if left > BLOCKS_MAX} == {}


@pytest.mark.parametrize("store", ALL)
async def test_calls_that_fail_leave_nothing_behind(store: str, store_url: str, tenant: str) -> None:
    async with scene(store_url, tenant) as (opened, key):
        found = {name: await left_behind(call) for name, call in failing(opened, key).items()}
        assert {name: left for name, left in found.items() if left > BLOCKS_MAX} == {}


@pytest.mark.parametrize("store", ALL)
async def test_calls_whose_caller_goes_leave_nothing_behind(store: str, store_url: str, tenant: str) -> None:
    async with scene(store_url, tenant) as (opened, key):

        async def abandoned() -> None:
            for call in (
                opened.get(key),
                opened.append(key, [record("a")], now=NOW),
                opened.get(Key(key.tenant, uuid4().hex)),
            ):
                task = asyncio.ensure_future(call)
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])

        assert await left_behind(abandoned, allowed=3 * BLOCKS_MAX) <= 3 * BLOCKS_MAX
        assert (await opened.get(key)).id == key.conversation_id
