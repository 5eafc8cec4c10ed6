"""F4, F5 and F6 on Valkey: the server is killed, the connection cut or frozen; what was acknowledged is there once."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from support.loop import awaited
from support.valkey import DURABLE, ValkeyServer, valkey
from turnlog import Appended, Turnlog, connect, user
from turnlog.errors import StoreUnavailable
from turnlog.settings import Settings

WRITERS = 64
KILLS = 3
TIMEOUT_S = 0.5
SLACK_S = 3.0
"""How much later than a time limit a busy machine may be."""


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with valkey(*DURABLE) as running:
        yield running


def opened(url: str, *, timeout_s: float = 10.0) -> Turnlog:
    return connect(url, settings=Settings(store_timeout_s=timeout_s))


async def seqs(log: Turnlog, conversation_id: str) -> dict[str, int]:
    """Where each message is, after a look that the log is whole and holds none twice."""
    conversation = log.conversation(conversation_id)
    records = [record async for page in conversation.pages() for record in page.records]
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert len({record.id for record in records}) == len(records)
    assert await conversation.verify() == []
    return {record.id: record.seq for record in records}


async def write(log: Turnlog, writer: int, told: dict[str, int], stop: asyncio.Event) -> None:
    """Append to one of eight conversations, a pair at a time, repeating what got no answer, until told to stop."""
    conversation, n = log.conversation(f"c{writer % 8}"), 0
    while not stop.is_set():
        ids = [f"{writer}-{n}.{half}" for half in "ab"]
        try:
            done = await conversation.append(*(user(f"message {id_}", id=id_) for id_ in ids))
        except StoreUnavailable:
            await asyncio.sleep(0.02)
            continue
        told |= dict(zip(ids, done.seqs, strict=True))
        n += 1


async def kill_and_restart(server: ValkeyServer) -> None:
    await asyncio.sleep(0.3)
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(0.1)
    await asyncio.to_thread(server.start)


@awaited
async def test_law_2_a_killed_server_loses_and_doubles_nothing_acknowledged(server: ValkeyServer) -> None:
    async with opened(server.url) as log:
        for n in range(8):
            await log.create(id=f"c{n}")
        told: dict[str, int] = {}
        stop = asyncio.Event()
        writers = [asyncio.create_task(write(log, n, told, stop)) for n in range(WRITERS)]
        for _ in range(KILLS):
            await kill_and_restart(server)
        await asyncio.sleep(0.3)
        stop.set()
        await asyncio.gather(*writers)
        kept: dict[str, int] = {}
        for n in range(8):
            kept |= await seqs(log, f"c{n}")
    assert {id_: kept.get(id_) for id_ in told} == told
    assert len(told) > KILLS * WRITERS
    assert all(kept[id_.replace(".a", ".b")] == seq + 1 for id_, seq in kept.items() if id_.endswith(".a"))


class Knife:
    """Stands between a client and its server; cuts the connection when `left` more bytes of answers have passed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.left: int | None = None
        self.ways: list[asyncio.Task[None]] = []

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        answers = asyncio.create_task(self.pass_on(there, writer, answers=True))
        ways = [asyncio.create_task(self.pass_on(reader, back)), answers]
        self.ways += ways
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for end in (back, writer):
            end.close()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if answers and self.left is not None:
                    if self.left <= len(data):
                        writer.write(data[: self.left])
                        self.left = None
                        return
                    self.left -= len(data)
                writer.write(data)


@asynccontextmanager
async def through_a_knife(server: ValkeyServer) -> AsyncIterator[tuple[str, Knife]]:
    """The URL of a way to the server, and the knife on that way."""
    knife = Knife(server.port)
    listening = await asyncio.start_server(knife.meet, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}", knife
    finally:
        listening.close()
        await asyncio.wait(knife.ways)
        await asyncio.sleep(0)


CUTS = (*range(1, 9), 20, 40, 60, 80)


@awaited
async def test_law_3_an_answer_cut_anywhere_is_unavailable_and_a_repeat_appends_nothing_twice(server: ValkeyServer) -> None:
    async with through_a_knife(server) as (url, knife), opened(url) as log:
        failed = 0
        for cut in CUTS:
            conversation = await log.create(user("first", id="first"), id=f"k{cut}")
            said = [user("x", id=f"m{n}") for n in range(20)]
            knife.left = cut
            outcomes = await asyncio.gather(*map(conversation.append, said), return_exceptions=True)
            assert all(isinstance(outcome, Appended | StoreUnavailable) for outcome in outcomes)
            failed += sum(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
            again = [await conversation.append(message) for message in said]
            kept = await seqs(log, conversation.id)
            assert len(kept) == 21
            assert [appended.seqs for appended in again] == [(kept[message.id],) for message in said]
            for outcome, repeated in zip(outcomes, again, strict=True):
                assert not isinstance(outcome, Appended) or outcome.seqs == repeated.seqs
        assert failed > len(CUTS)


@awaited
async def test_a_frozen_server_is_unavailable_within_the_stated_time(server: ValkeyServer) -> None:
    async with opened(server.url, timeout_s=TIMEOUT_S) as log:
        conversation = await log.create(id="c1")
        server.signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            outcomes = await asyncio.gather(
                *(conversation.append(user("x", id=f"m{n}")) for n in range(10)),
                conversation.info(),
                return_exceptions=True,
            )
            assert time.monotonic() - began < TIMEOUT_S + SLACK_S
            assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
        finally:
            server.signal(signal.SIGCONT)
        for n in range(10):
            await conversation.append(user("x", id=f"m{n}"))
        assert len(await seqs(log, "c1")) == 10


@awaited
async def test_a_server_that_is_not_there_is_unavailable_at_once(server: ValkeyServer) -> None:
    server.kill()
    with pytest.raises(StoreUnavailable):
        await opened(server.url).open()


@awaited
async def test_a_server_that_forgot_its_scripts_is_told_them_again(server: ValkeyServer) -> None:
    async with opened(server.url) as log:
        conversation = await log.create(user("a", id="a"))
        server.ask("SCRIPT", "FLUSH")
        done = await asyncio.gather(*(conversation.append(user("x", id=f"m{n}")) for n in range(20)))
        assert sorted(seq for appended in done for seq in appended.seqs) == list(range(2, 22))


@awaited
async def test_a_closed_connection_is_made_anew(server: ValkeyServer) -> None:
    async with opened(server.url) as log:
        conversation = await log.create(user("a", id="a"))
        for n in range(5):
            server.ask("CLIENT", "KILL", "TYPE", "normal")
            await asyncio.sleep(0.02)
            assert (await conversation.append(user("x", id=f"m{n}"))).seqs == (n + 2,)
