"""The HTTP service: `create_app(log)` is an ASGI application, to run or to mount in another one."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from turnlog.errors import MissingExtra, TurnlogError, needs_extra

with needs_extra("server", "starlette"):
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import Receive, Scope, Send

from turnlog.log.turnlog import Turnlog
from turnlog.service.openapi import document
from turnlog.service.problems import UnsupportedMedia, of_error, problem
from turnlog.service.query import read_query
from turnlog.service.request import Answer, Stream
from turnlog.service.request import Request as Call
from turnlog.service.routes import Operation, Result, table
from turnlog.tokens import counter
from turnlog.worker import Runner

__all__ = ["create_app", "load_tokenizers"]

VERSION = "1"
logger = logging.getLogger("turnlog.service")


def create_app(log: Turnlog, *, runner: Runner | None = None) -> Starlette:
    """The service of `log`, which runs `runner`, if there is one, on its own event loop.

    Run alone, the application opens `log` when it starts and closes it when it ends. Mounted in another application it
    gets no lifespan events: the host opens and closes `log`. `app.state.unexpected` counts the errors that nobody foresaw.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        load_tokenizers()
        async with log, _running(runner):
            yield

    app = Starlette(lifespan=lifespan, exception_handlers={404: _unrouted})  # type: ignore[dict-item]
    app.state.unexpected = 0

    async def openapi(call: Call) -> Answer:
        return described

    itself = Result(dict[str, Any], "The document.", {"openapi": "3.1.0"})
    operations = (*table(log.settings), Operation("GET", "/openapi.json", openapi, "This document", {200: itself}))
    described = Answer(200, msgspec.json.encode(document(operations, VERSION)))
    for path in dict.fromkeys(operation.path for operation in operations):
        here = [operation for operation in operations if operation.path == path]
        app.router.routes.append(Route(_pattern(path), Endpoint(app, log, here)))
    app.router.redirect_slashes = False
    return app


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
    """Read the tables of OpenAI's encodings if their package is there: later that would stop all requests for a second."""
    for encoding in ("o200k_base", "cl100k_base"):
        with suppress(MissingExtra):
            counter(encoding)


class Endpoint:
    """One path as an ASGI application: chooses by method, turns errors into problems."""

    def __init__(self, app: Starlette, log: Turnlog, operations: Sequence[Operation]) -> None:
        self.app = app
        self.log = log
        self.operations = {operation.method: operation for operation in operations}
        if "GET" in self.operations:
            self.operations["HEAD"] = self.operations["GET"]
        self.allow = ", ".join(sorted(self.operations)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self.operations.get(scope["method"])
        if operation is None:
            await self._refuse(scope["method"]).send(send)
            return
        call = Call(self.log, scope, receive, writes=operation.writes)
        try:
            answer = await _answer(call, operation)
        except ClientDisconnect:
            return
        except TurnlogError as error:
            answer = of_error(error, call)
        except Exception:
            self.app.state.unexpected += 1
            logger.exception("%s %s failed", scope["method"], operation.path)
            answer = problem(500, "internal_error", "the service failed; its log says more")
        if answer.status >= 500:
            logger.warning("%s %s answered %d", scope["method"], operation.path, answer.status)
        await answer.send(send)

    def _refuse(self, method: str) -> Answer:
        detail = f"{method} is not allowed here"
        return problem(405, "method_not_allowed", detail, headers=((b"allow", self.allow),))


async def _answer(call: Call, operation: Operation) -> Answer | Stream:
    if operation.query or call.scope["query_string"]:
        call.query = read_query(call.scope["query_string"], operation.query)
    if operation.request:
        _check_media(call)
    return await operation.handler(call)


def _check_media(call: Call) -> None:
    media_type = call.header(b"content-type")
    if media_type not in (None, "", "application/json"):
        kind = media_type.partition(";")[0].strip().lower()
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise UnsupportedMedia("Content-Type", "must be application/json")
    if call.header(b"content-encoding") not in (None, "identity"):
        raise UnsupportedMedia("Content-Encoding", "must be identity: the body is not to be compressed")


def _pattern(path: str) -> str:
    """The path for the router; a user id may hold slashes, which arrive decoded."""
    return path.replace("{user_id}", "{user_id:path}")


async def _unrouted(request: Request, error: HTTPException) -> Response:
    answer = problem(404, "not_found", f"there is no route {request.url.path}")
    return Response(answer.body, answer.status, media_type=answer.media_type.decode())
