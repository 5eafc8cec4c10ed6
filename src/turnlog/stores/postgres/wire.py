"""Connections to the server, on libpq: a call costs one round trip and needs nothing of the session.

Where each transaction may run in another session (PgBouncer), a prepared statement that is not there is noticed before
anything happens; from then on each call brings its own statement. A statement's name is a hash of its text, so that clients
that share sessions cannot take one for another. The URL is libpq's: several hosts, `target_session_attrs`, TLS and service
files work.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import conninfo, errors, pq
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus

from turnlog.errors import StoreUnavailable
from turnlog.stores.postgres.values import Param

Row = list[bytes | None]
_OURS = ("22", "23", "42")  # data, constraints, syntax: what only a defect of ours can cause
_NO_TABLES = ("42P01", "3F000", "42883", "42501")  # ... but for a schema that is gone or closed to us
_LOST = ("26000", "42P05", "0A000")  # no such prepared statement; another has made it; its plan is out of date
_REFUSED = "unsupported startup parameter"  # what a pooler says to `options`
_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Again(Exception):
    """The server ended the transaction because of another; nothing happened and it may be done again at once."""


class Unprepared(Exception):
    """The session does not have the prepared statement; nothing happened."""


class NotFresh(Exception):
    """Appends that were taken to be simple are not, and nothing happened; `logs` are those of which the server is sure."""

    def __init__(self, logs: set[int]) -> None:
        super().__init__(logs)
        self.logs = logs


class Wire:
    """One connection, for one call at a time."""

    def __init__(self, made: psycopg.AsyncConnection[Any]) -> None:
        self._made = made  # connects without blocking, names of hosts included; from there on its libpq connection is used
        connection = made.pgconn
        self._connection = connection
        self._prepares = True
        self._names: dict[str, bytes] = {}
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[list[pq.abc.PGresult]] | None = None
        self._results: list[pq.abc.PGresult] = []
        self._writing = False
        connection.nonblocking = 1
        self._socket = connection.socket
        self._loop.add_reader(self._socket, self._on_readable)

    @classmethod
    async def connect(cls, url: str, *, timeout_s: float, options: str = "") -> "Wire":
        """A new connection, with `options` for the session if whoever answers takes them. Raises `StoreUnavailable`."""
        told: dict[str, Any] = conninfo.conninfo_to_dict(url)
        limits: dict[str, Any] = {
            "connect_timeout": max(2, round(timeout_s)),
            "tcp_user_timeout": round(timeout_s * 1000),
            "application_name": "turnlog",
        }
        extra = {"options": f"{told.get('options', '')} {options}"} if options else {}
        full = conninfo.make_conninfo(**{**limits, **told, **extra, "client_encoding": "UTF8"})
        try:
            connection = await psycopg.AsyncConnection.connect(full, autocommit=True)
        except psycopg.Error as error:
            if extra and _REFUSED in str(error):
                return await cls.connect(url, timeout_s=timeout_s)
            raise StoreUnavailable(" ".join(str(error).split())) from None
        return cls(connection)

    async def ask(self, sql: str, params: Sequence[Param], *, binary: bool, prepare: bool = False) -> list[Row]:
        """The rows that one statement answers; `prepare` one that will come again. Raises `StoreUnavailable` or `Again`."""
        values, types, forms = zip(*params, strict=True) if params else ((), (), ())
        form = 1 if binary else 0
        try:
            if prepare and self._prepares:
                self._connection.send_query_prepared(await self._prepared(sql, types), values, forms, form)
                return _rows(await self._answer())
        except Unprepared:
            self._prepares = False
        self._connection.send_query_params(sql.encode(), values, types, forms, form)
        return _rows(await self._answer())

    async def _prepared(self, sql: str, types: Sequence[int]) -> bytes:
        """The name of the statement, which the session knows."""
        name = self._names.get(sql)
        if name is None:
            name = b"turnlog_" + blake2b(sql.encode(), digest_size=12).hexdigest().encode()
            self._connection.send_prepare(name, sql.encode(), types)
            await self._answer()
            self._names[sql] = name
        return name

    async def run(self, script: str) -> None:
        """Run statements without parameters."""
        self._connection.send_query(script.encode())
        await self._answer()

    @property
    def usable(self) -> bool:
        """Whether it is open and no call has left anything behind."""
        return self._socket >= 0 and self._connection.transaction_status == TransactionStatus.IDLE

    def close(self) -> None:
        """Let go of the connection, whatever it is doing."""
        if self._socket >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket = -1
            self._connection.finish()

    async def _answer(self) -> list[pq.abc.PGresult]:
        self._waiter = self._loop.create_future()
        self._flush()
        try:
            results = await self._waiter
        finally:
            self._waiter = None
        for result in results:
            if result.status not in _DONE:
                raise self._failure(result)
        return results

    def _failure(self, result: pq.abc.PGresult) -> Exception:
        code = (result.error_field(DiagnosticField.SQLSTATE) or b"").decode()
        reason = (result.error_field(DiagnosticField.MESSAGE_PRIMARY) or result.error_message).decode(errors="replace")
        if code in ("40001", "40P01"):
            return Again(reason)
        if code in _LOST:
            return Unprepared(reason)
        if code == "T0001":
            return NotFresh(set(map(int, reason.split())))
        if code == "23505":
            return NotFresh(set())
        if code.startswith(_OURS) and code not in _NO_TABLES:
            return errors.lookup(code)(reason)
        self.close()
        return StoreUnavailable(reason.strip())

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
            self._break(error)

    def _on_readable(self) -> None:
        try:
            self._connection.consume_input()
            if self._connection.status == ConnStatus.BAD:
                raise psycopg.OperationalError("the server closed the connection")
            while self._waiter is not None and not self._connection.is_busy():
                result = self._connection.get_result()
                if result is None:
                    results, self._results = self._results, []
                    if not self._waiter.done():
                        self._waiter.set_result(results)
                    return
                self._results.append(result)
        except psycopg.OperationalError as error:
            self._break(error)

    def _break(self, error: psycopg.OperationalError) -> None:
        self.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(StoreUnavailable(str(error).strip()))


def _rows(results: list[pq.abc.PGresult]) -> list[Row]:
    result = results[-1]
    columns = range(result.nfields)
    return [[result.get_value(row, column) for column in columns] for row in range(result.ntuples)]


class Pool:
    """Up to `limit` connections, made when they are needed; a call that cannot have one in time fails."""

    def __init__(self, url: str, *, limit: int, timeout_s: float, options: str = "") -> None:
        self._url = url
        self._options = options
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(limit)
        self._idle: list[Wire] = []
        self._closed = False

    async def ask(
        self, sql: str, *params: Param, binary: bool = False, prepare: bool = False, until: float | None = None
    ) -> list[Row]:
        """What `Wire.ask` answers. Raises `StoreUnavailable`, within the time limit or at the loop's time `until`."""
        async with self.lease(until) as wire:
            while True:
                try:
                    return await wire.ask(sql, params, binary=binary, prepare=prepare)
                except Again:
                    continue

    @asynccontextmanager
    async def lease(self, until: float | None = None) -> AsyncIterator[Wire]:
        """A connection for several calls; what is done with it has to end within the time limit, or at the time `until`."""
        if until is None:
            until = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(until), self._slots:
                wire = await self._take()
                try:
                    yield wire
                finally:
                    self._put(wire)
        except TimeoutError:
            raise StoreUnavailable(f"no answer within {self._timeout_s:g} seconds") from None

    def close(self) -> None:
        """Let go of all connections; one that is in use goes when its call ends."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    async def _take(self) -> Wire:
        if self._closed:
            raise StoreUnavailable("it is not open")
        while self._idle:
            wire = self._idle.pop()
            if wire.usable:
                return wire
            wire.close()
        return await Wire.connect(self._url, timeout_s=self._timeout_s, options=self._options)

    def _put(self, wire: Wire) -> None:
        if wire.usable and not self._closed:
            self._idle.append(wire)
        else:
            wire.close()
