"""PostgreSQL with a synchronous standby: the standby is promoted under load, while the old primary still runs."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.postgres import USER, PostgresServer, binaries, not_root, postgres
from support.writers import WRITERS, Load
from turnlog import Settings, connect

TIMEOUT_S = 2.0
SLACK_S = 4.0
BACK_S = 10.0
"""How long after the old primary's end writes may take to be back."""


class Pair:
    """A primary whose commits wait until its standby has them on disk."""

    def __init__(self, primary: PostgresServer, standby: PostgresServer) -> None:
        self.primary = primary
        self.standby = standby

    @property
    def url(self) -> str:
        ports = (self.primary.port, self.standby.port)
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        return f"postgresql://{USER}@{hosts}/postgres?target_session_attrs=read-write"

    def promote(self) -> None:
        self.standby.execute("SELECT pg_promote()")


def copy(primary: PostgresServer, directory: Path) -> None:
    """Make a standby of `primary` in `directory`, not started yet."""
    command = [
        binaries() / "pg_basebackup", "-D", directory, "-d", primary.url(), "-c", "fast", "--no-sync", "-X", "stream", "-R",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, preexec_fn=not_root())
    assert done.returncode == 0, done.stderr


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with postgres(tmp_path / "primary") as primary:
        copy(primary, tmp_path / "standby")
        standby = PostgresServer(tmp_path / "standby")
        standby.start()
        try:
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
            yield Pair(primary, standby)
        finally:
            standby.stop()


async def incarnation(server: PostgresServer) -> str:
    """What a server of the pair tells of a conversation."""
    async with connect(server.url()) as log:
        return (await log.conversation("c0").info()).incarnation


async def promoted_under_load(pair: Pair) -> Load:
    async def promote(load: Load) -> None:
        await load.acknowledged(200, within_s=60)
        before = await incarnation(pair.primary)
        assert await incarnation(pair.standby) == before, "a standby shows the history that it follows"
        await asyncio.to_thread(pair.promote)
        assert await incarnation(pair.standby) != before, "a failover may have lost a tail"
        until = len(load.taken)
        await asyncio.sleep(1.3 * TIMEOUT_S)
        assert len(load.taken) <= until + WRITERS, "the old primary goes on acknowledging"
        await asyncio.to_thread(pair.primary.kill)
        assert await load.acknowledged(200, within_s=60) < BACK_S

    async with connect(pair.url) as patient:
        async with connect(pair.url, settings=Settings(store_timeout_s=TIMEOUT_S)) as log:
            load = Load(log)
            await load.run(promote)
        await load.check(patient)
    return load


def test_f13_a_promotion_under_load_loses_and_doubles_nothing_and_the_old_primary_acknowledges_no_more(pair: Pair) -> None:
    load = asyncio.run(promoted_under_load(pair))
    assert load.refused
    assert load.slowest_s < TIMEOUT_S + SLACK_S
