"""One request and its answer, without objects that a hot route does not need."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from turnlog.errors import InvalidInput, TooLarge
from turnlog.log.conversation import Conversation
from turnlog.log.turnlog import Turnlog
from turnlog.message_input import decoded

T = TypeVar("T")

_ETAG = re.compile(r'"([0-9]{1,18})(?:\.([0-9]{1,18})(?:\.([0-9a-f]{16}))?)?"', re.ASCII)
_KEY = re.compile(r"[ -~]{1,255}", re.ASCII)


class Answer(NamedTuple):
    """A response: its body is sent in one piece."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    media_type: bytes = b"application/json"

    async def send(self, send: Send) -> None:
        """Send it."""
        headers = [
            (b"content-type", self.media_type),
            (b"content-length", str(len(self.body)).encode()),
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class Stream(NamedTuple):
    """A response in pieces, which are sent as they come."""

    pieces: AsyncIterator[bytes]
    media_type: bytes
    status: int = 200

    async def send(self, send: Send) -> None:
        """Send it. What goes wrong after the first piece cuts it off."""
        first = await anext(self.pieces, b"")
        headers = [(b"content-type", self.media_type)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class IfMatch(NamedTuple):
    """What an `If-Match` header asks for; None where it asks for nothing."""

    head: int | None = None
    revision: int | None = None


class Request:
    """A request. `writes` tells whether it would change something; `query` holds the checked query parameters."""

    __slots__ = ("log", "query", "receive", "scope", "writes")

    def __init__(self, log: Turnlog, scope: Scope, receive: Receive, *, writes: bool) -> None:
        self.log = log
        self.scope = scope
        self.receive = receive
        self.writes = writes
        self.query: dict[str, Any] = {}

    @property
    def path(self) -> dict[str, str]:
        """The parameters in the path."""
        params: dict[str, str] = self.scope["path_params"]
        return params

    @property
    def conversation(self) -> Conversation:
        """A handle on the conversation that the path names."""
        return self.log.conversation(self.path["conversation_id"])

    @property
    def seq(self) -> int:
        """The message that the path names."""
        text = self.path["seq"]
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise InvalidInput("seq", "must be a whole number from 1 on")
        return int(text)

    def header(self, name: bytes) -> str | None:
        """The header with this lower-case name."""
        for key, value in self.scope["headers"]:
            if key == name:
                text: bytes = value
                return text.decode("latin-1")
        return None

    async def if_match(self) -> IfMatch:
        """What the request is conditional on. Raises `HistoryMoved` if that is another history of the conversation."""
        value = self.header(b"if-match")
        if value is None or value == "*":
            return IfMatch()
        match = _ETAG.fullmatch(value)
        if match is None:
            raise InvalidInput(
                "If-Match", 'must be an ETag as given out here, "<head>" or "<head>.<revision>.<incarnation>", or *'
            )
        if match[3] is not None:
            await self.conversation.info(expect_incarnation=match[3])
        return IfMatch(int(match[1]), None if match[2] is None else int(match[2]))

    def idempotency_key(self) -> str | None:
        """The key under which the client may repeat this request."""
        key = self.header(b"idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            raise InvalidInput("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
        return key

    async def decode(self, decode: Callable[[bytes], T], *, default: bytes = b"") -> T:
        """The body, decoded and checked; `default` stands for an empty one."""
        return decoded(decode, await self.body() or default)

    async def body(self) -> bytes:
        """The body, up to the size that the settings allow."""
        limit = self.log.settings.body_bytes
        declared = self.header(b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > limit:
            raise TooLarge("body", limit=limit, actual=int(declared), unit="bytes")
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise TooLarge("body", limit=limit, actual=size, unit="bytes")
            if not message.get("more_body", False):
                return b"".join([*chunks, chunk]) if chunks else chunk
            chunks.append(chunk)


Handler = Callable[[Request], Awaitable[Answer | Stream]]
