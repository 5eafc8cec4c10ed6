"""The file of the embedded store: who may open it, who may read it, and many processes on it at once."""

import asyncio
import re
import stat
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from turnlog import SchemaTooNew, StoreFailed, StoreUnavailable, Turnlog, connect, user
from turnlog.stores.sqlite import SqliteStore
from turnlog.stores.sqlite.connection import SQL
from turnlog.stores.sqlite.schema import SUPPORTED

PROGRAMS = Path(__file__).parent / "programs"
PROCESSES = 8
APPENDS = 500


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "turnlog.db"


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAMS / program), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def log_at(path: Path) -> Turnlog:
    return connect(f"sqlite:///{path}")


async def make(path: Path) -> None:
    async with log_at(path) as log:
        await log.create(user("hello", id="m1"), id="c1")


async def ids(path: Path) -> list[str]:
    """The ids in conversation c1, after a look that it has no gap and that `verify` finds nothing."""
    async with log_at(path) as log:
        records = [record async for page in log.conversation("c1").pages() for record in page.records]
        assert [record.seq for record in records] == list(range(1, len(records) + 1))
        assert (await log.conversation("c1").info()).head == len(records)
        assert await log.conversation("c1").verify() == []
    return [record.id for record in records]


def test_a_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    asyncio.run(make(path))
    newer = SUPPORTED + 1
    with apsw.Connection(str(path)) as connection:
        connection.execute(f"PRAGMA user_version = {newer}")
    connection.close()

    async def check() -> None:
        with pytest.raises(SchemaTooNew) as error:
            await log_at(path).open()
        assert (error.value.found, error.value.supported) == (newer, SUPPORTED)

    asyncio.run(check())


def test_a_file_of_another_application_is_refused_and_left_alone(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)")
    connection.close()
    before = path.read_bytes()

    async def check() -> None:
        with pytest.raises(StoreUnavailable, match="another application"):
            await log_at(path).open()

    asyncio.run(check())
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"Dear diary, " * 1000)

    async def check() -> None:
        with pytest.raises(StoreUnavailable):
            await log_at(path).open()

    asyncio.run(check())
    assert path.read_bytes() == b"Dear diary, " * 1000


def test_a_directory_that_is_not_there_is_told(path: Path) -> None:
    async def check() -> None:
        with pytest.raises(StoreUnavailable):
            await log_at(path / "no" / "turnlog.db").open()

    asyncio.run(check())


def test_a_store_that_could_not_be_opened_opens_when_the_cause_is_gone(path: Path) -> None:
    async def check() -> None:
        path.write_bytes(b"Dear diary, " * 1000)
        log = log_at(path)
        with pytest.raises(StoreUnavailable):
            await log.open()
        path.unlink()
        async with log:
            await log.create(user("hello"), id="c1")
            assert len(await log.conversation("c1").messages()) == 1

    asyncio.run(check())


def test_a_closed_store_is_unavailable(path: Path) -> None:
    async def check() -> None:
        log = log_at(path)
        await log.open()
        await log.close()
        for call in (log.create(), log.conversation("c1").messages(), log.conversation("c1").append(user("x"))):
            with pytest.raises(StoreUnavailable):
                await call

    asyncio.run(check())


def test_only_the_owner_may_read_the_files(path: Path) -> None:
    async def check() -> None:
        async with log_at(path) as log:
            await log.create(user("hello"))
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == {"turnlog.db": 0o600, "turnlog.db-wal": 0o600, "turnlog.db-shm": 0o600}

    asyncio.run(check())


def test_the_mode_that_someone_gave_a_file_stays(path: Path) -> None:
    path.touch(mode=0o640)
    path.chmod(0o640)
    asyncio.run(make(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_defect_in_one_call_does_not_swallow_what_is_acknowledged_later(path: Path) -> None:
    async def check() -> None:
        store = SqliteStore(str(path))
        async with Turnlog(store) as log:
            conversation = await log.create(id="c1")
            await conversation.append(user("hello", id="m1"))

            def defect(_: apsw.Connection) -> None:
                raise ZeroDivisionError

            for call in (store._write(None, defect), store._read(defect), store._read(defect), store._read(defect)):
                with pytest.raises(StoreFailed, match="ZeroDivision"):
                    await call
            await conversation.append(user("hello", id="m2"))
            assert len(await conversation.messages()) == 2
            assert await ids(path) == ["m1", "m2"]

    asyncio.run(check())


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    for attempt in range(2):
        path = tmp_path / f"{attempt}.db"
        children = [start("open_new.py", path, f"c{n}") for n in range(PROCESSES)]
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        for child in children:
            child.communicate(timeout=120)
        assert [child.returncode for child in children] == [0] * PROCESSES

        async def created(path: Path = path) -> list[str]:
            async with log_at(path) as log:
                return sorted(header.id for header in (await log.conversations()).data)

        assert asyncio.run(created()) == [f"c{n}" for n in range(PROCESSES)]


def test_law_1_many_processes_on_one_conversation_lose_nothing_and_leave_no_gap(path: Path) -> None:
    async def begin() -> None:
        async with log_at(path) as log:
            await log.create(id="c1")

    asyncio.run(begin())
    children = [start("append_many.py", path, f"p{n}", APPENDS) for n in range(PROCESSES)]
    told: dict[str, int] = {}
    for child in children:
        out, _ = child.communicate(timeout=120)
        assert child.returncode == 0
        told.update((id_, int(seq)) for id_, seq in map(str.split, out.splitlines()))
    stored = asyncio.run(ids(path))
    assert len(stored) == len(told) == PROCESSES * APPENDS
    assert {id_: seq for seq, id_ in enumerate(stored, 1)} == told


WALKS_THROUGH_ALL = {"all_own_rows", "drop_all_ids", "to_trim_again"}
"""What a deletion and a repair ask where links decayed, so that they do not lead to all that has to go."""


def test_no_statement_walks_through_all_messages(path: Path) -> None:
    asyncio.run(make(path))
    with apsw.Connection(str(path)) as connection:
        for name, sql in SQL.items():
            numbers = [int(n) for n in re.findall(r"\?(\d+)", sql)]
            values = ["[]"] * (max(numbers) if numbers else sql.count("?"))
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            walks = any(step.startswith(("SCAN m", "SCAN message", "SCAN mark")) for step in plan)
            assert walks == (name in WALKS_THROUGH_ALL), name
    connection.close()
