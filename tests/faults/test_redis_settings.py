"""What the settings of a Valkey server do to the promises, and what a sweep puts right."""

import os
from collections.abc import Iterator

import pytest

from support.loop import awaited
from support.valkey import ValkeyServer, valkey
from turnlog import Turnlog, connect, user
from turnlog.codec import tombstone
from turnlog.errors import ConversationDeleted, InvalidInput, SchemaTooNew, StoreUnavailable
from turnlog.settings import Settings
from turnlog.store import Key, Snapshot
from turnlog.stores.redis import RedisStore

NOW = 1_700_000_000_000_000


@pytest.fixture(scope="module")
def running() -> Iterator[ValkeyServer]:
    with valkey() as started:
        yield started


@pytest.fixture
def server(running: ValkeyServer) -> ValkeyServer:
    running.ask("FLUSHALL")
    return running


def opened(url: str) -> Turnlog:
    return connect(url, settings=Settings(store_timeout_s=3.0))


@awaited
async def test_a_server_that_would_drop_conversations_is_refused_unless_the_url_allows_it() -> None:
    with valkey("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as server:
        with pytest.raises(InvalidInput, match="allkeys-lru"):
            await opened(server.url).open()
        async with opened(f"{server.url}?allow_eviction=1") as log:
            await log.create(user("a"))
        assert {finding.verdict for finding in await RedisStore(server.url).doctor() if "eviction" in finding.name} == {
            "bad"
        }


@awaited
async def test_a_policy_that_drops_only_what_expires_is_fine() -> None:
    with valkey("--maxmemory-policy", "volatile-lru") as server:
        async with opened(server.url) as log:
            await log.create(user("a"))


@awaited
async def test_the_doctor_tells_what_a_restart_takes(server: ValkeyServer) -> None:
    found = {finding.name.split(" ")[1]: finding for finding in await RedisStore(server.url).doctor()}
    assert (found["persistence"].value, found["persistence"].verdict) == ("appendonly yes, appendfsync everysec", "warn")
    assert (found["eviction"].value, found["eviction"].verdict) == ("noeviction", "ok")
    assert found["replicas"].value == "0 online, durability=server"
    server.ask("CONFIG", "SET", "appendfsync", "always")
    found = {finding.name.split(" ")[1]: finding for finding in await RedisStore(server.url).doctor()}
    server.ask("CONFIG", "SET", "appendfsync", "everysec")
    assert (found["persistence"].value, found["persistence"].verdict) == ("appendonly yes, appendfsync always", "ok")
    with valkey("--appendonly", "no") as forgetful:
        found = {finding.name.split(" ")[1]: finding for finding in await RedisStore(forgetful.url).doctor()}
    assert (found["persistence"].value, found["persistence"].verdict) == ("appendonly no, save never", "bad")


@awaited
async def test_replicated_appends_fail_where_there_is_no_replica_also_when_repeated(server: ValkeyServer) -> None:
    async with opened(server.url) as log:
        await log.create(id="c1")
    replicated = RedisStore(f"{server.url}?durability=replicated", timeout_s=0.5)
    await replicated.open()
    async with opened(server.url) as log:
        record = await log._engine.records([user("a", id="a")], NOW)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="replica"):
                await replicated.append(Key("default", "c1"), record, now=NOW)
        assert (await log.conversation("c1").append(user("a", id="a"))).seqs == (1,)
    await replicated.close()


@awaited
async def test_data_of_a_newer_version_is_left_alone(server: ValkeyServer) -> None:
    server.ask("SET", "tl:schema", 99)
    with pytest.raises(SchemaTooNew):
        await opened(server.url).open()


@awaited
async def test_a_full_server_is_unavailable_and_takes_appends_again_when_there_is_room(server: ValkeyServer) -> None:
    async with opened(server.url) as log:
        conversation = await log.create(user("a", id="a"))
        server.ask("CONFIG", "SET", "maxmemory", 1)
        try:
            with pytest.raises(StoreUnavailable, match="OOM"):
                await conversation.append(user("b", id="b"))
            assert [message.id for message in await conversation.messages()] == ["a"]
        finally:
            server.ask("CONFIG", "SET", "maxmemory", 0)
        assert (await conversation.append(user("b", id="b"))).seqs == (2,)


@awaited
async def test_a_message_costs_at_most_its_content_and_a_third_and_a_hundred_bytes(server: ValkeyServer) -> None:
    async with opened(server.url) as log:
        conversation = await log.create(id="c1")
        for _ in range(8):
            await conversation.append(*(user(os.urandom(100).hex()) for _ in range(500)))
        used = sum(server.ask("MEMORY", "USAGE", f"tl:{{default/c1}}:{kind}", "SAMPLES", 0) for kind in "hli")
    assert used / 4000 <= 1.3 * 200 + 100


@awaited
async def test_ids_are_found_without_a_search_in_all_but_short_conversations(server: ValkeyServer) -> None:
    async with opened(server.url) as log:
        short, grown, made = [await log.create(*(user("a") for _ in range(count))) for count in (127, 127, 128)]
        await grown.append(user("b"))
        kinds = [server.ask("OBJECT", "ENCODING", f"tl:{{default/{each.id}}}:i") for each in (short, grown, made)]
        assert kinds == [b"listpack", b"hashtable", b"hashtable"]
        assert [await each.verify() for each in (short, grown, made)] == [[], [], []]


