"""A history that may have gone back has another name: after a dump was loaded, and whenever an operator says so."""

import asyncio
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from support.postgres import PostgresServer, binaries, not_root, postgres
from turnlog import codec, user
from turnlog.store import Header, Key, Restorable
from turnlog.stores.postgres import PostgresStore
from turnlog.validation import Limits

NOW = 1_700_000_000_000_000
KEY = Key("acme", "c1")
run = partial(subprocess.run, capture_output=True, timeout=60, check=True, preexec_fn=not_root())


async def incarnation(url: str) -> str:
    store = PostgresStore(url)
    await store.open()
    try:
        return (await store.get(KEY)).incarnation
    finally:
        await store.close()


async def begin(url: str) -> str:
    store = PostgresStore(url)
    await store.open()
    try:
        record = codec.encode(user("hello", id="a"), tokens=1, limits=Limits())
        await store.create("acme", Header("c1", NOW, NOW), [record])
    finally:
        await store.close()
    return await incarnation(url)


async def test_a_restored_store_has_a_new_incarnation_for_every_handle(postgres_server: PostgresServer) -> None:
    postgres_server.empty()
    before = await begin(postgres_server.url())
    store = PostgresStore(postgres_server.url())
    assert isinstance(store, Restorable)
    await store.open()
    await store.mark_restored()
    after = (await store.get(KEY)).incarnation
    await store.close()
    await PostgresStore(postgres_server.url()).mark_restored()
    assert len({before, after, await incarnation(postgres_server.url())}) == 3


async def test_a_restart_or_a_crash_changes_nothing(tmp_path: Path) -> None:
    with postgres(tmp_path / "data") as server:
        before = await begin(server.url())
        server.kill()
        server.start()
        assert await incarnation(server.url()) == before


def _copy(dump: Path, source: str, load: Path, target: str) -> None:
    told = run([dump, source, "-n", "turnlog"])
    run([load, target, "-q"], input=told.stdout)


async def test_a_dump_that_was_loaded_is_another_history_with_the_same_messages(postgres_server: PostgresServer) -> None:
    """Its secret comes along, so all names are found again."""
    dump, load = binaries() / "pg_dump", binaries() / "psql"
    if not dump.exists() or not load.exists():
        copy = shutil.which("pg_dump"), shutil.which("psql")
        if None in copy:
            pytest.skip("pg_dump and psql are not installed")
        dump, load = (Path(str(each)) for each in copy)
    postgres_server.empty()
    postgres_server.execute("CREATE DATABASE loaded")
    try:
        before = await begin(postgres_server.url())
        url = postgres_server.url("loaded")
        await asyncio.to_thread(_copy, dump, postgres_server.url(), load, url)
        assert await incarnation(url) != before
        assert await incarnation(postgres_server.url()) == before
    finally:
        postgres_server.execute("DROP DATABASE loaded WITH (FORCE)")
