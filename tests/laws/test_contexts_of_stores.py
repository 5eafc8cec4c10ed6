"""Laws 7, 8, 9, 11 and 13 through every store: turn by turn, with small budgets, and by several writers at once."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import msgspec
import pytest

from support.context_checks import check_budget, check_coverage, check_tools
from support.kinds import ALL, SHARED
from support.random_logs import COUNT, POOL
from turnlog import (
    BudgetTooSmall,
    Context,
    Conversation,
    HeadMoved,
    Message,
    Settings,
    Turnlog,
    assistant,
    connect,
    formats,
    user,
)
from turnlog.context.planner_state import View
from turnlog.context.policy import ContextPolicy
from turnlog.context.sections import Memory
from turnlog.ids import uuid7
from turnlog.log.assembly import COMPACTIONS_KEPT, FOLD
from turnlog.store import Store
from turnlog.stores.ram import RamStore

OPTIONS: dict[str, Any] = {"policy": "window", "budget": 600}
every_store = pytest.mark.parametrize("store", ALL)


class Watched:
    """A store, and the names of the calls that it got; `before` may do something right before one of a name."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.calls: list[str] = []
        self.before: dict[str, Callable[[], Awaitable[Any]]] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        return self._watching(name, found) if callable(found) else found

    def _watching(self, name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any, **named: Any) -> Any:
            self.calls.append(name)
            if first := self.before.pop(name, None):
                await first()
            return await method(*arguments, **named)

        return call

    def take(self) -> list[str]:
        """The calls since the last time."""
        taken, self.calls = self.calls, []
        return taken


class Desk:
    """A log whose store is watched, counted a token a character, and another handle on the same data."""

    def __init__(self, log: Turnlog, other: Turnlog) -> None:
        self.watched = Watched(log.store)
        log._engine.store = self.watched  # type: ignore[assignment]
        log._engine.count_tokens = other._engine.count_tokens = COUNT
        self.log, self.other = log, other

    async def talk(self, turns: int = 0, **header: Any) -> Conversation:
        """A conversation with so many turns of 100 tokens."""
        conversation = await self.log.create(**header)
        for turn in range(turns):
            await conversation.append(
                user(f"question {turn:03} ".ljust(46, ".")), assistant(f"answer {turn:03} ".ljust(46, "."))
            )
        self.watched.take()
        return conversation

    def elsewhere(self, conversation: Conversation) -> Conversation:
        return self.other.conversation(conversation.id)


@asynccontextmanager
async def desk(url: str, tenant: str) -> AsyncIterator[Desk]:
    settings = Settings(tenant=tenant)
    async with connect(url, settings=settings) as log:
        other = (
            Turnlog(RamStore(log.store.logs), settings)
            if isinstance(log.store, RamStore)
            else connect(url, settings=settings)
        )
        async with other:
            yield Desk(log, other)


def sent(context: Context) -> list[bytes]:
    """Each message as a provider gets it."""
    return [msgspec.json.encode(item) for item in context.render("openai")["messages"]]


def lasting(context: Context) -> list[bytes]:
    """Those of them that are the beginning of the next context, unless there is a compaction."""
    rendered = formats.render(context.messages[: context.stable], "openai")
    return [msgspec.json.encode(item) for item in rendered["messages"]]


async def check(conversation: Conversation, context: Context, budget: int) -> None:
    """Laws 7, 8 and 9, by the whole log."""
    log = [record async for page in conversation.pages() for record in page.records]
    seen = View(context.header, log[: context.header.head])
    check_budget(context, ContextPolicy(budget_tokens=budget), 3)
    check_tools(context, seen)
    check_coverage(context, seen)


def some_messages(rng: Random) -> list[Message]:
    chosen = [rng.choice(POOL) for _ in range(rng.randint(1, 3))]
    return [msgspec.structs.replace(message, id=uuid7()) for message in chosen]


