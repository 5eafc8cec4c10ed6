"""Fold the conversations of TENANT at URL, a few messages a step, until nothing is behind; a line on stdout for each step.

Says `ready` when everything is open and goes on when something comes on stdin.
"""

import asyncio
import sys
from collections.abc import Sequence

from turnlog import Message, connect
from turnlog.worker import Runner, WorkerConfig


class Ids:
    name = "ids"
    version = 1

    def initial(self) -> list[str]:
        return []

    async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
        await asyncio.sleep(0.005)
        print("step", len(messages), flush=True)
        return state + [message.id for message in messages]


async def main(url: str, tenant: str) -> None:
    async with connect(url) as log:
        print("ready", flush=True)
        sys.stdin.readline()
        runner = Runner(
            log.store, [Ids()], tenants=[tenant], config=WorkerConfig(pause_s=0, batch=5, concurrency=4, poll_s=0.05)
        )
        while not await all_seen(runner, tenant):
            await runner.run(until_idle=True)
            await asyncio.sleep(0.05)


async def all_seen(runner: Runner, tenant: str) -> bool:
    return not await runner.store.stale(tenant, "ids", 1, limit=1)


asyncio.run(main(*sys.argv[1:]))
