"""One connection to one server, shared by everybody.

Calls made during one turn of the event loop leave in one write, and nobody waits for another's answer before sending: so
calls that come while answers are on their way travel together. Answers come in the order of the calls (RESP 2).
"""

import asyncio
import ssl
from collections import deque
from typing import Any, NamedTuple, cast

import hiredis
import msgspec

from turnlog.errors import StoreUnavailable

CALLS_MAX = 10_000
REPLICA_WAIT_S_MAX = 1.0

ServerError = hiredis.ReplyError


class Address(NamedTuple):
    """Where a server listens: host and port, or a path and 0."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


class Login(msgspec.Struct, frozen=True):
    """How to begin a connection."""

    username: str | None = None
    password: str | None = None
    database: int = 0
    tls: bool = False

    def commands(self) -> list[tuple[str | int, ...]]:
        """What to say first."""
        said: list[tuple[str | int, ...]] = []
        if self.password is not None:
            said.append(("AUTH", self.username, self.password) if self.username else ("AUTH", self.password))
        if self.database:
            said.append(("SELECT", self.database))
        return said


class Wire(asyncio.Protocol):
    """Sends calls and hands out their answers; whatever goes wrong with the connection, all who wait are told."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        self.address = address
        self.lost: str | None = None
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._out: list[bytes] = []
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._confirmed: asyncio.Future[Any] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def call(self, *command: Any) -> asyncio.Future[Any]:
        """Send a command; await what comes back for the answer, which is a `ServerError` if the server refused."""
        if self.lost is not None:
            raise StoreUnavailable(self.lost)
        if len(self._waiting) >= CALLS_MAX:
            raise StoreUnavailable(f"{CALLS_MAX} calls are waiting already")
        packed = hiredis.pack_command(command)
        future = self._loop.create_future()
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(packed)
        self._waiting.append((self._loop.time() + self._timeout_s, future))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout_s, self._check)
        return future

    async def confirm(self) -> None:
        """Return when a replica has everything that was answered on this connection before; all who ask at once share it."""
        if self._confirmed is None:
            self._confirmed = self.call("WAIT", 1, int(min(self._timeout_s / 2, REPLICA_WAIT_S_MAX) * 1000))
        replicas = await asyncio.shield(self._confirmed)
        if isinstance(replicas, ServerError):
            raise StoreUnavailable(str(replicas))
        if replicas < 1:
            raise StoreUnavailable("no replica has confirmed the write")

    def close(self, reason: str = "the connection was closed") -> None:
        """Let go; whoever still waits is told the reason."""
        self._lose(reason)
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # as uvloop's is, though not by descent

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                _, future = self._waiting.popleft()
                if not future.done():
                    future.set_result(reply)
        except (hiredis.ProtocolError, IndexError) as error:
            self.close(f"the server does not speak the protocol: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(f"the connection was lost: {exc}" if exc else "the server closed the connection")

    def _flush(self) -> None:
        out, self._out = self._out, []
        self._confirmed = None
        if self.lost is None and self._transport is not None:
            self._transport.write(b"".join(out))

    def _check(self) -> None:
        self._watch = None
        if not self._waiting:
            return
        left = self._waiting[0][0] - self._loop.time()
        if left <= 0:
            self.close(f"no answer within {self._timeout_s:g} s")
        else:
            self._watch = self._loop.call_later(left, self._check)

    def _lose(self, reason: str) -> None:
        if self.lost is None:
            self.lost = reason
        if self._watch is not None:
            self._watch.cancel()
        while self._waiting:
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_exception(StoreUnavailable(self.lost))
                future.exception()  # whoever made the call may be gone


async def connect(address: Address, login: Login, timeout_s: float) -> Wire:
    """A connection that is logged in. Raises `StoreUnavailable`."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            if address.port:
                tls = ssl.create_default_context() if login.tls else None
                _, wire = await loop.create_connection(lambda: Wire(address, timeout_s), address.host, address.port, ssl=tls)
            else:
                _, wire = await loop.create_unix_connection(lambda: Wire(address, timeout_s), address.host)
            await _log_in(wire, login)
            return wire
    except (OSError, TimeoutError) as error:
        raise StoreUnavailable(f"{address}: {error or 'no connection in time'}") from error


async def _log_in(wire: Wire, login: Login) -> None:
    try:
        for answer in await asyncio.gather(*(wire.call(*command) for command in login.commands())):
            if isinstance(answer, ServerError):
                raise StoreUnavailable(str(answer))
    except BaseException:
        wire.close()
        raise
