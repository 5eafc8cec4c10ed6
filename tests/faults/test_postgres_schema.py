"""The schema: made once by many at once, stepped up while old software runs, refused when it is newer."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from support.postgres import PostgresServer
from turnlog import SchemaTooNew, StoreFailed, StoreUnavailable
from turnlog.store import Header, Key
from turnlog.stores.postgres import PostgresStore
from turnlog.stores.postgres.connection import Pool
from turnlog.stores.postgres.schema import PostgresStep, migrate, steps

DATABASE = "steps"
NEXT = steps()[-1].number + 1


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    postgres_server.execute(f"CREATE DATABASE {DATABASE}")
    yield postgres_server.url(DATABASE)
    postgres_server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


async def take(url: str, *extra: PostgresStep, post: bool = False) -> None:
    pool = Pool(url, limit=1, timeout_s=10)
    try:
        await migrate(pool, post=post, known=(*steps(), *extra))
    finally:
        pool.close()


async def opens(url: str) -> None:
    store = PostgresStore(url, timeout_s=10)
    await store.open()
    await store.close()


def test_many_who_open_an_empty_database_at_once_all_succeed(url: str) -> None:
    async def check() -> None:
        await asyncio.gather(*(opens(url) for _ in range(8)))
        store = PostgresStore(url)
        await store.open()
        await store.create("acme", Header("c1", 1, 1))
        await store.close()

    asyncio.run(check())


def test_a_step_before_leaves_old_software_running_and_a_step_after_shuts_it_out(url: str) -> None:
    before = PostgresStep(NEXT, "pre", "ALTER TABLE turnlog.conversation ADD COLUMN extra int8")
    after = PostgresStep(NEXT, "post", "ALTER TABLE turnlog.conversation DROP COLUMN extra")

    async def check() -> None:
        await opens(url)
        await take(url, before, after)
        await opens(url)
        await take(url, before, after, post=True)
        await take(url, before, after, post=True)
        with pytest.raises(SchemaTooNew) as error:
            await opens(url)
        assert (error.value.found, error.value.supported) == (NEXT, NEXT - 1)

    asyncio.run(check())


def test_a_step_that_fails_leaves_nothing_behind(url: str) -> None:
    broken = PostgresStep(NEXT, "pre", "CREATE TABLE turnlog.half (a int8); SELECT 1 / 0")
    whole = PostgresStep(NEXT, "pre", "CREATE TABLE turnlog.half (a int8)")

    async def check() -> None:
        await opens(url)
        with pytest.raises(StoreFailed, match="division by zero"):
            await take(url, broken)
        await opens(url)
        await take(url, whole)

    asyncio.run(check())


SERVICE = "service"
"""A role that may use the database and create nothing in it."""


@pytest.fixture
def service_url(url: str, postgres_server: PostgresServer) -> Iterator[str]:
    postgres_server.execute(
        f"CREATE ROLE {SERVICE} LOGIN", f"REVOKE CREATE ON DATABASE {DATABASE} FROM PUBLIC", database=DATABASE
    )
    yield url.replace("//turnlog@", f"//{SERVICE}@")
    postgres_server.execute(f"DROP OWNED BY {SERVICE}", database=DATABASE)
    postgres_server.execute(f"DROP ROLE {SERVICE}")


async def works(url: str) -> None:
    store = PostgresStore(url, timeout_s=10)
    await store.open()
    try:
        await store.ping()
        key = Key("acme", "c1")
        await store.create("acme", Header("c1", 1, 1))
        await store.fork(key, Header("f", 1, 1, parent="c1"))
        await store.update(key, {"title": "t"}, now=2)
        assert await store.sweep(now=3) == 0
        await store.mark_restored()
        assert {finding.verdict for finding in await store.doctor()} <= {"ok", "warn"}
        await store.delete(key, now=3)
    finally:
        await store.close()


def test_a_schema_that_a_dba_made_for_the_role_is_enough(service_url: str, postgres_server: PostgresServer) -> None:
    postgres_server.execute(f"CREATE SCHEMA turnlog AUTHORIZATION {SERVICE}", database=DATABASE)
    asyncio.run(works(service_url))


def test_tables_that_a_dba_made_and_granted_are_enough(service_url: str, url: str, postgres_server: PostgresServer) -> None:
    asyncio.run(opens(url))
    postgres_server.execute(
        f"GRANT USAGE ON SCHEMA turnlog TO {SERVICE}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA turnlog TO {SERVICE}",
        database=DATABASE,
    )
    asyncio.run(works(service_url))


def test_a_role_without_any_right_is_told_so(service_url: str, url: str) -> None:
    with pytest.raises(StoreUnavailable, match="permission denied"):
        asyncio.run(opens(service_url))
    asyncio.run(opens(url))
    with pytest.raises(StoreUnavailable, match="permission denied"):
        asyncio.run(opens(service_url))


def test_a_process_that_was_open_when_the_schema_was_made_anew_creates_nothing_under_old_names(url: str) -> None:
    async def check() -> None:
        old = PostgresStore(url, timeout_s=10)
        await old.open()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA turnlog CASCADE")
        await opens(url)
        with pytest.raises(StoreUnavailable, match="made anew"):
            await old.create("acme", Header("c1", 1, 1))
        await old.close()
        new = PostgresStore(url, timeout_s=10)
        await new.open()
        await new.create("acme", Header("c1", 1, 1))
        await new.close()

    asyncio.run(check())
