"""Sends members of failed batches alone, on separate connections, so that other batches continue (decision 014).

One member can fail its whole batch: a row that another session has locked, a number that does not fit, two ids with one
hash. Sending each member alone shows which. A conversation whose append fails stays apart until an append to it succeeds.
Conversations that wait for a lock take turns on all connections but one.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from turnlog.errors import StoreFailed, StoreUnavailable
from turnlog.stores.postgres.batch import APPEND, Answered, Batch, WaitingAppend
from turnlog.stores.postgres.connection import LOCKED, Pool, Refused

LANES = 4
"""Connections for appends that are sent alone."""
_PATIENT_LANES = LANES - 1
"""How many of them may wait for a lock."""
_FIRST_MS = 20
"""Milliseconds for which the first try waits for a lock."""
_TURN_MS = 500
"""Milliseconds for which each further try waits, if others want a turn."""
_ALONE_MS = 10_000
"""Milliseconds for which a further try waits, if no others want a turn."""
_LOOK_S = 1.0
"""Seconds between checks for appends whose time is over while they wait for a turn."""
_KNOWN_MAX = 10_000
"""How many conversations without a waiting append may stay apart."""


class Apart:
    """Queues of appends, one for each conversation that is apart; the first of each is being sent or waits for a connection.

    `back` receives the appends that wait behind one that succeeded, and is also called when nothing is left.
    """

    def __init__(self, pool: Pool, back: Callable[[deque[WaitingAppend]], None]) -> None:
        self._pool = pool
        self._back = back
        self._loop = asyncio.get_running_loop()
        self._lines: dict[int, deque[WaitingAppend]] = {}
        self._first: deque[int] = deque()
        self._patient: deque[int] = deque()
        self._running = 0
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._look: asyncio.TimerHandle | None = None

    def __contains__(self, log: int) -> bool:
        return log in self._lines

    @property
    def busy(self) -> bool:
        """Whether an append is here."""
        return bool(self._running or self._first or self._patient)

    def put(self, append: WaitingAppend) -> None:
        """Add an append to the queue of its conversation."""
        line = self._lines.get(append.log)
        if line is None:
            line = self.keep(append.log)
        line.append(append)
        if len(line) == 1:
            self._first.append(append.log)
        self._send()

    def keep(self, log: int) -> deque[WaitingAppend]:
        """Send the appends of a conversation alone from now on."""
        if len(self._lines) >= _KNOWN_MAX:
            # only those with nothing waiting are forgotten: a line that waits keeps its order
            self._lines = {each: line for each, line in self._lines.items() if line}
        return self._lines.setdefault(log, deque())

    def _send(self) -> None:
        while self._running < LANES:
            if self._first:
                self._start(self._first.popleft(), _FIRST_MS, patient=False)
            # decision 014: one lane stays free of waits for locks, for those that only have to fail once
            elif self._patient and self._waiting < _PATIENT_LANES:
                log = self._patient.popleft()
                # a wait for a lock cannot be cut short; with others in line it is kept to half a second
                self._start(log, _TURN_MS if self._patient else _ALONE_MS, patient=True)
            else:
                break
        if self.busy and self._look is None:
            self._look = self._loop.call_later(_LOOK_S, self._expire)

    def _start(self, log: int, wait_ms: int, *, patient: bool) -> None:
        self._running += 1
        self._waiting += patient
        task = asyncio.ensure_future(self._try(log, wait_ms, patient=patient))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, log: int, wait_ms: int, *, patient: bool) -> None:
        """Send the first append of a queue, then handle the rest of the queue."""
        line = self._lines[log]
        append = line[0]
        succeeded = locked = False
        try:
            if not append.done.done():
                with Answered(append.fail):
                    succeeded, locked = await self._append(append, wait_ms)
        finally:
            self._running -= 1
            self._waiting -= patient
            self._over(log, line, succeeded=succeeded, locked=locked)

    async def _append(self, append: WaitingAppend, wait_ms: int) -> tuple[bool, bool]:
        """Send one append; return whether the server answered it, and if not, whether it may wait on for a lock."""
        batch = Batch(care=True)
        batch.take(append)
        left_ms = round((append.until - self._loop.time()) * 1000)
        # the server gives up before the client does: a client that gives up does not know the outcome
        params = batch.params(wait_ms=max(min(wait_ms, left_ms - _MARGIN_MS), 1))
        try:
            batch.settle((await self._pool.attempt(APPEND, *params, until=append.until))[0])
            return True, False
        except Refused as refused:
            if refused.locked and append.until - self._loop.time() > _MARGIN_MS / 1000:
                return False, True
            append.fail(refused.error)
        except (StoreUnavailable, StoreFailed) as error:
            append.fail(type(error)(error.reason))
        return False, False

    def _over(self, log: int, line: deque[WaitingAppend], *, succeeded: bool, locked: bool) -> None:
        if locked:
            self._patient.append(log)
        else:
            line.popleft()
            # one that failed in a batch before goes alone too, also after a success before it
            if line and not (succeeded and not line[0].alone):
                self._first.append(log)
            elif succeeded:
                del self._lines[log]
                self._back(line)
        self._send()
        if not self.busy:
            self._back(deque())

    def _expire(self) -> None:
        """Fail appends whose time is over; they leave their queues when it is their turn."""
        self._look = None
        now = self._loop.time()
        for line in self._lines.values():
            for append in line:
                if append.until < now:
                    append.fail(StoreUnavailable(LOCKED))
        self._send()


_MARGIN_MS = 100
"""How much earlier than an append's time limit its wait for a lock ends, so that the server's answer comes in time."""
