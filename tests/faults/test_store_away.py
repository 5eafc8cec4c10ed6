"""F3 and F4 through the service: it outlives its store's server, and tells its callers to try again, at once."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.line import Line
from support.postgres import PostgresServer, postgres
from support.service import Service, serving
from support.valkey import DURABLE, ValkeyServer, valkey
from turnlog import Settings, Turnlog, connect

CONVERSATIONS = 4
CLIENTS = 16
MORE = 100
KILLS = 2
AT_ONCE_S = 5.0
"""What does not wait for the time limit of 30 s takes less, also on a busy machine."""
PATIENCE_S = 60


@pytest.fixture(params=["postgres", "valkey"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PostgresServer | ValkeyServer]:
    with postgres(tmp_path / "data") if request.param == "postgres" else valkey(*DURABLE) as running:
        yield running


@dataclass
class Clients:
    """Clients that repeat each message under its key until it is acknowledged; what they were told."""

    url: str
    seqs: dict[str, dict[str, int]] = field(default_factory=lambda: {f"c{n}": {} for n in range(CONVERSATIONS)})
    refused: int = 0
    slowest_s: float = 0.0
    over: bool = False

    async def run(self, name: int) -> None:
        with closing(Line(self.url)) as line:
            n = 0
            while not self.over:
                await self._insist(line, f"c{name % CONVERSATIONS}", f"{name}-{n}")
                n += 1

    async def _insist(self, line: Line, conversation: str, key: str) -> None:
        while True:
            began = time.monotonic()
            body = {"role": "user", "content": key}
            status, told = await line.post(f"/v1/conversations/{conversation}/messages", body, key)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            if status in (200, 201):
                self.seqs[conversation][told["id"]] = told["seq"]
                return
            assert (status, told["code"], told["retryable"]) == (503, "store_unavailable", True)
            self.refused += 1
            await asyncio.sleep(0.05)

    async def acknowledged(self, more: int) -> None:
        """Wait for so many more acknowledgements."""
        goal = sum(map(len, self.seqs.values())) + more
        async with asyncio.timeout(PATIENCE_S):
            while sum(map(len, self.seqs.values())) < goal:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def killed_under_load(server: PostgresServer | ValkeyServer, service: Service) -> Clients:
    clients = Clients(service.url)
    async with asyncio.TaskGroup() as running:
        for name in range(CLIENTS):
            running.create_task(clients.run(name))
        for _ in range(KILLS):
            await clients.acknowledged(MORE)
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(0.2)
            await asyncio.to_thread(server.start)
        await clients.acknowledged(MORE)
        clients.over = True
    return clients


async def begin(log: Turnlog) -> None:
    async with log:
        for n in range(CONVERSATIONS):
            await log.create(id=f"c{n}")


async def stored(log: Turnlog) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    async with log:
        for n in range(CONVERSATIONS):
            conversation = log.conversation(f"c{n}")
            assert await conversation.verify() == []
            records = [record async for page in conversation.pages() for record in page.records]
            assert [record.seq for record in records] == list(range(1, len(records) + 1))
            found[conversation.id] = {record.id: record.seq for record in records}
    return found


def test_law_2_a_service_whose_store_is_killed_stays_says_503_at_once_and_loses_and_doubles_nothing(
    server: PostgresServer | ValkeyServer, tenant: str, tmp_path: Path
) -> None:
    url = server.url() if isinstance(server, PostgresServer) else server.url
    asyncio.run(begin(connect(url, settings=Settings(tenant=tenant))))
    with serving(url, workers=1, directory=tmp_path, tenant=tenant) as service:
        clients = asyncio.run(killed_under_load(server, service))
        assert service.process.poll() is None
    assert clients.refused
    assert clients.slowest_s < AT_ONCE_S
    assert asyncio.run(stored(connect(url, settings=Settings(tenant=tenant)))) == clients.seqs
