"""What decayed behind the store's back keeps nobody from being erased, and what is derived is made anew."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import apsw
import msgspec
import pytest

from turnlog import CorruptRecord, Settings, Turnlog, user
from turnlog.fold import catch_up
from turnlog.memory.user import pages
from turnlog.store import Key
from turnlog.stores.ram import RamStore
from turnlog.testing import FakeClock
from turnlog.wiring import open_store

STORES = pytest.mark.parametrize("store", ["ram", "sqlite"])
SECRET = "I live in Xyzzyville. I love plughcake."
ROT = b'{"rotten": [\xff'


class Stage:
    """A user with a plain and a secret conversation, and a hand on what is stored."""

    def __init__(self, log: Turnlog, path: str) -> None:
        self.log = log
        self.path = path
        self.person = log.user("ada")

    async def begin(self) -> "Stage":
        self.plain = await self.log.create(user("My name is Ada. I live in Lisbon."), user_id="ada")
        self.secret = await self.log.create(user(SECRET), user("More."), user_id="ada")
        for conversation in (self.plain, self.secret):
            await conversation.catch_up()
        await self.person.correct("owns a boat")
        self.book = pages.place(self.log.tenant, pages.hidden_name("ada"), 1)
        await self.plain.context()
        return self

    def rot_record(self, key: Key, seq: int) -> None:
        """Change a record's bytes, not its checksum."""
        if isinstance(self.log.store, RamStore):
            records = self.log.store.logs[key].records
            records[seq] = msgspec.structs.replace(records[seq], body=records[seq].body + b" ")
        else:
            self._do("UPDATE message SET body = CAST(body || ' ' AS BLOB) WHERE seq = ? AND conversation = {n}", key, seq)

    def rot_header(self, key: Key) -> None:
        """The metadata become unreadable; the store in memory keeps values, not bytes."""
        if not isinstance(self.log.store, RamStore):
            self._do("UPDATE conversation SET metadata = ? WHERE n = {n}", key, "{rotten")

    def rot_snapshots(self, key: Key) -> None:
        """Every state that is stored with a conversation becomes unreadable."""
        if isinstance(self.log.store, RamStore):
            kept = self.log.store.logs[key].snapshots
            kept.update(
                {name: msgspec.structs.replace(it, state=ROT) for name, it in kept.items() if name[0] != "integrity"}
            )
        else:
            self._do("UPDATE snapshot SET state = ? WHERE fold <> 'integrity' AND conversation = {n}", key, ROT)

    def _do(self, sql: str, key: Key, bound: Any) -> None:
        connection = apsw.Connection(self.path)
        connection.set_busy_timeout(10_000)
        numbers = connection.execute("SELECT n FROM conversation WHERE tenant = ? AND id = ?", key).fetchall()
        connection.execute(sql.format(n=numbers[0][0]), (bound,))
        assert connection.changes() > 0
        connection.close()

    async def words(self) -> str:
        """All that is known and shown of the user."""
        fresh = await self.log.create(user("Hello."), user_id="ada")
        shown = [message.text for message in (await fresh.context()).messages]
        known = await self.person.memory()
        return "\n".join([*shown, *(fact.text for fact in known.history())])


@asynccontextmanager
async def staged(store: str, tmp_path: Any) -> AsyncIterator[Stage]:
    path = f"{tmp_path}/decayed.db"
    opened = open_store("ram:" if store == "ram" else f"sqlite:///{path}", Settings())
    async with Turnlog(opened, clock=FakeClock()) as log:
        yield await Stage(log, path).begin()


Rot = Callable[[Stage], None]
ROTTEN: dict[str, Rot] = {
    "the record": lambda at: at.rot_record(at.secret.key, 1),
    "the last record": lambda at: at.rot_record(at.secret.key, 2),
    "another conversation's record": lambda at: at.rot_record(at.plain.key, 1),
    "the states": lambda at: at.rot_snapshots(at.secret.key),
    "another conversation's states": lambda at: at.rot_snapshots(at.plain.key),
    "the book's pages and digest": lambda at: at.rot_snapshots(at.book),
    "the header": lambda at: at.rot_header(at.secret.key),
    "another conversation's header": lambda at: at.rot_header(at.plain.key),
    "the book's header": lambda at: at.rot_header(at.book),
    "a correction": lambda at: at.rot_record(at.book, 1),
}


