"""PostgreSQL under Patroni: the machine of the leader is lost under load. Part of `make faults`; it takes a minute."""

import asyncio
from pathlib import Path

from support.patroni import TTL_S, Cluster, patroni
from support.writers import Load
from turnlog import Settings, connect

TIMEOUT_S = 5.0
SLACK_S = 4.0
BACK_S = TTL_S + 20
"""Patroni waits until the lost leader's lock has run out, then promotes; writes wait for the next synchronous standby."""


async def leader_lost_under_load(cluster: Cluster) -> tuple[Load, float]:
    waited = 0.0

    async def lose(load: Load) -> None:
        nonlocal waited
        await load.acknowledged(500, within_s=60)
        before = (await load.log.conversation("c0").info()).incarnation
        await asyncio.to_thread(cluster.leader().kill)
        waited = await load.acknowledged(500, within_s=2 * BACK_S)
        assert (await load.log.conversation("c0").info()).incarnation != before

    async with connect(cluster.url) as patient:
        async with connect(cluster.url, settings=Settings(store_timeout_s=TIMEOUT_S)) as log:
            load = Load(log)
            await load.run(lose)
        await load.check(patient)
    return load, waited


def test_f13_the_loss_of_the_leader_loses_and_doubles_nothing_and_writes_are_back_in_time(tmp_path: Path) -> None:
    with patroni(tmp_path) as cluster:
        load, waited = asyncio.run(leader_lost_under_load(cluster))
    print(f"\nwrites were back after {waited:.1f} s")  # noqa: T201 - a figure for `make faults`
    assert load.refused
    assert load.slowest_s < TIMEOUT_S + SLACK_S
    assert waited < BACK_S
