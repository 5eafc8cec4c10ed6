"""`python -m bench.serve STORE_URL|bare DIR`: one uvicorn worker; prints its port.

`bare` answers what DIR holds, without a store.
"""

import os
import socket
import sys
from pathlib import Path

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

import turnlog
from turnlog.message_input import MessageIn
from turnlog.service import create_app
from turnlog.service.requests import ContextBody


def bare(directory: Path) -> ASGIApp:
    """Parses the same bodies and answers the same bytes."""
    receipt, window = ((directory / name).read_bytes() for name in ("append.json", "context.json"))
    decode_message = msgspec.json.Decoder(MessageIn).decode
    decode_request = msgspec.json.Decoder(ContextBody).decode

    async def append(request: Request) -> Response:
        decode_message(await request.body())
        return Response(receipt, 201, {"etag": '"1"'}, "application/json")

    async def context(request: Request) -> Response:
        decode_request(await request.body())
        return Response(window, media_type="application/json")

    routes = [
        Route("/v1/conversations/{conversation_id}/messages", append, methods=["POST"]),
        Route("/v1/conversations/{conversation_id}/context", context, methods=["POST"]),
    ]
    return Starlette(routes=routes)


def main() -> None:
    store, directory = sys.argv[1], Path(sys.argv[2])
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    app = bare(directory) if store == "bare" else create_app(turnlog.connect(store))
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
