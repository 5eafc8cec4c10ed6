"""Fold the conversations of TENANT at URL until killed; a line on stdout from the middle of each step."""

import asyncio
import sys
from collections.abc import Sequence
from hashlib import blake2b

from turnlog import Message, connect
from turnlog.worker import Runner, WorkerConfig

CONFIG = WorkerConfig(pause_s=0, batch=3, concurrency=4, poll_s=0.05, turn_s=0.1, recheck_s=0.2)


class Chain:
    """How many messages, and a hash that chains seq, id and text of each: what was lost, doubled or moved shows."""

    name = "chain"
    version = 1

    def initial(self) -> tuple[int, str]:
        return (0, "")

    async def step(self, state: tuple[int, str], messages: Sequence[Message]) -> tuple[int, str]:
        count, before = state
        for message in messages:
            before = blake2b(f"{before} {message.seq} {message.id} {message.text}".encode(), digest_size=16).hexdigest()
        print("step", flush=True)
        await asyncio.sleep(0.002)
        return (count + len(messages), before)


class DearChain(Chain):
    """The same, by one worker at a time."""

    name = "dear-chain"
    lease_s = 1.0

    def initial(self) -> tuple[int, str]:
        return (0, "")


FOLDS = (Chain(), DearChain())


async def main(url: str, tenant: str) -> None:
    async with connect(url) as log:
        await Runner(log.store, FOLDS, tenants=[tenant], config=CONFIG).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
