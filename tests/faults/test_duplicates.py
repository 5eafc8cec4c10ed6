"""Law 3 under duplicate delivery: what is sent several times at once, by several processes' handles, is stored once."""

import asyncio
from random import Random
from typing import Any

import pytest

from support.kinds import ALL
from turnlog import Appended, Conversation, KeyReused, Settings, Turnlog, connect, user

MESSAGES = 60
COPIES_MAX = 5


def handles(url: str, tenant: str) -> tuple[Turnlog, Turnlog]:
    """Two handles on the same data."""
    one = connect(url, settings=Settings(tenant=tenant))
    return one, one if url == "ram:" else connect(url, settings=Settings(tenant=tenant))


@pytest.mark.parametrize("store", ALL)
def test_law_3_what_is_sent_up_to_five_times_at_once_is_stored_once(store: str, store_url: str, tenant: str) -> None:
    async def check() -> None:
        one, other = handles(store_url, tenant)
        async with one, other:
            await one.create(id="c1")
            answers = await asyncio.gather(*(deliver(one, other, n) for n in range(MESSAGES)))
            for same in answers:
                assert {(answer.ids, answer.seqs) for answer in same} == {(same[0].ids, same[0].seqs)}
                assert sum(answer.stored for answer in same) == 1
            conversation = one.conversation("c1")
            kept = {message.seq: message.text for message in await conversation.messages(limit=MESSAGES + 1)}
            assert kept == {same[0].seqs[0]: f"message {n}" for n, same in enumerate(answers)}
            assert sorted(kept) == list(range(1, MESSAGES + 1))
            assert await conversation.verify() == []

    async def deliver(one: Turnlog, other: Turnlog, n: int) -> list[Appended]:
        copies = Random(n).randint(1, COPIES_MAX)
        return await asyncio.gather(*(send((one, other)[copy % 2], n) for copy in range(copies)))

    async def send(log: Turnlog, n: int) -> Appended:
        return await log.conversation("c1").append(user(f"message {n}"), idempotency_key=f"key-{n}")

    asyncio.run(check())


@pytest.mark.parametrize("store", ALL)
def test_law_3_of_two_bodies_sent_at_once_under_one_key_one_is_stored_and_the_other_refused(
    store: str, store_url: str, tenant: str
) -> None:
    async def check() -> None:
        one, other = handles(store_url, tenant)
        async with one, other:
            await one.create(id="c1")
            for n in range(MESSAGES // 3):
                answers = await asyncio.gather(
                    *(send(log.conversation("c1"), text, n) for log, text in ((one, "this"), (other, "that"))),
                    return_exceptions=True,
                )
                assert sorted(type(answer).__name__ for answer in answers) == ["Appended", "KeyReused"]
                assert [answer.seq for answer in answers if isinstance(answer, KeyReused)] == [n + 1]
                [text] = [
                    text for text, answer in zip(("this", "that"), answers, strict=True) if isinstance(answer, Appended)
                ]
                assert (await one.conversation("c1").messages(after=n))[0].text == text

    async def send(conversation: Conversation, text: str, n: int) -> Any:
        return await conversation.append(user(text), idempotency_key=f"key-{n}")

    asyncio.run(check())
