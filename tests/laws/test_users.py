"""Laws 10 and 11 for what is known of a user: whatever crashes, races or is erased, nothing is lost and nothing comes back.

A crash right after a call of the store leaves what a crash right before the next one leaves, so the latter are enough.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from test_folds import Crashing, crashed

from support.kinds import ALL
from support.user_homes import FOLD_OF_USERS, SECRET, Home, digest_of_candidates, homes
from turnlog import ConversationDeleted, ConversationNotFound, FactNotFound, Settings, Turnlog, user
from turnlog.fold import catch_up
from turnlog.memory.user.items import fact_id
from turnlog.store import Store
from turnlog.stores.ram import RamStore

CALLS_MAX = 60
"""More calls of the store than any one operation makes here."""
HOME = fact_id("home", "Xyzzyville", "")
every_store = pytest.mark.parametrize("store", ALL)

Act = Callable[[Turnlog, Home], Awaitable[Any]]


async def redact(log: Turnlog, home: Home) -> None:
    await log.conversation(home.secret.id).redact(1)


async def delete(log: Turnlog, home: Home) -> None:
    try:
        await log.conversation(home.secret.id).delete()
    except ConversationDeleted:
        pass


async def erase(log: Turnlog, home: Home) -> None:
    await log.user(home.name).erase()


async def archive(log: Turnlog, home: Home) -> None:
    await log.conversation(home.secret.id).update(archived=True)


async def take(log: Turnlog, home: Home) -> None:
    await home.fold(home.plain, home.secret, store=log.store)


async def gather(log: Turnlog, home: Home) -> None:
    await log.user(home.name).gather()


async def renew(log: Turnlog, home: Home) -> None:
    await log.user(home.name).renew()


async def correct(log: Turnlog, home: Home) -> None:
    await log.user(home.name).correct("lives in Porto", fact=HOME, slot="home", value="Porto")


async def forget(log: Turnlog, home: Home) -> None:
    await log.user(home.name).forget(fact_id("", "", "likes plughs in secret"))


ERASING: dict[str, Act] = {"redact": redact, "delete": delete, "erase": erase}
CHANGING: dict[str, Act] = {"archive": archive, "take": take, "gather": gather, "renew": renew, "correct": correct}


def points(store: str) -> range:
    """The calls at which to crash: with a server every third."""
    return range(0, CALLS_MAX) if store in ("ram", "sqlite") else range(1, CALLS_MAX, 4)


async def interrupted(home: Home, act: Act, at: int) -> bool:
    """Whether `act` crashed before its call number `at`; then another process has done it again."""
    ended = await crashed(act(home.on(Crashing(home.stage.first, at)), home))
    await act(home.on(home.stage.second), home)
    return ended


async def attempt(act: Act, log: Turnlog, home: Home) -> str:
    """Does it; what it was, if nobody took away meanwhile what it was about. Errors are about what a user knows of."""
    try:
        await act(log, home)
    except (ConversationNotFound, FactNotFound) as error:
        if {home.plain.id, home.secret.id, home.other.id, HOME}.isdisjoint(error.facts.values()):
            raise
        return ""
    return act.__name__


@every_store
@pytest.mark.parametrize("name", ERASING)
async def test_law_11_an_erasure_that_crashes_at_any_call_is_whole_when_repeated(
    store: str, store_url: str, tenant: str, name: str
) -> None:
    async with homes(store_url, tenant) as stage:
        for at in points(store):
            home = await Home(stage, f"user {at}").begin()
            ended = await interrupted(home, ERASING[name], at)
            await home.check_gone()
            await home.settle()
            await home.check_known()
            await home.check_gone()
            if not ended:
                break
        assert 1 < at < CALLS_MAX - 4


@every_store
@pytest.mark.parametrize("name", [*ERASING, "forget"])
async def test_law_11_an_erasure_whose_caller_is_cancelled_at_any_call_leaves_no_word(
    store: str, store_url: str, tenant: str, name: str
) -> None:
    act = ({**ERASING, "forget": forget})[name]
    async with homes(store_url, tenant) as stage:
        for at in points(store):
            home = await Home(stage, f"user {at}").begin()
            if name == "forget":
                fact = fact_id("", "", "likes plughs in secret")
                await home.log.user(home.name).correct("likes plughs in secret", fact=fact)
                await home.secret.redact(1)

            tasks: list[asyncio.Future[Any]] = []

            async def cancel(tasks: list[asyncio.Future[Any]] = tasks) -> None:
                tasks[0].cancel()

            slow = Crashing(stage.first, at, meanwhile=cancel)
            tasks.append(task := asyncio.ensure_future(act(home.on(slow), home)))
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(outcome, asyncio.CancelledError) == (slow.calls > at), outcome
            await home.check_gone()
            await home.settle()
            await home.check_known()
            await home.check_gone()
            if slow.calls <= at:
                break
        assert 1 < at < CALLS_MAX - 4


@every_store
@pytest.mark.parametrize("name", CHANGING)
async def test_law_10_a_change_that_crashes_at_any_call_is_whole_when_repeated(
    store: str, store_url: str, tenant: str, name: str
) -> None:
    async with homes(store_url, tenant) as stage:
        for at in points(store):
            home = await Home(stage, f"user {at}").begin(folded=name != "take")
            ended = await interrupted(home, CHANGING[name], at)
            await home.settle()
            known = await home.check_known()
            assert known.user_name == "Ada"
            assert (home.secret.id in known.contributions) == (name != "archive")
            assert ("lives in Porto" in [fact.text for fact in known.facts]) == (name == "correct")
            there = await digest_of_candidates(home)
            assert there is not None
            assert there.facts == tuple(fact.text for fact in known.other_facts)
            if not ended:
                break
        assert 1 < at < CALLS_MAX - 4


@every_store
async def test_law_11_a_fact_that_is_forgotten_is_gone_after_a_crash_at_any_call(
    store: str, store_url: str, tenant: str
) -> None:
    async with homes(store_url, tenant) as stage:
        for at in points(store):
            home = Home(stage, f"user {at}")
            home.plain = await home.log.create(user("I live in Lisbon."), user_id=home.name)
            await home.fold(home.plain)
            await home.log.user(home.name).correct("likes plughs in secret")
            other = await home.log.create(user("Hello."), user_id=home.name)
            assert "plughs" in str((await other.context()).messages)
            ended = await interrupted(home, forget, at)
            await home.check_gone()
            assert [fact.text for fact in (await home.check_known()).facts] == ["lives in Lisbon"]
            if not ended:
                break
        assert 1 < at < CALLS_MAX - 4


@every_store
@pytest.mark.parametrize("folded", [True, False], ids=["a book", "no book yet"])
@pytest.mark.parametrize("name", ERASING)
async def test_law_11_an_erasure_at_any_call_of_a_worker_is_whole(
    store: str, store_url: str, tenant: str, name: str, folded: bool
) -> None:
    async with homes(store_url, tenant) as stage:
        for at in points(store):
            home = await Home(stage, f"user {at}").begin(folded=folded)
            if folded:
                await home.secret.append(user("I work at Plughworks."))

            async def meanwhile(home: Home = home) -> None:
                await ERASING[name](home.on(stage.second), home)

            worker = Crashing(stage.first, at, meanwhile=meanwhile)
            try:
                await catch_up(worker, home.secret.key, FOLD_OF_USERS)  # type: ignore[arg-type]
            except ConversationNotFound:
                pass
            if worker.calls <= at:
                await meanwhile()
            if name == "redact" and folded:
                await home.log.conversation(home.secret.id).redact(3)
            await home.check_gone()
            await home.settle()
            await home.check_known()
            await home.check_gone()
            if worker.calls <= at:
                break
        assert 5 < at < CALLS_MAX - 4


@pytest.mark.parametrize("folded", [True, False], ids=["a book", "no book yet"])
@pytest.mark.parametrize("name", ERASING)
async def test_law_11_a_worker_that_dies_some_calls_after_an_erasure_has_brought_nothing_back(
    tenant: str, name: str, folded: bool
) -> None:
    async with homes("ram:", tenant) as stage:
        for at in range(12):
            for later in range(1, 12 - at):
                home = await Home(stage, f"user {at} {later}").begin(folded=folded)

                async def meanwhile(home: Home = home) -> None:
                    await ERASING[name](home.on(stage.second), home)

                worker = Crashing(Crashing(stage.first, at + later), at, meanwhile=meanwhile)  # type: ignore[arg-type]
                await crashed(take(home.on(worker), home))
                if worker.calls > at:
                    await home.check_gone()


@every_store
@pytest.mark.parametrize("name", [*ERASING, "archive"])
async def test_laws_10_and_11_a_worker_at_any_call_of_an_erasure_leaves_nothing_and_loses_nothing(
    store: str, store_url: str, tenant: str, name: str
) -> None:
    act = ERASING.get(name, archive)
    async with homes(store_url, tenant) as stage:
        for at in points(store):
            home = await Home(stage, f"user {at}").begin(folded=at % 2 == 0)

            async def meanwhile(home: Home = home) -> None:
                await take(home.on(stage.second), home)

            slow = Crashing(stage.first, at, meanwhile=meanwhile)
            await act(home.on(slow), home)
            if name != "archive":
                await home.check_gone()
            await home.settle()
            await home.check_known()
            if name != "archive":
                await home.check_gone()
            if slow.calls <= at:
                break
        assert 1 < at < CALLS_MAX - 4


@every_store
@pytest.mark.parametrize("name", ERASING)
async def test_law_11_an_erasure_at_any_call_of_a_context_leaves_nothing_that_can_be_read(
    store: str, store_url: str, tenant: str, name: str
) -> None:
    async with homes(store_url, tenant) as stage:
        for at in range(8):
            home = await Home(stage, f"user {at}").begin()
            fresh = await home.log.create(user("What do you know?"), user_id=home.name)

            async def meanwhile(home: Home = home) -> None:
                await ERASING[name](home.on(stage.second), home)

            planner = Crashing(stage.first, at, meanwhile=meanwhile)
            try:
                await home.on(planner).conversation(fresh.id).context()
            except ConversationNotFound:
                assert name == "erase"
            if planner.calls <= at:
                await meanwhile()
            await home.check_gone()


@every_store
@pytest.mark.parametrize("name", ["correct", "gather", "renew", "redact", "archive"])
async def test_law_11_a_user_who_is_erased_at_any_call_of_something_else_is_gone(
    store: str, store_url: str, tenant: str, name: str
) -> None:
    act = ({**ERASING, **CHANGING})[name]
    async with homes(store_url, tenant) as stage:
        for at in points(store):
            home = await Home(stage, f"user {at}").begin()

            async def meanwhile(home: Home = home) -> None:
                await erase(home.on(stage.second), home)

            other = Crashing(stage.first, at, meanwhile=meanwhile)
            assert await attempt(act, home.on(other), home) in (act.__name__, "")
            await erase(home.log, home)
            assert not [text for text in await home.stored() if text]
            assert (await home.log.user(home.name).memory()).history() == ()
            if other.calls <= at:
                break
        assert 1 < at < CALLS_MAX - 4


@every_store
async def test_law_11_a_conversation_that_begins_at_any_call_of_an_erasure_goes_with_it_or_stays_whole(
    store: str, store_url: str, tenant: str
) -> None:
    async with homes(store_url, tenant) as stage:
        for at in points(store):
            home = await Home(stage, f"user {at}").begin(folded=at % 2 == 0)

            async def begin(home: Home = home) -> None:
                late = await home.on(stage.second).create(user("I love jazz."), user_id=home.name)
                await home.fold(late)

            slow = Crashing(stage.first, at, meanwhile=begin)
            await erase(home.on(slow), home)
            await home.check_gone()
            known = await home.check_known()
            assert len(await home.headers()) == len(known.contributions)
            if slow.calls <= at:
                break
        assert 5 < at < CALLS_MAX - 4


@every_store
async def test_a_conversation_that_comes_back_from_the_archive_while_it_is_deleted_is_gone(
    store: str, store_url: str, tenant: str
) -> None:
    async with homes(store_url, tenant) as stage:
        for at in points(store):
            home = await Home(stage, f"user {at}").begin()

            async def back(home: Home = home) -> None:
                try:
                    await home.on(stage.second).conversation(home.secret.id).update(archived=False)
                except ConversationDeleted:
                    return
                await home.on(stage.second).conversation(home.other.id).context()

            slow = Crashing(stage.first, at, meanwhile=back)
            await delete(home.on(slow), home)
            await home.check_gone()
            await home.check_known()
            if slow.calls <= at:
                break
        assert 5 < at < CALLS_MAX - 4


@every_store
async def test_law_10_workers_on_all_of_a_users_conversations_lose_nothing(store: str, store_url: str, tenant: str) -> None:
    async with homes(store_url, tenant) as stage:
        home = Home(stage, "ada")
        texts = ["My name is Ada.", "I live in Lisbon.", "I love jazz.", "I work at Initech."]
        talks = [await home.log.create(user(text), user_id="ada") for text in texts]
        handles = [stage.first, stage.second] * 2
        await asyncio.gather(
            *(
                home.fold(talk, store=Crashing(handle, -1))
                for n, talk in enumerate(talks)
                for handle in (handles[n], handles[n - 1])
            ),
            return_exceptions=True,
        )
        await home.settle()
        known = await home.check_known()
        assert known.user_name == "Ada"
        assert [preference.text for preference in known.user_preferences] == ["jazz"]
        assert {fact.text for fact in known.other_facts} == {"lives in Lisbon", "works at Initech"}


@every_store
async def test_a_user_who_is_erased_is_gone_twice_over_and_may_come_back(store: str, store_url: str, tenant: str) -> None:
    async with homes(store_url, tenant) as stage:
        home = await Home(stage, "ada").begin()
        others = await Home(stage, "bob").begin()
        far = Home(stage, "ada")
        far.log = Turnlog(stage.first, Settings(tenant=f"{tenant}-2"), folds=[FOLD_OF_USERS])
        theirs = await far.log.create(user(SECRET), user_id="ada")
        await far.fold(theirs)
        before = await far.log.user("ada").memory()
        receipt = await home.log.user("ada").erase()
        assert (receipt.conversations, receipt.messages, receipt.preferences) == (3, 4, 1)
        assert receipt.facts == 4
        await home.check_gone()
        again = await home.log.user("ada").erase()
        assert (again.conversations, again.messages, again.facts, again.corrections) == (0, 0, 0, 0)
        assert await asyncio.gather(*(log.user("ada").erase() for log in (home.log, home.on(stage.second))))
        await others.check_known()
        assert await far.log.user("ada").memory() == before
        assert before.contributions
        back = await home.log.create(user("I love jazz."), user_id="ada")
        await home.fold(back)
        known = await home.check_known()
        assert (known.user_name, [fact.text for fact in known.facts]) == (None, ["likes jazz"])
        assert (await home.log.user("ada").erase()).conversations == 1
        assert not [text for text in await home.stored() if text]


@every_store
async def test_two_erasures_of_one_user_at_once_both_end_with_nothing(store: str, store_url: str, tenant: str) -> None:
    async with homes(store_url, tenant) as stage:
        for n in range(3):
            home = await Home(stage, f"user {n}").begin()
            receipts = await asyncio.gather(
                *(home.on(Crashing(handle, -1)).user(home.name).erase() for handle in (stage.first, stage.second))
            )
            assert sum(receipt.conversations for receipt in receipts) == 3
            assert not [text for text in await home.stored() if text]


@every_store
async def test_law_11_a_correction_that_was_taken_back_leaves_no_word(store: str, store_url: str, tenant: str) -> None:
    async with homes(store_url, tenant) as stage:
        home = await Home(stage, "ada").begin()
        person = home.log.user("ada")
        fact = await person.correct("lives in Porto", fact=HOME, slot="home", value="Porto")
        assert (fact.text, fact.corrected) == ("lives in Porto", True)
        await person.gather()
        await redact(home.log, home)
        await home.settle()
        known = await home.check_known()
        assert [it.text for it in known.other_facts] == ["lives in Porto"], "it outlives what it was made for"
        await person.forget(HOME)
        await person.forget(HOME)
        await home.secret.append(user(SECRET))
        await home.settle()
        assert [it.text for it in (await home.check_known()).other_facts] == ["lives in Lisbon"]
        assert b"Porto" not in b"".join(await home.stored())


class Shuffled:
    """A store that lets others go first, as often as chance will have it."""

    def __init__(self, store: Store, random: Random) -> None:
        self.store = store
        self.random = random

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.store, name)

        async def call(*args: Any, **options: Any) -> Any:
            for _ in range(self.random.choice((0, 1, 1, 2, 5, 12))):
                await asyncio.sleep(0)
            return await method(*args, **options)

        return call


async def context(log: Turnlog, home: Home) -> None:
    for conversation in (home.other, home.plain):
        await log.conversation(conversation.id).context()


async def say(log: Turnlog, home: Home) -> None:
    await log.conversation(home.plain.id).append(user("I work at Initech."))
    await take(log, home)


async def restore(log: Turnlog, home: Home) -> None:
    await log.conversation(home.secret.id).update(archived=False)


ACTS: list[Act] = [take, take, context, context, gather, correct, say, archive, restore, redact, delete, erase]


@pytest.mark.parametrize("seed", range(8))
async def test_laws_10_and_11_hold_whatever_is_done_to_a_user_at_once(seed: int, tenant: str) -> None:
    for number in range(40):
        random = Random(seed * 1000 + number)
        async with homes("ram:", f"{tenant}-{number}") as stage:
            assert isinstance(stage.first, RamStore)
            home = await Home(stage, "ada").begin(folded=random.random() < 0.6)
            chosen = random.choices(ACTS, k=random.randint(2, 6))
            logs = [home.on(Shuffled(stage.first, random)) for _ in chosen]
            done = await asyncio.gather(*(attempt(act, log, home) for act, log in zip(chosen, logs, strict=True)))
            if {"redact", "delete", "erase"} & set(done):
                await home.check_gone()
            await home.settle()
            await home.check_known()
            if {"redact", "delete", "erase"} & set(done):
                await home.check_gone()
