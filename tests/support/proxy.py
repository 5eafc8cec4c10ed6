"""A TCP proxy that fails on request."""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager

_RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: what is closed so is reset, and what was not sent yet is lost."""


class Proxy:
    """Passes bytes on to `port` until it is told otherwise."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._near: set[asyncio.StreamWriter] = set()
        self._far: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.replies_left: int | None = None
        """After how many bytes of replies all connections are reset; None: never."""
        self.silent = False
        """Take connections and what comes over them, and pass nothing on."""
        self.delay_s = 0.0
        """How long each piece waits, each way."""
        self.byte_s = 0.0
        """How long each byte of a reply takes."""
        self.accepted = 0

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._near)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._tasks.add(task := asyncio.current_task())  # type: ignore[arg-type]  # it is run as a task
        self._near.add(writer)
        try:
            await self._link(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()
            self._near.discard(writer)
            self._tasks.discard(task)  # type: ignore[arg-type]

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._far.add(far_writer)
        forth = asyncio.ensure_future(self._pass(reader, far_writer))
        back = asyncio.ensure_future(self._pass(far_reader, writer, reply=True))
        await asyncio.wait([forth, back], return_when=asyncio.FIRST_COMPLETED)
        if far_writer not in self._far:
            await asyncio.wait([forth])  # the client is not told
        far_writer.close()
        self._far.discard(far_writer)
        for way in (forth, back):
            way.cancel()
        await asyncio.wait([forth, back])

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, reply: bool = False) -> None:
        while data := await _read(reader):
            await asyncio.sleep(self.delay_s)
            if self.silent or writer.is_closing():
                continue
            if reply and self.replies_left is not None:
                data, self.replies_left = data[: self.replies_left], max(self.replies_left - len(data), 0)
            await self._write(writer, data, self.byte_s if reply else 0.0)
            if reply and self.replies_left == 0:
                await asyncio.sleep(0.01)  # the client has read what there is
                self.reset()

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, byte_s: float) -> None:
        for piece in [data[n : n + 1] for n in range(len(data))] if byte_s else [data]:
            await asyncio.sleep(byte_s)
            writer.write(piece)

    def cut(self) -> None:
        """End all connections, both ways."""
        for link in self._near | self._far:
            link.close()

    def reset(self) -> None:
        """End all connections with RST, both ways."""
        for link in self._near | self._far:
            _reset(link)

    def forget(self) -> None:
        """End the connections to the server; clients are not told, as when a server loses its power."""
        for link in self._far:
            _reset(link)
        self._far.clear()


def _reset(link: asyncio.StreamWriter) -> None:
    if not link.is_closing():
        link.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        link.transport.abort()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """What comes; nothing when the connection ends, however it does."""
    try:
        return await reader.read(65536)
    except OSError:
        return b""


@asynccontextmanager
async def proxy(port: int) -> AsyncIterator[Proxy]:
    """A proxy in front of a local `port`."""
    made = Proxy(port)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.cut()
        if made._tasks:
            await asyncio.wait(made._tasks)


@contextmanager
def proxy_in_a_thread(port: int) -> Iterator[Proxy]:
    """A proxy that works also while the client's event loop is busy."""
    made: Future[tuple[Proxy, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        async with proxy(port) as between:
            over = asyncio.Event()
            made.set_result((between, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    between, loop, over = made.result(timeout=30)
    try:
        yield between
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
