"""A TCP proxy that fails on request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    """Passes bytes on to `port` until it is told otherwise."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._links: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.replies_left: int | None = None
        """After how many bytes of replies the connections are cut; None: never."""
        self.silent = False
        """Take what comes and pass nothing on."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.close()
            return
        self._links |= {writer, far_writer}
        await asyncio.gather(self._pass(reader, far_writer, reply=False), self._pass(far_reader, writer, reply=True))
        self._links -= {writer, far_writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, reply: bool) -> None:
        try:
            while data := await reader.read(65536):
                if self.silent:
                    continue
                if reply and self.replies_left is not None:
                    data, self.replies_left = data[: self.replies_left], max(self.replies_left - len(data), 0)
                    if self.replies_left == 0:
                        writer.write(data)
                        self.cut()
                        return
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def cut(self) -> None:
        """End all connections, both ways."""
        for link in self._links:
            link.close()


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
        await asyncio.sleep(0.05)
