"""What is locked or refused in one conversation leaves the others alone, however many such conversations there are."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
import pytest

from support.postgres import PostgresServer
from turnlog import ConversationNotFound, StoreFailed, StoreUnavailable, TooLarge, TurnlogError, codec, connect, user
from turnlog.codec import Record
from turnlog.store import Header, Key, Snapshot
from turnlog.stores.postgres import PostgresStore, batch
from turnlog.validation import Limits

NOW = 1_700_000_000_000_000
LOCKED = 12
"""More conversations than connections."""
AT_ONCE_S = 5.0
"""What does not wait for a lock takes less, also on a busy machine; who waits does so for 10 seconds or longer."""


def record(id_: str, text: str = "hello") -> Record:
    return codec.encode(user(text, id=id_), tokens=1, limits=Limits())


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(url, **options)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    postgres_server.empty()
    return postgres_server.url()


def keys(tenant: str, count: int) -> list[Key]:
    return [Key(tenant, f"c{n}") for n in range(count)]


async def begin(store: PostgresStore, *made: Key) -> None:
    for key in made:
        await store.create(key.tenant, Header(key.conversation_id, NOW, NOW), [record("first")])


@contextmanager
def locked(url: str, tenant: str) -> Iterator[None]:
    """Another session has locked all of a tenant's conversations."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT FROM turnlog.conversation WHERE tenant = %s FOR UPDATE", (tenant,))
        yield


async def in_time(*calls: Any) -> list[Any]:
    async with asyncio.timeout(AT_ONCE_S):
        return list(await asyncio.gather(*calls))


@pytest.mark.parametrize("sharded", [False, True])
async def test_many_locked_conversations_leave_the_others_their_connections(url: str, tenant: str, sharded: bool) -> None:
    stuck, free = keys(tenant, LOCKED), keys(f"{tenant}-free", 8)
    async with opened(url, sharded=sharded) as store:
        await begin(store, *stuck, *free)
        with locked(url, tenant):
            waiting = [asyncio.ensure_future(store.append(key, [record("waits")], now=NOW)) for key in stuck]
            await asyncio.sleep(0.5)
            for n in range(5):
                done = await in_time(*(store.append(key, [record(f"m{n}")], now=NOW) for key in free))
                assert {appended.seqs for appended in done} == {(n + 2,)}
                await in_time(*(store.read(key, limit=9) for key in (*stuck, *free)))
            assert not any(call.done() for call in waiting)
        assert {appended.seqs for appended in await in_time(*waiting)} == {(2,)}


async def test_calls_that_wait_for_locks_leave_the_others_their_connections(url: str, tenant: str) -> None:
    stuck, free = keys(tenant, LOCKED), keys(f"{tenant}-free", 8)
    async with opened(url) as store:
        await begin(store, *stuck, *free)
        with locked(url, tenant):
            waiting = [asyncio.ensure_future(store.update(key, {"title": "waits"}, now=NOW)) for key in stuck]
            await asyncio.sleep(1)
            for n in range(3):
                await in_time(*(store.read(key, limit=9) for key in (*stuck, *free)))
                await in_time(*(store.update(key, {"title": f"t{n}"}, now=NOW) for key in free))
                snapshot = Snapshot(n + 1, 0, b"s")
                await in_time(*(store.save_snapshot(key, "f", 1, snapshot, expect_watermark=n) for key in free))
            assert not any(call.done() for call in waiting)
        assert [header.title for header in await in_time(*waiting)] == ["waits"] * LOCKED


async def test_a_call_waits_ten_seconds_for_a_lock_at_most_and_then_says_so(url: str, tenant: str) -> None:
    async with opened(url, timeout_s=2) as store:
        await begin(store, Key(tenant, "c0"))
        with locked(url, tenant):
            for call in (
                store.append(Key(tenant, "c0"), [record("m")], now=NOW),
                store.update(Key(tenant, "c0"), {"title": "t"}, now=NOW),
            ):
                began = time.monotonic()
                with pytest.raises(StoreUnavailable, match="locked by another session"):
                    await call
                assert 1.5 < time.monotonic() - began < 2 + AT_ONCE_S
        assert (await store.append(Key(tenant, "c0"), [record("m")], now=NOW)).seqs == (2,)
        assert (await store.read(Key(tenant, "c0"), limit=9)).header.title is None


async def test_appends_that_waited_for_a_lock_are_stored_in_their_order(url: str, tenant: str) -> None:
    key = Key(tenant, "c0")
    async with opened(url) as store:
        await begin(store, key)
        waiting = []
        with locked(url, tenant):
            for n in range(300):
                waiting.append(asyncio.ensure_future(store.append(key, [record(f"m{n}")], now=NOW)))
                await asyncio.sleep(0.005 if n < 100 else 0)
        assert [appended.seqs for appended in await in_time(*waiting)] == [(n + 2,) for n in range(300)]
        assert await store.verify(key) == []


