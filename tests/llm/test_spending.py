"""What language models cost is kept in the store, by tenant, month and model."""

import asyncio
from datetime import UTC, datetime

import pytest

import turnlog
from support.kinds import ALL, SHARED
from turnlog.errors import LLMReplyInvalid, StoreUnavailable
from turnlog.llm import Spending, spent
from turnlog.llm.port import Spent
from turnlog.stores.ram import RamStore
from turnlog.testing import llm_server
from turnlog.testing.llm_server import says
from turnlog.wiring import open_store

MONTH = f"{datetime.now(UTC):%Y-%m}"
ONE = Spent("acme", "tiny", 1, 0, 10, 2, 4, 0.25)


@pytest.mark.parametrize("store", SHARED)
async def test_what_many_workers_spend_at_once_adds_up(store_url: str, tenant: str) -> None:
    stores = [open_store(store_url, turnlog.Settings()) for _ in range(2)]
    call = Spent(tenant, "tiny", 1, 0, 10, 2, 4, 0.25)
    for each in stores:
        await each.open()
    spendings = [Spending(each) for each in stores]
    async with asyncio.TaskGroup() as group:
        for spending in spendings:
            for _ in range(3):
                group.create_task(spending.keep(call))
    assert await spent(stores[0], tenant) == {f"{MONTH} tiny": Spent(tenant, "tiny", 6, 0, 60, 12, 24, 1.5)}
    assert await spent(stores[0], f"{tenant}-other") == {}
    for each in stores:
        await each.close()


async def test_what_could_not_be_written_is_written_with_what_comes_next() -> None:
    class Away(RamStore):
        away = True

        async def load_snapshot(self, *args: object, **options: object) -> object:
            if self.away:
                raise StoreUnavailable("it is away")
            return await super().load_snapshot(*args, **options)

    store = Away()
    spending = Spending(store)
    await spending.keep(ONE)
    await spending.keep(ONE)
    store.away = False
    await spending.keep(ONE)
    assert (await spent(store, "acme"))[f"{MONTH} tiny"].calls == 3


@pytest.mark.parametrize("store", ALL)
async def test_what_the_folds_of_a_log_ask_a_model_is_counted_for_its_tenant(store_url: str, tenant: str) -> None:
    with llm_server(lambda _: says("{}")) as server:
        told = turnlog.Settings(tenant=tenant, llm_model="tiny", llm_url=server.url, llm_price_input=1.0)
        async with turnlog.connect(store_url, settings=told) as log:
            talk = await log.create(turnlog.user("My name is Ada."))
            with pytest.raises(LLMReplyInvalid):  # which costs as much as a good one
                await talk.catch_up()
            assert (await talk.memory())["integrity"].lag == 0
            found = await spent(log.store, tenant)
    assert found.keys() == {f"{MONTH} tiny"}
    assert found[f"{MONTH} tiny"].calls >= 1
    assert found[f"{MONTH} tiny"].cost > 0
