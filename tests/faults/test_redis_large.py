"""Much of everything on Redis: conversations that wait for a fold, bytes in a page, messages that are dropped at once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.loop import awaited
from support.valkey import ValkeyServer, valkey
from turnlog.codec import Record, encode
from turnlog.errors import StoreUnavailable, TurnlogError
from turnlog.message import user
from turnlog.store import Appended, Header, Key
from turnlog.stores.redis import RedisStore
from turnlog.validation import Limits

NOW = 1_700_000_000_000_000
KEY = Key("t", "c")
MB = 1_000_000


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey("--appendonly", "no") as running:
        yield running


def record(id_: str, size: int = 1) -> Record:
    return encode(user("x" * size, id=id_), tokens=1, limits=Limits())


async def opened(url: str) -> RedisStore:
    store = RedisStore(url)
    await store.open()
    return store


@awaited
async def test_any_number_of_conversations_can_wait_for_a_fold_and_be_listed(server: ValkeyServer) -> None:
    store = await opened(server.url)
    count = 12_000
    for first in range(0, count, 1000):
        made = (Header(f"c{n:05}", NOW + n, NOW + n) for n in range(first, first + 1000))
        await asyncio.gather(*(store.create("t", header, [record("a")]) for header in made))
    expected = [f"c{n:05}" for n in range(count)]
    assert [stale.conversation_id for stale in await store.stale("t", "summary", 1, limit=2 * count)] == expected
    assert [stale.conversation_id for stale in await store.stale("t", "summary", 1, limit=700)] == expected[:700]
    assert [header.id for header in await store.list_headers("t", limit=2 * count)] == expected[::-1]
    await store.close()


def peak_bytes(server: ValkeyServer) -> int:
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024


@awaited
async def test_a_log_of_messages_of_a_megabyte_is_read_in_pages_that_the_server_can_hold(server: ValkeyServer) -> None:
    store = await opened(server.url)
    await store.create("t", Header("c", NOW, NOW), [record(f"small{n}") for n in range(60)])
    for n in range(150):
        await store.append(KEY, [record(f"large{n}", MB)], now=NOW)
    before = peak_bytes(server)
    for newest in (False, True):
        seqs: list[int] = []
        more = True
        while more:
            bounds = {"before": min(seqs, default=211)} if newest else {"after": len(seqs)}
            page = await store.read(KEY, limit=1000, newest=newest, **bounds)
            assert sum(len(each.body) for each in page.records) <= 8 << 20
            seqs += [each.seq for each in page.records]
            more = page.more
        assert sorted(seqs) == list(range(1, 211))
    recent = await store.recent(KEY, tokens=10**9, limit=1000)
    assert ([each.seq for each in recent.records], recent.cut) == (list(range(203, 211)), True)
    assert await store.verify(KEY) == []
    assert peak_bytes(server) - before < 60 * MB
    await store.close()


@awaited
async def test_messages_that_are_dropped_by_the_hundred_thousand_hold_up_nobody(server: ValkeyServer) -> None:
    store, other = await opened(server.url), await opened(server.url)
    await store.create("t", Header("c", NOW, NOW))
    await other.create("o", Header("c", NOW, NOW))
    for first in range(0, 200_000, 4000):
        await store.append(KEY, [record(f"m{n}") for n in range(first, first + 4000)], now=NOW)
    await store.fork(KEY, Header("f", NOW, NOW, parent="c", parent_seq=100))
    server.ask("SLOWLOG", "RESET")
    server.ask("CONFIG", "SET", "slowlog-log-slower-than", 200_000)
    deletion = asyncio.ensure_future(store.delete(KEY, now=NOW))
    appended = 0
    while not deletion.done():
        await other.append(Key("o", "c"), [record(f"m{appended}")], now=NOW)
        appended += 1
    await deletion
    assert appended > 50
    assert server.ask("SLOWLOG", "GET", 10) == []
    assert server.ask("LLEN", "tl:{t/c}:l") == server.ask("HLEN", "tl:{t/c}:i") - 1 == 100
    assert len((await store.read(Key("t", "f"), limit=1000)).records) == 100
    await store.delete(Key("t", "f"), now=NOW)
    assert server.ask("EXISTS", "tl:{t/c}:l", "tl:{t/c}:i") == 0
    await store.close()
    await other.close()


@awaited
async def test_a_deletion_of_many_that_died_on_its_way_is_finished_by_a_sweep(server: ValkeyServer) -> None:
    store = await opened(server.url)
    await store.create("t", Header("c", NOW, NOW), [record(f"m{n}") for n in range(4000)])
    await store.fork(KEY, Header("f", NOW, NOW, parent="c", parent_seq=10))
    deletion = asyncio.ensure_future(store.delete(KEY, now=NOW))
    async with asyncio.timeout(60):
        while not 10 < server.ask("LLEN", "tl:{t/c}:l") < 4000:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0)
    deletion.cancel()
    await asyncio.gather(deletion, return_exceptions=True)
    assert await store.sweep(now=NOW) == 1
    assert server.ask("LLEN", "tl:{t/c}:l") == 10
    assert [each.id for each in (await store.read(Key("t", "f"), limit=99)).records] == [f"m{n}" for n in range(10)]
    await store.close()


@pytest.mark.parametrize("store", ["valkey", "cluster"])
@awaited
async def test_closing_finishes_what_was_accepted_and_accepts_no_more(store: str, store_url: str, tenant: str) -> None:
    closing, other = await opened(store_url), await opened(store_url)
    keys = [Key(tenant, f"c{n}") for n in range(50)]
    await asyncio.gather(*(closing.create(tenant, Header(key.conversation_id, NOW, NOW), [record("a")]) for key in keys))
    appends = [asyncio.ensure_future(closing.append(key, [record("b")], now=NOW)) for key in keys]
    forks = [
        asyncio.ensure_future(closing.fork(key, Header(f"f{n}", NOW, NOW, parent=key.conversation_id, parent_seq=1)))
        for n, key in enumerate(keys)
    ]
    await asyncio.sleep(0)
    await asyncio.gather(closing.close(), closing.close())
    with pytest.raises(StoreUnavailable):
        await closing.get(keys[0])
    assert all(append.done() and isinstance(append.result(), Appended) for append in appends)
    assert all(fork.done() and isinstance(fork.result(), Header) for fork in forks)
    assert len(await other.stale(tenant, "summary", 1, limit=200)) == 100
    await closing.open()
    await closing.append(keys[0], [record("c")], now=NOW)
    await closing.close()
    await other.close()


@awaited
async def test_closing_does_not_wait_for_longer_than_a_call_may_take(server: ValkeyServer) -> None:
    store = RedisStore(server.url, timeout_s=0.3)
    await store.open()
    await store.create("t", Header("c", NOW, NOW))
    server.signal(19)
    try:
        append = asyncio.ensure_future(store.append(KEY, [record("a")], now=NOW))
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await store.close()
            with pytest.raises(TurnlogError):
                await append
    finally:
        server.signal(18)
