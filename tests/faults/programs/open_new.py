"""Open the file PATH, which may be new, as soon as a line comes on stdin; then create conversation NAME in it."""

import asyncio
import sys

from turnlog import connect


async def main(path: str, name: str) -> None:
    sys.stdin.readline()
    async with connect(f"sqlite:///{path}") as log:
        await log.create(id=name)


asyncio.run(main(sys.argv[1], sys.argv[2]))
