"""`python -m bench.folder URL TENANT`: a worker that is busy from each line `go` on stdin to the next line, over and over.

Each time it folds all conversations of the tenant anew, as folds of a version that nobody had.
"""

import asyncio
import sys

import turnlog
from turnlog.fold import Fold
from turnlog.memory.defaults import default_folds
from turnlog.worker import Runner, WorkerConfig


def anew(version: int) -> list[Fold]:
    folds = []
    for fold in default_folds():
        fold.version = version
        folds.append(fold)
    return folds


async def main(url: str, tenant: str) -> None:
    loop, version = asyncio.get_running_loop(), 1000
    async with turnlog.connect(url, settings=turnlog.Settings(tenant=tenant), working=True) as log:
        print("ready", flush=True)
        while (await loop.run_in_executor(None, sys.stdin.readline)).strip() == "go":
            version += 1
            runner = Runner(log.store, anew(version), tenants=[tenant], config=WorkerConfig(pause_s=0))
            told = loop.run_in_executor(None, sys.stdin.readline)
            running = asyncio.create_task(runner.run())
            await told
            runner.stop()
            await running
            print(runner.folded, flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
