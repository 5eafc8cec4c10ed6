"""Whatever isolation level a server, a database or a role has by default, turnlog writes under `read committed`.

Under another one, a statement that waited for a lock goes on with what it saw before: a fork behind a deletion would
show rows that are gone.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from support.pgbouncer import pgbouncer
from support.postgres import USER, PostgresServer
from turnlog import ConversationDeleted, StoreFailed, codec, user
from turnlog.store import Finding, Header, Key
from turnlog.stores.postgres import PostgresStore
from turnlog.validation import Limits

NOW = 1_700_000_000_000_000
LEVELS = ["repeatable read", "serializable"]
DATABASE = "isolated"
_FORKS_WAIT = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture(params=LEVELS)
def server(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """A server with a database in which transactions have another isolation level by default."""
    postgres_server.execute(
        f"CREATE DATABASE {DATABASE}",
        f"ALTER DATABASE {DATABASE} SET default_transaction_isolation = '{request.param}'",
    )
    yield postgres_server
    postgres_server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def record(id_: str) -> codec.Record:
    return codec.encode(user("hello", id=id_), tokens=1, limits=Limits())


async def isolation(store: PostgresStore) -> Finding:
    return next(finding for finding in await store.doctor() if finding.name == "transaction_isolation")


async def fork_behind_a_deletion(store: PostgresStore, url: str) -> None:
    """Fork while a deletion that is not committed yet has the lock of the tree."""
    key = Key("acme", "c1")
    await store.create("acme", Header("c1", NOW, NOW), [record("a"), record("b")])
    with psycopg.connect(url) as deleting, psycopg.connect(url, autocommit=True) as observer:
        deleting.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        deleting.execute(
            "SELECT turnlog.delete_1(log, tenant, id, 1, 1000) FROM turnlog.conversation WHERE tenant = 'acme' AND id = 'c1'"
        )
        fork = asyncio.ensure_future(store.fork(key, Header("f", NOW, NOW, parent="c1", parent_seq=2, head=2)))
        async with asyncio.timeout(30):
            while not fork.done() and observer.execute(_FORKS_WAIT).fetchone() == (0,):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        deleting.commit()
        await fork


async def test_a_fork_behind_a_deletion_finds_it(server: PostgresServer) -> None:
    store = PostgresStore(server.url(DATABASE))
    await store.open()
    try:
        with pytest.raises(ConversationDeleted):
            await fork_behind_a_deletion(store, server.url(DATABASE))
        finding = await isolation(store)
        assert (finding.value, finding.verdict) == ("read committed", "ok")
    finally:
        await store.close()


async def test_many_open_an_empty_database_of_another_level_at_once(server: PostgresServer) -> None:
    async def opens() -> None:
        store = PostgresStore(server.url(DATABASE))
        await store.open()
        await store.close()

    await asyncio.gather(*(opens() for _ in range(4)))


async def test_behind_a_pooler_that_hides_the_setting_nothing_is_written_and_doctor_tells(
    server: PostgresServer, tmp_path: Path
) -> None:
    with pgbouncer(tmp_path, server) as pooler:
        store = PostgresStore(f"postgresql://{USER}@{pooler}/{DATABASE}")
        await store.open()
        try:
            with pytest.raises(StoreFailed, match="read committed"):
                await store.ping()
            with pytest.raises(StoreFailed, match="read committed"):
                await store.create("acme", Header("c1", NOW, NOW))
            direct = PostgresStore(server.url(DATABASE))
            await direct.open()
            await direct.create("acme", Header("c1", NOW, NOW), [record("a")])
            await direct.close()
            key = Key("acme", "c1")
            for call in (
                store.append(key, [record("b")], now=NOW),
                store.append(key, [record("b"), record("c")], now=NOW),
                store.fork(key, Header("f", NOW, NOW, parent="c1", parent_seq=1, head=1)),
                store.update(key, {"title": "t"}, now=NOW),
                store.delete(key, now=NOW),
            ):
                with pytest.raises(StoreFailed, match="read committed"):
                    await call
            assert (await store.read(key, limit=9)).header.head == 1
            finding = await isolation(store)
            assert finding.verdict == "bad"
            assert "ALTER ROLE" in finding.meaning
        finally:
            await store.close()


async def test_behind_a_pooler_the_setting_of_the_role_is_what_mends_it(server: PostgresServer, tmp_path: Path) -> None:
    role = f"ALTER ROLE {USER} IN DATABASE {DATABASE}"
    server.execute(f"{role} SET default_transaction_isolation = 'read committed'")
    with pgbouncer(tmp_path, server) as pooler:
        url = f"postgresql://{USER}@{pooler}/{DATABASE}"
        store = PostgresStore(url)
        await store.open()
        try:
            with pytest.raises(ConversationDeleted):
                await fork_behind_a_deletion(store, server.url(DATABASE))
            assert (await isolation(store)).verdict == "ok"
        finally:
            await store.close()
