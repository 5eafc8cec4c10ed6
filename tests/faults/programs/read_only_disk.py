"""In DIRECTORY, a mount of its own: open a store while that is read-only, then again when it is writable.

Tells as JSON what happened.
"""

import asyncio
import json
import subprocess
import sys

from turnlog import StoreUnavailable, connect, user


def remount(directory: str, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", directory], check=True)


async def main(directory: str) -> None:
    log = connect(f"sqlite:///{directory}/turnlog.db")
    async with log:
        conversation = await log.create(user("one", id="m1"), id="c1")
    remount(directory, "ro")
    reason = None
    try:
        await log.open()
    except StoreUnavailable as error:
        reason = error.reason
    remount(directory, "rw")
    async with log:
        await conversation.append(user("two", id="m2"))
        ids = [message.id for message in await conversation.messages()]
        faults = await conversation.verify()
    print(json.dumps({"reason": reason, "ids": ids, "faults": faults}))


asyncio.run(main(sys.argv[1]))
