"""Connections to the server, on libpq: a call costs one round trip and needs nothing of the session.

Where each transaction may run in another session (PgBouncer), a prepared statement that is not there is noticed before
anything happens; from then on each call brings its own statement. A statement's name is a hash of its text, so that clients
that share sessions cannot take one for another. The URL is libpq's: several hosts, `target_session_attrs`, TLS and service
files work.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from hashlib import blake2b
from math import inf
from typing import Any

import psycopg
from psycopg import conninfo, pq
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus

from turnlog.errors import StoreFailed, StoreUnavailable
from turnlog.process import NOT_OPEN
from turnlog.stores.postgres.encoding import Param, Row

Done = Callable[[list[Row] | Exception], None]
"""Receives the rows of a statement, or the error: a `TurnlogError` or one of this module."""
_SETTINGS = "-c default_transaction_isolation=read\\ committed -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
READING = f"{_SETTINGS} -c lock_timeout=10s"
"""Settings of a session, so that functions need not set them in each transaction; a pooler may refuse them."""
WRITING = f"{_SETTINGS} -c enable_bitmapscan=off -c lock_timeout=200ms"
"""Settings of a session for appends: a batch does not wait long for one locked conversation (decision 014)."""
_NO_STORE = ("25006", "3F000", "42P01", "42501", "42883")  # a server that only reads; a schema that is gone or closed to us
_LATER = ("08", "25", "40", "53", "55", "57", "58")  # what may be better the next time; all else is there to stay
_LOCKED = "55P03"
LOCKED = "the conversation is locked by another session of the server"
UNIQUE = "23505"
_LOST = ("26000", "42P05", "0A000")  # no such prepared statement; another has made it; its plan is out of date
_REFUSED = "unsupported startup parameter"  # what a pooler says to `options`
_RETRY = ("40001", "40P01")  # another transaction was first, and may have gone by now
_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Again(Exception):
    """The server rolled the transaction back because of another one; it can be repeated at once."""


class Unprepared(Exception):
    """The session does not have the prepared statement; nothing happened."""


class Refused(Exception):
    """The server refused a statement; nothing was executed."""

    def __init__(self, kind: type[StoreUnavailable | StoreFailed], reason: str, code: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.code = code

    @property
    def error(self) -> StoreUnavailable | StoreFailed:
        """A new error for each caller; this one holds no reference to it, so that they form no cycle."""
        return self.kind(self.reason)

    @property
    def locked(self) -> bool:
        """Whether another session held a lock for too long."""
        return self.code == _LOCKED


class Broken(StoreUnavailable):
    """The connection was lost while a statement ran; its outcome is unknown."""


class NoOptions(Exception):
    """The pooler refuses startup options."""


class NotFresh(Exception):
    """Appends that were sent the simple way need the careful one; nothing happened. `logs` are those that surely need it."""

    def __init__(self, logs: set[int]) -> None:
        super().__init__(logs)
        self.logs = logs


class PostgresWire:
    """One connection, for one call at a time."""

    def __init__(self, made: psycopg.AsyncConnection[Any], timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._made = made  # connects without blocking, names of hosts included; from there on its libpq connection is used
        connection = made.pgconn
        self._connection = connection
        self._prepares = True
        self._prepared = False  # what is under way has to do with a prepared statement
        self._names: dict[str, bytes] = {}
        self._loop = asyncio.get_running_loop()
        self._done: Done | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._results: list[pq.abc.PGresult] = []
        self._writing = False
        connection.nonblocking = 1
        self._socket = connection.socket
        self._loop.add_reader(self._socket, self._on_readable)

    @classmethod
    async def connect(cls, url: str, *, timeout_s: float, options: str = "") -> "PostgresWire":
        """Open a connection with `options` for the session. Raises `StoreUnavailable` or `NoOptions`."""
        limits: dict[str, Any] = {
            "connect_timeout": max(2, round(timeout_s)),
            "tcp_user_timeout": round(timeout_s * 1000),
            "application_name": "turnlog",
        }
        try:
            told: dict[str, Any] = conninfo.conninfo_to_dict(url)
            extra = {"options": f"{told.get('options', '')} {options}"} if options else {}
            full = conninfo.make_conninfo(**{**limits, **told, **extra, "client_encoding": "UTF8"})
            connection = await psycopg.AsyncConnection.connect(full, autocommit=True)
        except (psycopg.Error, OSError, ValueError) as error:
            if options and _REFUSED in str(error):
                raise NoOptions from None
            raise StoreUnavailable(" ".join(str(error).split())) from None
        return cls(connection, timeout_s)

    async def ask(
        self, sql: str, params: Sequence[Param], *, until: float = inf, binary: bool = False, prepare: bool = False
    ) -> list[Row]:
        """The rows that one statement answers by the loop's time `until`; `prepare` one that will come again.

        Raises `Refused`, `Again`, `NotFresh`, or a `TurnlogError` when nobody knows what happened, or nobody is better off.
        """
        values, types, forms = zip(*params, strict=True) if params else ((), (), ())
        if prepare and self._prepares:
            try:
                if sql not in self._names:
                    await self._prepare(sql, types, until)
                return await self._answer(lambda done: self.post(sql, values, forms, until=until, binary=binary, done=done))
            except Unprepared:
                self._prepares = False
        send = partial(self._connection.send_query_params, sql.encode(), values, types, forms, 1 if binary else 0)
        self._prepared = False
        return await self._answer(lambda done: self._begin(send, until, done))

    def knows(self, sql: str) -> bool:
        """Return whether the statement is prepared, so that it can be posted."""
        return sql in self._names and self._prepares

    def post(
        self,
        sql: str,
        values: Sequence[bytes | None],
        forms: Sequence[int],
        *,
        until: float,
        done: Done,
        binary: bool = False,
    ) -> None:
        """Send a prepared statement; `done` is called once with the rows or the error, at `until` at the latest."""
        send = partial(self._connection.send_query_prepared, self._names[sql], values, forms, 1 if binary else 0)
        self._prepared = True
        self._begin(send, until, done)

    async def run(self, script: str) -> None:
        """Run statements without parameters."""
        send = partial(self._connection.send_query, script.encode())
        self._prepared = False
        await self._answer(lambda done: self._begin(send, inf, done))

    async def _prepare(self, sql: str, types: Sequence[int], until: float) -> None:
        # decision 010: clients that share a session through a pooler must not take one statement for another
        name = b"turnlog_" + blake2b(sql.encode(), digest_size=12).hexdigest().encode()
        send = partial(self._connection.send_prepare, name, sql.encode(), types)
        self._prepared = True
        await self._answer(lambda done: self._begin(send, until, done))
        self._names[sql] = name

    @property
    def usable(self) -> bool:
        """Whether the connection is open and idle, outside of a transaction."""
        return self._socket >= 0 and self._connection.transaction_status == TransactionStatus.IDLE

    def close(self) -> None:
        """Close the connection, whatever it is doing."""
        if self._socket >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = -1
            self._connection.finish()
            if self._timer is not None:
                self._timer.cancel()

    async def _answer(self, send: Callable[[Done], None]) -> list[Row]:
        waiter: asyncio.Future[list[Row]] = self._loop.create_future()
        send(partial(_tell, waiter))
        try:
            return await waiter
        finally:
            del waiter  # an error's traceback holds this frame, which must not hold the error

    def _begin(self, send: Callable[[], None], until: float, done: Done) -> None:
        """Call `send`; the answer goes to `done`."""
        self._done = done
        # decision 011: a timer of the call's own, so that what is posted without a task has a time limit, too
        self._timer = self._loop.call_at(until, self._give_up)
        try:
            send()
            self._flush()
        except psycopg.OperationalError as error:
            self._break(Broken(str(error).strip()))

    def _finish(self, told: list[Row] | Exception) -> None:
        done, self._done = self._done, None
        if self._timer is not None:
            self._timer.cancel()
        if done is not None:
            done(told)

    def _give_up(self) -> None:
        self._break(StoreUnavailable(f"no answer within {self._timeout_s:g} seconds"))

    def _failure(self, result: pq.abc.PGresult) -> Exception:
        code = _field(result, DiagnosticField.SQLSTATE)
        reason = _field(result, DiagnosticField.MESSAGE_PRIMARY) or result.error_message.decode(errors="replace").strip()
        if _field(result, DiagnosticField.SEVERITY_NONLOCALIZED) != "ERROR":
            self.close()  # the session ends, and may have committed: only an ERROR says that nothing happened
            return Broken(reason)
        # a serialisation failure or a deadlock: this transaction is rolled back, so that it can be sent again
        if code in _RETRY:
            return Again(reason)
        # decision 010: behind a pooler the session may be another; nothing ran, and the call goes again with its text
        if self._prepared and code in _LOST:
            return Unprepared(reason)
        if code == "T0001":
            return NotFresh(set(map(int, reason.split())))
        if code == "T0002":
            return StoreFailed(reason)
        if code in _NO_STORE:
            self.close()  # the next connection may find another server
            return StoreUnavailable(reason)
        return _refused(code, reason, _field(result, DiagnosticField.CONSTRAINT_NAME))

    def _flush(self) -> None:
        more = self._connection.flush() == 1
        if more != self._writing:
            self._writing = more
            if more:
                self._loop.add_writer(self._socket, self._on_writable)
            else:
                self._loop.remove_writer(self._socket)

    def _on_writable(self) -> None:
        try:
            self._flush()
        except psycopg.OperationalError as error:
            self._break(Broken(str(error).strip()))

    def _on_readable(self) -> None:
        try:
            self._connection.consume_input()
            if self._connection.status == ConnStatus.BAD:
                raise psycopg.OperationalError("the server closed the connection")
            while self._done is not None and not self._connection.is_busy():
                result = self._connection.get_result()
                if result is None:
                    results, self._results = self._results, []
                    failed = next((one for one in results if one.status not in _DONE), None)
                    return self._finish(_rows(results[-1]) if failed is None else self._failure(failed))
                self._results.append(result)
            self._watch_on()
        except psycopg.OperationalError as error:
            self._break(Broken(str(error).strip()))

    def _watch_on(self) -> None:
        """Ask for the next event anew: libuv gives a socket up when it has an error, though what came before that is yet to
        be read, and nobody would be told of the end.
        """
        self._loop.remove_reader(self._socket)
        self._loop.add_reader(self._socket, self._on_readable)

    def _break(self, why: StoreUnavailable) -> None:
        self.close()
        self._finish(why)


def _tell(waiter: asyncio.Future[list[Row]], told: list[Row] | Exception) -> None:
    if waiter.done():
        return
    if isinstance(told, Exception):
        waiter.set_exception(told)
    else:
        waiter.set_result(told)


def _field(result: pq.abc.PGresult, field: DiagnosticField) -> str:
    return (result.error_field(field) or b"").decode(errors="replace")


def _refused(code: str, reason: str, constraint: str) -> Refused:
    """Return what the caller gets for a refusal with this code."""
    if code == _LOCKED:
        return Refused(StoreUnavailable, LOCKED, code)
    if code == UNIQUE and constraint.startswith("message") and "_pkey" in constraint:
        return Refused(StoreFailed, f"the log has a message behind the head that its header tells ({reason})", code)
    if code == UNIQUE:
        return Refused(StoreFailed, f"two names have the same hash, so one of them needs another id ({reason})", code)
    if code.startswith(_LATER):
        return Refused(StoreUnavailable, reason, code)
    return Refused(StoreFailed, f"PostgreSQL refuses it with {code}: {reason}", code)


def _rows(result: pq.abc.PGresult) -> list[Row]:
    columns = range(result.nfields)
    return [[result.get_value(row, column) for column in columns] for row in range(result.ntuples)]


class Pool:
    """Holds up to `limit` connections, opened when needed. A call that gets none in time fails."""

    def __init__(self, url: str, *, limit: int, timeout_s: float, options: str = "") -> None:
        self._url = url
        self._options = options
        self.timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._taken = 0
        self._idle: list[PostgresWire] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = False

    async def ask(
        self, sql: str, *params: Param, binary: bool = False, prepare: bool = False, until: float | None = None
    ) -> list[Row]:
        """What a statement answers. Raises `StoreUnavailable` (within the time limit or at the loop's time `until`) or
        `StoreFailed`."""
        try:
            return await self.attempt(sql, *params, binary=binary, prepare=prepare, until=until)
        except Refused as refused:
            raise refused.error from None

    async def attempt(
        self,
        sql: str,
        *params: Param,
        binary: bool = False,
        prepare: bool = False,
        until: float | None = None,
        broken: bool = False,
    ) -> list[Row]:
        """As `ask`, but `Refused` tells of what certainly did not happen, and if asked for `Broken` of a lost connection."""
        if until is None:
            until = self._loop.time() + self.timeout_s
        wire = self.idle() or await self._connected(until)
        try:
            while True:
                try:
                    return await wire.ask(sql, params, until=until, binary=binary, prepare=prepare)
                # the server says that nothing happened; `until` ends this, so that it needs no count
                except Again:
                    continue
                except Broken as error:
                    if broken:
                        raise
                    raise StoreUnavailable(error.reason) from None
        finally:
            self.put(wire)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[PostgresWire]:
        """Lend a connection for several calls, which must end within the time limit."""
        until = self._loop.time() + self.timeout_s
        wire = self.idle() or await self._connected(until)
        try:
            async with asyncio.timeout_at(until):
                yield wire
        except TimeoutError:
            raise StoreUnavailable(f"no answer within {self.timeout_s:g} seconds") from None
        except Refused as refused:
            raise refused.error from None
        except Again as again:
            raise StoreUnavailable(str(again)) from None
        except Broken as error:
            raise StoreUnavailable(error.reason) from None
        finally:
            self.put(wire)

    def idle(self) -> PostgresWire | None:
        """Take a free connection, or None; give it back with `put`."""
        while self._idle and not self._closed:
            wire = self._idle.pop()
            if wire.usable:
                self._taken += 1
                return wire
            wire.close()
        return None

    def put(self, wire: PostgresWire) -> None:
        """Take a connection back."""
        self._taken -= 1
        if wire.usable and not self._closed:
            self._idle.append(wire)
        else:
            wire.close()
        self._wake()

    def close(self) -> None:
        """Close all connections; one that is in use is closed when its call ends."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def _connected(self, until: float) -> PostgresWire:
        """Wait for a free connection, or open one. Raises `StoreUnavailable` at `until`."""
        try:
            async with asyncio.timeout_at(until):
                # a loop: whoever is woken may find that a caller who did not wait has taken the connection
                while self._taken >= self._limit and not self._closed:
                    await self._freed()
                if wire := self.idle():
                    return wire
                return await self._new()
        except TimeoutError:
            raise StoreUnavailable(f"no answer within {self.timeout_s:g} seconds") from None

    async def _freed(self) -> None:
        """Wait until a connection is put back; the longest waiter is woken first."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:  # decision 057: nothing else can come, since nobody gives a waiter an error
            if waiter.done() and not waiter.cancelled():
                self._wake()  # it was for us, and we have no more use for it
            raise

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    async def _new(self) -> PostgresWire:
        if self._closed:
            raise StoreUnavailable(NOT_OPEN)
        with ExitStack() as undo:
            # counted before the first await, or as many as ask at once would each open one over the limit
            self._taken += 1
            undo.callback(self._give_back)
            try:
                wire = await PostgresWire.connect(self._url, timeout_s=self.timeout_s, options=self._options)
            # decision 014: PgBouncer refuses startup options; functions that write check the isolation level themselves
            except NoOptions:
                self._options = ""
                wire = await PostgresWire.connect(self._url, timeout_s=self.timeout_s)
            undo.pop_all()
            return wire

    def _give_back(self) -> None:
        self._taken -= 1
        self._wake()
