"""On a new file PATH, ROUNDS times: APPENDS messages to a conversation and SAVES states of folds of it, all at once."""

import asyncio
import sys

from turnlog import connect, user
from turnlog.store import Key, Snapshot


async def main(path: str, rounds: int, appends: int, saves: int) -> None:
    async with connect(f"sqlite:///{path}") as log:
        conversation = await log.create(id="c1")
        key = Key(log.tenant, conversation.id)
        for n in range(rounds):
            await asyncio.gather(
                *(
                    log.store.save_snapshot(key, f"f{i}", 1, Snapshot(n + 1, 0, b"x"), expect_watermark=n)
                    for i in range(saves)
                ),
                *(conversation.append(user("hello")) for _ in range(appends)),
            )


asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
