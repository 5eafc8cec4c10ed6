"""F11 on a cluster: a primary dies that its replica could not follow; `durability=replicated` loses nothing acknowledged.
A log tells its readers that its history may have gone back.
"""

import asyncio
import time
from collections.abc import Iterator

import pytest

from support.loop import awaited
from support.valkey import DURABLE, ValkeyCluster, ValkeyServer, valkey, valkey_cluster, wait_until
from turnlog import Turnlog, connect, user
from turnlog.errors import HeadMoved, StoreUnavailable
from turnlog.settings import Settings
from turnlog.store import Key
from turnlog.stores.redis import RedisStore

CONVERSATIONS = 12
WRITERS = 24
CUT_S = 0.8


@pytest.fixture
def cluster() -> Iterator[ValkeyCluster]:
    with valkey_cluster() as formed:
        yield formed


class Load:
    """Writers that repeat what got no answer; what was acknowledged, and how long the longest call took."""

    def __init__(self, log: Turnlog) -> None:
        self.log = log
        self.told: dict[str, dict[str, int]] = {f"c{n}": {} for n in range(CONVERSATIONS)}
        self.refused = 0
        self.longest_s = 0.0
        self.stop = asyncio.Event()

    async def write(self, writer: int) -> None:
        id_, n = f"c{writer % CONVERSATIONS}", 0
        while not self.stop.is_set():
            message = user(f"message {n} of {writer}", id=f"{writer}-{n}")
            began = time.monotonic()
            try:
                self.told[id_][message.id] = (await self.log.conversation(id_).append(message)).seqs[0]
                n += 1
            except StoreUnavailable:
                self.refused += 1
                await asyncio.sleep(0.05)
            self.longest_s = max(self.longest_s, time.monotonic() - began)

    async def lost(self) -> int:
        """How many acknowledged messages are not where they were said to be, after a look that each log is whole."""
        lost = 0
        for id_, told in self.told.items():
            conversation = self.log.conversation(id_)
            records = [record async for page in conversation.pages() for record in page.records]
            kept = {record.id: record.seq for record in records}
            assert list(kept.values()) == list(range(1, len(records) + 1))
            assert await conversation.verify() == []
            lost += sum(kept.get(message) != seq for message, seq in told.items())
        return lost


def cut_off(primary: ValkeyServer) -> None:
    primary.ask("ACL", "SETUSER", "default", "-psync", "-sync")
    primary.ask("CLIENT", "KILL", "TYPE", "REPLICA")


def cut_off_and_kill(primary: ValkeyServer) -> None:
    """A kill alone loses nothing on one machine: the system still delivers what was written to the replica."""
    cut_off(primary)
    time.sleep(CUT_S)
    primary.kill()


async def fail_over(cluster: ValkeyCluster, durability: str) -> int:
    """How many acknowledged messages are lost when a primary dies under load and is later its successor's replica."""
    settings = Settings(store_timeout_s=4.0)
    async with connect(f"{cluster.url}?durability={durability}", settings=settings) as log:
        load = Load(log)
        for id_ in load.told:
            await log.create(id=id_)
        writers = [asyncio.create_task(load.write(n)) for n in range(WRITERS)]
        await asyncio.sleep(0.5)
        victim = cluster.nodes[0]
        await asyncio.to_thread(cut_off_and_kill, victim)
        await asyncio.to_thread(wait_until, lambda: len(cluster.primaries()) == 3, "a new primary")
        await asyncio.to_thread(victim.start)  # the one that took its place has no other replica
        await asyncio.to_thread(wait_until, cluster.healthy, "a healthy cluster")
        before = {id_: len(told) for id_, told in load.told.items()}
        await asyncio.sleep(1.0)
        load.stop.set()
        await asyncio.gather(*writers)
        assert all(len(load.told[id_]) > count for id_, count in before.items())
        assert load.refused > 0
        assert load.longest_s < 2 * settings.store_timeout_s
        return await load.lost()


@awaited
async def test_law_2_a_failover_under_load_loses_nothing_that_a_replica_confirmed(cluster: ValkeyCluster) -> None:
    assert await fail_over(cluster, "replicated") == 0


@awaited
async def test_a_failover_may_lose_what_no_replica_had_to_confirm_and_leaves_whole_logs(cluster: ValkeyCluster) -> None:
    assert await fail_over(cluster, "server") > 0


