"""`turnlog memory`: what is remembered, what failed, and making it anew."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest

from turnlog import Message, connect, user
from turnlog.cli.options import make_room
from turnlog.fold import replay
from turnlog.memory.defaults import default_folds
from turnlog.store import Key, Snapshot
from turnlog.worker import Runner, WorkerConfig

FOLDS = ["summary", "knowledge", "integrity"]
KNOWLEDGE = next(fold for fold in default_folds() if fold.name == "knowledge")
PLACES = ["Lisbon", "Porto", "Faro", "Braga", "Evora", "Coimbra"]


WRONG = [
    (["memory", "rebuild", "--fold", "moods", "--all"], 1, "fold: must be one of summary, knowledge"),
    (["memory", "rebuild", "--fold", "integrity", "--all"], 1, "fold: must be one of summary, knowledge"),
    (["memory", "rebuild", "--fold", "knowledge", "nobody"], 1, "conversation_not_found"),
    (["memory", "rebuild", "--fold", "knowledge"], 2, "--user, or --all"),
    (["memory", "rebuild", "--fold", "knowledge", "a", "--all"], 2, "--user, or --all"),
    (["memory", "rebuild", "--all"], 2, "--fold"),
    (["memory", "show", "nobody"], 1, "conversation_not_found"),
    (["memory", "refresh", "nobody"], 1, "conversation_not_found"),
    (["memory", "retry", "nobody", "--fold", "knowledge"], 1, "conversation_not_found"),
    (["memory", "retry", "a", "--fold", "moods"], 1, "fold: must be one of"),
    (["memory", "retry"], 2, "--all"),
    (["memory", "retry", "a", "--all"], 2, "--all"),
]


class Failing:
    """A fold with the name of a shipped one that cannot go on."""

    name = "knowledge"
    version = 1

    def initial(self) -> list[str]:
        return []

    async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
        raise ConnectionError("the model is away")


@pytest.fixture
def ana(turnlog):
    async def say() -> None:
        async with connect(turnlog.url) as log:
            said = user("My name is Ana and I live in Lisbon."), user("I love green tea.")
            await log.create(*said, id="a", user_id="ana")
            await log.create(user("I moved to Porto."), id="b", user_id="ana")

    make_room(turnlog.url)
    asyncio.run(say())
    return turnlog


def test_show_tells_how_far_each_fold_is(ana):
    assert "knowledge: nothing yet, 2 messages behind" in ana("memory", "show", "a").out
    shown = ana("memory", "show", "a", "--json").json
    assert (shown["conversation_id"], list(shown["folds"]), shown["failures"]) == ("a", FOLDS, [])
    assert {(each["version"], each["watermark"], each["lag"]) for each in shown["folds"].values()} == {(None, 0, 2)}


def test_refresh_folds_and_shows_items_with_their_messages_and_times(ana):
    text = ana("memory", "refresh", "a").out
    assert "integrity 1, up to message 2\n" in text and "state:" not in text, "a digest is nothing to read"
    assert "knowledge 1, up to message 2" in text and "- lives in Lisbon (slot home" in text
    assert "\n    - user: I love green tea." in text  # a line of a chapter of the summary
    shown = ana("memory", "show", "a", "--json").json["folds"]
    facts = {fact["value"]: fact for fact in shown["knowledge"]["state"]["facts"]}
    assert facts["Lisbon"]["seqs"] == [1] and facts["green tea"]["seqs"] == [2]
    assert facts["Lisbon"]["recorded_at"].endswith("Z") and facts["Lisbon"]["valid_to"] is None
    assert shown["knowledge"]["state"]["profile"]["name"]["text"] == "Ana"
    assert "recent_words" not in text


def test_status_counts_what_is_behind(ana):
    ana("memory", "refresh", "a")
    rows = ana("memory", "status", "--json").json["folds"]
    assert [row["fold"] for row in rows] == FOLDS
    assert {(row["behind"], row["messages"], row["longest"], row["more"]) for row in rows} == {(1, 1, 1, False)}
    assert "conversations behind" in ana("memory", "status").out


def test_failures_are_shown_and_retried(ana):
    async def fail() -> None:
        async with connect(ana.url) as log:
            await Runner(log.store, [Failing()], config=WorkerConfig(pause_s=0, backoff_s=600)).run(until_idle=True)

    asyncio.run(fail())
    text = ana("memory", "status").out
    assert "knowledge of a behind message 0 of 2: failed 1 times" in text and "ConnectionError: the model is away" in text
    [failure, _] = sorted(ana("memory", "status", "--json").json["folds"][1]["failures"], key=lambda each: each["head"])
    assert (failure["conversation_id"], failure["failures"]) == ("b", 1)
    assert failure["retry_at"] > failure["failed_at"]
    assert ana("memory", "retry", "a", "--fold", "summary").out == "nothing had failed\n"
    assert ana("memory", "retry", "a", "--json").json == {"retried": [{"conversation_id": "a", "fold": "knowledge"}]}
    assert len(ana("memory", "retry", "--all", "--json").json["retried"]) == 2


def test_a_rebuild_tells_what_it_changed(ana):
    for talk in "ab":
        ana("memory", "refresh", talk)
    asyncio.run(spoil(ana.url, "a", b"lives in Lisbon", b"lives in Madrid"))
    would = ana("memory", "rebuild", "--fold", "knowledge", "--user", "ana", "--dry-run", "--json").json
    assert (would["conversations"], would["different"], would["added"], would["removed"]) == (2, 1, 1, 1)
    assert [(each["kind"], each["conversation_id"]) for each in would["changes"]] == [("removed", "a"), ("added", "a")]
    assert "Madrid" in ana("memory", "show", "a").out
    text = ana("memory", "rebuild", "--fold", "knowledge", "a").out
    assert "- a: lives in Madrid" in text and "+ a: lives in Lisbon" in text and "recorded_at 20" in text
    assert "knowledge: rebuilt 1 conversations from 2 messages; 1 differ: 1 items added, 1 removed, 0 changed" in text
    assert "Lisbon" in ana("memory", "show", "a").out
    assert ana("memory", "rebuild", "--fold", "knowledge", "--all", "--json").json["different"] == 0


def test_a_rebuild_that_failed_somewhere_ends_with_1_and_is_taken_up_again(ana):
    def damage(change: str) -> None:
        with closing(sqlite3.connect(ana.url.removeprefix("sqlite:///"))) as file:
            file.execute(change)
            file.commit()

    damage("UPDATE message SET checksum = checksum + 1 WHERE seq = 2")
    ran = ana("memory", "rebuild", "--fold", "knowledge", "--all", "--json")
    assert (ran.code, ran.json["conversations"], ran.json["failed"][0]["conversation_id"]) == (1, 1, "a")
    assert "a: CorruptRecord: the record at seq 2 is corrupt" in ana("memory", "rebuild", "--fold", "knowledge", "--all").err
    damage("UPDATE message SET checksum = checksum - 1 WHERE seq = 2")
    done = ana("memory", "rebuild", "--fold", "knowledge", "--all", "--json")
    assert (done.code, done.json["conversations"], done.json["earlier"], done.json["resumed"]) == (0, 2, 1, True)


async def spoil(url: str, talk: str, right: bytes, wrong: bytes) -> None:
    """Store a state of the fold `knowledge` as an older turnlog might have made it."""
    async with connect(url) as log:
        key = Key(log.tenant, talk)
        found = await log.store.load_snapshot(key, "knowledge", 1)
        assert found is not None
        spoiled = Snapshot(found.watermark, found.epoch, found.state.replace(right, wrong))
        await log.store.save_snapshot(key, "knowledge", 1, spoiled, expect_watermark=found.watermark)


async def fill(url: str, sizes: dict[str, int]) -> None:
    """Long conversations, with an old state that a rebuild will not make again."""
    async with connect(url) as log:
        for talk, size in sizes.items():
            conversation = await log.create(id=talk, user_id="ana")
            said = [
                user(f"In the year {n} I moved to {PLACES[n % 6]}, and I like tea number {n % 50}.") for n in range(size)
            ]
            for at in range(0, size, 1000):
                await conversation.append(*said[at : at + 1000])
            await log.store.save_snapshot(
                Key(log.tenant, talk), "knowledge", 1, Snapshot(size, 0, b"{}"), expect_watermark=0
            )


async def killed_in(turnlog, talk: str) -> set[bytes]:
    """Begin a rebuild, and kill it when it has come some way in `talk`; the states that served meanwhile."""
    served = set()
    async with connect(turnlog.url) as log:
        key = Key(log.tenant, talk)
        for _ in range(20):  # on a busy machine it may be over before we look
            process = turnlog.start("memory", "rebuild", "--fold", "knowledge", "--all", "--restart")
            try:
                while process.poll() is None:
                    state = await log.store.load_snapshot(key, "knowledge", 1)
                    scratch = await log.store.load_snapshot(key, "knowledge.rebuild", 1)
                    served.add(state.state if state else b"")
                    if scratch is not None and len(scratch.state) > 1000:
                        process.kill()
                        break
                    await asyncio.sleep(0.005)
            finally:
                process.kill()
                process.communicate(timeout=60)
            if process.returncode < 0:
                return served
            await reset(turnlog.url, talk)
    raise AssertionError("it was always over before it could be killed")


async def reset(url: str, talk: str) -> None:
    async with connect(url) as log:
        key = Key(log.tenant, talk)
        head = (await log.store.get(key)).head
        await log.store.save_snapshot(key, "knowledge", 1, Snapshot(head, 0, b"{}"), expect_watermark=head)


def test_a_killed_rebuild_of_many_messages_goes_on_where_it_was(turnlog):
    sizes = {"short": 3, "long": 5000, "other": 600}
    make_room(turnlog.url)
    asyncio.run(fill(turnlog.url, sizes))
    assert asyncio.run(killed_in(turnlog, "long")) == {b"{}"}
    done = turnlog("memory", "rebuild", "--fold", "knowledge", "--all", "--json").json
    assert (done["resumed"], done["conversations"], done["failed"]) == (True, 3, [])
    assert 0 < done["messages"] < sum(sizes.values())
    assert done["different"] in (2, 3)  # a kill between a swap and its note leaves one that is no longer different

    async def check() -> None:
        async with connect(turnlog.url) as log:
            for talk in sizes:
                key = Key(log.tenant, talk)
                assert await log.store.load_snapshot(key, "knowledge", 1) == await replay(log.store, key, KNOWLEDGE)

    asyncio.run(check())
    again = turnlog("memory", "rebuild", "--fold", "knowledge", "--all", "--json").json
    assert (again["resumed"], again["messages"], again["different"]) == (False, sum(sizes.values()), 0)


def test_wrong_input_is_named(ana):
    for arguments, code, error in WRONG:
        ran = ana(*arguments)
        assert (ran.code, ran.out) == (code, ""), arguments
        assert error in ran.err
