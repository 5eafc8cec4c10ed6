"""Laws 1, 2 and 3 behind several processes: writers on one conversation, while one of the processes is killed."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from servers.kinds import SHARED
from servers.line import Line
from servers.service import Service, serving
from turnlog import Settings, Turnlog, connect

WORKERS = 4
WRITERS = 32
APPENDS = 100
KILL_AFTER = WRITERS * APPENDS // 3
PER_CONNECTION = 10
"""So many messages go to one worker, then to whichever takes the next connection."""
PATIENCE_S = 60
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
        line = Line(self.url)
        for n in range(APPENDS):
            await self._say(line, f"{name}-{n}")
            if n % PER_CONNECTION == PER_CONNECTION - 1:
                line.drop()

    async def _say(self, line: Line, key: str) -> None:
        """Send a message until it is acknowledged."""
        while True:
            with suppress(OSError, EOFError):
                status, told = await line.post(ROUTE, {"role": "user", "content": key}, key)
                if status in (200, 201):
                    break
                assert told["retryable"], told
            line.drop()
            self.broken += 1
            await asyncio.sleep(0.05)
        self.seqs[key], self.ids[key] = told["seq"], told["message_id"]
        if len(self.seqs) >= KILL_AFTER:
            self.third.set()


def sockets(pid: int) -> int:
    """How many sockets a process has open."""
    return sum(str(file.readlink()).startswith("socket:") for file in Path(f"/proc/{pid}/fd").iterdir())


async def attack(service: Service) -> Writers:
    """Let all write, and kill the busiest worker when a third is acknowledged."""
    writers = Writers(service.url)

    async def kill() -> None:
        await writers.third.wait()
        os.kill(max(service.workers(), key=sockets), signal.SIGKILL)

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(kill(), *(writers.write(f"w{n}") for n in range(WRITERS)))
    return writers


async def repeat(service: Service, key: str) -> tuple[int, int]:
    """What the service answers to a message that it has: status and seq."""
    line = Line(service.url)
    status, told = await line.post(ROUTE, {"role": "user", "content": key}, key)
    line.drop()
    return status, told["seq"]


async def begin(log: Turnlog) -> None:
    async with log:
        await log.create(conversation_id="c1")


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
        until = time.monotonic() + PATIENCE_S
        while len(service.workers()) < WORKERS:  # another takes the place of the killed one
            assert time.monotonic() < until
            time.sleep(0.05)
    kept = asyncio.run(stored(log))
    assert len(kept) == len(writers.ids) == WRITERS * APPENDS
    assert kept == {writers.ids[key]: seq for key, seq in writers.seqs.items()}
