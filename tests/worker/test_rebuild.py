"""Rebuilds: the new state is what a replay makes, the old one serves meanwhile, and what was done stays done."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from support.kinds import ALL
from support.sample_folds import Ids, Watched
from turnlog import Conversation, ConversationNotFound, Message, Settings, Turnlog, assistant, connect, user
from turnlog.fold import catch_up, replay, state_of
from turnlog.jsonl import every_header
from turnlog.memory.defaults import default_folds
from turnlog.store import Key, Snapshot
from turnlog.stores.ram import RamStore
from turnlog.worker import Change, Difference, rebuild
from turnlog.worker.diff import diff
from turnlog.worker.rebuild import Failed, Rebuilt, Run, begin_run, end_run, rebuild_each

PAGES = 200


class Stop(BaseException):
    """The process ends here."""


class Loud(Ids):
    """Another state from the same messages, under the same name and version."""

    def initial(self) -> list[str]:
        return []

    async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
        await super().step(state, messages)
        return state + [message.id.upper() for message in messages]


def stopping(at: int) -> Callable[[Sequence[Message]], object]:
    """Ends the process in step number `at`."""
    steps = 0

    async def watch(_: Sequence[Message]) -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            raise Stop

    return watch


def messages(count: int, name: str = "m") -> list[Message]:
    return [user(f"{name}{n}", id=f"{name}{n}") for n in range(count)]


async def fill(log: Turnlog, count: int, name: str = "c") -> Key:
    """A conversation of so many messages."""
    conversation = await log.create(id=name)
    said = messages(count, name)
    for at in range(0, count, 1000):
        await conversation.append(*said[at : at + 1000])
    return Key(log.tenant, name)


async def all_ids(log: Turnlog) -> AsyncIterator[str]:
    async for header in every_header(log):
        yield header.id


async def state(log: Turnlog, key: Key, fold: Ids) -> list[str]:
    found = await log.store.load_snapshot(key, fold.name, fold.version)
    return state_of(fold, found.state) if found else []


@pytest.fixture
async def log(store_url: str, tenant: str) -> AsyncIterator[Turnlog]:
    async with connect(store_url, settings=Settings(tenant=tenant)) as opened:
        yield opened


@pytest.fixture
async def ram() -> AsyncIterator[Turnlog]:
    async with Turnlog(RamStore()) as opened:
        yield opened


@pytest.mark.parametrize("store", ALL)
async def test_a_rebuilt_state_is_that_of_a_replay_and_takes_the_old_ones_place(log: Turnlog) -> None:
    key = await fill(log, 450)
    await catch_up(log.store, key, Ids())
    fold = Loud()
    done = await rebuild(log.store, key, fold)
    assert (done.watermark, done.folded, done.earlier) == (450, 450, False)
    assert (done.difference.added, done.difference.removed, done.difference.changed) == (450, 450, 0)
    assert await log.store.load_snapshot(key, "ids", 1) == await replay(log.store, key, fold)
    assert not (await rebuild(log.store, key, fold)).difference


@pytest.mark.parametrize("store", ALL)
async def test_the_old_state_serves_until_the_new_one_has_seen_everything(log: Turnlog) -> None:
    key = await fill(log, 450)
    await catch_up(log.store, key, Ids())
    seen = []

    class Looking(Loud):
        def initial(self) -> list[str]:
            return []

        async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
            found = await log.store.load_snapshot(key, "ids", 1)
            seen.append((found.watermark, state_of(Ids(), found.state)[0]) if found else None)
            return await super().step(state, messages)

    await rebuild(log.store, key, Looking())
    assert seen == [(450, "c0")] * 3
    assert (await state(log, key, Ids()))[0] == "C0"


@pytest.mark.parametrize("store", ALL)
async def test_a_rebuild_that_was_killed_goes_on_where_it_was(log: Turnlog) -> None:
    key = await fill(log, 1000)
    await catch_up(log.store, key, Ids())
    with contextlib.suppress(Stop):
        await rebuild(log.store, key, Watched(stopping(4)), run="r")
    fold = Ids()
    done = await rebuild(log.store, key, fold, run="r")
    assert (done.watermark, done.folded) == (1000, 400)
    assert await state(log, key, fold) == [f"c{n}" for n in range(1000)]
    assert (await rebuild(log.store, key, fold, run="r")).earlier
    assert (await rebuild(log.store, key, fold, run="another")).folded == 1000


class Crashing(RamStore):
    """A store on the data of another one, whose process ends before its call number `at`, or right after it; or where
    something is done `meanwhile`.
    """

    def __init__(self, data: RamStore, at: int, *, after: bool = False, meanwhile: Callable[[], Any] | None = None) -> None:
        vars(self).update(vars(data))
        self.at, self.after, self.meanwhile, self.calls = at, after, meanwhile, 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in ("get", "read", "recent", "load_snapshot", "save_snapshot"):
            return found

        async def call(*args: Any, **options: Any) -> Any:
            here, self.calls = self.calls == self.at, self.calls + 1
            if here and self.meanwhile is not None:
                await self.meanwhile()
            elif here and not self.after:
                raise Stop
            answer = await found(*args, **options)
            if here and self.after:
                raise Stop
            return answer

        return call


@pytest.mark.parametrize("after", [False, True])
async def test_law_10_a_crash_anywhere_leaves_the_old_state_or_the_new_one_and_can_be_gone_on_from(after: bool) -> None:
    at, crashed = 0, True
    while crashed:
        async with Turnlog(RamStore()) as log:
            assert isinstance(log.store, RamStore)
            key = await fill(log, 450)
            old = await catch_up(log.store, key, Ids())
            right = await replay(log.store, key, Loud())
            crashed = False
            try:
                await rebuild(Crashing(log.store, at, after=after), key, Loud(), run="r")
            except Stop:
                crashed = True
            assert await log.store.load_snapshot(key, "ids", 1) in (old, right)
            await rebuild(log.store, key, Loud(), run="r")
            assert await log.store.load_snapshot(key, "ids", 1) == right
        at += 1
    assert at > 10


async def test_law_11_an_erasure_anywhere_leaves_no_byte_of_what_was_erased() -> None:
    for at in range(16):
        async with Turnlog(RamStore()) as log:
            assert isinstance(log.store, RamStore)
            conversation = await log.create(*messages(420), user("xyzzy", id="last"), id="c")
            key = Key(log.tenant, "c")

            async def erase(conversation: Conversation = conversation) -> None:
                await conversation.redact(421)

            class Texts(Loud):
                def initial(self) -> list[str]:
                    return []

                async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
                    return state + [message.text for message in messages]

            await catch_up(log.store, key, Ids())  # another state, so that there is something to swap
            crashing = Crashing(log.store, at, meanwhile=erase)
            await rebuild(crashing, key, Texts(), run="r")
            if crashing.calls <= at:
                break
            for name in ("ids", "ids.rebuild"):
                found = await log.store.load_snapshot(key, name, 1)
                assert found is None or b"xyzzy" not in found.state
            await rebuild(log.store, key, Texts(), run="r")
            assert await log.store.load_snapshot(key, "ids", 1) == await replay(log.store, key, Texts())
    assert at == 10  # get, load, three reads, two saves of the scratch, look, swap, mark


@pytest.mark.parametrize("store", ALL)
async def test_law_11_an_erasure_in_the_middle_begins_the_conversation_anew(log: Turnlog) -> None:
    key = await fill(log, 450)
    with contextlib.suppress(Stop):
        await rebuild(log.store, key, Watched(stopping(3)), run="r")
    await log.conversation("c").redact(7)
    assert await log.store.load_snapshot(key, "ids.rebuild", 1) is None
    steps = 0

    async def erasing(_: Sequence[Message]) -> None:
        nonlocal steps
        steps += 1
        if steps == 2:
            await log.conversation("c").redact(8)

    fold = Watched(erasing)
    done = await rebuild(log.store, key, fold, run="r")
    assert (done.watermark, done.folded) == (450, 400 + 450)
    assert await log.store.load_snapshot(key, "ids", 1) == await replay(log.store, key, Ids())


async def test_a_dry_run_tells_the_difference_and_stores_nothing(ram: Turnlog) -> None:
    key = await fill(ram, 450)
    await catch_up(ram.store, key, Ids())
    done = await rebuild(ram.store, key, Loud(), dry_run=True, run="r")
    assert done.difference.added == 450
    assert await ram.store.load_snapshot(key, "ids.rebuild", 1) is None
    assert (await state(ram, key, Ids()))[0] == "c0"


async def test_a_state_that_has_gone_on_meanwhile_is_not_set_back(ram: Turnlog) -> None:
    key = await fill(ram, 300)
    await catch_up(ram.store, key, Ids())

    class Busy(RamStore):
        """Somebody speaks and a worker folds it right before the new state is compared with the old one."""

        said = 0

        async def recent(self, key: Key, **options: object) -> object:  # type: ignore[override]
            if self.said < 3:
                self.said += 1
                await log.conversation("c").append(user("x", id=f"x{self.said}"))
                await catch_up(ram.store, key, Ids())
            return await super().recent(key, **options)  # type: ignore[arg-type]

    busy = Busy()
    vars(busy).update(vars(ram.store))
    log = ram
    done = await rebuild(busy, key, Loud())
    assert done.watermark == 303
    assert await state(ram, key, Ids()) == [f"C{n}" for n in range(300)] + ["X1", "X2", "X3"]


async def test_a_state_saved_between_comparing_and_swapping_is_not_overwritten(ram: Turnlog) -> None:
    key = await fill(ram, 10)
    await catch_up(ram.store, key, Ids())

    class Racing(RamStore):
        raced = False

        async def save_snapshot(self, key: Key, fold: str, version: int, snapshot: Snapshot, **options: int) -> None:
            if fold == "ids" and not self.raced:
                self.raced = True
                await ram.conversation("c").append(user("x", id="x"))
                await catch_up(ram.store, key, Ids())
            await super().save_snapshot(key, fold, version, snapshot, **options)

    racing = Racing()
    vars(racing).update(vars(ram.store))
    done = await rebuild(racing, key, Loud())
    assert done.watermark == 11
    assert (await state(ram, key, Ids()))[-1] == "X"


async def test_the_state_of_an_older_version_is_what_a_new_one_is_compared_with(ram: Turnlog) -> None:
    key = await fill(ram, 3)
    await catch_up(ram.store, key, Ids())
    fold = Ids(version=2)
    done = await rebuild(ram.store, key, fold)
    assert not done.difference
    assert await state(ram, key, Ids()) == await state(ram, key, fold)


async def test_nothing_of_a_finished_rebuild_is_left_over(ram: Turnlog) -> None:
    key = await fill(ram, 450)
    await rebuild(ram.store, key, Ids())
    scratch = await ram.store.load_snapshot(key, "ids.rebuild", 1)
    assert scratch is not None
    assert b"c0" not in scratch.state
    empty = await fill(ram, 0, "empty")
    assert (await rebuild(ram.store, empty, Ids())).watermark == 0
    assert await ram.store.load_snapshot(empty, "ids", 1) is None


async def test_a_run_goes_on_with_what_is_not_done_and_a_finished_one_begins_anew(ram: Turnlog) -> None:
    for n in range(20):
        await fill(ram, 5, f"c{n}")
    fold = Ids()

    async def go(run: Run, fold: Ids) -> list[Rebuilt | Failed]:
        told: list[Rebuilt | Failed] = []
        await rebuild_each(ram.store, ram.tenant, fold, all_ids(ram), run=run.id, tell=told.append, concurrency=2)
        return told

    first = await begin_run(ram.store, ram.tenant, fold, "all", now=1)
    with pytest.raises(Stop):
        await go(first, Watched(stopping(8)))
    again = await begin_run(ram.store, ram.tenant, fold, "all", now=2)
    assert (again.id, again.resumed) == (first.id, True)
    told = await go(again, fold)
    assert sum(isinstance(each, Rebuilt) and each.earlier for each in told) >= 6
    assert len(told) == 20
    await end_run(ram.store, fold, again)
    third = await begin_run(ram.store, ram.tenant, fold, "all", now=3)
    assert (third.id != first.id, third.resumed) == (True, False)
    anew = await begin_run(ram.store, ram.tenant, fold, "all", now=4, restart=True)
    assert anew.id != third.id
    await end_run(ram.store, fold, third)  # too late: another was begun
    assert (await begin_run(ram.store, ram.tenant, fold, "all", now=5)).id == anew.id


async def test_two_runs_on_one_conversation_both_come_to_the_end(ram: Turnlog) -> None:
    key = await fill(ram, 2000)

    async def slowly(_: Sequence[Message]) -> None:
        await asyncio.sleep(0)

    both = await asyncio.gather(
        *(rebuild(ram.store, key, Watched(slowly), run=run) for run in ("one", "other")),
    )
    assert [done.watermark for done in both] == [2000, 2000]
    assert sum(done.folded for done in both) <= 4 * 2000


async def test_a_conversation_that_fails_keeps_its_state_and_does_not_stop_the_others(ram: Turnlog) -> None:
    for n in range(3):
        await catch_up(ram.store, await fill(ram, 2, f"c{n}"), Ids())

    async def watch(messages: Sequence[Message]) -> None:
        if messages[0].id == "c10":
            raise ValueError("cannot")

    told: list[Rebuilt | Failed] = []
    await rebuild_each(ram.store, ram.tenant, Watched(watch), all_ids(ram), tell=told.append)
    assert [each for each in told if isinstance(each, Failed)] == [Failed("c1", "ValueError: cannot")]
    assert len(told) == 3
    assert await state(ram, Key(ram.tenant, "c1"), Ids()) == ["c10", "c11"]


async def test_a_conversation_that_is_gone_is_an_error_alone_and_left_out_of_many(ram: Turnlog) -> None:
    with pytest.raises(ConversationNotFound):
        await rebuild(ram.store, Key(ram.tenant, "nobody"), Ids())

    async def ids() -> AsyncIterator[str]:
        yield "nobody"

    told: list[Rebuilt | Failed] = []
    await rebuild_each(ram.store, ram.tenant, Ids(), ids(), tell=told.append)
    assert told == []


@pytest.mark.parametrize("store", ALL)
async def test_every_conversation_is_listed_once_also_one_that_moves(log: Turnlog) -> None:
    for n in range(PAGES + 30):
        await log.create(user("a"), id=f"c{n}")
    found = []
    async for header in every_header(log):
        if len(found) == 5:
            await log.conversation("c0").append(user("b"))  # listed last until now
            await log.create(user("new"), id="new")
        found.append(header.id)
    assert sorted(found) == sorted(f"c{n}" for n in range(PAGES + 30))


@pytest.mark.parametrize("store", ALL)
async def test_what_is_known_of_the_user_follows_the_rebuilt_state(log: Turnlog) -> None:
    said = (user("I live in Lisbon."), assistant("Nice."), user("My name is Ana."))
    conversation = await log.create(*said, user_id="ana")
    key = Key(log.tenant, conversation.id)
    await conversation.catch_up()
    right = await log.user("ana").memory()
    knowledge = next(fold for fold in default_folds() if fold.name == "knowledge")
    good = await log.store.load_snapshot(key, "knowledge", 1)
    assert good is not None
    for wrong in (b"Aisbon", b"Zisbon"):  # whichever of the two would win a merge
        bad = Snapshot(3, good.epoch, good.state.replace(b"Lisbon", wrong))
        await knowledge.share_anew(log.store, key, await log.store.get(key), bad)  # type: ignore[attr-defined]
        await log.store.save_snapshot(key, "knowledge", 1, bad, expect_watermark=3)
        assert wrong.decode() in {fact.value for fact in (await log.user("ana").memory()).facts}
        done = await rebuild(log.store, key, knowledge)
        assert (done.difference.added, done.difference.removed) == (2, 2), "a fact and an entity"
        assert (await log.user("ana").memory()).facts == right.facts


def test_a_difference_tells_what_came_went_and_changed() -> None:
    before = b'{"facts":[{"text":"a","n":1},{"text":"b"},{"text":"c"}],"name":{"text":"Ana"},"deep":{"x":1},"same":[1,1]}'
    after = b'{"facts":[{"text":"c"},{"text":"a","n":2},{"text":"d"}],"topic":"t","deep":{"x":2},"same":[1,1]}'
    assert diff(before, after) == Difference(
        2,
        2,
        2,
        (
            Change("changed", "facts", {"text": "a", "n": 1}, {"text": "a", "n": 2}),
            Change("removed", "facts", {"text": "b"}),
            Change("added", "facts", None, {"text": "d"}),
            Change("removed", "name", {"text": "Ana"}),
            Change("changed", "deep.x", 1, 2),
            Change("added", "topic", None, "t"),
        ),
    )


def test_a_difference_counts_all_and_tells_some() -> None:
    found = diff(None, b"[1,2,3,3]", limit=2)
    assert (found.added, len(found.changes)) == (4, 2)
    assert found.plus(found, limit=3).changes == (*found.changes, found.changes[0])
    assert (bool(diff(b"\x00", b"\x01")), diff(b"\x00", b"\x01").changed) == (True, 1)
    assert not diff(b"{}", b"{}")
    assert diff(None, b'{"a":1}').added == 1
