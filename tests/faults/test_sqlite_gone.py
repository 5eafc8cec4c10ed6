"""A file that was removed or replaced under an open store takes and gives nothing more, and no other is made."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from turnlog import Conversation, ConversationNotFound, InvalidInput, StoreUnavailable, Turnlog, connect, user
from turnlog.stores.sqlite import SqliteStore
from turnlog.stores.sqlite.file_identity import SETTLED_NS
from turnlog.stores.sqlite.writes import touch

Hurt = Callable[[Path], None]


def log_at(path: Path) -> Turnlog:
    return connect(f"sqlite:///{path}")


def beside(path: Path) -> list[Path]:
    """The file and those beside it."""
    return sorted(path.parent.glob(f"{path.name}*"))


def remove_all(path: Path) -> None:
    for file in beside(path):
        file.unlink()


def remove(path: Path) -> None:
    path.unlink()


def move_away(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))


def replace_by_nothing(path: Path) -> None:
    path.with_name("empty").touch()
    path.with_name("empty").replace(path)


def replace_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("other"))
    path.parent.mkdir()


HURTS = [remove_all, remove, move_away, replace_by_nothing, replace_folder]


async def begin(path: Path, log: Turnlog) -> Conversation:
    conversation = await log.create(user("one", id="m1"), id="c1")
    await conversation.messages()
    return conversation


async def refused(log: Turnlog, conversation: Conversation) -> None:
    """Every call is."""
    for _ in range(2):
        for call in (
            conversation.append(user("two", id="refused")),
            log.create(),
            conversation.redact(1),
            conversation.messages(),
            conversation.context(budget=1000),
            log.conversations(),
            log.ping(),
        ):
            with pytest.raises(StoreUnavailable):
                await call


async def noticed(log: Turnlog, conversation: Conversation) -> None:
    """Each connection tells once that its file is not there any more."""
    for _ in range(6):  # more than there are
        for call in (log.ping(), conversation.messages()):
            with suppress(StoreUnavailable):
                await call


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "turnlog.db"


@pytest.mark.parametrize("hurt", HURTS)
@pytest.mark.parametrize("settled", [False, True])
async def test_law_2_a_file_that_is_gone_takes_and_gives_nothing_and_none_is_made(
    path: Path, hurt: Hurt, settled: bool
) -> None:
    async with log_at(path) as log:
        conversation = await begin(path, log)
        if settled:
            await asyncio.sleep(SETTLED_NS / 1e9 + 0.1)
            await conversation.append(user("later"))
            await conversation.messages()
        hurt(path)
        await refused(log, conversation)
        assert not path.exists() or path.stat().st_size == 0


@pytest.mark.parametrize("hurt", [remove_all, move_away, replace_folder])
async def test_another_file_in_the_place_is_taken_only_by_a_store_that_is_opened_again(path: Path, hurt: Hurt) -> None:
    kept = path.parent.parent / "kept.db"
    log = log_at(path)
    await log.open()
    conversation = await begin(path, log)
    name = (await conversation.info()).incarnation
    back_up(path, kept)
    await conversation.append(user("two", id="m2"))
    hurt(path)
    await refused(log, conversation)
    remove_all(path)
    shutil.copyfile(kept, path)
    await refused(log, conversation)
    await log.close()
    assert path.read_bytes() == kept.read_bytes()
    async with log:
        conversation = log.conversation("c1")
        assert [message.id for message in await conversation.messages()] == ["m1"]
        assert (await conversation.append(user("two", id="m3"))).seqs == (2,)
        assert (await conversation.info()).incarnation != name
        assert await conversation.verify() == []


def rename_over(path: Path, kept: Path) -> None:
    shutil.copyfile(kept, path.with_name("b.db"))
    path.with_name("b.db").replace(path)


def remove_and_copy(path: Path, kept: Path) -> None:
    path.unlink()
    shutil.copyfile(kept, path)


@pytest.mark.parametrize("restore", [rename_over, remove_and_copy])
@pytest.mark.parametrize("elsewhere", [False, True])
async def test_law_2_a_backup_put_in_the_place_is_not_hurt_by_the_old_write_ahead_log(
    path: Path, restore: Callable[[Path, Path], None], elsewhere: bool
) -> None:
    kept = path.parent.parent / "kept.db"
    log = log_at(path)
    await log.open()
    conversation = await begin(path, log)
    for _ in range(20):
        await conversation.append(user("before " * 40))
    back_up(path, kept)
    for _ in range(20):
        await conversation.append(user("after " * 40))
    if elsewhere:
        os.link(path, path.with_name("old.db"))
    restore(path, kept)
    await refused(log, conversation)
    await log.close()
    assert path.read_bytes() == kept.read_bytes()
    wal = Path(f"{path}-wal")
    assert (wal.stat().st_size == 0) != elsewhere  # without a name, the old file needs it no more
    with pytest.raises(StoreUnavailable, match=f"{wal.name}.*remove"):
        await log.open()
    assert path.read_bytes() == kept.read_bytes()
    for file in beside(path)[1:]:
        file.unlink()
    async with log:
        conversation = log.conversation("c1")
        assert len(await conversation.messages(limit=99)) == 21
        await conversation.append(user("later"))
        assert await conversation.verify() == []


def back_up(path: Path, kept: Path) -> None:
    program = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute(f\"VACUUM INTO '{sys.argv[2]}'\")"
    subprocess.run([sys.executable, "-c", program, str(path), str(kept)], check=True, timeout=60)


async def test_heads_of_the_file_before_are_not_believed_of_another(path: Path) -> None:
    """In a backup, a number may name another conversation than it did later on."""
    kept = path.parent.parent / "kept.db"
    log = log_at(path)
    async with log:
        await begin(path, log)
        back_up(path, kept)
        mine = await log.create(user("mine"), id="mine")
        remove_all(path)
        shutil.copyfile(kept, path)
        with pytest.raises(StoreUnavailable):
            await log.ping()
    async with log:
        theirs = await log.create(user("theirs"), id="theirs")
        with pytest.raises(ConversationNotFound):
            await mine.append(user("mine, too"))
        assert [message.text for message in await theirs.messages()] == ["theirs"]


async def test_law_2_a_write_ahead_log_that_is_removed_takes_nothing_acknowledged_along(path: Path) -> None:
    told: list[str] = []
    async with log_at(path) as log:
        conversation = await begin(path, log)
        for n in range(3):
            told += (await conversation.append(user("x", id=f"a{n}"))).ids
            Path(f"{path}-wal").unlink()
            with pytest.raises(StoreUnavailable, match="write-ahead log"):
                await conversation.append(user("x", id=f"lost{n}"))
            told += (await conversation.append(user("x", id=f"b{n}"))).ids
            await noticed(log, conversation)
        read = [message.id for message in await conversation.messages(limit=99)]
        assert [id_ for id_ in read if not id_.startswith("lost")] == ["m1", *told]
    async with log_at(path) as log:
        assert [message.id for message in await log.conversation("c1").messages(limit=99)] == read
        assert await log.conversation("c1").verify() == []
    connection = apsw.Connection(str(path))
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    connection.close()


READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("BEGIN")
connection.execute("SELECT count(*) FROM message").fetchall()
print("reads", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("closing", [False, True])
async def test_law_2_a_write_ahead_log_that_is_removed_while_somebody_reads_in_it(path: Path, closing: bool) -> None:
    log = log_at(path)
    told = ["m1"]
    await log.open()
    conversation = await log.create(user("one", id="m1"), id="c1")
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", READER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        for n in range(10):
            told += (await conversation.append(user("x" * 500, id=f"a{n}"))).ids
        Path(f"{path}-wal").unlink()
        await refused(log, conversation)  # the lanes that read are not open yet, and must begin no other log
        closed = asyncio.create_task(log.close()) if closing else None
        await asyncio.sleep(0.2)
        reader.kill()  # closing, it would move the log into the file itself
        reader.wait()
    if closed is not None:
        await closed
        await log.open()
        conversation = log.conversation("c1")
    await noticed(log, conversation)
    told += (await conversation.append(user("x", id="b"))).ids
    there = [message.id for message in await conversation.messages(limit=99)]
    assert [id_ for id_ in there if id_ != "refused"] == told  # one that was not acknowledged may be there
    assert await conversation.verify() == []
    await log.close()


async def test_law_2_a_file_that_goes_while_a_commit_is_under_way_acknowledges_nothing(path: Path) -> None:
    store = SqliteStore(str(path))
    async with Turnlog(store) as log:
        await begin(path, log)

        def work(connection: apsw.Connection) -> None:
            touch(connection)
            remove_all(path)

        with pytest.raises(StoreUnavailable):
            await store._write(None, work)


@pytest.mark.parametrize(
    "name", [":memory:", "a.db?mode=memory", "a.db?x=1", "a.db#x", "file:a.db", "file::memory:?cache=shared", "a\0b"]
)
async def test_a_url_that_names_no_file_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput) as error:
        await connect(f"sqlite:///{name}").open()
    assert error.value.field == "store"
    assert list(tmp_path.iterdir()) == []


async def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = connect("sqlite:///a.db")
    async with log:
        conversation = await begin(Path("a.db"), log)
        (tmp_path / "there").mkdir()
        os.chdir(tmp_path / "there")
        assert len(await conversation.messages()) == 1
    async with log:
        assert len(await conversation.messages()) == 1
    assert list((tmp_path / "there").iterdir()) == []


async def test_a_path_that_is_a_link_leads_to_its_file(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    async with log_at(link) as log:
        conversation = await begin(link, log)
        assert path.exists()
        link.unlink()
        await refused(log, conversation)
    assert not link.exists()
