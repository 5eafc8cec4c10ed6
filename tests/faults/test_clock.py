"""A clock that leaps and steps back changes what times are told, and neither order nor anything else."""

import asyncio

import pytest

from support.kinds import ALL
from turnlog import Settings, Turnlog, connect, user
from turnlog.stores.append import later
from turnlog.testing import FakeClock
from turnlog.timestamps import to_micros

HOUR_S = 3600
DAY_S = 24 * HOUR_S
LEAPS_S = [1, 10 * 365 * DAY_S, -10 * 365 * DAY_S, -DAY_S, -HOUR_S, 1]


def with_clock(url: str, tenant: str, clock: FakeClock) -> Turnlog:
    settings = Settings(tenant=tenant)
    return Turnlog(connect(url, settings=settings).store, settings, clock=clock)


@pytest.mark.parametrize("store", ALL)
def test_order_is_by_seq_whatever_the_clock_says(store: str, store_url: str, tenant: str) -> None:
    async def check() -> None:
        clock = FakeClock()
        async with with_clock(store_url, tenant, clock) as log:
            conversation = await log.create(id="c1")
            born, latest = clock.now, clock.now
            for n, leap in enumerate(LEAPS_S):
                latest = later(latest, clock.advance(seconds=leap))
                assert (await conversation.append(user(f"m{n}", id=f"m{n}"))).seqs == (n + 1,)
                header = await conversation.info()
                assert (to_micros(header.created_at), to_micros(header.updated_at), header.head) == (born, latest, n + 1)
            ids = [f"m{n}" for n in range(len(LEAPS_S))]
            assert [message.id for message in await conversation.messages()] == ids
            assert [record.id for record in (await conversation.read(limit=2, newest=True)).records] == ids[-2:]
            assert [record.id for record in (await conversation.context()).records] == ids
            assert (await conversation.append(user("m0", id="m0"))).replayed
            assert await conversation.verify() == []

    asyncio.run(check())


@pytest.mark.parametrize("store", ALL)
def test_a_listing_shows_each_conversation_once_whatever_the_clock_said(store: str, store_url: str, tenant: str) -> None:
    async def check() -> None:
        clock = FakeClock()
        async with with_clock(store_url, tenant, clock) as log:
            for n, leap in enumerate(LEAPS_S):
                clock.advance(seconds=leap)
                await log.create(user("hello"), id=f"c{n}", user_id="ann")
            clock.advance(seconds=-DAY_S)
            for n in range(len(LEAPS_S)):
                await log.conversation(f"c{n}").append(user("again"))
            shown, cursor = [], None
            while True:
                listing = await log.conversations(user_id="ann", cursor=cursor, limit=2)
                shown += [(header.updated_at, header.id) for header in listing.data]
                cursor = listing.next_cursor
                if cursor is None:
                    break
            assert shown == sorted(shown, reverse=True)
            assert sorted(id_ for _, id_ in shown) == [f"c{n}" for n in range(len(LEAPS_S))]

    asyncio.run(check())
