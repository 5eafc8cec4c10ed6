"""A thread that has a connection of its own and works off a queue of jobs.

Awaiting a job does not block the event loop. Jobs that arrive while the thread is busy are taken together next: a lone job
never waits for others, and many jobs share one transaction. Saves of folds may wait a little for others.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty as NothingWaits
from queue import SimpleQueue
from typing import Any, Protocol

import msgspec

from turnlog.errors import TurnlogError
from turnlog.store import Key
from turnlog.stores.sqlite import fork_guard
from turnlog.stores.sqlite.connection import attempt, translate

JOBS_PER_BATCH = 64


class ThreadJob(msgspec.Struct, kw_only=True, eq=False):
    """Work for a lane; `done` receives its result or error.

    `key` names the conversation that it changes. The garbage collector has to see jobs (with `gc=False` each one leaks whose
    error's traceback leads back to it), and `tell` cuts what they hold, so that it need not do anything (decision 013).
    """

    key: Key | None = None
    done: asyncio.Future[Any] | None = None
    result: Any = None
    error: TurnlogError | None = None

    def tell(self) -> None:
        """Pass the result or the error to the waiter, and drop all references."""
        done, result, error = self.done, self.result, self.error
        self.forget()
        if done is None or done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    def forget(self) -> None:
        """Drop all references."""
        self.done = self.result = self.error = None


class ThreadCall(ThreadJob):
    """A function that is called with the lane's connection."""

    work: Callable[[Any], Any] | None

    def forget(self) -> None:
        self.done = self.result = self.error = self.work = None


class Save(ThreadCall):
    """A call that stores what can be computed again, so that its commit need not wait for the disk (decision 041)."""


class LongStep(Save):
    """A step of a longer change that continues after a crash; it does not wait for other jobs."""


class Empty(ThreadJob):
    """Moves the content of the WAL into the file and truncates the WAL; the result says whether that succeeded."""


class JobHandler(Protocol):
    """Executes the jobs of a lane."""

    def work_off(self, jobs: list[ThreadJob], tell: Callable[[Sequence[ThreadJob]], None]) -> None:
        """Fill in the result or error of each job, and call `tell` with jobs that are done."""

    def close(self) -> None:
        """Release the connection."""


class StoreThread:
    """Executes `work` in its own thread. A save that arrives alone waits up to `linger_s` seconds for others."""

    def __init__(self, name: str, work: JobHandler, *, linger_s: float = 0.0) -> None:
        self._queue: SimpleQueue[ThreadJob | None] = SimpleQueue()
        self._work = work
        self._linger_s = linger_s
        self.busy = threading.Lock()  # decision 048: a fork waits for it
        fork_guard.register(self)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: ThreadJob) -> asyncio.Future[Any]:
        """Queue `job`; the future that is returned brings its result."""
        done = job.done = asyncio.get_running_loop().create_future()
        self._queue.put(job)
        return done

    @property
    def waiting(self) -> int:
        """Return about how many jobs are queued."""
        return self._queue.qsize()

    def let_go(self) -> None:
        """Close the connection until it is needed again. The caller holds `busy`."""
        self._work.close()

    async def close(self) -> None:
        """Finish the queued jobs, then end the thread."""
        self._queue.put(None)
        # not in a thread that joins it: when exit handlers run, none can be begun any more
        while self._thread.is_alive():  # noqa: ASYNC110
            await asyncio.sleep(0.002)

    def _run(self) -> None:
        while (jobs := self._gather()) is not None:
            with self.busy:
                self._work_off(jobs)
            del jobs  # not to be held while nothing comes
        with self.busy:
            self._work.close()

    def _work_off(self, jobs: list[ThreadJob]) -> None:
        error = attempt(lambda: self._work.work_off(jobs, _settle))
        if error is not None:  # a defect of ours must leave no waiter hanging
            self._work.close()  # and no transaction open
            for job in jobs:
                job.error = job.error or translate(error)
            _settle(jobs)

    def _gather(self) -> list[ThreadJob] | None:
        """Return the waiting jobs; None after the lane was closed and its last job is done."""
        jobs: list[ThreadJob] = []
        job = self._queue.get()
        until = time.monotonic() + self._linger_s
        while job is not None:
            jobs.append(job)
            if len(jobs) == JOBS_PER_BATCH:
                return jobs
            alone = self._linger_s and all(type(job) is Save for job in jobs)
            try:
                job = self._queue.get(timeout=max(0.0, until - time.monotonic()) if alone else 0.0)
            except NothingWaits:
                return jobs
        if jobs:
            self._queue.put(None)
        return jobs or None


def _settle(jobs: Sequence[ThreadJob]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[ThreadJob]] = {}
    for job in jobs:
        if (done := job.done) is not None:
            loops.setdefault(done.get_loop(), []).append(job)
    for loop, settled in loops.items():
        try:
            loop.call_soon_threadsafe(_tell, settled)
        except RuntimeError:  # the loop was closed: nobody waits any more
            continue


def _tell(jobs: list[ThreadJob]) -> None:
    for job in jobs:
        job.tell()
