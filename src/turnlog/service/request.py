"""One request and its answer, without objects that a hot route does not need."""

import asyncio
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from turnlog.errors import InvalidInput, TooLarge
from turnlog.log.conversation import Conversation
from turnlog.log.turnlog import Turnlog
from turnlog.message_input import decoded
from turnlog.service.errors import ReceiveTimeout, UnsupportedMedia
from turnlog.service.preconditions import Tag, chosen, matching, read_key, read_tags
from turnlog.store import Header

T = TypeVar("T")
JSON = b"application/json"


class Answer(NamedTuple):
    """A response whose body is sent in one piece."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    media_type: bytes = JSON
    cache: bytes = b"no-store"

    async def send(self, send: Send, *, head: bool) -> None:
        """Send it; with `head`, without the body. JSON ends in a newline, so that a terminal's prompt begins a line."""
        headers = [(b"cache-control", self.cache), *self.headers]
        body = self.body
        if body:
            body = body + b"\n" if self.media_type.endswith(b"json") else body
            headers += [(b"content-type", self.media_type), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else body})


class Stream(NamedTuple):
    """A response in pieces. The first is there before anything is sent, so that an error before it is an answer."""

    first: bytes
    pieces: AsyncIterator[bytes]
    media_type: bytes
    status: int = 200

    async def send(self, send: Send, *, head: bool) -> None:
        """Send it; with `head`, without the body. An error after the first piece cuts it off."""
        headers = [(b"cache-control", b"no-store"), (b"content-type", self.media_type)]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if not head:
            await send({"type": "http.response.body", "body": self.first, "more_body": True})
            async for piece in self.pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


_LATE = "the body is late"


class Request:
    """A request. `path` holds the decoded parameters of the path, `query` the checked query parameters."""

    __slots__ = ("headers", "log", "path", "query", "receive", "route", "scope", "writes")

    def __init__(self, log: Turnlog, scope: Scope, receive: Receive) -> None:
        self.log = log
        self.scope = scope
        self.receive = receive
        self.path: dict[str, str] = {}
        self.route = ""
        self.query: dict[str, Any] = {}
        self.writes = False
        self.headers: dict[bytes, bytes] = {}  # several lines of one name are one list (RFC 9110, section 5.3)
        for name, value in scope["headers"]:
            self.headers[name] = b"%b, %b" % (self.headers[name], value) if name in self.headers else value

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
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    async def expected(self) -> Tag:
        """What `If-Match` says of the head. Raises `HistoryMoved`, or `PreconditionFailed` if only weak tags are listed."""
        conversation = self.conversation  # a bad id is refused before the precondition is looked at
        tags = read_tags("If-Match", self.header(b"if-match"))
        if tags is None:
            return Tag()
        if len(tags) == 1 and tags[0].incarnation is None:
            return tags[0]
        return chosen(tags, await header_of(conversation))

    async def check_unchanged(self, *, revision_only: bool = False) -> Tag:
        """The tag of `If-Match` that the conversation has now. Raises the conflict if none fits, `Tag()` for no header.

        With `revision_only`, a tag that has a revision fits whatever was appended or erased since.
        """
        conversation = self.conversation
        tags = read_tags("If-Match", self.header(b"if-match"))
        if tags is None:
            return Tag()
        return matching(tags, await header_of(conversation), revision_only=revision_only)

    def idempotency_key(self) -> str | None:
        """The key under which the client may repeat this request."""
        return read_key(self.header(b"idempotency-key"))

    def check_media(self, *, needed: bool) -> None:
        """Refuse a body that is no JSON in UTF-8, or is compressed; without a media type if a body is `needed`."""
        given = self.header(b"content-type")
        if given != "application/json" and (given or needed):
            _check_media_type(given or "")
        if self.header(b"content-encoding") not in (None, "identity"):
            raise UnsupportedMedia("Content-Encoding", "must be identity: the body must not be compressed")

    async def decode(self, decode: Callable[[bytes], T], *, default: bytes = b"") -> T:
        """The body, decoded and checked; `default` stands for an empty one."""
        return decoded(decode, await self.body() or default)

    async def body(self) -> bytes:
        """The body, up to the size and within the time that the settings allow, without a byte order mark."""
        limit = self.log.settings.body_bytes
        declared = self.header(b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > limit:
            raise TooLarge("body", limit=limit, actual=int(declared), unit="bytes")
        seconds = self.log.settings.receive_timeout_s
        task = asyncio.current_task()
        assert task is not None
        # what `asyncio.timeout` does, in a third of its calls: it took a tenth of an append
        timer = asyncio.get_running_loop().call_later(seconds, task.cancel, _LATE)
        try:
            body = await self._receive(limit)
        except asyncio.CancelledError as error:
            if error.args != (_LATE,) or task.uncancel():  # somebody else cancelled it, too
                raise
            raise ReceiveTimeout(seconds) from None
        finally:
            timer.cancel()
        if body:
            self.check_media(needed=True)
        return body.removeprefix(BOM_UTF8)

    async def _receive(self, limit: int) -> bytes:
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


async def header_of(conversation: Conversation) -> Header:
    """The stored header, which has the erase epoch that a tag needs."""
    return await conversation.engine.store.get(conversation.key)


def _check_media_type(given: str) -> None:
    kind, *parameters = (part.strip().lower() for part in given.split(";"))
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMedia("Content-Type", "must be application/json")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8"):
            raise UnsupportedMedia("Content-Type", "must have the charset utf-8, or none")


Handler = Callable[[Request], Awaitable[Answer | Stream]]
