"""Law 2 when the n-th system call fails: what was acknowledged is there, what was refused is there once or not at all.

The short form tries some n; with TURNLOG_FAULTS=long every n, until the fault is no longer reached.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import apsw
import pytest

from turnlog import connect

PROGRAM = Path(__file__).parent / "programs" / "append_each.py"
LONG = os.environ.get("TURNLOG_FAULTS") == "long"
FAULTS = [
    ("fdatasync", "EIO", (1, 2, 3, 5)),
    ("pwrite64", "EIO", (1, 2, 4, 9, 16, 30)),
    ("pwrite64", "ENOSPC", (1, 3, 8, 15, 28)),
]

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed (Debian: apt-get install strace)"
)


def run_with_fault(path: Path, call: str, error: str, when: str, trace: Path) -> tuple[dict[str, str], int]:
    """What each append was told, and how often the fault was reached."""
    command = [
        "strace",
        "-f",
        "-qq",
        "-o",
        str(trace),
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:error={error}:when={when}",
    ]
    told = subprocess.run([*command, sys.executable, str(PROGRAM), str(path)], capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
    return dict(line.split() for line in told.stdout.splitlines()), trace.read_text().count("(INJECTED)")


async def begin(path: Path) -> None:
    async with connect(f"sqlite:///{path}") as log:
        await log.create(id="c1")


async def stored(path: Path) -> dict[str, str]:
    async with connect(f"sqlite:///{path}") as log:
        conversation = log.conversation("c1")
        assert await conversation.verify() == []
        page = await conversation.read(limit=100)
    assert [record.seq for record in page.records] == list(range(1, page.header.head + 1))
    return {record.id: str(record.seq) for record in page.records}


def check(path: Path, call: str, error: str, when: str) -> int:
    asyncio.run(begin(path))
    told, reached = run_with_fault(path, call, error, when, path.with_suffix(".trace"))
    kept = asyncio.run(stored(path))
    assert apsw.Connection(str(path)).execute("PRAGMA integrity_check").get == "ok"
    for name, answer in told.items():
        assert answer == "store_unavailable" or kept[name] == answer, (name, answer, kept)
    return reached


@pytest.mark.parametrize(("call", "error", "places"), FAULTS)
def test_law_2_a_call_that_fails_once_loses_nothing_acknowledged(
    call: str, error: str, places: tuple[int, ...], tmp_path: Path
) -> None:
    reached = 0
    for n in count(1) if LONG else places:
        fired = check(tmp_path / f"{n}.db", call, error, str(n))
        reached += fired
        if not fired:
            break
    assert reached >= 3


@pytest.mark.parametrize(("call", "error"), [("fdatasync", "EIO"), ("pwrite64", "ENOSPC")])
def test_a_disk_that_stays_broken_acknowledges_nothing_more(call: str, error: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    asyncio.run(begin(path))
    told, reached = run_with_fault(path, call, error, "2+", tmp_path / "trace")
    assert reached > 0
    assert "store_unavailable" in told.values()
    kept = asyncio.run(stored(path))
    assert all(answer == "store_unavailable" or kept[name] == answer for name, answer in told.items())
