"""Appends of many callers leave in one script: each gets its own answer, whatever becomes of the others."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest

from support.loop import awaited
from support.poisons import Stage
from support.poisons.redis import POISONS
from support.valkey import ValkeyServer, valkey
from turnlog import Appended, Turnlog, connect, user
from turnlog.errors import (
    ConversationDeleted,
    ConversationNotFound,
    CorruptRecord,
    HeadMoved,
    KeyReused,
    StoreFailed,
    TurnlogError,
)
from turnlog.settings import Settings
from turnlog.store import Key


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey() as running:
        yield running


def scripts(server: ValkeyServer) -> int:
    """How many times a script ran."""
    lines = server.ask("INFO", "commandstats").decode().splitlines()
    return sum(int(line.partition("calls=")[2].partition(",")[0]) for line in lines if line.startswith("cmdstat_evalsha:"))


async def outcomes(log: Turnlog) -> list[object]:
    """What comes of appends that are asked for at once, one of each kind."""
    for id_ in ("good", "also", "dead"):
        await log.create(user("first", id="first"), id=id_)
    fork = await log.conversation("good").fork(id="fork")
    await log.conversation("dead").delete()
    asked = [
        log.conversation("good").append(user("second", id="second")),
        log.conversation("none").append(user("x")),
        log.conversation("dead").append(user("x")),
        log.conversation("also").append(user("x"), expect_head=7),
        log.conversation("also").append(user("other words", id="first")),
        log.conversation("good").append(user("third", id="third"), user("first", id="first")),
        fork.append(user("of the fork")),
        log.conversation("also").append(user("last")),
    ]
    return await asyncio.gather(*asked, return_exceptions=True)


@awaited
async def test_each_of_many_appends_in_one_script_has_its_own_outcome(server: ValkeyServer) -> None:
    async with connect(server.url) as log:
        told = await outcomes(log)
        assert [told[n].seqs for n in (0, 5, 6, 7) if isinstance(told[n], Appended)] == [(2,), (3, 1), (2,), (2,)]
        kinds = [ConversationNotFound, ConversationDeleted, HeadMoved, KeyReused]
        assert [type(outcome) for outcome in told[1:5]] == kinds
        assert [m.content for m in await log.conversation("good").messages()] == ["first", "second", "third"]
        assert [m.content for m in await log.conversation("also").messages()] == ["first", "last"]


@awaited
async def test_a_record_that_is_gone_fails_only_who_repeats_it(server: ValkeyServer) -> None:
    async with connect(server.url) as log:
        torn, whole = [await log.create(user("first", id="first")) for _ in range(2)]
        server.ask("DEL", f"tl:{{default/{torn.id}}}:l")
        told = await asyncio.gather(
            whole.append(user("x")), torn.append(user("first", id="first")), whole.append(user("y")), return_exceptions=True
        )
        assert isinstance(told[1], CorruptRecord) and told[1].seq == 1
        assert [told[n].seqs for n in (0, 2) if isinstance(told[n], Appended)] == [(2,), (3,)]


@awaited
async def test_many_appends_at_once_are_few_scripts_and_all_find_their_lists(server: ValkeyServer) -> None:
    async with connect(server.url) as log, connect(server.url, settings=Settings(tenant="other")) as other:
        mine = [await log.create(user_id="ann", tags=["x"]) for _ in range(40)]
        theirs = [await other.create(user_id="ann") for _ in range(10)]
        before = scripts(server)
        await asyncio.gather(*(conversation.append(user("x" * 200)) for conversation in [*mine, *theirs]))
        assert scripts(server) - before < 12
        for query in ({"user_id": "ann"}, {"tag": "x"}, {}):
            listed = (await log.conversations(**query)).data
            assert {header.id for header in listed} == {conversation.id for conversation in mine}
            assert all(header.head == 1 for header in listed)
        assert len((await other.conversations(user_id="ann")).data) == 10
        assert len(await log.store.stale("default", "summary", 1, limit=100)) == 40


@awaited
async def test_who_gives_up_waiting_takes_nobody_along(server: ValkeyServer) -> None:
    async with connect(server.url) as log:
        crowd = [await log.create() for _ in range(20)]
        tasks = [asyncio.create_task(conversation.append(user("x"))) for conversation in crowd]
        await asyncio.sleep(0)
        tasks[5].cancel()
        told: list[Appended | BaseException] = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(told[5], asyncio.CancelledError)
        assert all(isinstance(outcome, Appended) for n, outcome in enumerate(told) if n != 5)


@pytest.mark.parametrize("poison", POISONS)
@awaited
async def test_who_travels_with_a_poisoned_conversation_is_stored_told_so_and_found_by_folds(
    poison: str, server: ValkeyServer
) -> None:
    async with connect(server.url) as log:
        tenants = [Settings(tenant=f"t{n}") for n in range(8)]
        logs = [Turnlog(log.store, settings) for settings in tenants]
        crowd = [await each.create(user("a"), id="c") for each in logs]
        async with POISONS[poison](Stage(server.url, Key("t4", "c"))):
            for n in range(2, 12):
                before = scripts(server)
                told = await asyncio.gather(*(each.append(user(f"m{n}")) for each in crowd), return_exceptions=True)
                assert scripts(server) - before < len(crowd)  # they do travel together
                assert isinstance(told[4], TurnlogError)
                assert [one.seqs for one in told if isinstance(one, Appended)] == [(n,)] * 7
            for n in (0, 1, 2, 3, 5, 6, 7):
                assert [message.seq for message in await crowd[n].messages()] == list(range(1, 12))
                [stale] = await log.store.stale(f"t{n}", "nobody", 1, limit=9)
                assert stale.head == 11
        assert isinstance(await crowd[4].append(user("well again")), Appended)
        assert await crowd[4].verify() == []


@awaited
async def test_what_all_are_refused_for_is_found_out_one_by_one_and_who_fails_again_travels_alone(
    server: ValkeyServer,
) -> None:
    async with connect(server.url) as log:
        crowd = [await log.create() for _ in range(6)]
        wire = log.store._servers._wires[log.store._servers.target.seeds[0], True]  # type: ignore[attr-defined]
        stranger = Key("default", uuid4().hex)
        await asyncio.gather(*(each.append(user("warm")) for each in crowd))
        appends = [asyncio.ensure_future(each.append(user("x"))) for each in crowd]
        await asyncio.sleep(0)
        wire.join(wire._together.sha, [f"tl:{{default/{stranger.conversation_id}}}:h"], ["not", "enough"], 1)
        told = await asyncio.gather(*appends)
        assert all(one.seqs == (2,) for one in told)


@awaited
async def test_a_header_that_is_damaged_is_told_by_every_call_on_its_conversation(server: ValkeyServer) -> None:
    async with connect(server.url) as log:
        conversation = await log.create(user("a"), id="c")
        server.ask("HSET", "tl:{default/c}:h", "c", "soon", "m", "{")
        for call in (conversation.info(), conversation.messages()):
            with pytest.raises(CorruptRecord, match="damaged"):
                await call
        assert [header.metadata for header in (await log.conversations()).data] == [{}]
        server.ask("DEL", "tl:{default/c}:h")
        server.ask("SET", "tl:{default/c}:h", "x")
        for call in (conversation.info(), conversation.messages(), conversation.delete(), conversation.fork()):
            with pytest.raises(StoreFailed, match="WRONGTYPE"):
                await call
