"""Group commit: appends that wait while others are under way share the next statement, transaction and round trip."""

import asyncio
from collections import deque
from collections.abc import Sequence
from math import inf

import msgspec

from turnlog.codec import Record
from turnlog.errors import ConversationDeleted, ConversationNotFound, StoreUnavailable, TurnlogError
from turnlog.ports import Appended, Key
from turnlog.stores.decide import Known, decide
from turnlog.stores.postgres.values import Param, column, columns, int8s, ints, log_of, texts
from turnlog.stores.postgres.wire import Again, NotFresh, Pool, Row, Unprepared

LANES = 2
"""Statements under way at once: while the server is at one, the client is at the other, and a lock holds up only one."""
APPENDS_PER_BATCH = 128
CROWD_MIN = 16
"""From so many callers on, half of them leave while the others still gather, so that client and server work side by side."""
BYTES_PER_BATCH = 8 << 20
"""A batch takes no more when its bodies have reached this."""
OPTIONS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off -c lock_timeout=10s"
"""What a writer's session says once, so that `begin` need not with each append."""
FORKS_MAX = 10_000
"""How many conversations a writer remembers that need care."""
_ANY_HEAD = -1
_LOOK_ONLY = -2
_NOT_THERE = -1
_DELETED = -2
_APPEND_ONE = "SELECT turnlog.append_one_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_ONE_TYPES = (20, 25, 25, 20, 20, 20, 20, 20, 23, 23, 21, 17, 17)  # int8, text, int4, int2, bytea
_ONE_FORMS = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1)
_APPEND = "SELECT * FROM turnlog.append_1($1, $2, $3, $4, $5, $6, $7)"
_APPEND_FRESH = "SELECT turnlog.append_fresh_1($1, $2, $3, $4, $5, $6, $7, $8, $9)"


class Append(msgspec.Struct, eq=False):
    """An append that waits until the loop's time `until` at most; `done` brings its `Appended` or its error."""

    key: Key
    records: Sequence[Record]
    now: int
    expect_head: int | None
    done: asyncio.Future[Appended]
    until: float
    log: int = 0
    fresh: dict[str, Record] = {}
    expect: int = _ANY_HEAD

    def __post_init__(self) -> None:
        self.log = log_of(self.key)
        self.fresh = {record.id: record for record in self.records}
        if self.expect_head is not None:
            self.expect = self.expect_head
        if len(self.fresh) < len(self.records) and any(self.fresh[one.id].digest != one.digest for one in self.records):
            self.expect = _LOOK_ONLY  # an id with two bodies: it will be refused, and only the answer has to be found out

    def may_follow(self, others: Sequence["Append"]) -> bool:
        """Whether the server can decide it in the same statement as those on the same conversation before it."""
        if self.expect != _ANY_HEAD or others[0].expect != _ANY_HEAD or others[0].key != self.key:
            return False
        return all(self.fresh.keys().isdisjoint(other.fresh) for other in others)


