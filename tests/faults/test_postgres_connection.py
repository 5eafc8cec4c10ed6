"""A server that dies, replies that never come, connections that run out: nothing acknowledged is lost, nothing hangs."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import uvloop

from support.postgres import PostgresServer, postgres
from support.proxy import Proxy, proxy, proxy_in_a_thread
from support.writers import Load
from turnlog import Settings, StoreUnavailable, Turnlog, user
from turnlog.errors import SnapshotMoved
from turnlog.store import Key, Snapshot
from turnlog.stores.postgres import PostgresStore

WRITERS = 64
KILLS = 50 if os.environ.get("TURNLOG_FAULTS") == "long" else 3
PATIENCE_S = 60
SLACK_S = 3.0
"""How much later than a time limit a busy machine may be."""
AT_ONCE_S = 5.0
"""What does not wait for a time limit takes less, also on a busy machine."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with postgres(tmp_path_factory.mktemp("postgres") / "data") as server:
        yield server


@pytest.fixture
def server(running: PostgresServer) -> PostgresServer:
    running.empty()
    return running


def log_at(server: PostgresServer, *, timeout_s: float = 10.0, connections: int = 8, port: int | None = None) -> Turnlog:
    return Turnlog(PostgresStore(server.url(port=port), timeout_s=timeout_s, connections=connections), Settings())


async def stored(log: Turnlog, conversation_id: str) -> dict[str, int]:
    """The ids in a conversation, after a look that it has no gap, no id twice and no fault."""
    conversation = log.conversation(conversation_id)
    records = [record async for page in conversation.pages() for record in page.records]
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert len({record.id for record in records}) == len(records)
    assert await conversation.verify() == []
    return {record.id: record.seq for record in records}


async def ready(log: Turnlog, within_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + within_s
    while True:
        try:
            return await log.ping()
        except StoreUnavailable:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)


def kill_a_session(server: PostgresServer) -> None:
    """End one session of the store with SIGKILL: the server then ends all others and recovers."""
    with psycopg.connect(server.url()) as observer:
        row = observer.execute("SELECT max(pid) FROM pg_stat_activity WHERE application_name = 'turnlog'").fetchone()
    assert row is not None
    os.kill(row[0], signal.SIGKILL)


def kill_the_server(server: PostgresServer) -> None:
    server.kill()
    server.start()


async def save_on_and_on(log: Turnlog) -> None:
    """Save the state of a fold, whose commits wait for no disk, as often as the server takes it."""
    await log.create(id="folded")
    key, version = Key(log.tenant, "folded"), 0
    while True:
        with suppress(StoreUnavailable, SnapshotMoved):
            version += 1
            await log.store.save_snapshot(key, "f", version, Snapshot(1, 0, b"x"), expect_watermark=0)
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("kill", [kill_the_server, kill_a_session])
def test_law_2_a_server_that_is_killed_loses_and_doubles_nothing_acknowledged(
    server: PostgresServer, kill: Callable[[PostgresServer], None]
) -> None:
    async def kill_again_and_again(load: Load) -> None:
        for _ in range(KILLS):
            await load.acknowledged(WRITERS, within_s=PATIENCE_S)
            await asyncio.to_thread(kill, server)
            await ready(load.log)
        await load.acknowledged(WRITERS, within_s=PATIENCE_S)

    async def check() -> Load:
        async with log_at(server) as log:
            load = Load(log, WRITERS)
            saving = asyncio.create_task(save_on_and_on(log))
            await load.run(kill_again_and_again)
            assert not saving.done()
            saving.cancel()
            await asyncio.wait([saving])
            await load.check(log)
        return load

    load = asyncio.run(check())
    assert load.refused
    assert load.slowest_s < AT_ONCE_S


