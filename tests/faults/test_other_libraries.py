"""Other programs look at the file of a process that writes: nothing that it acknowledged is lost, and the file stays whole.

A process that closes any descriptor of a file of its own loses all its POSIX locks on it. Then the next program that looks
takes itself for the last one, and removes the write-ahead log when it goes.
"""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from turnlog import connect, user
from turnlog.stores.sqlite import SqliteStore

PROGRAM = Path(__file__).parent / "programs" / "append_many.py"
LOOKS = 3
BETWEEN = 15
"""How many acknowledgements to wait for between looks."""

Look = Callable[[Path], None]


def library(sql: str) -> Look:
    """A connection of the standard library that is opened, used and closed."""

    def look(path: Path) -> None:
        with closing(sqlite3.connect(path, timeout=30)) as other:
            other.execute(sql).fetchall()
            other.commit()

    return look


def shell(command: str) -> Look:
    """The `sqlite3` shell, given one command; {} is a name for a copy."""

    def look(path: Path) -> None:
        copy = path.with_name("copy.db")
        copy.unlink(missing_ok=True)
        arguments = ["sqlite3", "-cmd", ".timeout 30000", str(path), command.format(copy)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        if copy.exists():
            whole(copy)

    return look


def backup(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=30)) as other, closing(sqlite3.connect(":memory:")) as copy:
        other.backup(copy, pages=5)
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def copy(path: Path) -> None:
    """`cp`, which promises nothing about the copy."""
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        subprocess.run(["cp", str(name), str(path.parent / "cp.db")], check=True, timeout=60)


needs_shell = pytest.mark.skipif(
    shutil.which("sqlite3") is None, reason="the sqlite3 shell is not installed (Debian: apt-get install sqlite3)"
)
LOOK = [
    pytest.param(library("SELECT count(*) FROM message"), id="library reads"),
    pytest.param(library("UPDATE conversation SET title = 'theirs'"), id="library writes"),
    pytest.param(backup, id="library backs up"),
    pytest.param(copy, id="cp"),
    pytest.param(shell("SELECT count(*) FROM message"), id="shell reads", marks=needs_shell),
    pytest.param(shell(".backup {}"), id="shell backs up", marks=needs_shell),
    pytest.param(shell("VACUUM INTO '{}'"), id="shell vacuums into", marks=needs_shell),
]


def whole(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=30)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


class Writer:
    """A process that appends until it is killed, and what it acknowledged."""

    def __init__(self, path: Path, name: str) -> None:
        command = [sys.executable, str(PROGRAM), str(path), name, "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.told: dict[str, int] = {}

    def hear(self, count: int) -> None:
        """Wait for so many acknowledgements."""
        assert self.process.stdout is not None
        for _ in range(count):
            line = self.process.stdout.readline()
            assert line.endswith("\n"), "the writer ended"
            self._note(line)

    def kill(self) -> None:
        """Let it end without a chance to put anything right, and hear the rest of what it told."""
        self.process.kill()
        assert self.process.stdout is not None
        with self.process.stdout as rest:
            for line in rest:
                if line.endswith("\n"):
                    self._note(line)
        self.process.wait(60)

    def _note(self, line: str) -> None:
        id_, seq = line.split()
        self.told[id_] = int(seq)


@contextmanager
def writers(path: Path, count: int) -> Iterator[list[Writer]]:
    started = [Writer(path, f"w{n}") for n in range(count)]
    try:
        yield started
    finally:
        for writer in started:
            if writer.process.poll() is None:
                writer.kill()


async def stored(path: Path) -> dict[str, int]:
    async with connect(f"sqlite:///{path}") as log:
        conversation = log.conversation("c1")
        records = [record async for page in conversation.pages() for record in page.records]
        assert await conversation.verify() == []
    return {record.id: record.seq for record in records}


async def begin(path: Path) -> None:
    async with connect(f"sqlite:///{path}") as log:
        await log.create(id="c1")


@pytest.mark.parametrize("look", LOOK)
@pytest.mark.parametrize("count", [1, 2])
def test_law_2_what_is_acknowledged_beside_another_program_is_there_after_a_kill(
    tmp_path: Path, look: Look, count: int
) -> None:
    path = tmp_path / "turnlog.db"
    asyncio.run(begin(path))
    with writers(path, count) as running:
        for writer in running:
            writer.hear(BETWEEN)
        wal = Path(f"{path}-wal").stat().st_ino
        for _ in range(LOOKS):
            look(path)
            for writer in running:
                writer.hear(BETWEEN)
        assert Path(f"{path}-wal").stat().st_ino == wal
        for writer in running:
            writer.kill()
    kept = asyncio.run(stored(path))
    told = {id_: seq for writer in running for id_, seq in writer.told.items()}
    assert len(told) >= count * BETWEEN * (LOOKS + 1)
    assert {id_: kept.get(id_) for id_ in told} == told
    whole(path)


def locks(path: Path) -> int:
    """How many locks this process has on the file."""
    mine = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    inode = str(path.stat().st_ino)
    return sum(line[4] == str(os.getpid()) and line[5].rpartition(":")[2] == inode for line in mine if "POSIX" in line)


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="NOT TESTED: locks, of which only Linux tells")
async def test_nothing_that_is_done_with_an_open_file_takes_its_locks_away(tmp_path: Path) -> None:
    path = tmp_path / "turnlog.db"
    url = f"sqlite:///{path}"
    async with connect(url) as log:
        conversation = await log.create(user("hello"))
        await conversation.messages()
        assert locks(path) > 0
        async with connect(url) as other:
            await other.conversation(conversation.id).append(user("more"))
            assert locks(path) > 0
        store = SqliteStore(str(path))
        for call in (store.schema_version, store.doctor, store.migrate, store.mark_restored, log.ping, conversation.verify):
            await call()
            assert locks(path) > 0, call
        await store.sweep(now=0)
        await conversation.redact(1)
        assert locks(path) > 0


async def test_a_copy_is_another_history(tmp_path: Path) -> None:
    path, moved = tmp_path / "turnlog.db", tmp_path / "moved.db"
    async with connect(f"sqlite:///{path}") as log:
        await log.create(user("hello"), id="c1")
        name = (await log.conversation("c1").info()).incarnation
        with closing(sqlite3.connect(path)) as other:
            other.execute(f"VACUUM INTO '{tmp_path}/copy.db'")
    for _ in range(2):
        path = path.rename(moved)
        async with connect(f"sqlite:///{path}") as log:
            assert (await log.conversation("c1").info()).incarnation == name
    async with connect(f"sqlite:///{tmp_path}/copy.db") as log:
        copied = (await log.conversation("c1").info()).incarnation
        assert copied != name
    async with connect(f"sqlite:///{tmp_path}/copy.db") as log, connect(f"sqlite:///{tmp_path}/copy.db") as other_log:
        assert (await log.conversation("c1").info()).incarnation == copied
        await SqliteStore(str(tmp_path / "copy.db")).mark_restored()
        restored = (await log.conversation("c1").info()).incarnation
        assert restored not in (name, copied)
        assert (await other_log.conversation("c1").info()).incarnation == restored
