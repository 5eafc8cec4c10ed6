"""Law 1 where it is hardest to keep: many writers of several processes on one conversation."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from support.kinds import SHARED
from turnlog import Settings, connect

PROGRAM = Path(__file__).parent / "programs" / "contend.py"
PROCESSES = 4
WRITERS = 8
APPENDS = 100


def start(url: str, tenant: str, name: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(PROGRAM), url, tenant, name, str(WRITERS), str(APPENDS)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def told_by(children: "list[subprocess.Popen[str]]") -> list[tuple[str, int]]:
    """What all of them, set off at once, had acknowledged."""
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    outs = [child.communicate(timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0] * len(children)
    return [(id_, int(seq)) for out in outs for id_, seq in map(str.split, out.splitlines())]


async def begin(url: str, tenant: str) -> None:
    async with connect(url, settings=Settings(tenant=tenant)) as log:
        await log.create(id="c1")


async def stored(url: str, tenant: str) -> list[tuple[str, int]]:
    async with connect(url, settings=Settings(tenant=tenant)) as log:
        conversation = log.conversation("c1")
        assert await conversation.verify() == []
        return [(record.id, record.seq) async for page in conversation.pages() for record in page.records]


@pytest.mark.parametrize("store", SHARED)
def test_law_1_writers_of_four_processes_on_one_conversation_lose_nothing_and_leave_no_gap(
    store: str, store_url: str, tenant: str
) -> None:
    asyncio.run(begin(store_url, tenant))
    told = told_by([start(store_url, tenant, f"p{n}") for n in range(PROCESSES)])
    kept = asyncio.run(stored(store_url, tenant))
    assert [seq for _, seq in kept] == list(range(1, PROCESSES * WRITERS * APPENDS + 1))
    assert len({id_ for id_, _ in kept}) == len(kept)
    assert sorted(told) == sorted(kept)
    for name in {id_.rpartition("-")[0] for id_, _ in kept}:
        assert [id_ for id_, _ in kept if id_.startswith(f"{name}-")] == [f"{name}-{n}" for n in range(APPENDS)]
