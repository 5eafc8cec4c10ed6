"""Opening and closing, by several tasks at once and again, and with calls under way, on every store."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from support.kinds import ALL
from turnlog import ConversationExists, Settings, StoreUnavailable, Turnlog, TurnlogError, connect, user
from turnlog.wiring import open_store

CALLS = 200


@pytest.mark.parametrize("store", ALL)
async def test_two_tasks_may_open_it_at_once(store: str, store_url: str, tenant: str) -> None:
    log = connect(store_url, settings=Settings(tenant=tenant))

    async def open_and_use() -> None:
        await log.open()
        await log.create(user("hi"))

    await asyncio.gather(*(open_and_use() for _ in range(5)))
    assert len((await log.conversations()).data) == 5
    await asyncio.gather(log.close(), log.close())


@pytest.mark.parametrize("store", ALL)
async def test_a_store_may_be_opened_by_two_tasks_at_once(store: str, store_url: str) -> None:
    opened = open_store(store_url, Settings())

    async def open_and_use() -> None:
        await opened.open()
        await opened.ping()

    await asyncio.gather(*(open_and_use() for _ in range(5)))
    await opened.close()


@pytest.mark.parametrize("store", ALL)
async def test_it_may_be_opened_again_and_in_another_loop(store: str, store_url: str, tenant: str) -> None:
    log = connect(store_url, settings=Settings(tenant=tenant))

    async def use() -> None:
        await asyncio.gather(log.open(), log.open())
        await log.create()
        await asyncio.gather(log.close(), log.close())

    await use()
    await use()
    await asyncio.to_thread(lambda: asyncio.run(use()))
    if store != "ram":
        with pytest.raises(StoreUnavailable, match=r"not open|closed"):
            await log.conversations()
    async with log:
        assert len((await log.conversations()).data) == 3


@pytest.mark.parametrize("store", ALL)
async def test_closing_finishes_what_was_accepted(store: str, store_url: str, tenant: str, tmp_path: Path) -> None:
    log = connect(store_url, settings=Settings(tenant=tenant))
    await log.open()
    await log.create(id="c1")
    await log.conversation("c1").append(user("first"))  # whatever has to be made for an append is there
    appends = [asyncio.create_task(log.conversation("c1").append(user(f"{n}"))) for n in range(CALLS)]
    await asyncio.sleep(0)
    await log.close()
    async with asyncio.timeout(30):
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
    assert [error for error in outcomes if isinstance(error, BaseException)] == []
    assert await head(log) == CALLS + 1


@pytest.mark.parametrize("store", ALL)
async def test_calls_that_race_with_closing_end(store: str, store_url: str, tenant: str) -> None:
    log = connect(store_url, settings=Settings(tenant=tenant))
    await log.open()
    await log.create(id="c1")

    async def go_on() -> int:
        for n in range(100_000):
            try:
                await log.conversation("c1").turn(user("hi"))
            except TurnlogError:
                return n
            await asyncio.sleep(0)
        raise AssertionError("it was never refused")

    if store == "ram":
        return
    turns = [asyncio.create_task(go_on()) for _ in range(8)]
    await asyncio.sleep(0.2)
    await log.close()
    async with asyncio.timeout(30):
        acknowledged = sum(await asyncio.gather(*turns))
    assert acknowledged <= await head(log) <= acknowledged + len(turns)


async def head(log: Turnlog) -> int:
    async with log:
        return (await log.conversation("c1").info()).head


@pytest.mark.parametrize("store", ALL)
def test_many_who_get_or_create_one_conversation_get_the_same(store: str, store_url: str, tenant: str) -> None:
    async def check() -> None:
        settings = Settings(tenant=tenant)
        async with connect(store_url, settings=settings) as log, AsyncExitStack() as stack:
            other = log if store_url == "ram:" else await stack.enter_async_context(connect(store_url, settings=settings))
            calls = [where.create(id="c", user_id="ada", exist_ok=True) for where in (log, other) for _ in range(8)]
            made = await asyncio.gather(*calls)
            assert len({(await one.info()).incarnation for one in made}) == 1
            with pytest.raises(ConversationExists):
                await other.create(id="c", user_id="bob", exist_ok=True)

    asyncio.run(check())
