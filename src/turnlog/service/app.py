"""The ASGI application: finds the operation by the raw path and turns errors into problems."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from urllib.parse import unquote, unquote_to_bytes

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from turnlog.errors import InvalidInput, MissingExtra, TurnlogError
from turnlog.log.turnlog import Turnlog
from turnlog.service.errors import PageNotFound
from turnlog.service.openapi import document
from turnlog.service.problems import of_error, problem
from turnlog.service.query import read_query
from turnlog.service.request import Answer, Request, Stream
from turnlog.service.routes import Operation, table
from turnlog.tokens import counter
from turnlog.worker import Runner


class Node:
    """A place in the tree of paths: what may follow it, and the operations of the path that ends here."""

    __slots__ = ("allow", "below", "name", "operations", "parameter")

    def __init__(self) -> None:
        self.below: dict[bytes, Node] = {}
        self.name = ""
        self.parameter: Node | None = None
        self.operations: dict[str, Operation] = {}
        self.allow = b""

    def add(self, operation: Operation) -> None:
        """Make `operation` answer here; GET answers HEAD as well, and every path answers OPTIONS."""
        self.operations[operation.method] = operation
        if operation.method == "GET":
            self.operations["HEAD"] = operation
        self.allow = ", ".join(sorted({*self.operations, "OPTIONS"})).encode()

    def next(self, segment: bytes) -> "Node":
        """The place behind `segment` of a pattern, made if it is not there."""
        if not segment.startswith(b"{"):
            return self.below.setdefault(segment, Node())
        self.name = segment[1:-1].decode()
        self.parameter = self.parameter or Node()
        return self.parameter


class Router:
    """The table of routes as a tree over the segments of paths."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = Node()
        for operation in operations:
            node = self._root
            for segment in operation.path.encode().split(b"/")[1:]:
                node = node.next(segment)
            node.add(operation)

    def find(self, path: bytes) -> tuple[Node | None, dict[str, str]]:
        """The node of a path as the client wrote it, None if there is none, and the values of the path's parameters.

        A slash at the end changes nothing. Raises `InvalidInput` for a value that is not UTF-8.
        """
        node, values = self._root, dict[str, str]()
        segments = (path or b"/").split(b"/")[1:]
        if len(segments) > 1 and not segments[-1]:
            del segments[-1]
        for raw in segments:
            # decision 054: a segment is decoded after the split, so that %2F in an id begins no new segment
            segment = unquote_to_bytes(raw) if b"%" in raw else raw
            below = node.below.get(segment)
            if below is None:
                if node.parameter is None:
                    return None, values
                values[node.name] = _text(node.name, segment)
                below = node.parameter
            node = below
        return (node if node.operations else None), values


def _text(name: str, segment: bytes) -> str:
    try:
        return segment.decode()
    except UnicodeDecodeError:
        raise InvalidInput(name, "must be percent-encoded UTF-8") from None


def raw_path(scope: Scope) -> bytes:
    """The path below the place where the application is mounted, as the client wrote it."""
    raw: bytes | None = scope.get("raw_path")
    if raw is None:
        # decision 054: in the decoded path an id with a slash cannot be told from a longer path
        raise TurnlogError("the ASGI server gives no raw_path: use one that does, such as uvicorn")
    root: str = scope.get("root_path") or ""
    return _below(raw, root.rstrip("/")) if root else raw


def _below(raw: bytes, root: str) -> bytes:
    """`raw` without the beginning that decodes to `root`; all of it if a proxy took that away."""
    start = root.encode()
    if raw.startswith(start) and raw[len(start) :][:1] in (b"", b"/") and b"%" not in start:
        return raw[len(start) :]
    end = 0
    while (end := raw.find(b"/", end + 1)) > 0:
        if unquote(raw[:end].decode("latin-1")) == root:
            return raw[end:]
    return raw


VERSION = "1"
logger = logging.getLogger("turnlog.service")


def create_app(log: Turnlog, *, runner: Runner | None = None) -> Starlette:
    """The service of `log`, which runs `runner`, if there is one, on its own event loop.

    Run alone, the application opens `log` when it starts and closes it when it ends. Mounted in another application it
    gets no lifespan events: the host opens and closes `log`. `app.state.unexpected` counts the errors that nobody foresaw.
    """
    load_tokenizers()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with log, _running(runner):
            yield

    app = Starlette(lifespan=lifespan, middleware=_cors(log.settings.cors_origins))
    operations = table(log.settings)
    app.state.unexpected = 0
    app.state.openapi = msgspec.json.encode(document(operations, VERSION))
    app.router.redirect_slashes = False
    app.router.default = Service(app, log, Router(operations))
    return app


def _cors(origins: str) -> list[Middleware]:
    """What lets pages of other `origins`, separated by commas, use the service from a browser; nothing for none."""
    allowed = [origin.strip() for origin in origins.split(",") if origin.strip()]
    if not allowed:
        return []
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    headers = ["Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"]
    shown = ["ETag", "Retry-After"]
    return [
        Middleware(CORSMiddleware, allow_origins=allowed, allow_methods=methods, allow_headers=headers, expose_headers=shown)
    ]


@asynccontextmanager
async def _running(runner: Runner | None) -> AsyncIterator[None]:
    """While this lasts, `runner` runs."""
    if runner is None:
        yield
        return
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        runner.stop()
        await task


def load_tokenizers() -> None:
    """Read the tables of OpenAI's encodings if their package is installed.

    The package holds the interpreter for a second then, also in a thread, so that a first request must not do it.
    """
    for encoding in ("o200k_base", "cl100k_base"):
        with suppress(MissingExtra):
            counter(encoding)


class Service:
    """The ASGI endpoint behind every path."""

    def __init__(self, app: Starlette, log: Turnlog, router: Router) -> None:
        self.app = app
        self.log = log
        self.router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        call = Request(self.log, scope, receive)
        try:
            answer = await self._answer(call)
        except ClientDisconnect:
            return
        except TurnlogError as error:
            answer = of_error(error, call)
        except Exception:
            self.app.state.unexpected += 1
            logger.exception("%s %s failed", scope["method"], scope["path"])
            answer = problem(500, "internal_error", "the service failed; its log says more")
        if answer.status >= 500:
            logger.warning("%s %s answered %d", scope["method"], call.route, answer.status)
        await answer.send(send, head=scope["method"] == "HEAD")

    async def _answer(self, call: Request) -> Answer | Stream:
        node, call.path = self.router.find(raw_path(call.scope))
        if node is None:
            raise PageNotFound(f"there is no route {call.scope['path']}")
        operation = node.operations.get(call.scope["method"])
        if operation is None:
            return _without_operation(node, call.scope["method"])
        call.route, call.writes = operation.path, operation.writes
        return await _operate(call, operation)


async def _operate(call: Request, operation: Operation) -> Answer | Stream:
    if operation.query or call.scope["query_string"]:
        call.query = read_query(call.scope["query_string"], operation.query)
    if operation.request:
        call.check_media(needed=False)
    return await operation.handler(call)


def _without_operation(node: Node, method: str) -> Answer:
    allow = ((b"allow", node.allow),)
    if method == "OPTIONS":
        return Answer(204, headers=allow)
    return problem(405, "method_not_allowed", f"{method} is not allowed here", headers=allow)
