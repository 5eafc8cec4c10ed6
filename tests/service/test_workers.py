"""Laws 1, 2 and 3 behind several processes: writers on one conversation, while one of the processes is killed.

And what becomes of the others when one process ends.
"""

import asyncio
import os
import signal
from contextlib import closing, suppress
from pathlib import Path

import pytest

from support.kinds import SHARED
from support.line import Line
from support.service import Service, command_of, serving
from support.valkey import DURABLE, valkey, wait_until
from turnlog import Settings, Turnlog, connect

WORKERS = 4
WRITERS = 32
APPENDS = 100
KILL_AFTER = WRITERS * APPENDS // 3
PER_CONNECTION = 10
"""So many messages go to one worker, then to whichever takes the next connection."""
PATIENCE_S = 180
ROUTE = "/v1/conversations/c1/messages"


class Writers:
    """What all writers together were told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seqs: dict[str, int] = {}
        self.ids: dict[str, str] = {}
        self.broken = 0
        self.third = asyncio.Event()

    async def write(self, name: str) -> None:
        with closing(Line(self.url)) as line:
            for n in range(APPENDS):
                await self._say(line, f"{name}-{n}")
                if n % PER_CONNECTION == PER_CONNECTION - 1:
                    line.close()

    async def _say(self, line: Line, key: str) -> None:
        """Send a message until it is acknowledged."""
        while True:
            with suppress(OSError, EOFError):
                status, told = await line.post(ROUTE, {"role": "user", "content": key}, key)
                if status in (200, 201):
                    break
                assert told["retryable"], told
            line.close()
            self.broken += 1
            await asyncio.sleep(0.05)
        self.seqs[key], self.ids[key] = told["seq"], told["id"]
        if len(self.seqs) >= KILL_AFTER:
            self.third.set()


def sockets(pid: int) -> int:
    """How many sockets a process has open, of those that stay so while they are counted."""
    found = 0
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            found += str(file.readlink()).startswith("socket:")
    return found


async def attack(service: Service) -> Writers:
    """Let all write, and kill the busiest worker when a third is acknowledged."""
    writers = Writers(service.url)

    async def kill() -> None:
        await writers.third.wait()
        os.kill(max(service.workers(), key=sockets), signal.SIGKILL)

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as running:
        running.create_task(kill())
        for n in range(WRITERS):
            running.create_task(writers.write(f"w{n}"))
    return writers


async def repeat(service: Service, key: str) -> tuple[int, int]:
    """What the service answers to a message that it has: status and seq."""
    with closing(Line(service.url)) as line:
        status, told = await line.post(ROUTE, {"role": "user", "content": key}, key)
        return status, told["seq"]


async def begin(log: Turnlog) -> None:
    async with log:
        await log.create(id="c1")


async def stored(log: Turnlog) -> dict[str, int]:
    """Seqs by id, after a look that there is no gap and that `verify` finds nothing."""
    async with log:
        conversation = log.conversation("c1")
        records = [record async for page in conversation.pages() for record in page.records]
        assert [record.seq for record in records] == list(range(1, len(records) + 1))
        assert await conversation.verify() == []
        return {record.id: record.seq for record in records}


@pytest.mark.parametrize("store", SHARED)
def test_killing_one_of_four_workers_loses_and_doubles_nothing(
    store: str, store_url: str, tenant: str, tmp_path: Path
) -> None:
    log = connect(store_url, settings=Settings(tenant=tenant))
    asyncio.run(begin(log))
    with serving(store_url, workers=WORKERS, directory=tmp_path, tenant=tenant) as service:
        writers = asyncio.run(attack(service))
        assert writers.broken > 0
        assert asyncio.run(repeat(service, "w0-0")) == (200, writers.seqs["w0-0"])
        wait_until(lambda: len(service.workers()) == WORKERS, "another worker in the place of the killed one")
    kept = asyncio.run(stored(log))
    assert len(kept) == len(writers.ids) == WRITERS * APPENDS
    assert kept == {writers.ids[key]: seq for key, seq in writers.seqs.items()}


async def insist(service: Service, key: str) -> int:
    """The seq of a message that is sent until it is acknowledged."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(OSError, EOFError), closing(Line(service.url)) as line:
                status, told = await line.post(ROUTE, {"role": "user", "content": key}, key)
                if status in (200, 201):
                    return int(told["seq"])
                assert status == 503, told
            await asyncio.sleep(0.05)


def test_a_worker_that_dies_while_the_store_is_away_takes_nobody_along_and_is_back_with_the_store(tmp_path: Path) -> None:
    with valkey(*DURABLE) as store:
        asyncio.run(begin(connect(store.url)))
        with serving(store.url, workers=2, directory=tmp_path) as service:
            assert asyncio.run(insist(service, "before")) == 1
            store.kill()
            dead, survivor = service.workers()
            os.kill(dead, signal.SIGKILL)
            log = tmp_path / "service.log"
            wait_until(lambda: log.read_text().count("is replaced") > 1, "a replacement that found no store")
            assert service.process.poll() is None
            store.start()
            assert asyncio.run(insist(service, "after")) == 2
            wait_until(lambda: len(service.workers()) == 2, "two workers")
            assert survivor in service.workers()


def test_workers_end_when_the_process_that_minds_them_is_killed(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/turnlog.db", workers=2, directory=tmp_path) as service:
        orphans = service.workers()
        assert len(orphans) == 2
        service.process.kill()
        service.process.wait()
        wait_until(lambda: not any(map(command_of, orphans)), "the end of the workers")