class Batch:
    """Appends that travel together, by conversation; with `care`, anything may be the matter with them."""

    def __init__(self, *, care: bool) -> None:
        self.care = care
        self.by_log: dict[int, list[Append]] = {}
        self.appends = 0
        self.bytes = 0
        self.until = inf

    def take(self, append: Append) -> bool:
        """Add it if it may travel with those that are in already."""
        others = self.by_log.get(append.log)
        if others is None:
            self.by_log[append.log] = [append]
        elif append.may_follow(others):
            others.append(append)
        else:
            return False
        self.appends += 1
        self.until = min(self.until, append.until)
        self.bytes += sum([len(record.body) for record in append.records])
        return True

    def _fresh_params(self) -> list[Param]:
        counts, times, expected, records = [], [], [], []
        for place, group in enumerate(self.by_log.values(), 1):
            nth = 0
            for append in group:
                for record in append.fresh.values():
                    nth += 1
                    records.append(((place, nth), record))
            counts.append(nth)
            times.append(max([append.now for append in group]) if len(group) > 1 else group[0].now)
            expected.append(group[0].expect)
        return [*self._named(), int8s(counts), int8s(times), int8s(expected), *columns(records)]

    def fresh(self) -> tuple[str, list[bytes | None], Sequence[int], Sequence[int]]:
        """The statement for what is taken to be new; the values, types and forms of its parameters."""
        first = next(iter(self.by_log.values()))[0]
        if self.appends == 1 and len(first.fresh) == 1:
            return _APPEND_ONE, _one_values(first), _ONE_TYPES, _ONE_FORMS
        values, types, forms = zip(*self._fresh_params(), strict=True)
        return _APPEND_FRESH, list(values), types, forms

    def params(self) -> list[Param]:
        """What `append` is given."""
        appends = [(place, append) for place, group in enumerate(self.by_log.values(), 1) for append in group]
        told = [each for place, append in appends for each in (place, append.now, append.expect)]
        records = [((place,), record) for place, (_, append) in enumerate(appends, 1) for record in append.fresh.values()]
        return [*self._named(), int8s(told), *columns(records)]

    def _named(self) -> list[Param]:
        keys = [appends[0].key for appends in self.by_log.values()]
        return [int8s(list(self.by_log)), texts(key.tenant for key in keys), texts(key.conversation_id for key in keys)]

    def settle(self, row: Row) -> None:
        """Give each append its answer: the heads before, and of each record that was there already its place in the batch,
        seq, digest and time."""
        heads, *known = map(ints, row)
        there = {at: Known(*told) for at, *told in zip(*known, strict=True)} if known else {}
        at = 0
        for head, group in zip(heads, self.by_log.values(), strict=True):
            stored = 0
            for append in group:
                found = {id_: there[n] for n, id_ in enumerate(append.fresh, at + 1) if n in there} if there else {}
                at += len(append.fresh)
                stored += _settle(append, head + stored, found)

    def fail(self, error: BaseException) -> None:
        """Nobody knows what became of them."""
        for group in self.by_log.values():
            for append in group:
                if not append.done.done():
                    append.done.set_exception(error)


def _one_values(append: Append) -> list[bytes | None]:
    key = append.key
    numbers, name, body = column(append.records[0])
    return [
        b"%d" % append.log,
        key.tenant.encode(),
        key.conversation_id.encode(),
        b"%d" % append.now,
        b"%d" % append.expect,
        *[b"%d" % each for each in numbers],
        name,
        body,
    ]


def _settle(append: Append, head: int, known: dict[str, Known]) -> int:
    """Give an append its answer; how many records were stored."""
    try:
        if head == _NOT_THERE:
            raise ConversationNotFound(append.key.conversation_id)
        if head == _DELETED:
            raise ConversationDeleted(append.key.conversation_id)
        appended, fresh = decide(head, append.records, known, append.expect_head)
    except TurnlogError as error:
        if not append.done.done():
            append.done.set_exception(error)
        return 0
    if not append.done.done():
        append.done.set_result(appended)
    return len(fresh)


