"""`python -m bench.load PORT ROUTE BODY_FILE CONNECTIONS SECONDS`: closed loops; prints {"count", "seconds"} as JSON."""

import asyncio
import json
import os
import sys
from pathlib import Path
from time import perf_counter

import uvloop


async def _loop(port: int, request: bytes, until: float) -> int:
    """Sends `request` on one connection again and again; how many were answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while perf_counter() < until:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 20"):
            raise SystemExit(f"unexpected answer: {head!r}")
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
        count += 1
    writer.close()
    return count


async def _all(port: int, route: str, body: bytes, connections: int, seconds: float) -> None:
    began = perf_counter()
    loops = []
    for place in range(connections):
        head = (
            f"POST /v1/conversations/{route.replace('*', str(place))} HTTP/1.1\r\nHost: bench\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        loops.append(_loop(port, head.encode() + body, began + seconds))
    count = sum(await asyncio.gather(*loops))
    print(json.dumps({"count": count, "seconds": perf_counter() - began}))


def main() -> None:
    port, route, body, connections, seconds = sys.argv[1:]
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    uvloop.run(_all(int(port), route, Path(body).read_bytes(), int(connections), float(seconds)))


if __name__ == "__main__":
    main()
