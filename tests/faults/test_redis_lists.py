"""In a cluster a list lies elsewhere than the conversations that it names: what it says is compared with them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from support.valkey import ValkeyCluster, ValkeyServer
from turnlog import connect
from turnlog.codec import encode
from turnlog.message import user
from turnlog.store import Header, Key, Position
from turnlog.stores.redis import RedisStore, keys
from turnlog.validation import Limits

NOW = 1_700_000_000_000_000
FAR = 4_102_444_800_000_000
TENANT = "t"


@pytest.fixture
async def store(cluster_server: ValkeyCluster) -> AsyncIterator[RedisStore]:
    cluster_server.flush()
    store = RedisStore(cluster_server.url)
    await store.open()
    yield store
    await store.close()


def ask(cluster: ValkeyCluster, *command: object) -> object:
    """The answer of the one node that keeps the key."""
    answers = [node.ask(*command) for node in cluster.primaries()]
    return next(answer for answer in answers if not isinstance(answer, Exception))


def everywhere(key: Key) -> list[str]:
    return [*keys.lists(TENANT, "ann", ("x",)), keys.shard(key, keys.SHARDS) + ":u"]


async def begin(store: RedisStore, count: int = 4) -> list[Key]:
    """c0, c1, ...: the later the number, the later touched."""
    made = [Key(TENANT, f"c{n}") for n in range(count)]
    for n, key in enumerate(made):
        await store.create(TENANT, Header(key.conversation_id, NOW + n, NOW + n, user_id="ann", tags=("x",)))
    return made


async def names(store: RedisStore, limit: int = 9, **query: object) -> list[str]:
    return [each.id for each in await store.list_headers(TENANT, limit=limit, **query)]  # type: ignore[arg-type]


QUERIES: tuple[dict[str, object], ...] = ({}, {"user_id": "ann"}, {"tag": "x"})


@pytest.mark.parametrize("score", [FAR, 5], ids=["too late", "too early"])
async def test_an_entry_at_a_wrong_time_is_put_right_by_who_reads_it(
    store: RedisStore, cluster_server: ValkeyCluster, score: int
) -> None:
    made = await begin(store)
    for name in everywhere(made[1]):
        ask(cluster_server, "ZADD", name, score, "c1")
    for query in QUERIES:
        assert await names(store, **query) == ["c3", "c2", "c1", "c0"]
    for name in everywhere(made[1]):
        assert ask(cluster_server, "ZSCORE", name, "c1") == b"%d" % (NOW + 1)


async def test_pages_join_where_an_entry_was_at_a_wrong_time(store: RedisStore, cluster_server: ValkeyCluster) -> None:
    made = await begin(store)
    for name in everywhere(made[1]):
        ask(cluster_server, "ZADD", name, FAR, "c1")
    for query in QUERIES:
        seen, position = list[str](), None
        while found := await store.list_headers(TENANT, **query, after=position, limit=1):  # type: ignore[arg-type]
            seen += [each.id for each in found]
            position = Position(found[-1].updated_at, found[-1].id)
        assert seen == ["c3", "c2", "c1", "c0"]


async def test_what_is_told_of_two_touches_in_the_wrong_order_ends_at_the_later_one(
    store: RedisStore, cluster_server: ValkeyCluster
) -> None:
    [key] = await begin(store, 1)
    for updated in (NOW + 9, NOW + 5):
        await store._lists.add(key, updated, "ann", ("x",))
    assert {ask(cluster_server, "ZSCORE", name, "c0") for name in everywhere(key)} == {b"%d" % (NOW + 9)}
    for updated in (FAR, NOW + 10):
        await store._lists.add(key, updated, "ann", ("x",))
    assert {ask(cluster_server, "ZSCORE", name, "c0") for name in everywhere(key)} == {b"%d" % (NOW + 10)}


async def test_an_entry_of_a_deleted_conversation_goes_when_it_is_met_and_one_of_none_when_it_is_swept(
    store: RedisStore, cluster_server: ValkeyCluster
) -> None:
    made = await begin(store, 2)
    await store.delete(made[0], now=NOW)
    for ghost in ("c0", "never"):
        for name in everywhere(Key(TENANT, ghost)):
            ask(cluster_server, "ZADD", name, NOW, ghost)
    for query in QUERIES:
        assert await names(store, **query) == ["c1"]
    assert {ask(cluster_server, "ZSCORE", name, "c0") for name in everywhere(made[0])} == {None}
    assert await store.sweep(now=NOW) == 3
    assert {ask(cluster_server, "ZSCORE", name, "never") for name in everywhere(Key(TENANT, "never"))} == {None}
    assert await store.sweep(now=NOW) == 0


async def test_an_entry_in_the_list_of_another_user_or_tag_is_passed_over_and_swept(
    store: RedisStore, cluster_server: ValkeyCluster
) -> None:
    await begin(store, 1)
    for name in keys.lists(TENANT, "bob", ("y",)):
        ask(cluster_server, "ZADD", name, NOW, "c0")
    assert await names(store, user_id="bob") == await names(store, tag="y") == []
    assert await store.sweep(now=NOW) == 2
    assert await names(store, user_id="ann") == ["c0"]


async def test_a_parent_that_a_failover_made_forget_its_fork_is_reminded_by_a_sweep(
    store: RedisStore, cluster_server: ValkeyCluster
) -> None:
    record = encode(user("a", id="a"), tokens=1, limits=Limits())
    await store.create(TENANT, Header("p", NOW, NOW), [record])
    await store.fork(Key(TENANT, "p"), Header("f", NOW, NOW, parent="p", parent_seq=1))
    ask(cluster_server, "DEL", "tl:{t/p}:f")
    assert await store.sweep(now=NOW) == 1
    assert await store.sweep(now=NOW) == 0
    await store.delete(Key(TENANT, "p"), now=NOW)
    assert [each.id for each in (await store.read(Key(TENANT, "f"), limit=9)).records] == ["a"]


async def test_a_sweep_goes_on_behind_a_conversation_that_cannot_be_put_right(valkey_server: ValkeyServer) -> None:
    valkey_server.ask("FLUSHALL")
    store = RedisStore(valkey_server.url)
    await store.open()
    for n in range(20):
        await store.create(TENANT, Header(f"c{n}", NOW, NOW))
    valkey_server.ask("DEL", "tl:{t/c7}:h", "tl:x:{t/0}:u")
    valkey_server.ask("SET", "tl:{t/c7}:h", "x")
    await store.sweep(now=NOW)
    assert len(await names(store, limit=99)) == 19
    await asyncio.gather(store.close())


DECAYED: tuple[tuple[object, ...], ...] = (("e", "x"), ("n", "x"), ("u", "x"), ("t", b"\xff"), ("o", b"\xff"), ("m", "{"))


@pytest.mark.parametrize("fields", DECAYED, ids=str)
async def test_a_header_that_decayed_stops_no_listing_no_fold_no_sweep_and_no_erasure(
    valkey_server: ValkeyServer, fields: tuple[object, ...]
) -> None:
    valkey_server.ask("FLUSHALL")
    async with connect(valkey_server.url) as log:
        for id_ in ("c0", "c1", "c2"):
            await log.create(user("secret", id="m1"), user("b"), id=id_, user_id="ann")
        fork = await log.conversation("c1").fork(at=1, id="fork")
        valkey_server.ask("HSET", "tl:{default/c1}:h", *fields)
        for query in ({}, {"user_id": "ann"}):
            assert {each.id for each in (await log.conversations(**query)).data} == {"c0", "c1", "c2", "fork"}
        assert {each.conversation_id for each in await log.store.stale("default", "f", 1, limit=9)} >= {"c0", "c2", "fork"}
        assert isinstance(log.store, RedisStore)
        await log.store.sweep(now=NOW)
        await log.conversation("c1").delete()
        assert [each.id for each in await fork.messages()] == ["m1"]
        await log.user("ann").erase()
        assert not (await log.conversations()).data
        assert valkey_server.ask("KEYS", "tl:{default/*}:l") == []
