"""What takes several calls on Redis is stopped at each of them: by a crash before or after the server did what it was told,
or for as long as somebody else does something of their own. Nothing is lost or undone, and a sweep leaves no rest.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from support.loop import awaited
from support.valkey import ValkeyCluster, ValkeyServer
from turnlog.codec import ERASED, Record, encode, tombstone
from turnlog.errors import ConversationDeleted, ConversationExists, ConversationNotFound, TurnlogError
from turnlog.message import user
from turnlog.store import Header, Key, Snapshot
from turnlog.stores.redis import RedisStore
from turnlog.validation import Limits

NOW = 1_700_000_000_000_000
TENANT = "t"
PARENT, FORK, LEAF = Key(TENANT, "p"), Key(TENANT, "f"), Key(TENANT, "g")

Step = Callable[[RedisStore], Awaitable[Any]]


class Crash(Exception):
    """The process has died."""


class Calls:
    """Stands between a store and its servers, counts its calls, and stops one of them."""

    def __init__(self, store: RedisStore) -> None:
        self.made = 0
        self.crash_at: int | None = None
        self.pause_at: int | None = None
        self.after = False
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self._send = store._servers._send
        store._servers._send = self.send  # type: ignore[method-assign]

    async def send(self, *args: Any) -> Any:
        self.made += 1
        if self.crash_at is not None and self.made >= self.crash_at:
            if self.after and self.made == self.crash_at:
                await self._send(*args)
            raise Crash
        if self.made == self.pause_at:
            self.reached.set()
            await self.go_on.wait()
        return await self._send(*args)


class Place:
    """Servers, stores on them, and what is kept there."""

    def __init__(self, server: ValkeyServer | ValkeyCluster) -> None:
        self.server = server
        self.nodes = server.primaries() if isinstance(server, ValkeyCluster) else [server]
        for node in self.nodes:
            node.ask("FLUSHALL")

    @asynccontextmanager
    async def store(self) -> AsyncIterator[RedisStore]:
        store = RedisStore(self.server.url, timeout_s=10.0)
        await store.open()
        try:
            yield store
        finally:
            await store.close()

    def names(self, pattern: str) -> list[str]:
        return sorted(name.decode() for node in self.nodes for name in node.ask("KEYS", pattern))

    def fields(self, name: str) -> dict[str, str]:
        for node in self.nodes:
            said = node.ask("HGETALL", name)
            if isinstance(said, list) and said:
                return {said[n].decode(): said[n + 1].decode() for n in range(0, len(said), 2)}
        return {}

    def listed(self) -> set[str]:
        """The conversations that any list names."""
        return {
            entry.decode()
            for pattern in ("tl:u:*", "tl:g:*", "tl:x:*:[ut]")
            for name in self.names(pattern)
            for node in self.nodes
            for entry in (node.ask("ZRANGE", name, 0, -1) if node.ask("EXISTS", name) == 1 else [])
        }


@pytest.fixture(params=["valkey", "cluster"])
def place(request: pytest.FixtureRequest) -> Place:
    return Place(request.getfixturevalue(f"{request.param}_server"))


def record(text: str) -> Record:
    return encode(user(text, id=text), tokens=1, limits=Limits())


def header(id_: str, **fields: Any) -> Header:
    return Header(id_, NOW, NOW, user_id="ann", tags=("x",), **fields)


async def begin(store: RedisStore, key: Key = PARENT) -> None:
    await store.create(TENANT, header(key.conversation_id), [record(f"{key.conversation_id}{n}") for n in range(1, 5)])


async def branch(store: RedisStore, parent: Key = PARENT, fork: Key = FORK, at: int = 3) -> Header:
    return await store.fork(parent, header(fork.conversation_id, parent=parent.conversation_id, parent_seq=at, head=at))


async def ids(store: RedisStore, key: Key) -> list[str] | None:
    """What the log shows; None for a conversation that is not there."""
    try:
        page = await store.read(key, limit=99)
    except ConversationNotFound:
        return None
    assert [each.seq for each in page.records] == list(range(1, page.header.head + 1))
    assert await store.verify(key) == []
    return [each.id for each in page.records]


async def erase(store: RedisStore, key: Key = PARENT, seq: int = 2) -> int:
    page = await store.read(key, after=seq - 1, limit=1)
    return await store.redact(key, tombstone(page.records[0]), now=NOW)


async def swept(place: Place, store: RedisStore) -> None:
    """Sweep, and see that nothing is left that nobody needs."""
    await store.sweep(now=NOW)
    assert await store.sweep(now=NOW) == 0
    assert place.names("tl:*:q") == []
    for name in place.names("tl:*:f"):
        for note in place.fields(name):
            number, _, fork = note.partition(" ")
            there = place.fields(f"tl:{{{TENANT}/{fork}}}:h")
            assert there["k"] == number and ("d" not in there or there["n"] != "0")
    living = {name[len(TENANT) + 5 : -3] for name in place.names("tl:*:h") if "d" not in place.fields(name)}
    assert place.listed() == living
    assert all("x" not in place.fields(name) for name in place.names("tl:*:h"))
    for name in place.names("tl:*:l"):
        there = place.fields(name[:-1] + "h")
        assert "d" not in there or there["n"] != "0"


async def crashed(place: Place, step: Step, prepare: Step) -> AsyncIterator[RedisStore]:
    """A whole store for each place at which a process dies within `step`, which begins anew each time."""
    for after in (False, True):
        at, over = 1, False
        while not over:
            for node in place.nodes:
                node.ask("FLUSHALL")
            async with place.store() as store, place.store() as doomed:
                await prepare(store)
                calls = Calls(doomed)
                calls.crash_at, calls.after = at, after
                try:
                    await step(doomed)
                    over = True
                except Crash:
                    pass
                yield store
            at += 1
        assert at > 2


async def paused(place: Place, step: Step, prepare: Step, meanwhile: Step) -> AsyncIterator[tuple[RedisStore, Any, Any]]:
    """A store, the outcome of `step`, and that of what was done `meanwhile`, for each call at which `step` may be paused."""
    at, over = 1, False
    while not over:
        for node in place.nodes:
            node.ask("FLUSHALL")
        async with place.store() as store, place.store() as slow:
            await prepare(store)
            calls = Calls(slow)
            calls.pause_at = at
            task = asyncio.ensure_future(step(slow))
            reached = asyncio.ensure_future(calls.reached.wait())
            await asyncio.wait([task, reached], return_when=asyncio.FIRST_COMPLETED)
            over = not calls.reached.is_set()
            reached.cancel()
            [other] = await asyncio.gather(meanwhile(store), return_exceptions=True)
            calls.go_on.set()
            [outcome] = await asyncio.gather(task, return_exceptions=True)
            for each in (outcome, other):
                assert not isinstance(each, BaseException) or isinstance(each, TurnlogError), each
            yield store, outcome, other
        at += 1
    assert at > 2


SHOWN = ["p1", "p2", "p3"]


@awaited
async def test_a_fork_that_dies_on_its_way_is_whole_or_not_there_and_leaves_no_rest(place: Place) -> None:
    there = set()
    async for store in crashed(place, branch, begin):
        before = await ids(store, FORK)
        assert before in (SHOWN, None)
        there.add(before is not None)
        await store.delete(PARENT, now=NOW)
        assert await ids(store, FORK) == before
        await swept(place, store)
        assert await ids(store, FORK) == before
        assert (place.names("tl:{t/p}:[lif]") == []) == (before is None)
        with pytest.raises(ConversationExists if before else ConversationDeleted):
            await branch(store)
    assert there == {True, False}


@awaited
async def test_a_fork_that_died_can_be_made_again_and_holds_what_it_shows(place: Place) -> None:
    async for store in crashed(place, branch, begin):
        if await ids(store, FORK) is None:
            await branch(store, at=2)
        kept = await ids(store, FORK)
        await store.delete(PARENT, now=NOW)
        await swept(place, store)
        assert await ids(store, FORK) == kept
        await store.delete(FORK, now=NOW)
        await swept(place, store)
        assert place.names("tl:{*}:[lifsq]") == []


@pytest.mark.parametrize("meanwhile", ["delete", "erase", "fork", "fork elsewhere", "sweep", "create", "delete and sweep"])
@awaited
async def test_a_fork_that_is_held_up_anywhere_is_whole_or_refused(place: Place, meanwhile: str) -> None:
    async def prepare(store: RedisStore) -> None:
        await begin(store)
        await begin(store, Key(TENANT, "other"))

    async def delete_and_sweep(store: RedisStore) -> None:
        await store.delete(PARENT, now=NOW)
        await store.sweep(now=NOW)

    steps: dict[str, Step] = {
        "delete": lambda store: store.delete(PARENT, now=NOW),
        "erase": erase,
        "fork": lambda store: branch(store, at=1),
        "fork elsewhere": lambda store: branch(store, Key(TENANT, "other"), at=4),
        "sweep": lambda store: store.sweep(now=NOW),
        "create": lambda store: begin(store, FORK),
        "delete and sweep": delete_and_sweep,
    }
    async for store, outcome, other in paused(place, branch, prepare, steps[meanwhile]):
        shown = {1: ["p1"], 3: SHOWN, 4: [f"other{n}" for n in range(1, 5)]}
        made = [each for each in (outcome, other) if isinstance(each, Header)]
        assert len(made) <= 1
        kept = await ids(store, FORK)
        assert kept == (shown[made[0].parent_seq] if made else ["f1", "f2", "f3", "f4"] if meanwhile == "create" else None)
        if meanwhile == "erase":
            assert isinstance(outcome, Header)
            page = await store.read(FORK, limit=9)
            assert page.records[1].digest == ERASED
            assert page.header.epoch <= (await store.get(PARENT)).epoch
        await swept(place, store)
        for key in (PARENT, Key(TENANT, "other")):
            await asyncio.gather(store.delete(key, now=NOW), return_exceptions=True)
        assert await ids(store, FORK) == kept
        await swept(place, store)
        assert await ids(store, FORK) == kept


async def family(store: RedisStore) -> None:
    """p, a fork of it, a fork of that; each with what a fold saved, and something of its own."""
    await begin(store)
    await branch(store)
    await store.append(FORK, [record("f4")], now=NOW)
    await branch(store, FORK, LEAF, at=4)
    await store.append(LEAF, [record("g5")], now=NOW)
    for key in (PARENT, FORK, LEAF):
        await store.save_snapshot(key, "summary", 1, Snapshot(2, 0, b"p2"), expect_watermark=0)


@awaited
async def test_an_erasure_that_dies_on_its_way_reaches_every_fork_with_a_repeat_or_a_sweep(place: Place) -> None:
    for repeat in (True, False):
        async for store in crashed(place, erase, family):
            begun = (await store.read(PARENT, after=1, limit=1)).records[0].digest == ERASED
            if repeat:
                await erase(store)
            await swept(place, store)
            for key in (PARENT, FORK, LEAF):
                page = await store.read(key, after=1, limit=1)
                assert (page.records[0].digest == ERASED) == (begun or repeat)
                assert (await store.load_snapshot(key, "summary", 1) is None) == (begun or repeat)
                assert page.header.epoch == (1 if begun or repeat else 0)


@awaited
async def test_a_deletion_that_dies_on_its_way_is_finished_by_a_sweep(place: Place) -> None:
    for victim, others in ((PARENT, (FORK, LEAF)), (FORK, (PARENT, LEAF)), (LEAF, (PARENT, FORK))):
        async for store in crashed(place, lambda store, victim=victim: store.delete(victim, now=NOW), family):  # type: ignore[misc]
            gone = await ids(store, victim) is None
            await swept(place, store)
            assert await ids(store, victim) is None or not gone
            expected = {PARENT: ["p1", "p2", "p3", "p4"], FORK: [*SHOWN, "f4"], LEAF: [*SHOWN, "f4", "g5"]}
            for key in others:
                assert await ids(store, key) == expected[key]
                await store.delete(key, now=NOW)
            if not gone:
                await store.delete(victim, now=NOW)
            await swept(place, store)
            assert place.names("tl:{*}:[lifsq]") == []


@awaited
async def test_whatever_dies_a_user_who_is_erased_has_no_text_left(place: Place) -> None:
    """`User.erase` looks at the user's list alone: nothing that is readable may be missing there, also before a sweep."""

    async def retag(store: RedisStore) -> None:
        await store.update(PARENT, {"tags": ("y",)}, now=NOW + 1)

    steps: list[tuple[Step, Step]] = [
        (begin, lambda store: store.ping()),
        (branch, begin),
        (retag, begin),
        (lambda store: store.append(PARENT, [record("late")], now=NOW + 1), begin),
    ]
    for step, prepare in steps:
        async for store in crashed(place, step, prepare):
            readable = {key for key in (PARENT, FORK) if await ids(store, key) is not None}
            listed = {each.id for each in await store.list_headers(TENANT, user_id="ann", limit=9)}
            assert listed == {key.conversation_id for key in readable}
            for tag in ("x", "y"):
                tagged = {each.id for each in await store.list_headers(TENANT, tag=tag, limit=9)}
                having = {key.conversation_id for key in readable if tag in (await store.get(key)).tags}
                assert tagged == having
            await swept(place, store)
            for key in readable:
                await store.delete(key, now=NOW)
            await swept(place, store)


