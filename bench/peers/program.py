"""`python -m bench.peers.program MODULE CLASS URL`: one peer; takes commands and answers as lines of JSON."""

import asyncio
import json
import sys
from importlib import import_module
from time import perf_counter, process_time
from typing import Any

from bench.peers.peer import LAST, Peer


async def _fill(peer: Peer, names: list[str], length: int) -> dict[str, Any]:
    await peer.fill(names, length)
    return {}


async def _write(peer: Peer, names: list[str], seconds: float) -> dict[str, Any]:
    """One writer a conversation, each in a closed loop."""
    began, cpu = perf_counter(), process_time()
    until = began + seconds

    async def write(name: str) -> int:
        count = 0
        while perf_counter() < until:
            await peer.append(name)
            count += 1
        return count

    count = sum(await asyncio.gather(*map(write, names)))
    return {"count": count, "seconds": perf_counter() - began, "cpu_s": process_time() - cpu}


async def _time(peer: Peer, what: str, name: str, calls: int) -> dict[str, Any]:
    """Milliseconds of single calls."""
    call, found = getattr(peer, what), []
    for _ in range(calls):
        began = perf_counter()
        got = await call(name)
        found.append((perf_counter() - began) * 1e3)
        assert got in (None, LAST), got
    return {"ms": found}


_COMMANDS = {"fill": _fill, "write": _write, "time": _time}


async def _serve(peer: Peer, url: str) -> None:
    await peer.open(url)
    while line := await asyncio.to_thread(sys.stdin.readline):
        command = json.loads(line)
        answer = await _COMMANDS[command.pop("do")](peer, **command)
        print(json.dumps(answer), flush=True)


def main() -> None:
    module, name, url = sys.argv[1:]
    asyncio.run(_serve(getattr(import_module(f"bench.peers.{module}"), name)(), url))


if __name__ == "__main__":
    main()
