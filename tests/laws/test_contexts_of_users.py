"""Contexts with what is known of a user from all of their conversations (laws 7, 8, 9, 11 and 13), through every store."""

import asyncio
from random import Random
from typing import Any

import pytest
from test_contexts_of_stores import Desk, check, desk, every_store, lasting, sent, some_messages

from turnlog import BudgetTooSmall, Context, Conversation, assistant, user
from turnlog.log.assembly import FOLD

FULL: dict[str, Any] = {"policy": "full", "budget": 6000}
SMALL: dict[str, Any] = {"policy": "full", "budget": 2000}
HOBBIES = ["jazz", "chess", "sailing", "opera", "poetry", "cricket", "gardening", "origami"]


async def taught(at: Desk, *texts: str, name: str = "ada") -> Conversation:
    conversation = await at.log.create(*map(user, texts), user_id=name)
    await conversation.catch_up()
    return conversation


def shown(context: Context) -> str:
    return "\n".join(message.text for message in context.messages)


@every_store
def test_a_new_conversation_has_what_the_earlier_ones_taught(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            await taught(at, "My name is Ada.", "I live in Lisbon.")
            await taught(at, "I love jazz.")
            await taught(at, "I live in Porto. I love chess.", name="bob")
            fresh = await at.log.create(user("Hello."), user_id="ada")
            for log in (at.log, at.other):
                context = await log.conversation(fresh.id).context(**FULL)
                assert all(text in shown(context) for text in ("called Ada", "Likes jazz", "lives in Lisbon"))
                assert "Porto" not in shown(context)
                assert "chess" not in shown(context)
                assert context.known.user_name == "Ada"
            nobody = await at.log.create(user("Hello."))
            assert shown(await nobody.context(**FULL)) == "Hello."

    asyncio.run(play())


@every_store
def test_law_13_news_stand_behind_the_window_until_a_compaction(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            other = await taught(at, "My name is Ada. I live in Lisbon.")
            conversation = await at.log.create(user("Hello."), user_id="ada")
            before = await conversation.context(**FULL)
            assert "lives in Lisbon" in shown(before)
            await other.append(user("I moved to Porto."))
            await other.catch_up()
            after = await conversation.context(**FULL)
            assert after.compaction is None
            assert sent(after)[: before.stable] == lasting(before)
            assert after.messages[-1].text.endswith("lives in Porto\nno longer: lives in Lisbon")
            while (after := (await conversation.turn(user("More. ".ljust(400, ".")), **FULL)).context).compaction is None:
                assert sent(after)[: before.stable] == lasting(before)
                assert "no longer: lives in Lisbon" in shown(after)
            assert "lives in Porto" in shown(after)
            assert "Lisbon" not in shown(after)

    asyncio.run(play())


@every_store
def test_what_the_archive_taught_is_told_as_no_longer_known(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            other = await taught(at, "I live in Lisbon.")
            conversation = await at.log.create(user("Hello."), user_id="ada")
            await conversation.context(**FULL)
            await other.update(archived=True)
            assert "no longer: lives in Lisbon" in shown(await conversation.context(**FULL))
            fresh = await at.log.create(user("Hello."), user_id="ada")
            assert "Lisbon" not in shown(await fresh.context(**FULL))
            await other.update(archived=False)
            assert "no longer" not in shown(await conversation.context(**FULL))

    asyncio.run(play())


@every_store
def test_law_11_an_erasure_in_one_conversation_reaches_what_the_others_keep(store: str, store_url: str, tenant: str) -> None:
    async def play() -> None:
        async with desk(store_url, tenant) as at:
            await taught(at, "My name is Ada.")
            other = await taught(at, "I live in Xyzzyville.", "I love jazz.")
            conversation = await at.log.create(user("Hello."), user_id="ada")
            assert "Xyzzyville" in shown(await conversation.context(**FULL))
            kept = await at.watched.load_snapshot(conversation.key, *FOLD)
            assert kept is not None
            assert b"Xyzzy" not in kept.state, "it is sealed"
            await other.redact(1)
            for each in (conversation, at.elsewhere(conversation)):
                context = await each.context(**FULL)
                assert "Xyzzy" not in shown(context), "neither told nor told as no longer so"
                assert "called Ada" in shown(context)
            await at.other.conversation(other.id).catch_up()
            assert "Likes jazz" in shown(await at.elsewhere(conversation).context(**FULL))

    asyncio.run(play())


@every_store
@pytest.mark.parametrize("seed", [1, 2])
def test_laws_7_8_9_13_hold_while_more_and_more_is_known(store: str, store_url: str, tenant: str, seed: int) -> None:
    async def play() -> None:
        rng, before, told, compactions = Random(seed), None, 0, 0
        async with desk(store_url, tenant) as at:
            other = await at.log.create(user("My name is Ada."), user_id="ada")
            conversation = await at.log.create(user("Hello."), user_id="ada")
            for n in range(48):
                if n % 4 == 0:
                    await other.append(user(f"I love {rng.choice(HOBBIES)}."), user(f"I live in City{n}."))
                    await (other if n % 8 else conversation).catch_up()
                try:
                    context = (await conversation.turn(*some_messages(rng), assistant("Noted."), **SMALL)).context
                except BudgetTooSmall:
                    before = None
                    continue
                await check(conversation, context, SMALL["budget"])
                compactions += context.compaction is not None
                told += any(not record.seq for record in context.records)
                if before is not None and context.compaction is None:
                    assert sent(context)[: len(before)] == before
                before = lasting(context)
                again = await at.elsewhere(conversation).context(**SMALL)
                assert (again.records, again.compaction) == (context.records, None)
        assert told >= 10
        assert compactions >= 3

    asyncio.run(play())
