"""Append COUNT messages named NAME-0, NAME-1, … to conversation c1 of the file PATH, a few at a time.

A line on stdout for each that was acknowledged: its id, its seq. COUNT 0 goes on until the process is killed.
"""

import asyncio
import itertools
import sys

from turnlog import connect, user

AT_A_TIME = 10


async def main(path: str, name: str, count: int) -> None:
    async with connect(f"sqlite:///{path}") as log:
        conversation = log.conversation("c1")
        await asyncio.gather(conversation.info(), conversation.info())  # as a service does, on several connections

        async def append(n: int) -> None:
            id_ = f"{name}-{n}"
            done = await conversation.append(user(f"message {n} of {name}", id=id_))
            sys.stdout.write(f"{id_} {done.seqs[0]}\n")
            sys.stdout.flush()

        for start in itertools.count(0, AT_A_TIME):
            if count and start >= count:
                return
            end = min(start + AT_A_TIME, count) if count else start + AT_A_TIME
            await asyncio.gather(*map(append, range(start, end)))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