def test_a_reply_that_is_cut_leaves_one_message_after_the_retry(server: PostgresServer) -> None:
    async def check() -> None:
        async with proxy(server.port) as between, log_at(server, port=between.port, timeout_s=5) as log:
            conversation = await log.create(id="c1")
            unanswered = 0
            for after in range(1, 120, 4):
                await log.ping()
                await conversation.append(user("before", id=f"before{after}"))
                between.replies_left = after
                try:
                    await conversation.append(user("hello", id=f"m{after}"))
                except StoreUnavailable:
                    unanswered += 1
                between.replies_left = None
                between.cut()
                await asyncio.sleep(0.01)
                await retried(log, f"m{after}")
            assert unanswered > 10
            assert len(await stored(log, "c1")) == 60

    asyncio.run(check())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_busy_client_that_finds_half_an_answer_and_the_end_of_its_connection_is_told_at_once(
    server: PostgresServer, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def check(between: Proxy) -> None:
        async with log_at(server, port=between.port, timeout_s=60) as log:
            await log.create(id="c1")
            for after in (1, 20, 40):
                await retried(log, f"before{after}")
                between.replies_left = after
                call = asyncio.ensure_future(log.conversation("c1").append(user("hello", id=f"m{after}")))
                await asyncio.sleep(0)
                time.sleep(0.3)  # noqa: ASYNC251  # busy, while both arrive
                with pytest.raises(StoreUnavailable):
                    await asyncio.wait_for(call, 30)
                between.replies_left = None

    with proxy_in_a_thread(server.port) as between, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(check(between))


async def retried(log: Turnlog, id_: str) -> None:
    """Append until it is acknowledged: a connection that was cut while idle may be noticed only by using it."""
    for _ in range(5):
        try:
            await log.conversation("c1").append(user("hello", id=id_))
        except StoreUnavailable:
            continue
        return
    raise AssertionError("the store did not come back")


def test_a_server_that_falls_silent_is_given_up_in_time(server: PostgresServer) -> None:
    async def check() -> None:
        async with proxy(server.port) as between, log_at(server, port=between.port, timeout_s=0.5) as log:
            conversation = await log.create(id="c1")
            between.silent = True
            for call in (conversation.append(user("hello", id="m1")), conversation.messages(), log.ping()):
                began = time.monotonic()
                with pytest.raises(StoreUnavailable, match=r"0\.5 seconds"):
                    await call
                assert time.monotonic() - began < 0.5 + SLACK_S
            between.silent = False
            await ready(log)
            await conversation.append(user("hello", id="m1"))
            assert len(await stored(log, "c1")) <= 1

    asyncio.run(check())


def test_calls_that_find_no_connection_free_fail_in_time_and_those_after_them_work(server: PostgresServer) -> None:
    async def check() -> None:
        async with log_at(server, timeout_s=0.5, connections=2) as log:
            conversation = await log.create(user("hello", id="m1"), id="c1")
            with psycopg.connect(server.url()) as blocking:
                blocking.execute("LOCK turnlog.conversation IN ACCESS EXCLUSIVE MODE")
                calls = [conversation.messages() for _ in range(20)]
                began = time.monotonic()
                outcomes = await asyncio.gather(*calls, return_exceptions=True)
                assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 20
                assert time.monotonic() - began < 0.5 + SLACK_S  # one after the other, they would take 5 s
            assert [len(await conversation.messages()) for _ in range(5)] == [1] * 5

    asyncio.run(check())


def test_many_more_calls_than_connections_all_succeed(server: PostgresServer) -> None:
    async def check() -> None:
        async with log_at(server, connections=2) as log:
            conversation = await log.create(user("hello", id="m1"), id="c1")
            found = await asyncio.gather(*(conversation.messages() for _ in range(200)))
            assert [len(messages) for messages in found] == [1] * 200
            with psycopg.connect(server.url()) as observer:
                row = observer.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'turnlog'").fetchone()
            assert row is not None
            assert row[0] <= 4

    asyncio.run(check())


def test_cancelled_reads_leave_no_connection_behind(server: PostgresServer) -> None:
    async def check() -> None:
        async with log_at(server, connections=2, timeout_s=3) as log:
            conversation = await log.create(user("hello", id="m1"), id="c1")
            for _ in range(10):
                reads = [asyncio.ensure_future(conversation.messages()) for _ in range(4)]
                await asyncio.sleep(0.001)
                for read in reads:
                    read.cancel()
                await asyncio.gather(*reads, return_exceptions=True)
            assert len(await conversation.messages()) == 1

    asyncio.run(check())


def test_no_server_is_told_at_once(tmp_path: Path) -> None:
    async def check() -> None:
        server = PostgresServer(tmp_path / "nothing")
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await log_at(server).open()
        assert time.monotonic() - began < AT_ONCE_S

    asyncio.run(check())


async def refusing(log: Turnlog) -> None:
    """Wait until the server does what it was told to."""
    end = time.monotonic() + PATIENCE_S
    with suppress(StoreUnavailable):
        while True:
            await log.ping()
            assert time.monotonic() < end
            await asyncio.sleep(0.05)


def test_a_server_that_only_reads_refuses_writes_and_a_ping(server: PostgresServer) -> None:
    async def check() -> None:
        async with log_at(server) as log:
            conversation = await log.create(user("hello", id="m1"), id="c1")
            server.execute("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
            try:
                await refusing(log)
                for call in (conversation.append(user("two", id="m2")), log.create(id="c2"), log.ping()):
                    with pytest.raises(StoreUnavailable, match="read-only"):
                        await call
                assert len(await conversation.messages()) == 1
            finally:
                server.execute(
                    "SET default_transaction_read_only = off",
                    "ALTER SYSTEM RESET default_transaction_read_only",
                    "SELECT pg_reload_conf()",
                )
            await ready(log)
            await retried(log, "m2")
            assert len(await stored(log, "c1")) == 2

    asyncio.run(check())
