"""The schema: made once by many at once, stepped up while old software runs, refused when it is newer."""

import asyncio
from collections.abc import Iterator

import pytest

from servers.postgres import PostgresServer
from turnlog import SchemaTooNew
from turnlog.ports import Header
from turnlog.stores.postgres import PostgresStore
from turnlog.stores.postgres.schema import Step, migrate, steps
from turnlog.stores.postgres.wire import Pool

DATABASE = "steps"
NEXT = steps()[-1].number + 1


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    postgres_server.execute(f"CREATE DATABASE {DATABASE}")
    yield postgres_server.url(DATABASE)
    postgres_server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


async def take(url: str, *extra: Step, post: bool = False) -> None:
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
    before = Step(NEXT, "pre", "ALTER TABLE turnlog.conversation ADD COLUMN extra int8")
    after = Step(NEXT, "post", "ALTER TABLE turnlog.conversation DROP COLUMN extra")

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
    broken = Step(NEXT, "pre", "CREATE TABLE turnlog.half (a int8); SELECT 1 / 0")
    whole = Step(NEXT, "pre", "CREATE TABLE turnlog.half (a int8)")

    async def check() -> None:
        await opens(url)
        with pytest.raises(Exception, match="division by zero"):
            await take(url, broken)
        await opens(url)
        await take(url, whole)

    asyncio.run(check())