async def redact(at: Stage) -> None:
    await at.secret.redact(1)


async def delete(at: Stage) -> None:
    await at.secret.delete()


async def erase(at: Stage) -> None:
    assert (await at.person.erase()).conversations == 2


@STORES
@pytest.mark.parametrize("act", [redact, delete, erase])
@pytest.mark.parametrize("what", ROTTEN)
async def test_an_erasure_ends_whatever_decayed(
    store: str, what: str, act: Callable[[Stage], Awaitable[None]], tmp_path: Any
) -> None:
    async with staged(store, tmp_path) as at:
        ROTTEN[what](at)
        await act(at)
        unreadable = ("a correction",) if store == "ram" else ("a correction", "the book's header")
        if what in unreadable and act is not erase:
            with pytest.raises(CorruptRecord):
                await at.person.memory()
            assert (await at.person.erase()).conversations >= 1
        words = (await at.words()).lower()
        assert "xyzzy" not in words
        assert "plugh" not in words


@STORES
async def test_a_record_that_decayed_is_whole_once_it_is_erased(store: str, tmp_path: Any) -> None:
    async with staged(store, tmp_path) as at:
        at.rot_record(at.secret.key, 1)
        with pytest.raises(CorruptRecord):
            await at.secret.messages()
        await at.secret.redact(1)
        first, second = await at.secret.messages()
        assert (first.redacted, first.text, second.text) == (True, "", "More.")
        await at.secret.catch_up()
        assert await at.secret.verify() == []


@STORES
async def test_what_is_derived_and_cannot_be_read_is_made_anew(store: str, tmp_path: Any) -> None:
    async with staged(store, tmp_path) as at:
        before = await at.person.memory()
        for key in (at.plain.key, at.secret.key):
            at.rot_snapshots(key)
        assert all(told.state is None for name, told in (await at.plain.memory()).items() if name != "integrity")
        for conversation in (at.plain, at.secret):
            await conversation.append(user("Thanks."))
            await conversation.catch_up()
        at.rot_snapshots(at.book)
        known = await at.person.memory()
        assert known.history() == before.history()
        assert "lives in Lisbon" in await at.words()


@STORES
async def test_a_page_that_cannot_be_read_loses_nobodys_contribution(store: str, tmp_path: Any) -> None:
    async with staged(store, tmp_path) as at:
        at.rot_snapshots(at.book)
        await at.plain.append(user("I work at Initech."))
        await at.plain.catch_up()
        texts = {fact.text for fact in (await at.person.memory()).facts}
        assert texts >= {"works at Initech", "likes plughcake", "owns a boat"}
        assert "works at Initech" in await at.words()


@STORES
async def test_states_of_a_newer_form_are_made_anew_from_the_log(store: str, tmp_path: Any) -> None:
    async with staged(store, tmp_path) as at:
        fold = at.log.folds[-2]
        header = await at.plain.info()
        now = await catch_up(at.log.store, at.plain.key, fold)
        newer = msgspec.structs.replace(now, state=b'{"form":9,"facts":{"by":"slot"}}')
        await at.log.store.save_snapshot(at.plain.key, fold.name, fold.version, newer, expect_watermark=header.head)
        await at.plain.append(user("I work at Initech."))
        remembered = await at.plain.catch_up()
        assert {fact.text for fact in remembered[fold.name].state.facts} >= {"works at Initech", "lives in Lisbon"}


@STORES
async def test_a_receipt_says_what_could_not_be_counted(store: str, tmp_path: Any) -> None:
    async with staged(store, tmp_path) as at:
        at.rot_record(at.book, 1)
        told = (await at.person.erase()).not_ruled_out
        assert any("not counted" in sentence for sentence in told)
        assert any("Backups" in sentence for sentence in told)
        assert any("page" in sentence for sentence in told) == (store == "sqlite")
        clean = (await at.person.erase()).not_ruled_out
        assert not any("not counted" in sentence for sentence in clean)
