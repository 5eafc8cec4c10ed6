"""Append 12 messages named m-0, m-1, … to conversation c1 of the file PATH, two at a time, whatever comes of it.

A line on stdout for each: its id, and its seq or the code of the error.
"""

import asyncio
import sys

from turnlog import TurnlogError, connect, user

COUNT = 12
AT_A_TIME = 2


async def main(path: str) -> None:
    try:
        async with connect(f"sqlite:///{path}") as log:
            for start in range(0, COUNT, AT_A_TIME):
                await asyncio.gather(*(append(log.conversation("c1"), n) for n in range(start, start + AT_A_TIME)))
    except TurnlogError as error:
        sys.stdout.write(f"open {error.code}\n")


async def append(conversation, n: int) -> None:  # type: ignore[no-untyped-def]
    try:
        told = str((await conversation.append(user(f"message {n}", id=f"m-{n}"))).seqs[0])
    except TurnlogError as error:
        told = error.code
    sys.stdout.write(f"m-{n} {told}\n")


asyncio.run(main(sys.argv[1]))
