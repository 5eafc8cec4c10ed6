"""A client of the service that costs a test next to nothing."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit


class Line:
    """A connection that is kept, and made anew when it broke: httpx would take most of the time of these tests."""

    def __init__(self, url: str) -> None:
        self.address = urlsplit(url)
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: Any, key: str) -> tuple[int, Any]:
        """Status and body of the answer. Raises `OSError` or `EOFError` when the connection breaks."""
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.address.hostname, self.address.port)
        reader, writer = self.streams
        text = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: turnlog\r\nContent-Type: application/json\r\nIdempotency-Key: {key}\r\n"
        writer.write(f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text)
        answered = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(answered.partition("content-length: ")[2].split("\r\n")[0])
        return int(answered.split()[1]), json.loads(await reader.readexactly(length))

    def close(self) -> None:
        """End the connection, at once; the next call makes another."""
        if self.streams is not None:
            self.streams[1].transport.abort()
            self.streams = None
