"""What one conversation's data, locks or ids do to an append of it stays with it: neighbours that travel in the same batch
are acknowledged, and stored, and the fold runner hears of them.
"""

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from uuid import uuid4

import pytest

from support.poisons import Stage
from turnlog import Settings, TurnlogError, codec, user
from turnlog.store import Header, Key, Store
from turnlog.validation import Limits
from turnlog.wiring import open_store

MODULES = {"sqlite": "sqlite", "postgres": "postgres", "valkey": "redis", "cluster": "redis"}
CASES = [(kind, name) for kind, module in MODULES.items() for name in import_module(f"support.poisons.{module}").POISONS]
TENANTS = 8
ROUNDS = 10
PATIENCE_S = 10.0
"""How long neighbours may take on a busy machine; one that holds them up does so for the whole time limit of the store."""
STORE_TIMEOUT_S = 30.0
NOW = 1_700_000_000_000_000


def record(text: str, id: str | None = None) -> codec.Record:
    return codec.encode(user(text, id=id or uuid4().hex), tokens=1, limits=Limits())


@pytest.fixture
async def opened(store_url: str) -> AsyncIterator[Store]:
    store = open_store(store_url, Settings(store_timeout_s=STORE_TIMEOUT_S))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def _append(store: Store, key: Key, text: str) -> str:
    """Append a message; its id, once it is acknowledged."""
    fresh = record(text)
    await store.append(key, [fresh], now=NOW)
    return fresh.id


async def _ids(store: Store, key: Key) -> list[str]:
    return [entry.id for entry in (await store.read(key, limit=1000)).records]


@pytest.mark.parametrize(("store", "poison"), CASES)
async def test_neighbours_of_a_poisoned_conversation_go_on(store: str, poison: str, store_url: str, opened: Store) -> None:
    tag = uuid4().hex[:8]
    keys = [Key(f"t{n}-{tag}", f"c{n}-{tag}") for n in range(TENANTS)]
    for key in keys:
        await opened.create(key.tenant, Header(key.conversation_id, NOW, NOW), [record("a"), record("b")])
    victim, *neighbours = keys
    poisons = import_module(f"support.poisons.{MODULES[store]}").POISONS
    acknowledged: dict[Key, list[str]] = {key: await _ids(opened, key) for key in neighbours}
    suffering: list[asyncio.Task[str]] = []
    async with poisons[poison](Stage(store_url, victim)):
        for n in range(ROUNDS):
            # in the middle: the first one to come may travel alone
            appends = [asyncio.create_task(_append(opened, key, f"sound {n}")) for key in neighbours[:3]]
            suffering.append(asyncio.create_task(_append(opened, victim, f"poisoned {n}")))
            appends += [asyncio.create_task(_append(opened, key, f"sound {n}")) for key in neighbours[3:]]
            async with asyncio.timeout(PATIENCE_S):
                for key, id_ in zip(neighbours, await asyncio.gather(*appends), strict=True):
                    acknowledged[key].append(id_)
        for key in neighbours:
            assert await _ids(opened, key) == acknowledged[key]
            named = await opened.stale(key.tenant, "nobody", 1, limit=9)
            assert [(stale.conversation_id, stale.head) for stale in named] == [(key.conversation_id, ROUNDS + 2)]
    async with asyncio.timeout(2 * STORE_TIMEOUT_S):
        outcomes = await asyncio.gather(*suffering, return_exceptions=True)
    assert all(isinstance(outcome, str | TurnlogError) for outcome in outcomes), outcomes
    for key in neighbours:
        await _append(opened, key, "afterwards")


def test_every_kind_of_store_has_its_poisons() -> None:
    assert {kind for kind, _ in CASES} == MODULES.keys()


@pytest.mark.parametrize("store", ["sqlite", "postgres", "valkey", "cluster"])
async def test_a_refused_append_takes_no_neighbour_along(opened: Store) -> None:
    tag = uuid4().hex[:8]
    keys = [Key(f"t{n}-{tag}", f"c{n}-{tag}") for n in range(TENANTS)]
    for key in keys[1:]:
        await opened.create(key.tenant, Header(key.conversation_id, NOW, NOW), [record("a", id="taken")])
    outcomes = await asyncio.gather(
        opened.append(keys[0], [record("x")], now=NOW),
        opened.append(keys[1], [record("other words", id="taken")], now=NOW),
        opened.append(keys[2], [record("x")], now=NOW, expect_head=7),
        *(opened.append(key, [record("b")], now=NOW) for key in keys[3:]),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "ConversationNotFound",
        "KeyReused",
        "HeadMoved",
        *["Appended"] * (TENANTS - 3),
    ]
    assert [len(await _ids(opened, key)) for key in keys[3:]] == [2] * (TENANTS - 3)
