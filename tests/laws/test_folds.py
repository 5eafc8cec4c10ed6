"""Laws 10 and 11: each message goes through each fold exactly once, in order, whatever crashes, races or is erased.

A crash is an error that no handler catches, raised by a store that wraps a real one before or after its n-th call. A
fold's state is the list of all that it was given, so that what was lost, doubled or out of order shows.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.kinds import ALL
from turnlog import Message, Settings, Turnlog, user
from turnlog.fold import catch_up, replay, state_of
from turnlog.store import Key, Store
from turnlog.testing import FakeClock
from turnlog.wiring import open_store
from turnlog.worker import Runner, WorkerConfig

CALLS_MAX = 18
"""More calls of the store than a fold of these logs makes."""
SECRET = "xyzzy-plugh"


class Seen:
    """Every message in order: its seq and what it says."""

    name = "seen"

    def __init__(self, version: int = 1) -> None:
        self.version = version

    def initial(self) -> list[tuple[int, str]]:
        return []

    async def step(self, state: list[tuple[int, str]], messages: Sequence[Message]) -> list[tuple[int, str]]:
        return [*state, *((message.seq or 0, message.text) for message in messages)]


class Crash(BaseException):
    """The process ends here."""


class Crashing:
    """A store whose process ends before its call number `at` (from 0 on), or right after it with `after`; every call lets
    others go first, and `meanwhile` is done before call number `at`.
    """

    def __init__(self, store: Store, at: int, *, after: bool = False, meanwhile: Callable[[], Any] | None = None) -> None:
        self.store = store
        self.at = at
        self.after = after
        self.meanwhile = meanwhile
        self.calls = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.store, name)

        async def call(*args: Any, **options: Any) -> Any:
            await asyncio.sleep(0)
            here, self.calls = self.calls == self.at, self.calls + 1
            if here and self.meanwhile is not None:
                await self.meanwhile()
            elif here and not self.after:
                raise Crash
            answer = await method(*args, **options)
            if here and self.after:
                raise Crash
            return answer

        return call


class Stage:
    """Two handles on the same data, as of two processes, and a log through the first."""

    def __init__(self, first: Store, second: Store, tenant: str) -> None:
        self.first = first
        self.second = second
        self.tenant = tenant
        self.clock = FakeClock()
        self.log = Turnlog(first, Settings(tenant=tenant), clock=self.clock)

    async def begin(self, count: int, *, secret_at: int = 0) -> Key:
        """A conversation of so many messages."""
        said = [user(f"m{n}" if n != secret_at else SECRET) for n in range(1, count + 1)]
        return Key(self.tenant, (await self.log.create(*said)).id)

    async def check(self, key: Key, fold: Seen) -> None:
        """The fold has seen each message once, in order, as it is now; a replay says the same."""
        after = await self.first.load_snapshot(key, fold.name, fold.version)
        page = await self.second.read(key, limit=1000)
        messages = await self.log.conversation(key.conversation_id).messages(limit=1000)
        assert after is not None
        assert (after.watermark, after.epoch) == (page.header.head, page.header.epoch)
        assert state_of(fold, after.state) == [(message.seq, message.text) for message in messages]
        assert await replay(self.second, key, fold) == after

    def runner(self, store: Any, *folds: Seen, seed: int = 0) -> Runner:
        """One that works on whatever is behind, two messages a step."""
        config = WorkerConfig(pause_s=0, batch=2, concurrency=2)
        return Runner(store, folds, tenants=[self.tenant], config=config, clock=self.clock, sleep=never, random=Random(seed))

    async def settle(self, store: Any, *folds: Seen) -> None:
        """Let a new runner do all there is to do, again after a while if what a crash left under way came before it."""
        runner = self.runner(store, *folds)
        for _ in range(3):
            self.clock.advance(seconds=60)
            await asyncio.wait_for(runner.run(until_idle=True), 30)


async def never(_: float) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def staged(url: str, tenant: str) -> AsyncIterator[Stage]:
    first = open_store(url, Settings())
    second = first if url == "ram:" else open_store(url, Settings())
    await first.open()
    await second.open()
    try:
        yield Stage(first, second, tenant)
    finally:
        await second.close()
        await first.close()


async def crashed(work: Any) -> bool:
    """Whether the work ended in a crash."""
    try:
        await work
    except Crash:
        return True
    return False


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("store", ALL)
async def test_law_10_a_crash_at_any_call_neither_loses_nor_doubles_a_message(
    store_url: str, tenant: str, after: bool
) -> None:
    async with staged(store_url, tenant) as stage:
        key = await stage.begin(9)
        crashes = 0
        for at in range(CALLS_MAX):
            fold = Seen(version=at + 1)
            crashes += await crashed(catch_up(Crashing(stage.first, at, after=after), key, fold, batch=2))  # type: ignore[arg-type]
            await catch_up(stage.second, key, fold, batch=3)
            await stage.check(key, fold)
        assert 8 <= crashes < CALLS_MAX


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("store", ALL)
async def test_law_10_a_runner_that_crashes_at_any_call_is_replaced_by_another(
    store_url: str, tenant: str, after: bool
) -> None:
    async with staged(store_url, tenant) as stage:
        keys = [await stage.begin(count) for count in (3, 1, 4)]
        for at in range(0, CALLS_MAX, 2):
            fold = Seen(version=at + 1)
            stage.clock.advance(seconds=60)
            await crashed(stage.runner(Crashing(stage.first, at, after=after), fold).run(until_idle=True))
            await stage.settle(stage.second, fold)
            for key in keys:
                await stage.check(key, fold)


@pytest.mark.parametrize("store", ALL)
async def test_law_10_workers_that_race_on_one_conversation_fold_each_message_once(store_url: str, tenant: str) -> None:
    async with staged(store_url, tenant) as stage:
        key, fold = await stage.begin(20), Seen()
        handles = [stage.first, stage.second, stage.first]
        await asyncio.gather(
            *(
                catch_up(Crashing(handle, -1), key, fold, batch=batch)
                for handle, batch in zip(handles, (1, 2, 3), strict=True)
            )  # type: ignore[arg-type]
        )
        await stage.check(key, fold)


@pytest.mark.parametrize("store", ALL)
async def test_law_10_two_runners_and_a_writer_leave_nothing_behind(store_url: str, tenant: str) -> None:
    async with staged(store_url, tenant) as stage:
        keys, fold = [await stage.begin(count) for count in (5, 1, 3, 8)], Seen()
        stage.clock.advance(seconds=60)

        async def write() -> None:
            for n in range(10):
                await stage.log.conversation(keys[n % 4].conversation_id).append(user(f"late {n}"))

        runners = [stage.runner(stage.first, fold, seed=1), stage.runner(stage.second, fold, seed=2)]
        await asyncio.gather(write(), *(runner.run(until_idle=True) for runner in runners))
        await stage.settle(stage.second, fold)
        for key in keys:
            await stage.check(key, fold)


@pytest.mark.parametrize("store", ALL)
async def test_law_10_two_versions_in_a_rolling_deploy_do_not_touch_each_other(store_url: str, tenant: str) -> None:
    async with staged(store_url, tenant) as stage:
        key, old, new = await stage.begin(7), Seen(1), Seen(2)
        stage.clock.advance(seconds=60)
        await asyncio.gather(
            stage.runner(stage.first, old).run(until_idle=True),
            stage.runner(stage.second, old, new).run(until_idle=True),
        )
        await stage.log.conversation(key.conversation_id).append(user("more"))
        await stage.settle(stage.second, new)
        await stage.check(key, new)
        left = await stage.first.load_snapshot(key, "seen", 1)
        assert left is not None
        assert left.watermark == 7
        await stage.settle(stage.first, old)
        await stage.check(key, old)


@pytest.mark.parametrize("store", ALL)
async def test_law_11_an_erasure_at_any_call_leaves_no_erased_text_in_a_state(store_url: str, tenant: str) -> None:
    async with staged(store_url, tenant) as stage:
        erased = 0
        for at in range(CALLS_MAX):
            key, fold = await stage.begin(9, secret_at=3), Seen()

            async def erase(key: Key = key) -> None:
                await Turnlog(stage.second, Settings(tenant=tenant)).conversation(key.conversation_id).redact(3)

            store = Crashing(stage.first, at, meanwhile=erase)
            await catch_up(store, key, fold, batch=2)  # type: ignore[arg-type]
            erased += store.calls > at
            if store.calls <= at:
                await erase()
            kept = await stage.first.load_snapshot(key, fold.name, fold.version)
            header = await stage.first.get(key)
            assert kept is None or kept.epoch != header.epoch or SECRET.encode() not in kept.state
            await catch_up(stage.second, key, fold)
            await stage.check(key, fold)
            assert SECRET not in str(await stage.first.load_snapshot(key, fold.name, fold.version))
        assert erased >= 6


@pytest.mark.parametrize("store", ALL)
async def test_law_11_a_deletion_at_any_call_ends_the_fold(store_url: str, tenant: str) -> None:
    async with staged(store_url, tenant) as stage:
        for at in range(0, CALLS_MAX, 3):
            key, fold = await stage.begin(5, secret_at=3), Seen()
            other = await stage.begin(2)

            async def delete(key: Key = key) -> None:
                await Turnlog(stage.second, Settings(tenant=tenant)).conversation(key.conversation_id).delete()

            stage.clock.advance(seconds=60)
            await stage.runner(Crashing(stage.first, at, meanwhile=delete), fold).run(until_idle=True)
            await stage.settle(stage.second, fold)
            await stage.check(other, fold)


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(1, 3)),
        st.tuples(st.just("fold"), st.integers(1, 4)),
        st.tuples(st.just("crash"), st.integers(0, 8)),
        st.tuples(st.just("work"), st.integers(0, 16)),
        st.tuples(st.just("deploy"), st.just(0)),
        st.tuples(st.just("redact"), st.integers(1, 8)),
        st.tuples(st.just("race"), st.integers(0, 6)),
        st.tuples(st.just("fork"), st.integers(0, 8)),
    ),
    max_size=12,
)


async def act(stage: Stage, keys: list[Key], folds: list[Seen], what: str, n: int) -> None:
    """Do one thing to the last conversation."""
    key, fold = keys[-1], folds[-1]
    conversation = stage.log.conversation(key.conversation_id)
    head = (await conversation.info()).head
    if what == "say":
        await conversation.append(*(user(f"m{head + i}") for i in range(n)))
    elif what == "fold":
        await catch_up(stage.second, key, fold, batch=n)
    elif what == "crash":
        await crashed(catch_up(Crashing(stage.first, n // 2, after=n % 2 == 1), key, fold, batch=2))  # type: ignore[arg-type]
    elif what == "work":
        stage.clock.advance(seconds=60)
        await crashed(stage.runner(Crashing(stage.first, n // 2, after=n % 2 == 1), *folds).run(until_idle=True))
    elif what == "deploy":
        folds.append(Seen(fold.version + 1))
    elif what == "redact" and n <= head:
        await conversation.redact(n)
    elif what == "race":
        store = Crashing(stage.first, n, meanwhile=lambda: catch_up(stage.second, key, fold, batch=1))
        await catch_up(store, key, fold, batch=2)  # type: ignore[arg-type]
    elif what == "fork" and n <= head:
        keys.append(Key(stage.tenant, (await conversation.fork(at=n)).id))


async def play(stage: Stage, acts: Sequence[tuple[str, int]]) -> None:
    keys, folds = [await stage.begin(3)], [Seen()]
    for what, n in acts:
        await act(stage, keys, folds, what, n)
    await stage.settle(stage.second, *folds)
    for key in keys:
        if (await stage.first.get(key)).head:
            for fold in folds:
                await stage.check(key, fold)


@pytest.mark.parametrize("store", ["ram", "sqlite"])
def test_laws_10_and_11_hold_in_any_order_of_events(store: str, tmp_path: Path) -> None:
    examples = settings.default.max_examples if settings.default else 50

    @settings(max_examples=examples if store == "ram" else examples // 5)
    @given(acts=ACTS, name=st.uuids())
    def check(acts: list[tuple[str, int]], name: Any) -> None:
        async def run() -> None:
            url = "ram:" if store == "ram" else f"sqlite:///{tmp_path}/{name}.db"
            async with staged(url, f"t-{name}") as stage:
                await play(stage, acts)

        asyncio.run(run())

    check()
