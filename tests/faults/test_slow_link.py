"""F6 on PostgreSQL and Valkey: a link to the server that is slow, silent, half open, reset.

What was acknowledged is there once, what was not is there once or not at all, and nobody waits past the time limit.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from support.loop import awaited
from support.proxy import Proxy, proxy
from support.writers import Load
from turnlog import Settings, StoreUnavailable, Turnlog, connect, user

SERVERS = ["postgres", "valkey"]
TIMEOUT_S = 1.0
SLACK_S = 3.0
"""How much later than the time limit a busy machine may be."""
STEPS = 50
CONNECTIONS_MAX = 10
"""That a process keeps, whatever has become of those before."""


@asynccontextmanager
async def linked(url: str, tenant: str) -> AsyncIterator[tuple[Proxy, Turnlog, Turnlog]]:
    """A proxy before the store, a `Turnlog` through it that is not open yet, and one beside it that is."""
    port = urlsplit(url).port
    assert port is not None
    async with proxy(port) as between, connect(url, settings=Settings(tenant=tenant)) as direct:
        through = url.replace(f":{port}", f":{between.port}")
        yield between, connect(through, settings=Settings(tenant=tenant, store_timeout_s=TIMEOUT_S)), direct


async def refused(load: Load, *, beyond: int) -> None:
    """Wait until more calls than `beyond` have been refused."""
    async with asyncio.timeout(60):
        while len(load.refused) <= beyond:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def gone(between: Proxy) -> None:
    """Wait until nobody is connected any more; a connection that was given up half made goes with its last reference."""
    gc.collect()
    async with asyncio.timeout(60):
        while between.connections:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def silence(between: Proxy, load: Load) -> None:
    """Nothing passes any more, on old connections and on new ones."""
    before = len(load.refused)
    between.silent = True
    await refused(load, beyond=before + load.writers)
    between.silent = False
    between.cut()


async def half_open(between: Proxy, load: Load) -> None:
    """The server has dropped the connections, and the client was not told."""
    before = len(load.refused)
    between.forget()
    await refused(load, beyond=before)


async def dribble(between: Proxy, load: Load) -> None:
    """100 bytes a second: some answers come, one byte at a time, some not in time."""
    between.byte_s = 0.01
    await asyncio.sleep(2 * TIMEOUT_S)
    between.byte_s = 0.0


async def delay(between: Proxy, load: Load) -> None:
    """0.2 s on the way there, as long on the way back."""
    between.delay_s = 0.2
    await load.acknowledged(load.writers, within_s=60)
    between.delay_s = 0.0


async def long_delay(between: Proxy, load: Load) -> None:
    """Longer than the time limit."""
    before = len(load.refused)
    between.delay_s = 2 * TIMEOUT_S
    await refused(load, beyond=before + load.writers)
    between.delay_s = 0.0


async def resets(between: Proxy, load: Load) -> None:
    """A storm of RST."""
    for _ in range(STEPS):
        between.reset()
        await asyncio.sleep(0.02)


async def resets_in_replies(between: Proxy, load: Load) -> None:
    """RST after each number of bytes of replies."""
    for after in range(1, STEPS):
        between.replies_left = after
        await asyncio.sleep(0.02)
    between.replies_left = None


@pytest.mark.parametrize("fault", [silence, half_open, dribble, delay, long_delay, resets, resets_in_replies])
@pytest.mark.parametrize("store", SERVERS)
@awaited
async def test_law_2_a_bad_link_loses_and_doubles_nothing_and_holds_up_nobody_past_the_time_limit(
    store: str, store_url: str, tenant: str, fault: Callable[[Proxy, Load], Awaitable[None]]
) -> None:
    async def meanwhile(load: Load) -> None:
        await load.acknowledged(100, within_s=60)
        await fault(between, load)
        await load.acknowledged(100, within_s=60)

    async with linked(store_url, tenant) as (between, log, direct):
        async with log:
            load = Load(log)
            await load.run(meanwhile)
            assert between.connections <= CONNECTIONS_MAX
        assert await load.check(direct) > 400
        assert all(error.retryable for _, error in load.refused)
        assert load.refused or fault in (dribble, delay)
        load.refused.clear()
        await gone(between)
        assert load.slowest_s < TIMEOUT_S + SLACK_S


@pytest.mark.parametrize("store", SERVERS)
@awaited
async def test_a_server_that_accepts_and_never_answers_cannot_be_opened(store: str, store_url: str, tenant: str) -> None:
    async with linked(store_url, tenant) as (between, log, _):
        between.silent = True
        began = time.monotonic()
        with pytest.raises(StoreUnavailable) as error:
            await log.open()
        assert error.value.retryable
        assert time.monotonic() - began < TIMEOUT_S + SLACK_S
        between.silent = False
        between.cut()
        async with log:
            await log.create(user("hello"))


@pytest.mark.parametrize("store", ["postgres", "valkey"])
@awaited
async def test_appends_that_have_to_wait_for_one_another_share_one_time_limit(
    store: str, store_url: str, tenant: str
) -> None:
    async def told(log: Turnlog, n: int) -> float:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await log.conversation("c1").append(user("hello", id=f"m{n}"), expect_head=0)
        return time.monotonic() - began

    async with linked(store_url, tenant) as (between, log, _), log:
        await log.create(id="c1")
        between.silent = True
        assert max(await asyncio.gather(*(told(log, n) for n in range(8)))) < TIMEOUT_S + SLACK_S
