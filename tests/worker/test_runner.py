"""What a runner does next, watched on the store in memory with a clock that is turned by hand."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest

from support.sample_folds import Dear, Ids, Watched
from turnlog import InvalidInput, Message, Settings, StoreUnavailable, Turnlog, user
from turnlog.fold import Fold
from turnlog.store import Key, Snapshot, Stale
from turnlog.stores.ram import RamStore
from turnlog.testing import FakeClock
from turnlog.worker import Runner, WorkerConfig, failures, retry

TENANT = "default"
CONFIG = WorkerConfig(pause_s=2.0, backlog_min=5, concurrency=2, batch=10, backoff_s=10.0, recheck_s=5.0)


async def never(_: float) -> None:
    """Sleep until somebody wakes us: in these tests time passes only by hand."""
    await asyncio.Event().wait()


class Away(RamStore):
    """A store that is slow, or cannot answer for a while."""

    away = False
    asked = 0
    slow_s = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.since: list[int] = []

    async def stale(self, tenant: str, fold: str, version: int, *, limit: int, since: int = 0) -> list[Stale]:
        self.asked += 1
        self.since.append(since)
        await asyncio.sleep(self.slow_s)
        if self.away:
            raise StoreUnavailable("it restarts")
        return await super().stale(tenant, fold, version, limit=limit, since=since)


class Scene:
    """A store, a clock, and runners on them."""

    def __init__(self, store: RamStore | None = None) -> None:
        self.clock = FakeClock()
        self.store = store or RamStore()
        self.log = Turnlog(self.store, clock=self.clock)

    def runner(self, *folds: Fold[Any], config: WorkerConfig = CONFIG, **options: Any) -> Runner:
        return Runner(self.store, folds, config=config, clock=self.clock, sleep=never, random=Random(7), **options)

    async def say(self, id: str, *texts: str) -> None:
        """Say something in the conversation, which begins if it is not there."""
        messages = [user(text, id=text) for text in texts]
        if Key(TENANT, id) in self.store.logs:
            await self.log.conversation(id).append(*messages)
        else:
            await self.log.create(*messages, id=id)

    async def pass_by(self, runner: Runner, seconds: float) -> None:
        """So much later, everything that is ready then is done."""
        self.clock.advance(seconds=seconds)
        await asyncio.wait_for(runner.run(until_idle=True), 10)

    async def seen(self, id: str, fold: str = "ids", version: int = 1) -> int:
        """The watermark."""
        found = await self.store.load_snapshot(Key(TENANT, id), fold, version)
        return found.watermark if found else 0


def failing(times: int) -> tuple[Callable[[Sequence[Message]], Any], list[int]]:
    """A step that fails so many times, and when it was tried."""
    tried: list[int] = []

    async def watch(_: Sequence[Message]) -> None:
        tried.append(1)
        if len(tried) <= times:
            raise ConnectionError("the model is away")

    return watch, tried


async def test_a_conversation_is_folded_when_it_has_paused() -> None:
    scene, fold = Scene(), Ids()
    runner = scene.runner(fold)
    await scene.say("c", "a")
    await scene.pass_by(runner, 1.9)
    await scene.say("c", "b")
    await scene.pass_by(runner, 1.9)
    assert fold.steps == []
    await scene.pass_by(runner, 0.1)
    assert fold.steps == [["a", "b"]]
    assert runner.folded == 2


async def test_a_busy_conversation_is_folded_when_enough_waits() -> None:
    scene, fold = Scene(), Ids()
    runner = scene.runner(fold)
    for n in range(7):
        await scene.say("c", f"m{n}")
        await scene.pass_by(runner, 0.5)
    assert fold.steps == [["m0", "m1", "m2", "m3", "m4"]]


async def test_what_was_said_long_ago_is_folded_at_once() -> None:
    scene, fold = Scene(), Ids()
    for n in range(30):
        await scene.say(f"c{n}", f"m{n}")
    await scene.pass_by(scene.runner(fold), 60)
    assert sorted(fold.steps) == sorted([[f"m{n}"] for n in range(30)])


async def test_a_writer_whose_clock_is_far_ahead_does_not_hold_a_fold_up() -> None:
    scene, fold = Scene(), Ids()
    await scene.say("c", "a")
    await scene.pass_by(scene.runner(fold), -3600)
    assert fold.steps == [["a"]]


async def test_a_clock_that_goes_back_holds_nothing_up() -> None:
    scene, fold = Scene(), Ids()
    runner = scene.runner(fold)
    await scene.say("c", "a")
    await scene.pass_by(runner, 1)
    await scene.pass_by(runner, -3600)
    assert fold.steps == [["a"]]
    await scene.say("d", "b")
    await scene.pass_by(runner, 2)
    assert fold.steps == [["a"], ["b"]]


async def test_a_slow_scan_is_waited_for_without_turning_round_and_round() -> None:
    store = Away()
    store.slow_s = 0.2
    scene = Scene(store)
    slept = 0

    async def sleep(seconds: float) -> None:
        nonlocal slept
        slept += 1
        await asyncio.sleep(seconds)

    runner = Runner(store, [Ids(), Ids(2)], clock=scene.clock, sleep=sleep)
    await asyncio.wait_for(runner.run(until_idle=True), 5)
    assert store.asked == 2
    assert slept <= 2


async def test_a_failing_conversation_rests_longer_and_longer_and_others_go_on() -> None:
    scene = Scene()
    watch, tried = failing(99)

    async def only_bad(messages: Sequence[Message]) -> None:
        if messages[0].id == "bad":
            await watch(messages)

    fold = Watched(only_bad)
    runner = scene.runner(fold)
    await scene.say("c", "bad")
    for n in range(60):
        await scene.say(f"d{n}", f"good{n}")
        await scene.pass_by(runner, 2.5)
    assert len(fold.steps) == 60
    assert len(tried) in (4, 5, 6)
    [failure] = await failures(scene.store, TENANT, fold)
    assert (failure.conversation_id, failure.fold, failure.watermark, failure.head) == ("c", "ids", 0, 1)
    assert (failure.failures, failure.error) == (len(tried), "ConnectionError: the model is away")


async def test_a_failure_is_forgotten_when_the_fold_gets_on() -> None:
    scene = Scene()
    fold = Watched(failing(1)[0])
    runner = scene.runner(fold)
    await scene.say("c", "a")
    await scene.pass_by(runner, 2)
    assert len(await failures(scene.store, TENANT, fold)) == 1
    await scene.pass_by(runner, 11)
    await scene.say("c", "b")
    assert await failures(scene.store, TENANT, fold) == []
    await scene.pass_by(runner, 2)
    assert fold.steps == [["a"], ["b"]]


async def test_a_retry_by_hand_does_not_wait() -> None:
    scene = Scene()
    fold = Watched(failing(1)[0])
    runner = scene.runner(fold)
    await scene.say("c", "a")
    await scene.pass_by(runner, 2)
    assert await runner.retry(Key(TENANT, "c"), "ids")
    await scene.pass_by(runner, 0)
    assert fold.steps == [["a"]]
    assert not await runner.retry(Key(TENANT, "d"), "other")


async def test_a_retry_from_another_process_is_seen_at_the_next_look() -> None:
    scene = Scene()
    fold = Watched(failing(1)[0])
    runner = scene.runner(fold, config=WorkerConfig(backoff_s=1000.0, recheck_s=5.0))
    await scene.say("c", "a")
    await scene.pass_by(runner, 2)
    assert await retry(scene.store, Key(TENANT, "c"), fold)
    await scene.pass_by(runner, 4)
    assert fold.steps == []
    await scene.pass_by(runner, 1)
    assert fold.steps == [["a"]]


async def test_an_erasure_takes_the_words_of_a_failure_too() -> None:
    async def quote(messages: Sequence[Message]) -> None:
        raise ValueError(f"cannot read {messages[0].text}")

    scene, fold = Scene(), Watched(quote)
    await scene.say("c", "secret")
    await scene.pass_by(scene.runner(fold), 2)
    assert "secret" in (await failures(scene.store, TENANT, fold))[0].error
    await scene.log.conversation("c").redact(1)
    assert await failures(scene.store, TENANT, fold) == []
    assert not await retry(scene.store, Key(TENANT, "c"), fold)


async def test_a_step_that_hangs_fails_and_gives_its_place_back() -> None:
    async def hang(messages: Sequence[Message]) -> None:
        if messages[0].id == "slow":
            await asyncio.sleep(60)

    scene, fold = Scene(), Watched(hang)
    await scene.say("c", "slow")
    await scene.say("d", "quick")
    await scene.pass_by(scene.runner(fold, config=WorkerConfig(concurrency=1, step_s=0.05)), 2)
    assert fold.steps == [["quick"]]
    assert "TimeoutError" in (await failures(scene.store, TENANT, fold))[0].error


async def test_a_log_that_cannot_be_read_is_a_failure_of_its_conversation() -> None:
    scene, fold = Scene(), Ids()
    await scene.say("bad", *(f"m{n}" for n in range(12)))
    await scene.say("good", "a")
    records = scene.store.logs[Key(TENANT, "bad")].records
    records[11] = records[12]
    await scene.pass_by(scene.runner(fold), 2)
    assert await scene.seen("good") == 1
    assert await scene.seen("bad") == 10
    assert "CorruptRecord" in (await failures(scene.store, TENANT, fold))[0].error


async def test_tenants_and_folds_get_their_turns_whatever_the_others_have() -> None:
    order: list[str] = []

    def noting(name: str) -> Watched:
        async def watch(messages: Sequence[Message]) -> None:
            order.append(f"{messages[0].text[0]}-{name}")

        return Watched(watch, name)

    scene = Scene()
    small = Turnlog(scene.store, Settings(tenant="small"), clock=scene.clock)
    for n in range(20):
        await scene.say(f"c{n}", f"large{n}")
    await small.create(user("small"), id="s")
    scene.clock.advance(seconds=60)
    runner = scene.runner(noting("x"), noting("y"), tenants=[TENANT, "small"], config=WorkerConfig(concurrency=1))
    await asyncio.wait_for(runner.run(until_idle=True), 10)
    assert set(order[:8]) == {"l-x", "l-y", "s-x", "s-y"}
    assert len(order) == 42


async def test_a_long_conversation_lets_others_have_their_turn() -> None:
    scene = Scene()

    async def slow(_: Sequence[Message]) -> None:
        scene.clock.advance(seconds=2)

    fold = Watched(slow)
    await scene.say("long", *(f"l{n}" for n in range(100)))
    for n in range(3):
        await scene.say(f"c{n}", f"m{n}")
    await scene.pass_by(scene.runner(fold, config=WorkerConfig(concurrency=1, batch=10, turn_s=1.0)), 60)
    assert {tuple(step) for step in fold.steps[:4]} >= {("m0",), ("m1",), ("m2",)}
    assert await scene.seen("long") == 100


async def test_a_runner_that_was_cancelled_at_work_can_run_again() -> None:
    scene = Scene()
    begun = asyncio.Event()

    async def hang_once(_: Sequence[Message]) -> None:
        if not begun.is_set():
            begun.set()
            await asyncio.sleep(60)

    fold = Watched(hang_once)
    await scene.say("c", "a")
    scene.clock.advance(seconds=2)
    runner = scene.runner(fold)
    running = asyncio.create_task(runner.run())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await scene.pass_by(runner, 0)
    assert fold.steps == [["a"]]


def test_two_folds_with_one_name_and_version_are_refused() -> None:
    with pytest.raises(InvalidInput):
        Runner(RamStore(), [Ids(), Ids()])
    Runner(RamStore(), [Ids(1), Ids(2), Ids(name="other")])


async def test_a_note_that_cannot_be_read_counts_as_none() -> None:
    scene, fold = Scene(), Ids()
    await scene.say("c", "a")
    odd = Snapshot(3, 0, b'{"failures":"many"}')
    await scene.store.save_snapshot(Key(TENANT, "c"), "ids.note", 1, odd, expect_watermark=0)
    await scene.pass_by(scene.runner(fold), 2)
    assert fold.steps == [["a"]]


async def test_stop_finishes_and_saves_the_step_under_way_and_begins_nothing_more() -> None:
    scene = Scene()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_: Sequence[Message]) -> None:
        begun.set()
        await go_on.wait()

    fold = Watched(wait)
    for id_ in "cd":
        await scene.say(id_, *(f"{id_}{n}" for n in range(30)))
    scene.clock.advance(seconds=60)
    runner = scene.runner(fold, config=WorkerConfig(concurrency=1, batch=10))
    running = asyncio.create_task(runner.run())
    await begun.wait()
    runner.stop()
    go_on.set()
    await asyncio.wait_for(running, 5)
    assert len(fold.steps) == 1
    assert sorted([await scene.seen("c"), await scene.seen("d")]) == [0, 10]


async def test_a_runner_that_is_idle_stops_at_once() -> None:
    scene = Scene()
    runner = scene.runner(Ids())
    running = asyncio.create_task(runner.run())
    await asyncio.sleep(0.01)
    runner.stop()
    await asyncio.wait_for(running, 1)


async def test_one_worker_at_a_time_takes_a_dear_step() -> None:
    scene = Scene()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_: Sequence[Message]) -> None:
        begun.set()
        await go_on.wait()

    first, second = Dear(wait), Dear(wait)
    await scene.say("c", "a")
    scene.clock.advance(seconds=2)
    running = asyncio.create_task(scene.runner(first).run(until_idle=True))
    await begun.wait()
    await scene.pass_by(scene.runner(second), 30)
    go_on.set()
    await asyncio.wait_for(running, 5)
    assert (first.steps, second.steps) == ([["a"]], [])


class Died(BaseException):
    """The process ends here."""


async def test_the_lease_of_a_worker_that_died_ends_by_itself() -> None:
    scene = Scene()

    async def die(_: Sequence[Message]) -> None:
        raise Died

    async def work(_: Sequence[Message]) -> None:
        pass

    await scene.say("c", "a")
    scene.clock.advance(seconds=2)
    with pytest.raises(Died):
        await scene.runner(Dear(die)).run()
    fold = Dear(work)
    runner = scene.runner(fold)
    await scene.pass_by(runner, 59)
    assert fold.steps == []
    await scene.pass_by(runner, 5)
    assert fold.steps == [["a"]]


async def test_a_step_that_outlasts_a_stop_is_broken_off_and_its_lease_given_back() -> None:
    scene, begun = Scene(), asyncio.Event()

    async def hang(_: Sequence[Message]) -> None:
        begun.set()
        await asyncio.sleep(60)

    async def work(_: Sequence[Message]) -> None:
        pass

    await scene.say("c", "a")
    scene.clock.advance(seconds=2)
    slow = scene.runner(Dear(hang), config=WorkerConfig(stop_s=0.01))
    running = asyncio.create_task(slow.run())
    await begun.wait()
    slow.stop()
    await asyncio.wait_for(running, 10)
    fold = Dear(work)
    await scene.pass_by(scene.runner(fold), 5)
    assert fold.steps == [["a"]]


async def test_a_lease_is_given_back_when_the_turn_is_over() -> None:
    async def work(_: Sequence[Message]) -> None:
        pass

    scene, first, second = Scene(), Dear(work), Dear(work)
    await scene.say("c", "a")
    await scene.pass_by(scene.runner(first), 2)
    await scene.say("c", "b")
    await scene.pass_by(scene.runner(second), 2)
    assert (first.steps, second.steps) == ([["a"]], [["b"]])


async def test_between_looks_at_everything_only_what_was_touched_is_looked_at_and_a_failure_is_tried_at_its_time() -> None:
    store = Away()
    scene = Scene(store)
    watch, tried = failing(4)
    await scene.say("old", "a")
    scene.clock.advance(seconds=3600)
    fold = Watched(watch)

    async def passing(seconds: float) -> None:
        scene.clock.advance(seconds=max(seconds, 0.1))
        await asyncio.sleep(0)
        if fold.steps:
            runner.stop()

    runner = Runner(store, [fold], config=WorkerConfig(backoff_s=10.0), clock=scene.clock, sleep=passing, random=Random(7))
    began = scene.clock()
    await asyncio.wait_for(runner.run(), 10)
    assert len(tried) == 5
    assert scene.clock() - began < 160_000_000  # four rests of 10 s and more, and nothing beside them
    assert store.since[0] == 0
    assert min(store.since[1:]) > began - 3600 * 1_000_000
    assert fold.steps == [["a"]]


async def test_a_store_that_is_away_is_no_failure_of_a_conversation() -> None:
    store = Away()
    scene, fold = Scene(store), Ids()
    runner = scene.runner(fold)
    await scene.say("c", "a")
    store.away = True
    await scene.pass_by(runner, 2)
    store.away = False
    await scene.pass_by(runner, 30)
    assert fold.steps == [["a"]]


async def test_no_more_is_asked_of_the_store_than_the_poll_allows() -> None:
    store = Away()
    scene = Scene(store)
    passed = 0

    async def sleep(seconds: float) -> None:
        nonlocal passed
        passed += 1
        scene.clock.advance(seconds=seconds)
        await asyncio.sleep(0)
        if passed == 20:
            runner.stop()

    runner = Runner(store, [Ids()], config=WorkerConfig(poll_s=3.0), clock=scene.clock, sleep=sleep)
    began = scene.clock()
    await asyncio.wait_for(runner.run(), 5)
    assert store.asked <= (scene.clock() - began) / 3_000_000 + 2
    assert store.asked >= 5