@awaited
async def test_a_conversation_that_is_about_to_come_stays_due_for_folds(place: Place) -> None:
    async def look(store: RedisStore) -> None:
        await store.stale(TENANT, "summary", 1, limit=9)

    async for store, outcome, _ in paused(place, begin, lambda store: store.ping(), look):
        assert not isinstance(outcome, BaseException)
        assert [stale.head for stale in await store.stale(TENANT, "summary", 1, limit=9)] == [4]


@awaited
async def test_a_sweep_beside_a_creation_leaves_it_listed(place: Place) -> None:
    async for store, outcome, _ in paused(place, begin, lambda store: store.ping(), lambda store: store.sweep(now=NOW)):
        assert not isinstance(outcome, BaseException)
        assert [each.id for each in await store.list_headers(TENANT, user_id="ann", limit=9)] == ["p"]
        await swept(place, store)
    async for store, outcome, _ in paused(place, lambda store: store.sweep(now=NOW), lambda store: store.ping(), begin):
        assert not isinstance(outcome, BaseException)
        assert [each.id for each in await store.list_headers(TENANT, user_id="ann", limit=9)] == ["p"]


@awaited
async def test_forks_deletions_erasures_and_sweeps_raced_by_two_handles_leave_living_forks_whole(place: Place) -> None:
    dice = random.Random(8)
    async with place.store() as one, place.store() as two:
        for n in range(25):
            parents = [Key(TENANT, f"{name}{n}") for name in "ab"]
            forks = [Key(TENANT, f"{name}{n}") for name in "xy"]
            for key in parents:
                await one.create(
                    TENANT, header(key.conversation_id), [record(f"{key.conversation_id}.{m}") for m in range(1, 7)]
                )
            calls: list[Callable[[], Awaitable[Any]]] = [
                partial(branch, handle, parent, fork, at)
                for handle in (one, two)
                for parent in parents
                for fork in forks
                for at in dice.sample(range(1, 7), 2)
            ]
            calls += [partial(erase, handle, parents[0], 1) for handle in (one, two)]
            calls += [partial(two.delete, parents[1], now=NOW), partial(one.sweep, now=NOW)]
            dice.shuffle(calls)
            outcomes = await asyncio.gather(*(call() for call in calls), return_exceptions=True)
            for each in outcomes:
                assert not isinstance(each, BaseException) or isinstance(each, TurnlogError), each
            made = {each.id: each for each in outcomes if isinstance(each, Header)}
            await asyncio.gather(*(two.delete(key, now=NOW) for key in parents), return_exceptions=True)
            await one.sweep(now=NOW)
            for key in forks:
                kept = await ids(two, key)
                assert (kept is None) == (key.conversation_id not in made)
                if kept is not None:
                    fork = await one.get(key)
                    assert kept == [f"{fork.parent}.{m}" for m in range(1, fork.parent_seq + 1)]
                    first = (await one.read(key, limit=1)).records[0]
                    assert (first.digest == ERASED) == (fork.parent == parents[0].conversation_id)
        await swept(place, one)
