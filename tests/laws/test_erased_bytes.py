"""Law 11 in raw bytes: of what was erased no store holds a byte, in its tables, keys or files, nor of old states of folds.

What holds at once and what after `turnlog doctor --repair` or a vacuum is in decision 012.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from uuid import uuid4

import apsw
import psycopg
import pytest

from support.postgres import PostgresServer
from support.valkey import ValkeyCluster, ValkeyServer, valkey, wait_until
from turnlog import Message, Settings, StoreUnavailable, Turnlog, connect, user
from turnlog.errors import ConversationDeleted
from turnlog.fold import catch_up
from turnlog.store import Key, Snapshot, Store, Sweeper

Scan = Callable[[], Iterator[bytes]]
"""All bytes that are kept, in pieces of which none cuts a word."""
READS = {b"string": "GET", b"hash": "HGETALL", b"list": "LRANGE", b"set": "SMEMBERS", b"zset": "ZRANGE"}


class Words:
    """All that was said, whole: a state full of what may have to be erased."""

    name = "words"
    version = 1

    def initial(self) -> list[str]:
        return []

    async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
        return [*state, *(message.text for message in messages)]


def word(name: str) -> str:
    """A word that is nowhere else, whose form differs in UTF-8 and in JSON that is escaped."""
    return f"sécret-{name}-{uuid4().hex}"


def forms(said: str) -> list[bytes]:
    """The word in each form that a store may give it: a part that is told apart from all others will do for the escaped."""
    return [said.encode(), said.encode("unicode_escape"), said.rpartition("-")[2].encode(), said.encode().hex().encode()]


def found(scan: Scan, said: Sequence[str]) -> set[str]:
    """Those of the words that are there."""
    wanted = [(one, form) for one in said for form in forms(one)]
    return {one for piece in scan() for one, form in wanted if form in piece}


class Scene:
    """A conversation with forks, states that were saved over and over, contexts that were kept, and another beside it."""

    def __init__(self, log: Turnlog) -> None:
        self.log = log
        self.mine = [word(f"m{n}") for n in range(8)]
        self.forked = word("fork")
        self.about = [word("title"), word("note")]
        self.other = [word(f"o{n}") for n in range(8)]

    async def play(self) -> None:
        """Say everything, and fold and plan after each message."""
        titled = {"title": self.about[0], "metadata": {"note": self.about[1]}}
        await self.log.create(id="c1", user_id="ann", **titled)
        await self.log.create(id="other")
        for n, (mine, other) in enumerate(zip(self.mine, self.other, strict=True)):
            await self._say("c1", mine + " and more" * (1 + 40 * (n % 3)))
            await self._say("other", other)
        await self.log.conversation("c1").update(title="clean", metadata={})
        await self.log.conversation("c1").fork(at=5, id="f")
        await self._say("f", self.forked)
        await self.log.conversation("f").fork(at=4, id="g")
        await self._say("g", "nothing")

    async def _say(self, conversation_id: str, text: str) -> None:
        conversation = self.log.conversation(conversation_id)
        await conversation.append(user(text))
        await catch_up(self.log.store, Key(self.log.tenant, conversation_id), Words(), batch=1)
        await conversation.context(budget=300)
        await self._shrink(Key(self.log.tenant, conversation_id))

    async def _shrink(self, key: Key) -> None:
        """Save over and over a state that is now long, now short."""
        header = await self.log.store.get(key)
        texts = " ".join([message.text for message in await self.log.conversation(key.conversation_id).messages()])
        for version, state in ((7, texts * 20), (8, texts), (7, texts), (7, "")):
            kept = await self.log.store.load_snapshot(key, "own", version)
            saved = Snapshot(header.head, header.epoch, state.encode())
            await self.log.store.save_snapshot(key, "own", version, saved, expect_watermark=kept.watermark if kept else 0)

    async def refold(self) -> None:
        """What workers do after an erasure."""
        for id_ in ("c1", "f", "g", "other"):
            await catch_up(self.log.store, Key(self.log.tenant, id_), Words())


async def erased(
    log: Turnlog, at_once: Scan, later: Scan, sweep: Callable[[], object], *, derived: Scan | None = None
) -> None:
    """Play, erase one message, then all but the other conversation; look each time, for what was made of it in `derived`."""
    scene = Scene(log)
    await scene.play()
    assert found(at_once, [*scene.mine, scene.forked, *scene.other]) >= {*scene.mine, scene.forked, *scene.other}
    await log.conversation("f").redact(3)
    assert found(at_once, [scene.mine[2]]) == set()
    await scene.refold()
    assert found(at_once, [scene.mine[2], *scene.mine[:2]]) == set(scene.mine[:2])
    for id_ in ("c1", "f", "g"):
        await log.conversation(id_).delete()
    gone = [*scene.mine, scene.forked, *scene.about]
    assert found(at_once, gone) == set()
    people = await erased_people(log, derived or at_once)
    await asyncio.to_thread(sweep)
    assert found(later, [*gone, *people, *scene.other]) == set(scene.other)


async def erased_people(log: Turnlog, at_once: Scan) -> list[str]:
    """Erase a message from which something was learned that another conversation was told, then the person; look each time.
    The words that are gone.
    """
    home, job, liked, put_right, name = (proper() for _ in range(5))
    person = log.user(f"{name}@example.org")
    told = await log.create(user(f"I live in {home}."), user_id=person.id)
    await told.append(user(f"I work at {job}, and I love {liked} tea."))
    await told.catch_up()
    await person.correct(f"has a friend in {put_right}")
    other = await log.create(user("Hello!"), user_id=person.id)
    for _ in range(2):
        shown = " ".join(message.text for message in (await other.context(budget=2000)).messages)
        assert all(word in shown for word in (home, job, liked, put_right))
    assert found(at_once, [job, name]) == {job, name}
    await told.redact(1)
    assert found(at_once, [home]) == set()
    await told.catch_up()
    assert job in " ".join(fact.text for fact in (await person.memory()).facts)
    await person.erase()
    gone = [home, job, liked, put_right, name]
    assert found(at_once, gone) == set()
    return gone


def proper() -> str:
    """A name that is nowhere else."""
    return "Q" + "".join(chr(ord("a") + int(digit, 16)) for digit in uuid4().hex) + "ville"


@asynccontextmanager
async def opened(url: str, tenant: str) -> AsyncIterator[Turnlog]:
    async with connect(url, settings=Settings(tenant=tenant, store_timeout_s=10.0)) as log:
        yield log


def bytes_of(folder: Path) -> Scan:
    """All files of a folder, with those below it."""
    return lambda: (file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def rows_of(folder: Path) -> Scan:
    """All that the tables of SQLite hold, and the write-ahead log: not the gaps that page splits leave (decision 012)."""

    def scan() -> Iterator[bytes]:
        connection = apsw.Connection(f"{folder}/turnlog.db")
        try:
            for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
                for row in connection.execute(f'SELECT * FROM "{table}"'):
                    yield repr(row).encode() + b"".join(value for value in row if isinstance(value, bytes))
        finally:
            connection.close()
        yield from (wal.read_bytes() for wal in folder.glob("*-wal"))

    return scan


def swept(store: Store) -> None:
    assert isinstance(store, Sweeper)
    asyncio.run(store.sweep(now=0))


async def test_law_11_nothing_erased_is_left_in_memory(tenant: str) -> None:
    async with opened("ram:", tenant) as log:
        logs = log.store.logs  # type: ignore[attr-defined]
        scan: Scan = lambda: iter([told(logs)])  # noqa: E731
        await erased(log, scan, scan, lambda: None)


def told(logs: dict) -> bytes:  # type: ignore[type-arg]
    """All that the store in memory keeps."""
    return repr([(log.header, log.records, log.seqs, log.snapshots) for log in logs.values()]).encode()


async def test_law_11_nothing_erased_is_left_in_the_files_of_sqlite(tenant: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/turnlog.db"
    async with opened(url, tenant) as log, opened(url, tenant):
        files = bytes_of(tmp_path)
        await erased(log, files, files, lambda: swept(connect(url).store), derived=rows_of(tmp_path))


@pytest.mark.parametrize("seed", range(3))
async def test_law_11_after_a_repair_no_page_of_sqlite_holds_what_was_erased(seed: int, tenant: str, tmp_path: Path) -> None:
    random, said = Random(seed), list[tuple[int, str]]()
    async with opened(f"sqlite:///{tmp_path}/turnlog.db", tenant) as log:
        keys = [Key(tenant, (await log.create()).id) for _ in range(30)]
        for n in range(500):
            at = random.randrange(30)
            said.append((at, word(str(n))))
            await log.conversation(keys[at].conversation_id).append(user(said[-1][1] + "x" * random.randrange(700)))
            if n % 2:
                await catch_up(log.store, keys[at], Words())
        for at in range(20):
            await log.conversation(keys[at].conversation_id).delete()
        gone = [text for at, text in said if at < 20]
        [wal] = tmp_path.glob("*-wal")
        assert wal.stat().st_size == 0
        assert isinstance(log.store, Sweeper)
        await log.store.sweep(now=0)
        assert found(bytes_of(tmp_path), gone) == set()


async def test_an_erasure_that_a_reader_holds_up_is_not_acknowledged_before_the_reader_is_done(
    tenant: str, tmp_path: Path
) -> None:
    path = tmp_path / "turnlog.db"
    async with connect(f"sqlite:///{path}", settings=Settings(tenant=tenant, store_timeout_s=0.5)) as log:
        conversation = await log.create(user(secret := word("s")), user("b"))
        reader = apsw.Connection(str(path))
        reader.execute("BEGIN; SELECT count(*) FROM message").fetchall()
        with pytest.raises(StoreUnavailable, match="reader"):
            await conversation.redact(1)
        assert (await conversation.append(user("c"))).seqs == (3,)
        assert (await conversation.messages())[0].redacted
        with pytest.raises(StoreUnavailable, match="reader"):
            await conversation.delete()
        reader.close()
        with pytest.raises(ConversationDeleted):
            await conversation.delete()
        assert found(bytes_of(tmp_path), [secret]) == set()


def tables(server: PostgresServer, database: str) -> Scan:
    """All rows of all tables of the schema, as text."""

    def scan() -> Iterator[bytes]:
        with psycopg.connect(server.url(database)) as reader:
            names = reader.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'turnlog'").fetchall()
            for (name,) in names:
                with reader.cursor().copy(f"COPY (SELECT t.*, t::text FROM turnlog.{name} AS t) TO STDOUT") as rows:
                    yield b"".join(map(bytes, rows))

    return scan


def relations(server: PostgresServer, database: str) -> Scan:
    """The files of the database."""
    with psycopg.connect(server.url(database)) as reader:
        [(number,)] = reader.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchall()
    return bytes_of(server.directory / "base" / str(number))


@pytest.mark.parametrize("store", ["postgres"])
async def test_law_11_nothing_erased_is_left_in_the_tables_of_postgresql_nor_in_its_files_after_a_vacuum(
    postgres_server: PostgresServer, tenant: str, store: str
) -> None:
    database = f"erased_{uuid4().hex}"
    postgres_server.execute(f"CREATE DATABASE {database}")

    def vacuum() -> None:
        postgres_server.execute(
            "VACUUM (FULL) turnlog.message", "VACUUM (FULL) turnlog.snapshot", "VACUUM (FULL) turnlog.conversation",
            "CHECKPOINT", database=database,
        )  # fmt: skip

    async with opened(postgres_server.url(database), tenant) as log:
        await erased(log, tables(postgres_server, database), relations(postgres_server, database), vacuum)


def keys_of(nodes: Sequence[ValkeyServer]) -> Scan:
    """All keys with their values, of replicas as well."""

    def scan() -> Iterator[bytes]:
        for node in nodes:
            for key in node.ask("KEYS", "*"):
                how = READS[
                    node.ask("TYPE", key).encode() if isinstance(node.ask("TYPE", key), str) else node.ask("TYPE", key)
                ]
                value = node.ask(how, key, *((0, -1) if how in ("LRANGE", "ZRANGE") else ()))
                yield key + b" " + (b" ".join(value) if isinstance(value, list) else value)

    return scan


async def test_law_11_nothing_erased_is_left_in_valkey_nor_in_its_files_after_a_repair(tenant: str) -> None:
    with valkey("--rdbcompression", "no") as server:

        def sweep() -> None:
            swept(connect(server.url).store)
            wait_until(lambda: b"aof_rewrite_in_progress:0" in server.ask("INFO", "persistence"), "a new file")
            wait_until(lambda: b"aof_rewrite_scheduled:0" in server.ask("INFO", "persistence"), "a new file")

        async with opened(server.url, tenant) as log:
            await erased(log, keys_of([server]), bytes_of(server.folder), sweep)


async def test_law_11_nothing_erased_is_left_in_a_cluster(cluster_server: ValkeyCluster, tenant: str) -> None:
    cluster_server.flush()
    scan = keys_of(cluster_server.primaries())
    async with opened(cluster_server.url, tenant) as log:
        await erased(log, scan, scan, lambda: swept(connect(cluster_server.url).store))