@awaited
async def test_who_states_the_head_is_told_that_a_failover_took_the_end_of_the_log_and_a_repeat_puts_it_back() -> None:
    with valkey() as primary, valkey("--replicaof", "127.0.0.1", str(primary.port)) as replica:
        wait_until(lambda: b"state=online" in primary.ask("INFO", "replication"), "a replica")
        lost = user("lost", id="m3")
        async with connect(f"{primary.url}?durability=replicated") as log:
            conversation = await log.create(user("a", id="m1"), id="c1")
            await conversation.append(user("b", id="m2"))
        cut_off(primary)
        async with connect(primary.url) as log:
            assert (await log.conversation("c1").append(lost)).seqs == (3,)
        primary.kill()
        replica.ask("REPLICAOF", "NO", "ONE")
        async with connect(replica.url) as log:
            conversation = log.conversation("c1")
            with pytest.raises(HeadMoved) as moved:
                await conversation.append(user("d", id="m4"), expect_head=3)
            assert (moved.value.expected, moved.value.actual) == (3, 2)
            assert (await conversation.append(lost, user("d", id="m4"), expect_head=2)).seqs == (3, 4)


async def incarnations(log: Turnlog, count: int = CONVERSATIONS) -> list[str]:
    """What every conversation's history is called, by each call that tells it."""
    found = []
    for n in range(count):
        key = Key("default", f"c{n}")
        headers = [
            await log.store.get(key),
            (await log.store.read(key, limit=1)).header,
            (await log.store.recent(key, tokens=1, limit=1)).header,
        ]
        assert len({header.incarnation for header in headers}) == 1
        found.append(headers[0].incarnation)
    listed = await log.store.list_headers("default", limit=100)
    assert sorted(header.incarnation for header in listed) == sorted(found)
    return found


@awaited
async def test_a_restart_gives_every_history_a_new_name_and_nothing_else_does() -> None:
    with valkey(*DURABLE) as server:
        async with connect(server.url) as log, connect(server.url) as other:
            for n in range(3):
                await log.create(user("a"), id=f"c{n}")
            before = await incarnations(log, 3)
            await log.conversation("c0").append(user("b"))
            await log.conversation("c1").update(title="t")
            await log.conversation("c2").redact(1)
            server.ask("CLIENT", "KILL", "TYPE", "normal")
            await asyncio.sleep(0.1)  # the end of the connections is heard of
            assert await incarnations(log, 3) == await incarnations(other, 3) == before
            server.kill()
            server.start()
            await asyncio.sleep(0.1)
            after = await incarnations(log, 3)
            assert not set(after) & set(before)
            assert await incarnations(other, 3) == after
        assert len(set(before) | set(after)) == 6


@awaited
async def test_a_failover_gives_new_names_also_to_who_stayed_connected_and_when_the_first_primary_is_back(
    cluster: ValkeyCluster,
) -> None:
    def fail_over(successor: ValkeyServer) -> None:
        assert successor.ask("CLUSTER", "FAILOVER") == b"OK"
        wait_until(lambda: b"role:master" in successor.ask("INFO", "replication"), "a failover")
        wait_until(cluster.healthy, "a healthy cluster")

    async with connect(cluster.url) as log:
        for n in range(CONVERSATIONS):
            await log.create(user("a"), id=f"c{n}")
        seen = [await incarnations(log)]
        for successor in (cluster.nodes[3], cluster.nodes[0]):  # there and back
            await asyncio.to_thread(fail_over, successor)
            async with connect(cluster.url) as other:
                seen.append(await incarnations(other))
            if successor is cluster.nodes[0]:  # this handle sat still the whole time
                assert await incarnations(log) == seen[-1]
        moved = [[one != two for one, two in zip(seen[n], seen[n + 1], strict=True)] for n in (0, 1)]
        assert moved[0] == moved[1]
        assert 0 < sum(moved[0]) < CONVERSATIONS
        assert all(len({names[n] for names in seen}) == (3 if moved[0][n] else 1) for n in range(CONVERSATIONS))


@awaited
async def test_a_replica_that_takes_over_on_a_connection_that_stays_gives_new_names() -> None:
    with valkey() as primary, valkey("--replicaof", "127.0.0.1", str(primary.port)) as replica:
        wait_until(lambda: b"state=online" in primary.ask("INFO", "replication"), "a replica")
        async with connect(f"{primary.url}?durability=replicated") as log:
            await log.create(user("a"), id="c0")
            before = await incarnations(log, 1)
        reader = RedisStore(replica.url)
        reader._servers.opened = True
        key = Key("default", "c0")
        assert (await reader.get(key)).incarnation == before[0]
        replica.ask("REPLICAOF", "NO", "ONE")
        assert (await reader.get(key)).incarnation != before[0]
        await reader.close()