class Writer:
    """Sends appends, up to `lanes` batches at once, no conversation in two of them, and where rows are `sharded` not two
    conversations in one.

    What is fresh and has a connection that knows the statement is posted at once, and its answer settled as it comes in; all
    else goes by a task.
    """

    def __init__(self, pool: Pool, *, timeout_s: float, lanes: int = LANES, sharded: bool = False) -> None:
        self._pool = pool
        self._timeout_s = timeout_s
        self._lanes = lanes
        self._sharded = sharded
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Append] = deque()
        self._busy: set[int] = set()
        self._care: set[int] = set()
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._called = False
        self._crowd = 0
        self._quiet = asyncio.Event()

    def submit(self, key: Key, records: Sequence[Record], now: int, expect_head: int | None) -> asyncio.Future[Appended]:
        """Queue an append; await what comes back."""
        done: asyncio.Future[Appended] = self._loop.create_future()
        append = Append(key, records, now, expect_head, done, self._loop.time() + self._timeout_s)
        if not self._under_way and self._crowd <= 1 and not self._queue:
            alone = Batch(care=self._needs_care(append))
            alone.take(append)
            self._launch(alone)
            return done
        self._queue.append(append)
        if self._under_way < self._lanes and len(self._queue) * self._lanes >= max(self._crowd, CROWD_MIN):
            self._send()
        else:
            self._call()
        return done

    async def close(self) -> None:
        """Finish what was accepted."""
        while self._queue or self._under_way:
            self._quiet.clear()
            self._send()
            if self._under_way:
                await self._quiet.wait()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _call(self) -> None:
        """Send when all who are about to append have done so: at the end of this round of the event loop."""
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
        self._crowd = max(len(self._busy), self._crowd - max(self._crowd // 8, 1))
        if batch.care or not self._post(batch):
            self._go(batch)

    def _gather(self) -> Batch:
        """What may travel now, in order; what has to wait for an append before it on the same conversation stays."""
        batch = Batch(care=bool(self._queue) and self._needs_care(self._queue[0]))
        room = min(len(self._queue), APPENDS_PER_BATCH)
        waiting: list[Append] = []
        blocked = set(self._busy)
        while self._queue and batch.appends < room and batch.bytes < BYTES_PER_BATCH:
            append = self._queue.popleft()
            if append.done.done():
                continue
            elsewhere = self._sharded and batch.appends > 0 and append.log not in batch.by_log
            if elsewhere or append.log in blocked or self._needs_care(append) != batch.care or not batch.take(append):
                blocked.add(append.log)
                waiting.append(append)
        self._queue.extendleft(reversed(waiting))
        return batch

    def _needs_care(self, append: Append) -> bool:
        return append.expect == _LOOK_ONLY or append.log in self._care

    def _post(self, batch: Batch) -> bool:
        """Send the batch on a connection that is free and knows the statement, if there is one."""
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
        """What was posted is answered."""
        if isinstance(told, NotFresh | Again | Unprepared):
            self._learn(told)
            return self._go(batch)
        try:
            if isinstance(told, StoreUnavailable):
                batch.fail(told)
            elif isinstance(told, Exception):
                raise told
            else:
                batch.settle(told[0])
        except BaseException as error:  # a defect must not leave the waiters hanging
            batch.fail(StoreUnavailable(f"{type(error).__name__} while it was appended"))
            raise
        finally:
            self._over(batch)

    def _go(self, batch: Batch) -> None:
        task = asyncio.ensure_future(self._commit(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commit(self, batch: Batch) -> None:
        try:
            batch.settle(await self._append(batch))
        except StoreUnavailable as error:
            batch.fail(error)
        except BaseException as error:  # a defect, or the end of the loop, must not leave the waiters hanging
            batch.fail(StoreUnavailable(f"{type(error).__name__} while it was appended"))
            raise
        finally:
            self._over(batch)

    async def _append(self, batch: Batch) -> Row:
        if not batch.care:
            try:
                sql, *told = batch.fresh()
                return (await self._pool.ask(sql, *map(Param, *told), prepare=True, until=batch.until))[0]
            except NotFresh as error:
                self._learn(error)
        return (await self._pool.ask(_APPEND, *batch.params(), until=batch.until))[0]

    def _learn(self, error: Exception) -> None:
        """Remember the conversations whose appends need care."""
        if isinstance(error, NotFresh):
            if len(self._care) > FORKS_MAX:
                self._care.clear()
            self._care |= error.logs

    def _over(self, batch: Batch) -> None:
        self._under_way -= 1
        self._busy -= batch.by_log.keys()
        if not self._under_way:
            self._quiet.set()
        self._call()