@awaited
async def test_a_sweep_puts_back_what_the_lists_miss(server: ValkeyServer) -> None:
    store = RedisStore(server.url)
    async with opened(server.url) as log:
        for n in range(20):
            await log.create(user("a"), id=f"c{n}", user_id="ann", tags=["x"])
        for name in server.ask("KEYS", "tl:[xug]:*"):
            server.ask("DEL", name)
        assert not await log.conversations()
        await store.open()
        assert await store.sweep(now=NOW) == 20
        assert await store.sweep(now=NOW) == 0
        for query in ({}, {"user_id": "ann"}, {"tag": "x"}):
            assert len((await log.conversations(**query)).data) == 20
        assert len(await store.stale("default", "summary", 1, limit=50)) == 20
    await store.close()


@awaited
async def test_a_sweep_finishes_an_erasure_that_did_not_reach_the_forks(server: ValkeyServer) -> None:
    store = RedisStore(server.url)
    async with opened(server.url) as log:
        conversation = await log.create(user("secret"), id="c1")
        fork = await conversation.fork(id="f")
        key = Key("default", "f")
        await store.open()
        await store.save_snapshot(key, "summary", 1, Snapshot(1, 0, b"secret"), expect_watermark=0)
        await conversation.redact(1)
        assert (await log.store.get(fork.key)).epoch == 1
        server.ask("HSET", "tl:{default/c1}:h", "x", "1,")
        server.ask("HSET", "tl:{default/f}:h", "e", 0, "z", "0 0")
        assert await store.sweep(now=NOW) == 1
        assert (await log.store.get(fork.key)).epoch == 1
        assert server.ask("HEXISTS", "tl:{default/c1}:h", "x") == 0
    await store.close()


@awaited
async def test_a_repeated_erasure_reaches_the_forks_that_the_first_one_missed(server: ValkeyServer) -> None:
    async with opened(server.url) as log:
        conversation = await log.create(user("secret"), id="c1")
        stone = tombstone(await conversation.record(1))
        fork = await conversation.fork()
        await conversation.redact(1)
        server.ask("HSET", "tl:{default/c1}:h", "x", "1,")
        server.ask("HSET", f"tl:{{default/{fork.id}}}:h", "e", 0, "z", "0 0")
        assert await log.store.redact(Key("default", "c1"), stone, now=NOW) == 1
        assert (await log.store.get(fork.key)).epoch == 1


@awaited
async def test_a_deletion_drops_what_is_noted_for_a_fork_that_never_came_to_be_and_forbids_it_to_come(
    server: ValkeyServer,
) -> None:
    store = RedisStore(server.url)
    await store.open()
    async with opened(server.url) as log:
        conversation = await log.create(user("secret"), id="c1")
        server.ask("HSET", "tl:{default/c1}:f", f"{'0' * 16} never", 1)
        server.ask("HSET", "tl:{default/never}:q", "0" * 16, 1)
        await store.delete(Key("default", "c1"), now=NOW)
        assert server.ask("EXISTS", *(f"tl:{{default/{name}" for name in ("c1}:l", "c1}:i", "c1}:f", "never}:q"))) == 0
        with pytest.raises(ConversationDeleted):
            await conversation.append(user("late"))
    await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "redis://h?durability=perhaps",
        "redis://h?what=1",
        "redis://h:port",
        "redis+sentinel://h",
        "redis://h/db",
        "redis+cluster://h/1",
        "redis://h?allow_eviction=yes",
    ],
)
def test_a_url_that_says_what_nobody_understands_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        RedisStore(url)


@awaited
async def test_a_password_a_database_and_a_socket_are_used_as_the_url_says(tmp_path_factory: pytest.TempPathFactory) -> None:
    socket = tmp_path_factory.mktemp("s") / "s"
    with valkey("--unixsocket", str(socket), "--databases", "4") as server:
        server.ask("ACL", "SETUSER", "ann", "on", ">p@ss/word", "allkeys", "+@all")
        server.ask("CONFIG", "SET", "requirepass", "other")
        for url in (server.url.replace("//", "//ann:p%40ss%2Fword@") + "/3", f"unix://ann:p%40ss%2Fword@{socket}?db=3"):
            async with opened(url) as log:
                await log.ping()
        with pytest.raises(StoreUnavailable, match="NOAUTH"):
            await opened(server.url).open()


@awaited
async def test_ids_of_every_form_come_back_as_they_were_given_and_are_told_apart(server: ValkeyServer) -> None:
    text = "0190163d-8694-739b-aea5-966c26f8ad90"
    ids = [text, text.upper(), text.replace("-", ""), text.replace("-", ":"), "x" * 16, "x" * 17, "y" * 128, "_"]
    async with opened(server.url) as log:
        conversation = await log.create(*(user("a", id=id_) for id_ in ids))
        assert [message.id for message in await conversation.messages()] == ids
        assert (await conversation.append(user("a", id=text), user("a", id=text.upper()))).seqs == (1, 2)
        assert await conversation.verify() == []
