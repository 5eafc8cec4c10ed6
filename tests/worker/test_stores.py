"""Failures and leases are kept by every store alike."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from support.kinds import ALL
from support.sample_folds import Dear, Watched
from turnlog import Message, Settings, Turnlog, connect, user
from turnlog.store import Key
from turnlog.worker import Runner, WorkerConfig, failures, retry

CONFIG = WorkerConfig(pause_s=0, backoff_s=600.0)


@pytest.fixture
async def log(store_url: str, tenant: str) -> AsyncIterator[Turnlog]:
    async with connect(store_url, settings=Settings(tenant=tenant)) as opened:
        yield opened


@pytest.mark.parametrize("store", ALL)
async def test_a_failure_is_kept_listed_and_retried_by_hand(log: Turnlog) -> None:
    away = True

    async def watch(_: Sequence[Message]) -> None:
        if away:
            raise ConnectionError("the model is away")

    fold = Watched(watch)
    conversation = await log.create(user("a", id="a"))
    key = Key(log.tenant, conversation.id)
    await Runner(log.store, [fold], tenants=[log.tenant], config=CONFIG).run(until_idle=True)
    [failure] = await failures(log.store, log.tenant, fold)
    assert (failure.conversation_id, failure.watermark, failure.head, failure.failures) == (conversation.id, 0, 1, 1)
    away = False
    await Runner(log.store, [fold], tenants=[log.tenant], config=CONFIG).run(until_idle=True)
    assert fold.steps == []
    assert await retry(log.store, key, fold)
    await Runner(log.store, [fold], tenants=[log.tenant], config=CONFIG).run(until_idle=True)
    assert fold.steps == [["a"]]
    assert await failures(log.store, log.tenant, fold) == []


@pytest.mark.parametrize("store", ALL)
async def test_of_two_workers_one_takes_a_dear_step(log: Turnlog) -> None:
    async def watch(_: Sequence[Message]) -> None:
        await asyncio.sleep(0.05)

    fold = Dear(watch)
    for n in range(3):
        await log.create(user(f"m{n}", id=f"m{n}"))
    runners = [Runner(log.store, [fold], tenants=[log.tenant], config=CONFIG) for _ in range(2)]
    await asyncio.gather(*(runner.run(until_idle=True) for runner in runners))
    assert sorted(fold.steps) == [["m0"], ["m1"], ["m2"]]
    assert sum(runner.folded for runner in runners) == 3


@pytest.mark.parametrize("store", ALL)
async def test_an_erasure_takes_the_note_of_a_failure(log: Turnlog) -> None:
    async def quote(messages: Sequence[Message]) -> None:
        raise ValueError(messages[0].text)

    fold = Watched(quote)
    conversation = await log.create(user("secret"), user("b"))
    await Runner(log.store, [fold], tenants=[log.tenant], config=CONFIG).run(until_idle=True)
    assert [failure.error for failure in await failures(log.store, log.tenant, fold)] == ["ValueError: secret"]
    await conversation.redact(1)
    assert await failures(log.store, log.tenant, fold) == []
