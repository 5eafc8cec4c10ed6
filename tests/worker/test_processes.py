"""Law 10 among processes: two runners on the same data, and one that is killed at work."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from support.kinds import SHARED
from turnlog import Settings, Turnlog, connect, user
from turnlog.store import Key

PROGRAM = Path(__file__).parent / "programs" / "fold_all.py"
SIZES = [1, 120, 21, 0, 69, 15, 36, 93, 6, 54]


def start(url: str, tenant: str) -> "subprocess.Popen[str]":
    """A runner that is about to begin."""
    command = [sys.executable, str(PROGRAM), url, tenant]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def begin(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


async def fill(url: str, tenant: str) -> None:
    async with connect(url, settings=Settings(tenant=tenant)) as log:
        for number, size in enumerate(SIZES):
            await log.create(*(user(f"m{n}") for n in range(size)), id=f"c{number}")


async def check(log: Turnlog) -> None:
    """Every conversation's state names all its messages once, in order."""
    for number, size in enumerate(SIZES):
        key = Key(log.tenant, f"c{number}")
        snapshot = await log.store.load_snapshot(key, "ids", 1)
        seen = msgspec.json.decode(snapshot.state) if snapshot else []
        assert seen == [message.id for message in await log.conversation(key.conversation_id).messages(limit=1000)]
        assert len(seen) == size


@pytest.mark.parametrize("store", SHARED)
async def test_law_10_two_processes_fold_every_message_once(store_url: str, tenant: str) -> None:
    await fill(store_url, tenant)
    workers = [start(store_url, tenant) for _ in range(2)]
    for worker in workers:
        begin(worker)
    for worker in workers:
        worker.communicate(timeout=60)
        assert worker.returncode == 0
    async with connect(store_url, settings=Settings(tenant=tenant)) as log:
        await check(log)


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
async def test_law_10_a_killed_process_is_taken_over_by_another(store_url: str, tenant: str) -> None:
    await fill(store_url, tenant)
    for steps in (1, 4, 9):
        worker = start(store_url, tenant)
        begin(worker)
        assert worker.stdout is not None
        for _ in range(steps):
            assert worker.stdout.readline().startswith("step")
        worker.kill()
        worker.communicate(timeout=30)
    last = start(store_url, tenant)
    begin(last)
    last.communicate(timeout=60)
    assert last.returncode == 0
    async with connect(store_url, settings=Settings(tenant=tenant)) as log:
        await check(log)
