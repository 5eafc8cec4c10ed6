"""What a restore under an open store, and what decay does to headers and links, harms nothing else and hides nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import apsw
import pytest

from turnlog import ConversationDeleted, ConversationNotFound, Settings, Turnlog, TurnlogError, connect, user
from turnlog.store import Header, Key, Position
from turnlog.stores.sqlite import SqliteStore

NO_TEXT = ["title", "metadata", "tags", "id"]


@asynccontextmanager
async def opened(path: Path, tenant: str = "default") -> AsyncIterator[Turnlog]:
    async with connect(f"sqlite:///{path}", settings=Settings(tenant=tenant)) as log:
        yield log


def copy(source: Path, target: Path) -> None:
    """SQLite's own backup, which is also what `.restore` does."""
    to, of = apsw.Connection(str(target)), apsw.Connection(str(source))
    with to.backup("main", of, "main") as backup:
        backup.step(-1)
    to.close()
    of.close()


def do(path: Path, sql: str) -> int:
    """What the statement, told behind the store's back, says or changes."""
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(10_000)
    found = connection.execute(sql).get
    changes = connection.changes() if found is None else int(found)
    connection.close()
    return changes


def kept(path: Path) -> int:
    """How many rows are left of what is secret."""
    return do(path, "SELECT count(*) FROM message WHERE instr(body, CAST('secret' AS BLOB))")


async def test_a_restore_under_an_open_store_gives_nobodys_message_to_another(tmp_path: Path) -> None:
    path, backup = tmp_path / "t.db", tmp_path / "b.db"
    async with opened(path, "acme") as acme, opened(path, "rival") as rival:
        seed = await acme.create(user("seed"))
        copy(path, backup)
        gone = await acme.create(user("1"))
        await gone.append(user("2"))
        copy(backup, path)
        other = await rival.create(user("3"), user("4"))
        with pytest.raises(ConversationNotFound):
            await gone.append(user("for acme alone"))
        assert [message.text for message in await other.messages()] == ["3", "4"]
        assert (await seed.append(user("more"))).head == 2
        for conversation in (seed, other):
            assert await conversation.verify() == []


@pytest.mark.parametrize("column", NO_TEXT)
async def test_a_header_that_is_no_text_is_listed_and_erased(column: str, tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    async with opened(path) as log:
        await log.create(user("secret"), id="c", user_id="ada", title="t", tags=["x"])
        for other in ("a", "e"):
            await log.create(user("plain"), id=other, user_id="bob")
        fork = await log.conversation("c").fork(id="f")
        await fork.update(title="plain")
        assert do(path, f"UPDATE conversation SET {column} = CAST(x'63ff' AS TEXT) WHERE id = 'c'") == 1
        shown = {header.user_id: header for header in (await log.conversations()).data if header.id != "f"}
        assert [message.text for message in await fork.messages()] == ["secret"]
        assert (shown["ada"].tags, shown["ada"].metadata, shown["ada"].head) == ((), {}, 1)
        assert {stale.conversation_id for stale in await log.store.stale("default", "knowledge", 1, limit=2)} >= {"a"}
        if column != "id":
            await log.conversation("c").redact(1)
        assert (await log.user("ada").erase()).conversations == 2
        with pytest.raises(ConversationDeleted):
            await log.store.delete(Key("default", shown["ada"].id), now=1)
        assert kept(path) == 0
        assert [header.user_id for header in (await log.conversations()).data] == ["bob", "bob"]


async def test_pages_of_a_listing_pass_ids_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    async with opened(path) as log:
        for id_ in ("c1", "c2", "c3"):
            await log.create(user("plain"), id=id_)
        do(
            path,
            "UPDATE conversation SET id = CAST(CAST(id AS BLOB) || x'80' AS TEXT), updated_at = 1 << 40, active = 1 << 24",
        )
        pages: list[Header] = []
        after: Position | None = None
        while page := await log.store.list_headers("default", limit=1, after=after):
            pages += page
            after = Position(page[0].updated_at, page[0].id)
            assert len(pages) <= 3
        assert [header.id for header in pages] == ["c3\ufffd", "c2\ufffd", "c1\ufffd"]


async def test_a_negative_head_harms_its_conversation_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    async with opened(path) as log:
        bad = await log.create(user("secret"), user("secret"), id="c", user_id="ada")
        good = await log.create(user("plain"), user_id="ada")
        do(path, "UPDATE conversation SET head = -1 WHERE id = 'c'")
        with pytest.raises(TurnlogError):
            await bad.append(user("more"))
        assert (await good.append(user("more"))).head == 2
        assert len((await log.conversations(user_id="ada")).data) == 2
        assert (await log.user("ada").erase()).conversations == 2
        assert kept(path) == 0


BROKEN = {
    "the last row is forgotten": "UPDATE conversation SET last = NULL WHERE id = 'c'",
    "the last row is another's": "UPDATE conversation SET last = (SELECT max(n) FROM message) WHERE id = 'c'",
    "a row is gone": "DELETE FROM message WHERE conversation = 1 AND seq = 30",
    "a link is cut": "UPDATE message SET prev = NULL WHERE conversation = 1 AND seq = 30",
    "a link leaves rows out": "UPDATE message SET prev = prev - 5 WHERE conversation = 1 AND seq = 30",
    "the head is too low": "UPDATE conversation SET head = 0 WHERE id = 'c'",
}


@pytest.mark.parametrize("forked", [False, True])
@pytest.mark.parametrize("what", BROKEN)
async def test_what_no_link_reaches_is_deleted_too(
    what: str, forked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turnlog.stores.sqlite.writes.ROWS_PER_STEP", 16)
    path = tmp_path / "t.db"
    async with opened(path) as log:
        conversation = await log.create(*[user(f"secret {n}") for n in range(70)], id="c")
        fork = await conversation.fork(at=10, id="f") if forked else None
        await log.create(user("plain"), id="o")
        assert do(path, BROKEN[what]) == 1
        await conversation.delete()
        if fork is not None:
            assert len(await fork.messages()) == kept(path) == 10
            assert await fork.verify() == []
            await fork.delete()
        assert kept(path) == 0
        assert do(path, "SELECT count(*) FROM mark") == 0


async def test_a_repair_finds_what_neither_link_nor_head_tells_of(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    async with opened(path) as log:
        conversation = await log.create(*[user(f"secret {n}") for n in range(70)], id="c")
        fork = await conversation.fork(at=10)
        do(path, "UPDATE conversation SET head = 0, last = NULL WHERE id = 'c'")
        await conversation.delete()
        store = SqliteStore(str(path))
        assert await store.sweep(now=1) <= 1
        assert len(await fork.messages()) == kept(path) == 10
        await fork.delete()
        assert await store.sweep(now=1) <= 1
        assert kept(path) == 0
        assert await store.sweep(now=1) == 0
        with pytest.raises(ConversationDeleted):
            await log.store.get(Key("default", "c"))
