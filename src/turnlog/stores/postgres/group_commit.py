"""Group commit: appends that arrive while others are being sent share the next statement and transaction (decision 010)."""

import asyncio
from collections import deque
from collections.abc import Sequence

from turnlog.codec import Record
from turnlog.errors import StoreFailed, StoreUnavailable
from turnlog.store import Appended, Key
from turnlog.stores.postgres.batch import APPEND, BYTES_PER_BATCH, LOOK_ONLY, Answered, Batch, WaitingAppend, prepare
from turnlog.stores.postgres.connection import UNIQUE, Again, Broken, NotFresh, Pool, Refused, Unprepared
from turnlog.stores.postgres.encoding import Names, Param, Row
from turnlog.stores.postgres.quarantine import Apart

LANES = 2
"""Statements under way at once: while the server is at one, the client is at the other, and a lock holds up only one."""
APPENDS_PER_BATCH = 128
CROWD_MIN = 16
"""From so many callers on, half of them leave while the others still gather, so that client and server work side by side."""
FORKS_MAX = 10_000
"""How many conversations a writer remembers that need care."""


class GroupWriter:
    """Sends appends, up to `lanes` batches at once. No conversation is in two batches, and with `sharded` no batch has two
    conversations.

    A batch of new messages is posted at once on a connection that has prepared the statement, and settled in its callback;
    every other batch runs in a task. Members of a batch that the server refused are sent alone, through the pool `alone`.
    """

    def __init__(
        self, pool: Pool, alone: Pool, names: Names, *, timeout_s: float, lanes: int = LANES, sharded: bool = False
    ) -> None:
        self._pool = pool
        self._apart = Apart(alone, self._back)
        self._names = names
        self._timeout_s = timeout_s
        self._lanes = lanes
        self._sharded = sharded
        self._loop = asyncio.get_running_loop()
        self._queue: deque[WaitingAppend] = deque()
        self._busy: set[int] = set()
        self._care: set[int] = set()
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._called = False
        self._crowd = 0
        self._quiet = asyncio.Event()

    def submit(self, key: Key, records: Sequence[Record], now: int, expect_head: int | None) -> asyncio.Future[Appended]:
        """Queue an append; the future that is returned brings its answer."""
        done: asyncio.Future[Appended] = self._loop.create_future()
        append = prepare(self._names, key, records, now, expect_head, done, self._loop.time() + self._timeout_s)
        if append.log in self._apart:
            self._apart.put(append)
            return done
        # a lone writer gains nothing by waiting for the end of the loop's round
        if not self._under_way and self._crowd <= 1 and not self._queue:
            alone = Batch(care=self._needs_care(append))
            alone.take(append)
            self._launch(alone)
            return done
        self._queue.append(append)
        # decision 010: half of the crowd goes while the other half gathers: 1.3 to 1.6 times the rate
        if self._under_way < self._lanes and len(self._queue) * self._lanes >= max(self._crowd, CROWD_MIN):
            self._send()
        else:
            self._call()
        return done

    async def close(self) -> None:
        """Finish all accepted appends."""
        while self._queue or self._under_way or self._apart.busy:
            self._quiet.clear()
            self._send()
            if self._under_way or self._apart.busy:
                await self._quiet.wait()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _call(self) -> None:
        """Send at the end of this round of the event loop, when all tasks that are ready have queued their appends."""
        if not self._called and self._queue and self._under_way < self._lanes:
            self._called = True
            self._loop.call_soon(self._send)

    def _send(self) -> None:
        self._called = False
        while self._under_way < self._lanes and (batch := self._gather()).appends:
            self._launch(batch)

    def _launch(self, batch: Batch) -> None:
        self._under_way += 1
        self._busy |= batch.by_log.keys()
        # the estimate falls slowly: one thin batch does not mean that the crowd has gone
        self._crowd = max(len(self._busy), self._crowd - max(self._crowd // 8, 1))
        # decision 011: what is fresh goes without a task, and its answer is settled in the reader's callback
        if batch.care or not self._post(batch):
            self._go(batch)

    def _gather(self) -> Batch:
        """Collect the next batch in order; an append waits if one before it on the same conversation is not answered yet."""
        batch = Batch(care=bool(self._queue) and self._needs_care(self._queue[0]))
        room = min(len(self._queue), APPENDS_PER_BATCH)
        waiting: list[WaitingAppend] = []
        # two batches of one conversation under way could be stored in either order, and the later answered first
        blocked = set(self._busy)
        while self._queue and batch.appends < room and batch.bytes < BYTES_PER_BATCH:
            append = self._queue.popleft()
            if append.done.done():
                continue
            if batch.appends and batch.bytes + append.size > BYTES_PER_BATCH:  # what is large travels alone
                waiting.append(append)
                break
            elsewhere = self._sharded and batch.appends > 0 and append.log not in batch.by_log
            if elsewhere or append.log in blocked or self._needs_care(append) != batch.care or not batch.take(append):
                blocked.add(append.log)
                waiting.append(append)
        # back to the front, in their order: nobody is overtaken by who came later
        self._queue.extendleft(reversed(waiting))
        return batch

    def _needs_care(self, append: WaitingAppend) -> bool:
        return append.expect == LOOK_ONLY or append.log in self._care

    def _post(self, batch: Batch) -> bool:
        """Send the batch on a free connection that has prepared the statement; False if there is none."""
        wire = self._pool.idle()
        if wire is None:
            return False
        sql, values, _, forms = batch.fresh()
        if not wire.knows(sql):
            self._pool.put(wire)
            return False

        def landed(told: list[Row] | Exception) -> None:
            self._pool.put(wire)
            self._landed(batch, told)

        wire.post(sql, values, forms, until=batch.until, done=landed)
        return True

    def _landed(self, batch: Batch, told: list[Row] | Exception) -> None:
        """Handle the answer to a posted batch."""
        if isinstance(told, NotFresh | Again | Unprepared) or (isinstance(told, Refused) and told.code == UNIQUE):
            # decision 010: nothing was written, so that it may go again, now by the function that looks before it writes
            self._learn(batch, told)
            return self._go(batch)
        try:
            with Answered(batch.fail):
                if isinstance(told, Refused):
                    self._refused(batch, told)
                elif isinstance(told, StoreUnavailable | StoreFailed):
                    self._failed(batch, told)
                elif isinstance(told, Exception):
                    raise told
                else:
                    batch.settle(told[0])
        finally:
            self._over(batch)

    def _go(self, batch: Batch) -> None:
        task = asyncio.ensure_future(self._commit(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commit(self, batch: Batch) -> None:
        try:
            with Answered(batch.fail):
                await self._answer(batch)
        finally:
            self._over(batch)

    async def _answer(self, batch: Batch) -> None:
        try:
            batch.settle(await self._append(batch))
        except Refused as refused:
            self._refused(batch, refused)
        except (StoreUnavailable, StoreFailed) as error:
            self._failed(batch, error)

    async def _append(self, batch: Batch) -> Row:
        if not batch.care:
            try:
                sql, *told = batch.fresh()
                return (await self._pool.attempt(sql, *map(Param, *told), prepare=True, until=batch.until, broken=True))[0]
            except NotFresh as error:
                self._learn(batch, error)
            except Refused as refused:
                if refused.code != UNIQUE:
                    raise
                self._learn(batch, refused)
        return (await self._pool.attempt(APPEND, *batch.params(), until=batch.until, broken=True))[0]

    def _learn(self, batch: Batch, error: Exception) -> None:
        """Mark a batch for the careful way, and remember conversations that always need it."""
        batch.care = isinstance(error, NotFresh | Refused)
        if isinstance(error, NotFresh):
            if len(self._care) > FORKS_MAX:
                self._care.clear()
            self._care |= error.logs

    def _refused(self, batch: Batch, refused: Refused) -> None:
        """Nothing of a batch was stored, and nobody knows whose fault it was, so each goes alone. An append that was alone
        is told, but for one that can wait for a lock.
        """
        members = batch.members()
        if len(members) == 1 and not refused.locked:
            self._apart.keep(members[0].log)
            members[0].fail(refused.error)
        else:
            for append in members:
                # decision 014: an ERROR means that nothing was stored; whose fault it was shows when each goes alone
                append.alone = True
                self._apart.put(append)
        self._follow(batch)

    def _failed(self, batch: Batch, error: StoreUnavailable | StoreFailed) -> None:
        """Tell all of a batch whose outcome nobody knows, so that nothing of it is sent again. Where the connection was
        lost, one of its conversations may do that to every batch: each is apart until an append to it succeeds.
        """
        batch.fail(error)
        # decision 014: not after a time limit, since a slow server would be given more transactions by it
        if isinstance(error, Broken):
            for log in batch.by_log:
                self._apart.keep(log)
            self._follow(batch)

    def _follow(self, batch: Batch) -> None:
        """Move queued appends to the conversations that are sent alone from now on."""
        behind = [append for append in self._queue if append.log in batch.by_log]  # so that nobody is overtaken
        if behind:
            self._queue = deque(append for append in self._queue if append.log not in batch.by_log)
            for append in behind:
                self._apart.put(append)

    def _back(self, line: deque[WaitingAppend]) -> None:
        """Queue the appends in `line` again, whose conversation may join batches now."""
        self._queue.extendleft(reversed(line))
        if not self._apart.busy:
            self._quiet.set()
        self._call()

    def _over(self, batch: Batch) -> None:
        self._under_way -= 1
        self._busy -= batch.by_log.keys()
        if not self._under_way:
            self._quiet.set()
        self._call()
