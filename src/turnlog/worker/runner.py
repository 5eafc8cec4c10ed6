"""Keeps the states of folds up to date with their logs.

A runner is level-triggered: it reads from the store which conversations are behind, and depends on no message or wake-up.
Any number of runners on any machine can therefore work on the same data. The store's compare-and-set (`fold.py`) prevents
double effects; a runner only decides what to do next.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

from turnlog.errors import InvalidInput, StoreUnavailable
from turnlog.fold import Fold, check_fold
from turnlog.ids import uuid7
from turnlog.store import Key, Store
from turnlog.worker.lease import retry
from turnlog.worker.queue import Lane, next_lane
from turnlog.worker.step import Job, StepOutcome, WorkerConfig, micros

SCANS_SHARE = 20
"""Scans of one lane take at most this fraction (one in so many) of the time."""

logger = logging.getLogger(__name__)


def _now() -> int:
    return time.time_ns() // 1000


class Runner:
    """Folds the conversations of `tenants` that are behind in one of `folds`, until it is stopped.

    `clock` returns microseconds since 1970 UTC, as the clock of the logs does. `folded` counts messages.
    """

    def __init__(
        self,
        store: Store,
        folds: Sequence[Fold[Any]],
        *,
        tenants: Sequence[str] = ("default",),
        config: WorkerConfig | None = None,
        clock: Callable[[], int] = _now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Random | None = None,
    ) -> None:
        for fold in folds:
            check_fold(fold)
        if len({(fold.name, fold.version) for fold in folds}) < len(folds):
            raise InvalidInput("folds", "must differ in name or version")
        self.store = store
        self.config = config or WorkerConfig()
        self.folded = 0
        self.clock = clock
        self._sleep = sleep
        self._random = random or Random()
        # decision 041: each worker has an order of its own, so that two seldom want the same conversation
        self._salt = self._random.getrandbits(32)
        self._lanes = [Lane(tenant, fold) for tenant in tenants for fold in folds]
        self._job = Job(store, uuid7(), self.config, clock, self._random, self._is_stopping)
        self._tasks: set[asyncio.Task[None]] = set()
        self._scan: asyncio.Task[None] | None = None
        self._timer: asyncio.Future[None] | None = None
        self._turn = 0
        self._away = 0
        self._stopping = False

    async def run(self, *, until_idle: bool = False) -> None:
        """Work until `stop`; with `until_idle`, scan everything once and return when nothing is ready."""
        for lane in self._lanes:
            # decision 041: with no wait and no `since`: what was imported with old times is behind, too
            lane.scan_at = lane.whole_at = 0
        try:
            while not self._stopping:
                self._begin()
                if until_idle and not self._tasks:
                    return
                await self._something()
            await self._finish()
        finally:
            await self._cancel()

    def stop(self) -> None:
        """Start no more steps; `run` returns when running steps are saved, or cancels them after `WorkerConfig.stop_s`."""
        self._stopping = True
        self._wake()

    async def retry(self, key: Key, fold: str) -> bool:
        """Retry a conversation now; return whether it rested after a failure. Raises `SnapshotMoved` in a race."""
        found = False
        for lane in self._lanes:
            if (lane.tenant, lane.fold.name) == (key.tenant, fold):
                found |= await retry(self.store, key, lane.fold)
                lane.retry(key)
        self._wake()
        return found

    def _begin(self) -> None:
        """Start a due scan, and as many jobs as there is room for."""
        if self._scan is None and (due := self._due()):
            self._scan = self._go(self._look(due))
        # the scan has a place of its own: eight long steps must not hold it up
        working = len(self._tasks) - (self._scan is not None)
        while working < self.config.concurrency and (lane := next_lane(self._lanes)):
            self._turn += 1
            self._go(self._work(lane, lane.begin(self._turn)))
            working += 1

    def _due(self) -> Lane | None:
        """Return the lane that has nothing ready and has been due for a scan the longest."""
        now = self.clock()
        due = [lane for lane in self._lanes if not lane.ready and lane.due_at(now) <= now]
        return min(due, key=lambda lane: lane.scan_at, default=None)

    def _go(self, work: Any) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        return task

    async def _look(self, lane: Lane) -> None:
        """Ask the store which conversations of the lane are behind."""
        begun = self.clock()
        wanted, since = lane.wanted(begun), lane.since(begun)
        try:
            found = await self.store.stale(lane.tenant, lane.fold.name, lane.fold.version, limit=wanted, since=since)
        except StoreUnavailable as error:
            self._rest(lane, error)
            return
        self._away = 0
        lane.take_in(found, wanted, self.config.backlog_min, self._salt, begun=begun, since=since)
        lane.scanned_at = now = self.clock()
        # decision 041: a scan of a large tenant takes long, and may take a twentieth of the time at most
        lane.scan_at = now + max(micros(self.config.poll_s), SCANS_SHARE * (now - begun))

    async def _work(self, lane: Lane, key: Key) -> None:
        """Fold one conversation for one turn."""
        outcome = StepOutcome(0)
        try:
            outcome = await self._job.run(key, lane.fold)
        except StoreUnavailable as error:
            self._rest(lane, error)
        finally:
            self.folded += outcome.folded
            lane.end(key, rest_until=outcome.rest_until, pausing=outcome.pausing, idle=outcome.idle, more=outcome.more)

    def _rest(self, lane: Lane, error: StoreUnavailable) -> None:
        """Do not scan the lane for a while after the store was unavailable."""
        self._away += 1
        logger.warning("folding %s rests: %s", lane.fold.name, error)
        lane.forget()
        lane.scanned_at = now = self.clock()
        lane.scan_at = now + min(self.config.rest(self._away, self._random), micros(self.config.recheck_s))

    async def _something(self) -> None:
        """Wait until a job ends, a scan is due, or `stop` or `retry` is called."""
        # a scan under way ends the wait by itself, and then says when the next is due
        if self._timer is None and self._scan is None:
            self._timer = asyncio.ensure_future(self._sleep(self._seconds_left()))
        timers = {self._timer} if self._timer is not None else set()
        done, _ = await asyncio.wait(self._tasks | timers, return_when=asyncio.FIRST_COMPLETED)
        if self._timer in done:
            self._timer = None
        self._took_note(done)

    def _seconds_left(self) -> float:
        """Return the seconds until the next scan is due."""
        now = self.clock()
        due_at = min((lane.due_at(now) for lane in self._lanes if not lane.ready), default=now + micros(self.config.poll_s))
        return max(0, due_at - now) / 1_000_000

    def _took_note(self, done: "set[asyncio.Task[None]] | set[asyncio.Future[None]]") -> None:
        for task in done & self._tasks:
            self._tasks.discard(task)
            if task is self._scan:
                self._scan = None
            task.result()

    def _wake(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _is_stopping(self) -> bool:
        return self._stopping

    async def _finish(self) -> None:
        """Wait up to `WorkerConfig.stop_s` for running jobs."""
        if self._tasks:
            done, _ = await asyncio.wait(self._tasks, timeout=self.config.stop_s)
            self._took_note(done)

    async def _cancel(self) -> None:
        left: list[asyncio.Future[None]] = [*self._tasks, *([self._timer] if self._timer else [])]
        for task in left:
            task.cancel()
        # their errors are known by now, or come from being cancelled
        await asyncio.gather(*left, return_exceptions=True)
        self._tasks.clear()
        self._timer = self._scan = None