@every_store
@pytest.mark.parametrize("seed", [1, 2])
def test_laws_7_8_9_13_hold_turn_by_turn(store: str, store_url: str, tenant: str, seed: int) -> None:
    async def play() -> None:
        rng, before, shown = Random(seed), None, 0
        async with desk(store_url, tenant) as at:
            conversation = await at.talk()
            for _ in range(40):
                at.watched.take()
                try:
                    context = (await conversation.turn(*some_messages(rng), **OPTIONS)).context
                except BudgetTooSmall:
                    before = None
                    continue
                shown += 1
                calls = at.watched.take()
                assert calls.count("recent") <= 2, "one reading, and one more when much of it is not shown"
                assert calls.count("save_snapshot") == (context.compaction is not None)
                await check(conversation, context, 600)
                if before is not None and context.compaction is None:
                    assert sent(context)[: len(before)] == before
                before = lasting(context)
                again = await at.elsewhere(conversation).context(**OPTIONS)
                assert (again.records, again.compaction) == (context.records, None)
        assert shown >= 10

    asyncio.run(play())


@every_store
def test_a_context_is_one_read_and_a_compaction_one_write_more(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk()
            compactions = 0
            for turn in range(30):
                done = await conversation.turn(user("q" * 46), assistant("a" * 46), **OPTIONS)
                first = at.watched.take()
                assert (await conversation.context(**OPTIONS)).records == done.context.records
                assert at.watched.take() == ["recent"]
                compactions += done.context.compaction is not None
                assert len(first) == 2 + (done.context.compaction is not None), turn
            assert 5 <= compactions <= 15

    asyncio.run(play())


@every_store
def test_law_12_what_no_window_shows_is_not_read(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=40)
            context = await conversation.context(**OPTIONS)
            found = await at.watched.store.recent(conversation.key, tokens=10_000, limit=5000, folds=[FOLD])
            assert found.records[0].seq == context.coverage.window_from

    asyncio.run(play())


OTHER_PROCESS = """
import asyncio, sys, msgspec, turnlog
from support.random_logs import COUNT

async def main(url, tenant, name):
    async with turnlog.connect(url, settings=turnlog.Settings(tenant=tenant)) as log:
        log._engine.count_tokens = COUNT
        context = await log.conversation(name).context(policy="window", budget=600)
        assert context.compaction is None
        sys.stdout.buffer.write(msgspec.json.encode(context.render("openai")["messages"]))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("store", SHARED)
def test_law_13_another_process_goes_on_with_the_same_prefix(store: str, store_url: str, tenant: str) -> None:
    async def play() -> tuple[str, bytes]:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=12)
            assert (await conversation.context(**OPTIONS)).compaction
            context = (await conversation.turn(user("one more"), **OPTIONS)).context
            return conversation.id, b"[" + b",".join(sent(context)) + b"]"

    name, expected = asyncio.run(play())
    program = [sys.executable, "-c", OTHER_PROCESS, store_url, tenant, name]
    done = subprocess.run(program, capture_output=True, timeout=60, env={"PYTHONPATH": ":".join(filter(None, sys.path))})
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == expected


SECRET = "the code is 7391"


@every_store
def test_law_11_what_was_erased_is_in_no_later_context(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=10)
            await conversation.append(user(SECRET), assistant("noted"))
            knowing = Memory(
                {"facts": [SECRET], "profile": ["name: Ann"], "summary": [f"They said: {SECRET}"]}, summary_to=15
            )
            options = {
                "policy": {"preset": "window", "sections": {"profile": 0.1, "facts": 0.2, "summary": 0.2}},
                "budget": 900,
            }
            known = await conversation.context(**options, memory=knowing)
            assert [part.name for part in known.compaction.sections] == ["profile", "facts", "summary"]
            assert sum(SECRET in text for text in map(bytes.decode, sent(known))) == 3
            fork = at.log.conversation((await conversation.fork()).id)
            await fork.context(**options, memory=knowing)
            await at.elsewhere(conversation).redact(21)
            for handle in (conversation, at.elsewhere(conversation), fork):
                for memory in (Memory(), Memory({"profile": ["name: Ann"]})):
                    after = await handle.context(**options, memory=memory)
                    assert SECRET not in b"".join(sent(after)).decode()
                    assert [left.reason for left in after.coverage.dropped] == ["redacted"]
                    assert not any("no longer" in text.decode() for text in sent(after))
                kept = await at.watched.load_snapshot(handle.key, *FOLD)
                assert kept is None or SECRET.encode() not in kept.state

    asyncio.run(play())


@every_store
def test_law_11_an_erasure_beside_a_compaction_leaves_nothing_behind(store: str, store_url: str, tenant: str) -> None:
    """Erased between the two readings of a policy that needs two, and between the reading and the writing."""

    async def play(before: str) -> None:
        async with desk(store_url, tenant) as at:
            at.log._engine.policy = ContextPolicy(budget_tokens=300, sections={})
            wide = {"sections": {"facts": 0.2}, "budget_tokens": 900}
            conversation = await at.talk(turns=20, metadata={"context_policy": wide})
            await conversation.append(user(SECRET))
            await conversation.context(memory=Memory({"facts": [SECRET]}))
            await conversation.append(*(user(f"{n}".ljust(96, ".")) for n in range(8)))
            at.watched.take()

            async def erase() -> None:
                await at.elsewhere(conversation).redact(41)

            async def erase_at_the_second() -> None:
                at.watched.before[before] = erase

            if before == "recent":
                at.watched.before["recent"] = erase_at_the_second
            else:
                at.watched.before[before] = erase
            await conversation.context(policy={"pinned": [3]}, memory=Memory({"facts": ["clean"]}))
            assert (await conversation.engine.store.get(conversation.key)).epoch == 1
            kept = await at.watched.load_snapshot(conversation.key, *FOLD)
            assert kept is not None
            assert SECRET.encode() not in kept.state

    asyncio.run(play("save_snapshot"))
    asyncio.run(play("recent"))


@every_store
def test_law_13_a_fork_begins_anew_and_leaves_its_parent_alone(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            parent = await at.talk(turns=12)
            first = await parent.context(**OPTIONS)
            fork = await parent.fork(at=9)
            for handle in (fork, await fork.fork()):
                for turn in range(10):
                    done = await handle.turn(user(f"{handle.id} {turn}"), assistant("a" * 80), **OPTIONS)
                    await check(handle, done.context, 600)
            again = await parent.context(**OPTIONS)
            assert (again.records, again.compaction) == (first.records, None)

    asyncio.run(play())


@every_store
def test_law_13_each_policy_keeps_a_prefix_of_its_own(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=4)
            budgets = [500, 700]
            before: dict[int, list[bytes]] = {}
            moved = dict.fromkeys(budgets, 0)
            for turn in range(20):
                await conversation.append(user(f"q{turn}".ljust(46)), assistant("a" * 46))
                for budget in budgets:
                    context = await conversation.context(policy="window", budget=budget)
                    await check(conversation, context, budget)
                    if context.compaction is None and budget in before:
                        assert sent(context)[: len(before[budget])] == before[budget]
                    moved[budget] += context.compaction is not None
                    before[budget] = lasting(context)
            assert all(1 <= times <= 10 for times in moved.values()), moved

    asyncio.run(play())


@every_store
def test_more_policies_than_are_kept_compact_anew_and_hold_the_laws(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=20)
            for _ in range(2):
                for budget in range(400, 400 + 50 * (COMPACTIONS_KEPT + 2), 50):
                    context = await conversation.context(policy="window", budget=budget)
                    assert context.compaction is not None
                    await check(conversation, context, budget)
                    assert (await conversation.context(policy="window", budget=budget)).compaction is None
            kept = await at.watched.load_snapshot(conversation.key, *FOLD)
            assert len(msgspec.json.decode(kept.state)) == COMPACTIONS_KEPT

    asyncio.run(play())


@every_store
def test_a_policy_of_the_conversation_may_have_a_bigger_budget(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            at.log._engine.policy = ContextPolicy(budget_tokens=300, sections={})
            conversation = await at.talk(turns=30, metadata={"context_policy": {"budget_tokens": 1500}})
            first = await conversation.context()
            assert first.tokens > 700
            assert at.watched.take() == ["recent", "recent", "save_snapshot"]
            await check(conversation, first, 1500)
            then = await conversation.turn(user("next"))
            assert (then.context.compaction, sent(then.context)[: first.stable]) == (None, lasting(first))
            small = await conversation.context(budget=200)
            await check(conversation, small, 200)

    asyncio.run(play())


@every_store
def test_law_8_holds_by_the_counter_of_another_model(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=60)
            context = await conversation.context(policy="window", budget=400, model="claude-sonnet-4")
            counted = [at.log._engine.request({"model": "claude-sonnet-4"}).count(message) for message in context.messages]
            assert sum(counted) <= context.tokens <= 400
            then = (await conversation.turn(user("next"), policy="window", budget=400, model="claude-sonnet-4")).context
            assert then.compaction is not None or sent(then)[: context.stable] == lasting(context)

    asyncio.run(play())


@every_store
def test_law_13_who_compacts_second_goes_on_from_the_first(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=9)
            found: list[Context] = []

            async def another_turn() -> None:
                done = await at.elsewhere(conversation).turn(user("meanwhile".ljust(96)), **OPTIONS)
                found.append(done.context)

            at.watched.before["save_snapshot"] = another_turn
            second = await conversation.context(**OPTIONS)
            (first,) = found
            assert first.compaction is not None
            assert (second.compaction, sent(second)) == (None, sent(first))
            assert (await at.elsewhere(conversation).context(**OPTIONS)).records == second.records

    asyncio.run(play())


@every_store
def test_law_13_workers_that_plan_at_the_same_time_agree(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=12)
            handles = [conversation, at.elsewhere(conversation)] * 3
            contexts = await asyncio.gather(*(handle.context(**OPTIONS) for handle in handles))
            assert len({tuple(sent(context)) for context in contexts}) == 1
            turns = await asyncio.gather(*(handle.turn(user(f"w{n}"), **OPTIONS) for n, handle in enumerate(handles)))
            final = await conversation.context(**OPTIONS)
            for turn in turns:
                await check(conversation, turn.context, 600)
                assert turn.appended.head <= turn.context.header.head
                assert turn.context.records[-1].seq == turn.context.header.head
                assert sent(final)[: len(sent(turn.context))] == sent(turn.context)

    asyncio.run(play())


@every_store
@pytest.mark.parametrize("moment", ["append", "recent"])
def test_a_turn_beside_another_writer_shows_both(store: str, store_url: str, tenant: str, moment: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=2)

            async def another() -> None:
                if moment == "append":
                    await asyncio.sleep(0.05)
                await at.elsewhere(conversation).append(user("in between"))

            at.watched.before[moment] = another
            done = await conversation.turn(user("mine"), **OPTIONS)
            stored = await conversation.messages()
            assert {message.text for message in stored[4:]} == {"in between", "mine"}
            texts = [message.text for message in done.context.messages]
            assert texts == [message.text for message in stored][: len(texts)]
            assert "mine" in texts
            assert [record.seq for record in done.context.records] == list(range(1, len(texts) + 1))

    asyncio.run(play())


@every_store
def test_law_3_a_turn_repeated_stores_nothing_and_shows_the_same(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=12)
            said = [user("once"), assistant("only")]
            first = await conversation.turn(*said, idempotency_key="k", **OPTIONS)
            again = await at.elsewhere(conversation).turn(*said, idempotency_key="k", **OPTIONS)
            assert again.appended.replayed
            assert again.appended.seqs == first.appended.seqs == (25, 26)
            assert [record.body for record in again.context.records] == [record.body for record in first.context.records]
            both = [conversation, at.elsewhere(conversation)]
            turns = await asyncio.gather(*(one.turn(user("twin"), idempotency_key="t", **OPTIONS) for one in both))
            assert sorted(turn.appended.stored for turn in turns) == [0, 1]
            assert len({tuple(sent(turn.context)) for turn in turns}) == 1
            assert (await conversation.info()).head == 27

    asyncio.run(play())


@every_store
def test_law_5_a_turn_that_is_refused_stores_nothing(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            conversation = await at.talk(turns=12)
            with pytest.raises(HeadMoved):
                await conversation.turn(user("late"), expect_head=3, **OPTIONS)
            assert (await conversation.info()).head == 24
            assert await at.watched.load_snapshot(conversation.key, *FOLD) is None

    asyncio.run(play())
