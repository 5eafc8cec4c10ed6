"""A long log is deleted in steps, so that no transaction is long; what a crash left of it is finished."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from support.postgres import PostgresServer
from turnlog import ConversationDeleted, codec, user
from turnlog.store import Header, Key, Snapshot, Sweeper
from turnlog.stores.postgres import PostgresStore
from turnlog.stores.postgres import store as postgres_store
from turnlog.stores.postgres.timeouts import Patience
from turnlog.validation import Limits

NOW = 1_700_000_000_000_000
LENGTH = 1000
STEP = 100


@pytest.fixture
def url(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    postgres_server.empty()
    monkeypatch.setattr(postgres_store, "_ROWS_PER_STEP", STEP)
    return postgres_server.url()


def records(count: int) -> list[codec.Record]:
    return [codec.encode(user("hello", id=f"m{n}"), tokens=1, limits=Limits()) for n in range(count)]


def left(url: str) -> int:
    """How many messages the tables hold."""
    with psycopg.connect(url) as connection:
        return int((connection.execute("SELECT count(*) FROM turnlog.message").fetchone() or (0,))[0])


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def begin(store: PostgresStore, tenant: str) -> Key:
    await store.create(tenant, Header("c1", NOW, NOW), records(LENGTH))
    return Key(tenant, "c1")


Asking = Callable[..., Coroutine[Any, Any, Any]]


def watched(monkeypatch: pytest.MonkeyPatch, url: str, *, steps: int | None = None) -> list[int]:
    """How many rows were left after each step; the client is gone after `steps` of them."""
    ask: Asking = Patience.ask
    seen: list[int] = []

    async def watching(self: Patience, sql: str, *params: Any) -> Any:
        if "purge" in sql:
            if len(seen) == steps:
                raise asyncio.CancelledError
            rows = await ask(self, sql, *params)
            seen.append(await asyncio.to_thread(left, url))
            return rows
        return await ask(self, sql, *params)

    monkeypatch.setattr(Patience, "ask", watching)
    return seen


async def test_no_step_of_a_deletion_takes_many_rows(url: str, tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(url) as store:
        key = await begin(store, tenant)
        seen = watched(monkeypatch, url)
        await store.delete(key, now=NOW)
    assert {before - after for before, after in zip([LENGTH, *seen], seen, strict=False)} <= {0, STEP}
    assert seen[-1] == 0


async def cut_short(store: PostgresStore, tenant: str, url: str, monkeypatch: pytest.MonkeyPatch) -> Key:
    """Delete a conversation, and be gone in the middle."""
    key = await begin(store, tenant)
    with monkeypatch.context() as patch:
        watched(patch, url, steps=3)
        with pytest.raises(asyncio.CancelledError):
            await store.delete(key, now=NOW)
    assert left(url) == LENGTH - 3 * STEP
    with pytest.raises(ConversationDeleted):
        await store.read(key, limit=1)
    return key


async def test_deleting_again_finishes_what_was_cut_short(url: str, tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(url) as store:
        key = await cut_short(store, tenant, url, monkeypatch)
        for _ in range(2):
            with pytest.raises(ConversationDeleted):
                await store.delete(key, now=NOW)
            assert left(url) == 0


async def test_a_sweep_finishes_what_was_cut_short(url: str, tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(url) as store:
        await cut_short(store, tenant, url, monkeypatch)
        assert isinstance(store, Sweeper)
    assert await store.sweep(now=NOW) == 1
    assert left(url) == 0
    assert await store.sweep(now=NOW) == 0


async def test_steps_leave_what_living_forks_show(url: str, tenant: str) -> None:
    async with opened(url) as store:
        key = await begin(store, tenant)
        fork = Key(tenant, "f")
        await store.fork(key, Header("f", NOW, NOW, parent="c1", parent_seq=250, head=250))
        await store.append(fork, records(LENGTH)[500:750], now=NOW)
        await store.delete(key, now=NOW)
        assert left(url) == 250 + 250
        assert [entry.seq for entry in (await store.read(fork, limit=999)).records] == list(range(1, 501))
        assert await store.verify(fork) == []
        await store.delete(fork, now=NOW)
        assert left(url) == 0


async def test_what_people_said_is_not_sampled_for_the_planner(
    postgres_server: PostgresServer, url: str, tenant: str
) -> None:
    """`ANALYZE` keeps samples of what it saw, and no erasure would find them there."""
    async with opened(url) as store:
        for n in range(10):
            of = f"-{n // 2}"  # some values more than once, which is what is kept of them first
            told = Header(
                f"c{n}", NOW, NOW, f"hidden-user{of}", f"hidden-title{of}", (f"hidden-tag{of}",), {"a": f"hidden{of}"}
            )
            said = codec.encode(user(f"hidden-words{of}", id=f"hidden-id{of}"), tokens=1, limits=Limits())
            await store.create(tenant, told, [said])
            state = Snapshot(1, 0, f"hidden-state{of}".encode())
            await store.save_snapshot(Key(tenant, f"c{n}"), "f", 1, state, expect_watermark=0)
        postgres_server.execute("ANALYZE")
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT s::text FROM pg_stats AS s WHERE schemaname = 'turnlog'").fetchall()
    assert found
    assert [row[0] for row in found if "hidden" in row[0] or b"hidden".hex() in row[0]] == []