async def test_who_is_cancelled_while_it_waits_for_a_lock_leaves_the_line(url: str, tenant: str) -> None:
    key = Key(tenant, "c0")
    async with opened(url) as store:
        await begin(store, key)
        with locked(url, tenant):
            calls = [asyncio.ensure_future(store.append(key, [record(f"m{n}")], now=NOW)) for n in range(9)]
            await asyncio.sleep(0.5)
            for call in calls[1::2]:
                call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        found = [entry.id for entry in (await store.read(key, limit=99)).records]
        assert found == ["first", *(f"m{n}" for n in range(0, 9, 2))]


async def test_a_table_that_is_locked_for_a_while_fails_nobody(url: str, tenant: str) -> None:
    everyone = keys(tenant, 40)
    async with opened(url) as store:
        await begin(store, *everyone)
        with psycopg.connect(url) as vacuum:
            vacuum.execute("LOCK turnlog.conversation IN ACCESS EXCLUSIVE MODE")
            calls = [asyncio.ensure_future(store.append(key, [record("m")], now=NOW)) for key in everyone]
            await asyncio.sleep(1.5)
        assert {appended.seqs for appended in await in_time(*calls)} == {(2,)}


async def test_two_ids_with_one_hash_are_told_in_plain_words_and_alone(
    url: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, other = keys(tenant, 2)
    async with opened(url) as store:
        await begin(store, key, other)
        assert store._open is not None
        monkeypatch.setattr(store._open.names, "mark", len)
        appends = [store.append(key, [record(id_)], now=NOW) for id_ in ("aa", "bb", "ccc")]
        outcomes = await asyncio.gather(*appends, store.append(other, [record("bb")], now=NOW), return_exceptions=True)
        assert [type(outcome).__name__ for outcome in outcomes] == ["Appended", "StoreFailed", "Appended", "Appended"]
        assert "the same hash" in str(outcomes[1])
        with pytest.raises(StoreFailed, match="the same hash"):
            await store.create(tenant, Header("new", NOW, NOW), [record("aa"), record("bb")])
        with pytest.raises(ConversationNotFound):
            await store.get(Key(tenant, "new"))


def test_names_are_hashed_under_a_secret_of_the_database(postgres_server: PostgresServer, tenant: str) -> None:
    key = Key(tenant, "c1")

    async def numbers(database: str) -> tuple[int, int]:
        async with opened(postgres_server.url(database)) as store, opened(postgres_server.url(database)) as other:
            assert store._open is not None
            assert other._open is not None
            names = store._open.names
            assert other._open.names.log(key) == names.log(key)
            return names.log(key), names.mark(b"m1")

    postgres_server.execute("CREATE DATABASE named")
    try:
        here, there = asyncio.run(numbers("postgres")), asyncio.run(numbers("named"))
    finally:
        postgres_server.execute("DROP DATABASE named WITH (FORCE)")
    assert here[0] != there[0]
    assert here[1] != there[1]


async def test_whatever_the_server_refuses_is_told_as_an_error_of_turnlog(url: str, tenant: str) -> None:
    key, huge, half = Key(tenant, "c0"), 2**70, "half \ud800"
    async with opened(url) as store:
        await begin(store, key)
        refused: list[Any] = [
            store.create(f"{tenant}\0", Header("c1", NOW, NOW)),
            store.create(tenant, Header(half, NOW, NOW)),
            store.create(tenant, Header("c1", huge, NOW)),
            store.create(tenant, Header("c1", NOW, NOW, metadata={"a": {1, 2}, "b": object()})),
            store.create(tenant, Header("c1", NOW, NOW), [record("a"), changed(record("b"), tokens=2**40)]),
            store.append(Key(half, "c1"), [record("a")], now=NOW),
            store.append(key, [changed(record("a"), id=half)], now=NOW),
            store.append(key, [changed(record("a"), tokens=2**40)], now=NOW),
            store.append(key, [changed(record("a"), version=2**40)], now=NOW),
            store.append(key, [record("a")], now=huge),
            store.append(key, [record("a")], now=NOW, expect_head=huge),
            store.update(key, {"title": "zero \0"}, now=NOW),
            store.update(key, {"title": half}, now=NOW),
            store.update(key, {"tags": (half,)}, now=NOW),
            store.update(key, {"title": "t"}, now=huge),
            store.fork(key, Header("f", NOW, huge, parent_seq=1)),
            store.redact(key, changed(record("a"), seq=1, tokens=2**40), now=NOW),
            store.move_epoch(key, now=huge),
            store.read(key, after=huge, limit=1),
            store.recent(key, tokens=huge, limit=1),
            store.list_headers(tenant, user_id=half, limit=9),
            store.list_headers(tenant, updated_since=huge, limit=9),
            store.stale(tenant, "zero \0", 1, limit=9),
            store.load_snapshot(key, half, 1),
            store.save_snapshot(key, "f", huge, Snapshot(1, 0, b""), expect_watermark=0),
            store.drop_snapshots(key, "f", below=huge),
        ]
        for n, call in enumerate(refused):
            [outcome] = await asyncio.gather(call, return_exceptions=True)
            assert isinstance(outcome, TurnlogError), (n, outcome)
        assert (await store.append(key, [record("b")], now=NOW)).seqs == (2,)
        assert await store.verify(key) == []


def changed(told: Record, **changes: Any) -> Record:
    return Record(**{name: changes.get(name, getattr(told, name)) for name in told.__struct_fields__})


async def test_an_append_that_is_too_much_for_the_server_is_refused_before_it_is_sent(
    url: str, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BYTES_PER_APPEND", 10_000)
    async with opened(url) as store:
        await begin(store, Key(tenant, "c0"))
        with pytest.raises(TooLarge):
            await store.append(Key(tenant, "c0"), [record(f"m{n}", "x" * 4000) for n in range(3)], now=NOW)
        assert (await store.append(Key(tenant, "c0"), [record("m")], now=NOW)).seqs == (2,)


async def test_a_header_that_decayed_is_told_as_one(url: str, tenant: str, postgres_server: PostgresServer) -> None:
    key, sound = keys(tenant, 2)
    async with opened(url) as store:
        await begin(store, key, sound)
        postgres_server.execute(f"UPDATE turnlog.conversation SET metadata = '[]' WHERE tenant = '{tenant}' AND id = 'c0'")
        with pytest.raises(TurnlogError, match="header"):
            await store.get(key)
        postgres_server.execute(f"UPDATE turnlog.conversation SET metadata = '{{' WHERE tenant = '{tenant}' AND id = 'c0'")
        with pytest.raises(TurnlogError):
            await store.get(key)
        assert (await store.append(key, [record("m")], now=NOW)).seqs == (2,)
        assert (await store.get(sound)).head == 1
        found = await store.list_headers(tenant, limit=9)
        assert {header.id: header.metadata for header in found} == {"c0": {}, "c1": {}}


async def test_metadata_that_decayed_keeps_nothing_from_being_erased(
    url: str, tenant: str, postgres_server: PostgresServer
) -> None:
    async with connect(url) as log:
        for id_ in ("c0", "c1"):
            await log.create(user("a", id="m1"), id=id_, user_id=tenant)
        postgres_server.execute(f"UPDATE turnlog.conversation SET metadata = '{{' WHERE user_id = '{tenant}'")
        await log.conversation("c0").redact(1)
        await log.conversation("c0").delete()
        assert [header.id for header in (await log.conversations()).data] == ["c1"]
        assert (await log.user(tenant).erase()).conversations == 1
        assert not (await log.conversations()).data


async def test_an_append_that_ends_the_backend_fails_its_neighbours_once(
    url: str, tenant: str, postgres_server: PostgresServer
) -> None:
    everyone = keys(tenant, 7)
    end = "IF NEW.id = 'c3' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW;"
    async with opened(url) as store:
        await begin(store, *everyone)
        postgres_server.execute(
            f"CREATE FUNCTION turnlog.ends() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {end} END $$;"
            "CREATE TRIGGER ends BEFORE UPDATE ON turnlog.conversation FOR EACH ROW EXECUTE FUNCTION turnlog.ends()"
        )
        try:
            for n in range(3):
                appends = (store.append(key, [record("m" if n < 2 else "n")], now=NOW) for key in everyone)
                outcomes = await asyncio.gather(*appends, return_exceptions=True)
                assert type(outcomes[3]) is StoreUnavailable
                if n:
                    assert [type(each).__name__ for each in outcomes].count("Appended") == 6
        finally:
            postgres_server.execute("DROP TRIGGER ends ON turnlog.conversation; DROP FUNCTION turnlog.ends()")
        assert (await store.append(everyone[3], [record("m")], now=NOW)).seqs == (2,)
        for key in everyone:
            assert await store.verify(key) == []


async def test_a_head_that_went_back_is_not_told_as_two_ids_with_one_hash(
    url: str, tenant: str, postgres_server: PostgresServer
) -> None:
    [key] = keys(tenant, 1)
    async with opened(url) as store:
        await begin(store, key)
        postgres_server.execute(f"UPDATE turnlog.conversation SET head = 0 WHERE tenant = '{tenant}'")
        with pytest.raises(StoreFailed, match="behind the head"):
            await store.append(key, [record("m")], now=NOW)
