"""Slots of a Valkey cluster move to other primaries, and to one that has just joined, while writers append (F12)."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator

import pytest

from support.ports import free_port
from support.valkey import CLUSTER, ValkeyCluster, ValkeyServer, valkey_cluster, wait_until
from support.writers import CONVERSATIONS, Load
from turnlog import connect
from turnlog.store import Key
from turnlog.stores.redis.cluster import slot_of
from turnlog.stores.redis.keys import SHARDS, of, shards

ROUNDS = 10 if os.environ.get("TURNLOG_FAULTS") == "long" else 1
NODE_TIMEOUT_S = 2.0
SLACK_S = 2.0
PAUSE_S = 0.002
"""Between the keys of a slot, so that writers meet a conversation half of which has moved."""
SLOTS = [
    *(slot_of(of(Key("default", f"c{number}"), "h")[0]) for number in range(CONVERSATIONS)),
    *(slot_of(shard + ":u") for shard in shards("default", SHARDS)),
]
"""Where the writers' conversations and the lists that name them are."""

Move = Callable[[int, ValkeyServer, ValkeyServer, list[ValkeyServer]], None]


def done(answer: object) -> None:
    assert answer == b"OK", answer


def id_of(node: ValkeyServer) -> bytes:
    return bytes(node.ask("CLUSTER", "MYID"))


def key_by_key(slot: int, source: ValkeyServer, target: ValkeyServer, everyone: list[ValkeyServer]) -> None:
    """The way of every version: keys move one at a time, and callers are sent after them."""
    done(target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", id_of(source)))
    done(source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", id_of(target)))
    while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1):
        assert source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys) in (b"OK", b"NOKEY")
        time.sleep(PAUSE_S)
    for node in (target, source, *everyone):
        done(node.ask("CLUSTER", "SETSLOT", slot, "NODE", id_of(target)))


def whole(slot: int, source: ValkeyServer, target: ValkeyServer, everyone: list[ValkeyServer]) -> None:
    """The way of Valkey 9: the slot is copied while it is written to, and changes hands at one moment."""
    done(source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", id_of(target)))
    wait_until(lambda: last_migration(source)[b"state"] in (b"success", b"failed"), "the end of a migration")
    assert last_migration(source)[b"message"] == b""
    wait_until(lambda: all(owner(node, slot) == target.port for node in everyone), "the news of a migration")


def last_migration(node: ValkeyServer) -> dict[bytes, bytes]:
    told = node.ask("CLUSTER", "GETSLOTMIGRATIONS")[0]
    return dict(zip(told[::2], told[1::2], strict=True))


def owner(node: ValkeyServer, slot: int) -> int:
    """The port of the primary that keeps `slot`, as `node` knows it."""
    return next(primary[1] for first, last, primary, *_ in node.ask("CLUSTER", "SLOTS") if first <= slot <= last)


def move_on(cluster: ValkeyCluster, joined: ValkeyServer, move: Move) -> set[int]:
    """Let each slot go to the next primary, `ROUNDS` times; the ports of those that got one."""
    primaries = sorted([*cluster.primaries(), joined], key=lambda node: node.port)
    receivers = set()
    for slot in SLOTS * ROUNDS:
        source = next(node for node in primaries if node.port == owner(primaries[0], slot))
        target = primaries[(primaries.index(source) + 1) % len(primaries)]
        move(slot, source, target, primaries)
        receivers.add(target.port)
    return receivers


@pytest.fixture(scope="module")
def cluster() -> Iterator[ValkeyCluster]:
    with valkey_cluster() as formed:
        yield formed


@pytest.fixture(scope="module")
def joined(cluster: ValkeyCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A primary that everybody knows, without slots at first."""
    stay = ("--cluster-allow-replica-migration", "no")  # a primary, also when its last slot leaves
    node = ValkeyServer(tmp_path_factory.mktemp("joined"), free_port(), *CLUSTER, *stay)
    node.start()
    try:
        node.ask("CLUSTER", "MEET", "127.0.0.1", cluster.nodes[0].port)
        me = id_of(node)
        wait_until(lambda: all(me in other.ask("CLUSTER", "NODES") for other in cluster.nodes), "an introduction")
        wait_until(lambda: b"cluster_state:ok" in node.ask("CLUSTER", "INFO"), "a healthy node")
        yield node
    finally:
        node.kill()


async def moved_under_load(cluster: ValkeyCluster, joined: ValkeyServer, move: Move) -> Load:
    async def moving(load: Load) -> None:
        await load.acknowledged(200, within_s=60)
        assert joined.port in await asyncio.to_thread(move_on, cluster, joined, move)
        await load.acknowledged(200, within_s=60)

    async with connect(cluster.url) as log:
        load = Load(log)
        await load.run(moving)
        await load.check(log)
        listed = await log.conversations(limit=100)
        assert {header.id for header in listed.data} == load.sent.keys()
    return load


@pytest.mark.parametrize("move", [key_by_key, whole])
def test_f12_slots_that_move_under_load_lose_and_double_nothing_and_refuse_nobody(
    cluster: ValkeyCluster, joined: ValkeyServer, move: Move
) -> None:
    if move is whole and b"migrateslots" not in b" ".join(map(bytes, joined.ask("CLUSTER", "HELP"))).lower():
        pytest.skip("this server cannot move a slot as a whole: Valkey 9 and later can")
    cluster.flush()
    joined.ask("FLUSHALL")
    load = asyncio.run(moved_under_load(cluster, joined, move))
    assert load.refused == []
    assert load.slowest_s < NODE_TIMEOUT_S + SLACK_S
