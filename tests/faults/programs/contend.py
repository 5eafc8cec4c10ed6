"""Have WRITERS tasks append COUNT messages each to conversation c1 of the store at URL, one message after another.

Begins when a line comes on stdin. A line on stdout for each that was acknowledged: its id, its seq.
"""

import asyncio
import sys

from turnlog import Conversation, Settings, connect, user


async def write(conversation: Conversation, name: str, count: int) -> None:
    for n in range(count):
        id_ = f"{name}-{n}"
        done = await conversation.append(user(f"message {n} of {name}", id=id_))
        sys.stdout.write(f"{id_} {done.seqs[0]}\n")


async def main(url: str, tenant: str, name: str, writers: int, count: int) -> None:
    async with connect(url, settings=Settings(tenant=tenant)) as log:
        sys.stdin.readline()
        await asyncio.gather(*(write(log.conversation("c1"), f"{name}.{n}", count) for n in range(writers)))


asyncio.run(main(*sys.argv[1:4], *map(int, sys.argv[4:])))
