"""One connection to one server, shared by everybody.

A call leaves at once when no answer is on its way. Else those of one turn of the event loop leave in one write, or sooner in
several that give the server something to begin with. Nobody waits for another's answer before sending. Answers come in the
order of the calls (RESP 2).
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple, cast

import hiredis
import msgspec

from turnlog.errors import StoreUnavailable

CALLS_MAX = 10_000
REPLICA_WAIT_S_MAX = 1.0
_WRITE_BYTES = 8192

ServerError = hiredis.ReplyError


class Address(NamedTuple):
    """The address of a server: host and port, or a path and 0."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


class Login(msgspec.Struct, frozen=True):
    """The login of a connection."""

    username: str | None = None
    password: str | None = None
    database: int = 0
    tls: bool = False

    def commands(self) -> list[tuple[str | int, ...]]:
        """Return the commands that log in."""
        said: list[tuple[str | int, ...]] = []
        if self.password is not None:
            said.append(("AUTH", self.username, self.password) if self.username else ("AUTH", self.password))
        if self.database:
            said.append(("SELECT", self.database))
        return said


class Together(msgspec.Struct):
    """Calls that share one execution of a script: their keys, arguments and callers in order."""

    sha: str
    keys: list[str] = []
    args: list[Any] = []
    callers: list[asyncio.Future[Any]] = []
    bytes: int = 0

    def command(self) -> tuple[Any, ...]:
        """Return the command for all of them."""
        return ("EVALSHA", self.sha, len(self.keys), *self.keys, *self.args)

    def answer(self, reply: Any) -> None:
        """Give each caller its part of the reply, or the refusal to all."""
        refused = isinstance(reply, ServerError)
        for caller, part in zip(self.callers, [reply] * len(self.callers) if refused else reply, strict=True):
            if not caller.done():
                caller.set_result(part)


class RedisWire(asyncio.Protocol):
    """Sends calls and distributes their answers; if the connection fails, all waiters get an error."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        self.address = address
        self.lost: str | None = None
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._out: list[bytes] = []
        self._together: Together | None = None
        self._waiting: deque[tuple[float, asyncio.Future[Any] | Together]] = deque()
        self._leaving = False
        self._watch: asyncio.TimerHandle | None = None
        self._confirmed: asyncio.Future[Any] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def call(self, *command: Any) -> asyncio.Future[Any]:
        """Send a command; the future brings the answer, a `ServerError` if the server refused."""
        caller, idle = self._caller(), not self._waiting
        self._put(command, caller)
        # decision 020: one write a turn of the loop for all who call in it; a lone call does not wait for that
        self._leave() if idle else self._leave_soon()
        return caller

    def join(self, sha: str, keys: Sequence[str], args: Sequence[Any], size: int) -> asyncio.Future[Any]:
        """Call the one script that takes many calls at once, together with others; await what comes back for the answer.

        The script answers with a list that has one for each; `size` is about how many bytes this call has.
        """
        caller = self._caller()
        together = self._together
        if together is None:
            together = self._together = Together(sha)
        together.keys += keys
        together.args += args
        together.callers.append(caller)
        together.bytes += size
        # decision 021: about 8 KB at a time, so that the server begins while the client still packs the rest
        if together.bytes >= _WRITE_BYTES or not self._waiting:
            self._leave()
        else:
            self._leave_soon()
        return caller

    async def confirm(self) -> None:
        """Return when a replica has all writes answered on this connection so far; callers of one turn share the `WAIT`."""
        if self._confirmed is None:
            self._confirmed = self.call("WAIT", 1, int(min(self._timeout_s / 2, REPLICA_WAIT_S_MAX) * 1000))
            self._loop.call_soon(self._confirm_anew)  # what is answered after this turn it may not cover
        # shared by all who asked in this turn: one of them that is cancelled must not cancel it for the others
        replicas = await asyncio.shield(self._confirmed)
        if isinstance(replicas, ServerError):
            raise StoreUnavailable(str(replicas))
        if replicas < 1:
            raise StoreUnavailable("no replica has confirmed the write")

    def close(self, reason: str = "the connection was closed") -> None:
        """Close the connection; waiters get the reason."""
        self._lose(reason)
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # as uvloop's is, though not by descent

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                _, caller = self._waiting.popleft()
                if isinstance(caller, Together):
                    caller.answer(reply)
                elif not caller.done():
                    caller.set_result(reply)
        # IndexError: an answer that nobody asked for, after which no answer can be told whose it is
        except (hiredis.ProtocolError, IndexError, ValueError) as error:
            self.close(f"the server does not speak the protocol: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(f"the connection was lost: {exc}" if exc else "the server closed the connection")

    def _caller(self) -> asyncio.Future[Any]:
        if self.lost is not None:
            raise StoreUnavailable(self.lost)
        if len(self._waiting) >= CALLS_MAX:
            raise StoreUnavailable(f"{CALLS_MAX} calls are waiting already")
        return self._loop.create_future()

    def _put(self, command: tuple[Any, ...], caller: asyncio.Future[Any] | Together) -> None:
        self._out.append(hiredis.pack_command(command))
        self._waiting.append((self._loop.time() + self._timeout_s, caller))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout_s, self._check)

    def _leave_soon(self) -> None:
        if not self._leaving:
            self._leaving = True
            self._loop.call_soon(self._leave)

    def _leave(self) -> None:
        """Send the collected calls, unless the connection is lost."""
        self._leaving = False
        together, self._together = self._together, None
        if together is not None:
            self._put(together.command(), together)
        out, self._out = self._out, []
        if out and self.lost is None and self._transport is not None:
            self._transport.write(b"".join(out) if len(out) > 1 else out[0])

    def _confirm_anew(self) -> None:
        self._confirmed = None

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
        self._leave()
        if self._watch is not None:
            self._watch.cancel()
        while self._waiting:
            _, caller = self._waiting.popleft()
            for future in caller.callers if isinstance(caller, Together) else (caller,):
                if not future.done():
                    future.set_exception(StoreUnavailable(self.lost))
                    future.exception()  # whoever made the call may be gone


async def connect(address: Address, login: Login, timeout_s: float) -> RedisWire:
    """Connect and log in. Raises `StoreUnavailable`."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            if address.port:
                tls = ssl.create_default_context() if login.tls else None
                to = address.host, address.port
                _, wire = await loop.create_connection(lambda: RedisWire(address, timeout_s), *to, ssl=tls)
            else:
                _, wire = await loop.create_unix_connection(lambda: RedisWire(address, timeout_s), address.host)
            await _log_in(wire, login)
            return wire
    except (OSError, TimeoutError) as error:
        raise StoreUnavailable(f"{address}: {error or 'no connection in time'}") from error


async def _log_in(wire: RedisWire, login: Login) -> None:
    with ExitStack() as undo:
        undo.callback(wire.close)
        for answer in await asyncio.gather(*(wire.call(*command) for command in login.commands())):
            if isinstance(answer, ServerError):
                raise StoreUnavailable(str(answer))
        undo.pop_all()
