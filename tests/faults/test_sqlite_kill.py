"""Law 2: what was acknowledged is there after a kill, exactly once."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from turnlog import connect

PROGRAM = Path(__file__).parent / "programs" / "append_many.py"
KILLS = 5


async def begin(path: Path) -> None:
    async with connect(f"sqlite:///{path}") as log:
        await log.create(id="c1")


async def stored(path: Path) -> dict[str, int]:
    async with connect(f"sqlite:///{path}") as log:
        conversation = log.conversation("c1")
        records = [record async for page in conversation.pages() for record in page.records]
        assert [record.seq for record in records] == list(range(1, len(records) + 1))
        assert await conversation.verify() == []
    assert len({record.id for record in records}) == len(records)
    return {record.id: record.seq for record in records}


def acknowledged_before_kill(path: Path, name: str, after_s: float) -> dict[str, int]:
    """Let a process append, kill it `after_s` seconds after its first acknowledgement; what it had acknowledged."""
    command = [sys.executable, str(PROGRAM), str(path), name, "0"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(after_s)
    child.kill()
    rest, _ = child.communicate(timeout=120)
    lines = [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]
    return {id_: int(seq) for id_, seq in map(str.split, lines)}


@pytest.mark.parametrize("writers", [1, 3])
def test_law_2_a_killed_process_loses_and_doubles_nothing_acknowledged(tmp_path: Path, writers: int) -> None:
    path = tmp_path / "turnlog.db"
    asyncio.run(begin(path))
    told: dict[str, int] = {}
    for kill in range(KILLS):
        bystanders = [
            subprocess.Popen(
                [sys.executable, str(PROGRAM), str(path), f"b{kill}.{n}", "100"], stdout=subprocess.PIPE, text=True
            )
            for n in range(writers - 1)
        ]
        told |= acknowledged_before_kill(path, f"k{kill}", 0.05 + 0.04 * kill)
        for child in bystanders:
            out, _ = child.communicate(timeout=120)
            assert child.returncode == 0
            told |= {id_: int(seq) for id_, seq in map(str.split, out.splitlines())}
        kept = asyncio.run(stored(path))
        assert {id_: kept.get(id_) for id_ in told} == told
    assert len(told) > KILLS
