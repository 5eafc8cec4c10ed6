"""Laws 1, 2 and 3 while the whole service is killed again and again under load, and clients repeat what was not answered.

The short form kills it three times; TURNLOG_FAULTS=long a hundred times.
"""

import asyncio
import os
import signal
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from support.kinds import SHARED
from support.line import Line
from support.service import serving
from turnlog import Settings, connect

ROUNDS = 100 if os.environ.get("TURNLOG_FAULTS") == "long" else 3
CONVERSATIONS = 8
CLIENTS = 16
ROUND_S = 0.6
READY_S = 20.0


class Clients:
    """Clients that append two messages at a time, each call repeated under its key until it is answered."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, dict[str, int]] = {f"c{n}": {} for n in range(CONVERSATIONS)}
        self.url = ""
        self.up = asyncio.Event()
        self.over = False
        self.repeated = 0

    async def run(self, name: int) -> None:
        conversation, calls = f"c{name % CONVERSATIONS}", 0
        while not self.over:
            await self._call(conversation, f"{name}-{calls}")
            calls += 1

    async def _call(self, conversation: str, key: str) -> None:
        body = {"messages": [{"role": "user", "content": f"{key} {half}"} for half in ("first", "second")]}
        while True:
            await self.up.wait()
            with suppress(OSError, EOFError), closing(Line(self.url)) as line:
                status, told = await line.post(f"/v1/conversations/{conversation}/messages", body, key)
                if status in (200, 201):
                    break
                assert status == 503, told
            self.repeated += 1
            await asyncio.sleep(0.05)
        self.acknowledged[conversation] |= {receipt["id"]: receipt["seq"] for receipt in told}
        first, second = (receipt["seq"] for receipt in told)
        assert second == first + 1


async def attack(store_url: str, tenant: str, directory: Path) -> Clients:
    clients = Clients()
    running = [asyncio.create_task(clients.run(name)) for name in range(CLIENTS)]
    for last in [False] * ROUNDS + [True]:
        began = time.monotonic()
        with serving(store_url, workers=1, directory=directory, tenant=tenant) as service:
            assert time.monotonic() - began < READY_S
            clients.url = service.url
            clients.up.set()
            await asyncio.sleep(ROUND_S)
            if last:
                clients.over = True
                await asyncio.wait_for(asyncio.gather(*running), 60)
            else:
                clients.up.clear()
                service.process.send_signal(signal.SIGKILL)
                service.process.wait()
    return clients


@pytest.mark.parametrize("store", SHARED)
def test_killing_the_service_again_and_again_loses_and_doubles_nothing(
    store: str, store_url: str, tenant: str, tmp_path: Path
) -> None:
    async def check() -> None:
        async with connect(store_url, settings=Settings(tenant=tenant)) as log:
            for n in range(CONVERSATIONS):
                await log.create(id=f"c{n}")
            clients = await attack(store_url, tenant, tmp_path)
            assert clients.repeated > 0
            for conversation_id, acknowledged in clients.acknowledged.items():
                conversation = log.conversation(conversation_id)
                assert await conversation.verify() == []
                records = [record async for page in conversation.pages() for record in page.records]
                assert {record.id: record.seq for record in records} == acknowledged

    asyncio.run(check())
