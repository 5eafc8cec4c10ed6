"""F20: laws 10 and 11 while the process that folds is killed at work again and again, and messages come and are erased.

Afterwards each state is what a replay of the log makes. The short form kills five times; TURNLOG_FAULTS=long fifty times.
"""

import asyncio
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from support.kinds import SHARED
from turnlog import Settings, Turnlog, connect, user
from turnlog.fold import Fold, replay
from turnlog.store import Key

PROGRAM = Path(__file__).parent / "programs" / "fold_on.py"
FOLDS: tuple[Fold[Any], ...] = runpy.run_path(str(PROGRAM))["FOLDS"]
KILLS = 50 if os.environ.get("TURNLOG_FAULTS") == "long" else 5
CONVERSATIONS = 6
STEPS_MAX = 12
PATIENCE_S = 60


@contextmanager
def worker(url: str, tenant: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that folds, until it is killed at the end of the block."""
    process = subprocess.Popen([sys.executable, str(PROGRAM), url, tenant], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_S)


async def go_on(log: Turnlog, random: Random) -> None:
    """Say something in every conversation, and erase something in one."""
    for n in range(CONVERSATIONS):
        await log.conversation(f"c{n}").append(*(user("x" * random.randint(1, 40)) for _ in range(random.randint(5, 20))))
    some = log.conversation(f"c{random.randrange(CONVERSATIONS)}")
    await some.redact(random.randint(1, (await some.info()).head))


async def talk(log: Turnlog, random: Random, over: asyncio.Event) -> None:
    while not over.is_set():
        await go_on(log, random)
        await asyncio.sleep(0.2)


def kill_at_work(url: str, tenant: str, steps: int) -> None:
    """Let a worker go so many steps far, and kill it in the middle of the last."""
    with worker(url, tenant) as process:
        assert process.stdout is not None
        for _ in range(steps):
            assert process.stdout.readline() == "step\n"


async def caught_up(log: Turnlog) -> None:
    async with asyncio.timeout(PATIENCE_S):
        for fold in FOLDS:
            while await log.store.stale(log.tenant, fold.name, fold.version, limit=1):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("store", SHARED)
async def test_f20_a_worker_that_is_killed_again_and_again_leaves_what_a_replay_makes(store_url: str, tenant: str) -> None:
    random = Random(20)
    async with connect(store_url, settings=Settings(tenant=tenant)) as log:
        for n in range(CONVERSATIONS):
            await log.create(id=f"c{n}")
        over = asyncio.Event()
        talking = asyncio.create_task(talk(log, Random(5), over))
        for _ in range(KILLS):
            await asyncio.to_thread(kill_at_work, store_url, tenant, random.randint(1, STEPS_MAX))
            for fold in FOLDS:
                await never_ahead(log, fold)
        over.set()
        await talking
        with worker(store_url, tenant):
            await caught_up(log)
        for fold in FOLDS:
            for n in range(CONVERSATIONS):
                key = Key(tenant, f"c{n}")
                assert await log.store.load_snapshot(key, fold.name, fold.version) == await replay(log.store, key, fold)


async def never_ahead(log: Turnlog, fold: Fold[Any]) -> None:
    """No watermark lies beyond its log."""
    for n in range(CONVERSATIONS):
        key = Key(log.tenant, f"c{n}")
        kept = await log.store.load_snapshot(key, fold.name, fold.version)
        assert kept is None or kept.watermark <= (await log.store.get(key)).head
