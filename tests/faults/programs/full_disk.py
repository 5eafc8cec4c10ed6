"""In DIRECTORY, a small file system: append until it is full, read, make room, go on. Tells as JSON what happened."""

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path

from turnlog import Conversation, StoreUnavailable, connect, user

TEXT = "x" * 20_000


async def append_until_refused(conversation: Conversation, kept: list[str]) -> str:
    for n in range(len(kept), 10_000):
        try:
            await conversation.append(user(TEXT, id=f"m{n}"))
        except StoreUnavailable as error:
            return error.reason
        kept.append(f"m{n}")
    raise AssertionError("the disk was never full")


def fill(path: Path) -> None:
    """Take what room is left."""
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while file.write(b"\0" * 4096):
            pass


async def main(directory: Path) -> None:
    ballast = directory / "ballast"
    ballast.write_bytes(b"\0" * (2 << 20))
    kept: list[str] = []
    async with connect(f"sqlite:///{directory}/turnlog.db") as log:
        conversation = await log.create(id="c1")
        reason = await append_until_refused(conversation, kept)
        fill(ballast)
        full = {
            "reason": reason,
            "refused_again": await append_until_refused(conversation, kept),
            "acknowledged": list(kept),
            "read": [record.id async for page in conversation.pages() for record in page.records],
        }
        ballast.unlink()
        retried = await conversation.append(user(TEXT, id=f"m{len(kept)}"))
        after = [record.id async for page in conversation.pages() for record in page.records]
        faults = await conversation.verify()
    print(json.dumps({**full, "stored_by_retry": retried.stored, "after": after, "faults": faults}))


asyncio.run(main(Path(sys.argv[1])))
