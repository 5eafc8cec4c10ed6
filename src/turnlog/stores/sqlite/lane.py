"""A thread with a connection of its own, working off a queue.

Whoever awaits a job does not block the event loop. Jobs that arrive while the thread is at work are taken together next,
so a lone job never waits for company and a crowd shares one transaction.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

JOBS_PER_BATCH = 64
JOBS_ALONE = 8


class Job:
    """Something to do on the lane, and the future that waits for it."""

    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Any, done: asyncio.Future[Any]) -> None:
        self.work = work
        self.done = done
        self.result: Any = None
        self.error: BaseException | None = None


class Lane:
    """Runs `work_off(jobs, overlap)` in a thread; it fills in each job's result or error.

    `overlap()` tells the waiters of the batch before; the function calls it when it is about to be away from Python for a
    while, so that they run meanwhile.
    """

    def __init__(
        self, name: str, work_off: Callable[[list[Job], Callable[[], None]], None], finish: Callable[[], None]
    ) -> None:
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._work_off = work_off
        self._finish = finish
        self._finished: list[Job] = []
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Any) -> asyncio.Future[Any]:
        """Queue `work`; await what comes back for its result."""
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.put(Job(work, done))
        return done

    @property
    def waiting(self) -> int:
        """How many jobs are queued, about."""
        return self._queue.qsize()

    async def close(self) -> None:
        """Work off what is queued, then end the thread."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (jobs := self._gather()) is not None:
            try:
                self._work_off(jobs, self._overlap)
            except Exception as error:  # a defect of ours must not leave the waiters hanging
                for job in jobs:
                    job.error = job.error or error
            self._overlap()
            self._finished = jobs
            if self._queue.empty():
                self._overlap()
        self._finish()

    def _gather(self) -> list[Job] | None:
        """What waits, up to half of a crowd: the other half gets ready while this one is written."""
        first = self._queue.get()
        jobs = []
        room = max(JOBS_ALONE, min(JOBS_PER_BATCH, (self._queue.qsize() + 1) // 2)) 
        while first is not None:
            jobs.append(first)
            if len(jobs) >= room or self._queue.empty():
                return jobs
            first = self._queue.get()
        if jobs:
            self._queue.put(None)
        return jobs or None

    def _overlap(self) -> None:
        finished, self._finished = self._finished, []
        if finished:
            _settle(finished)


def _settle(jobs: list[Job]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in jobs:
        loops.setdefault(job.done.get_loop(), []).append(job)
    for loop, settled in loops.items():
        try:
            loop.call_soon_threadsafe(_tell, settled)
        except RuntimeError:  # the loop was closed: nobody waits any more
            continue


def _tell(jobs: list[Job]) -> None:
    for job in jobs:
        if job.done.done():
            continue
        if job.error is not None:
            job.done.set_exception(job.error)
        else:
            job.done.set_result(job.result)
