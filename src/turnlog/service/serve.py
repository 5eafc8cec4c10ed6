"""Runs the service under uvicorn, in one process or in several that share a socket and are supervised."""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from functools import partial
from multiprocessing import Pipe, parent_process
from multiprocessing.connection import Connection
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOL_SOCKET, socket
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.config import LOGGING_CONFIG, STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from turnlog.errors import InvalidInput, TurnlogError
from turnlog.service import create_app
from turnlog.settings import Settings
from turnlog.wiring import connect, runner
from turnlog.worker import WorkerConfig
from turnlog.worker_process import Folding

SILENT_S_MAX = 60
"""How long a worker may give no sign of life: it is killed then, and replaced."""
_LINE_LENGTH_MAX = 1000  # so that a message goes into the pipe whole, whoever else writes to it

logger = logging.getLogger(__name__)


class Worker:
    """Makes the application of one worker process, which tells its parent when it is ready (None) or why it cannot be."""

    def __init__(self, settings: Settings, told: Connection) -> None:
        self.settings = settings
        self.told = told

    def __call__(self) -> Starlette:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        log = connect(settings=self.settings)

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            try:
                await log.open()
            except TurnlogError as error:
                self.told.send(str(error)[:_LINE_LENGTH_MAX])
                os._exit(STARTUP_FAILURE)  # the parent says why, once for all workers
            self.told.send(None)
            try:
                yield
            finally:
                await log.close()

        app = create_app(log)
        app.router.lifespan_context = lifespan
        return app


def _end_with_parent() -> None:
    """Stop as on SIGTERM when the parent has ended, however it did."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


class Workers(Multiprocess):
    """Worker processes. One that ends is replaced, but for the beginning: there, all must come to serve, or none does."""

    def __init__(
        self,
        config: Callable[[Worker], uvicorn.Config],
        settings: Settings,
        listener: socket,
        announce: Callable[[], None],
    ) -> None:
        self._heard, told = Pipe(duplex=False)
        super().__init__(config(Worker(settings, told)), [listener])
        self._announce = announce
        self._ready = 0
        self._serving = False
        self._failed: str | None = None
        self._why: str | None = None

    def serve(self) -> None:
        """Serve until told to stop; `announce` is called when all are ready. Raises `TurnlogError` when one cannot be."""
        self.run()
        if self._failed is not None:
            raise TurnlogError(f"a worker process cannot serve: {self._failed}")

    def keep_subprocess_alive(self) -> None:
        """Look after the processes; called twice a second."""
        for place, process in enumerate(self.processes):
            if self._lives(process):
                continue
            process.kill()
            process.join()
            self._listen()
            why, self._why = self._why or f"it ended with exit code {process.exitcode}", None
            if not self._serving:
                self._failed = why
                self.should_exit.set()
                return
            logger.warning("a worker process is replaced: %s", why)
            self.processes[place] = Process(self.config, self.sockets)
            self.processes[place].start()
        self._listen()

    def _lives(self, process: Process) -> bool:
        """Whether it answers in time, or has not had to yet."""
        until = time.monotonic() + SILENT_S_MAX
        while process.process.is_alive():
            if self.signal_queue or process.ping(timeout=1):
                return True
            if time.monotonic() > until:
                return False
        return False

    def _listen(self) -> None:
        """Take in what workers told. Why one cannot serve is kept: it may say so a moment before it ends."""
        while self._heard.poll():
            told = self._heard.recv()
            if told is None:
                self._ready += 1
                if self._ready == self.processes_num and not self._serving:
                    self._serving = True
                    self._announce()
            else:
                self._why = told


SHUTDOWN_S_MAX = 10
BACKLOG = 2048
GENTLE = WorkerConfig(concurrency=1, batch=20)
"""How a runner works that shares the event loop of the service."""


def serve(settings: Settings, *, workers: int, tell: Callable[[str], None]) -> None:
    """Serve until told to stop by SIGINT or SIGTERM; `tell` gets the URL once requests are taken.

    Requests under way are finished first, for at most `SHUTDOWN_S_MAX` seconds. Raises `InvalidInput` for an address that
    cannot be taken and for a store that processes cannot share, what opening the store raises, and `TurnlogError` when a
    worker process cannot begin to serve.
    """
    if workers > 1 and settings.store == "ram:":
        raise InvalidInput("workers", "must be 1 with the store ram:, of which each process would have its own")
    asyncio.run(_open_once(settings))
    with _listen(settings) as listener:
        url = _url(settings.host, listener.getsockname()[1])
        where = _where_to_fold(settings, workers)
        config = partial(_config, access=settings.access_log, headers_s=settings.receive_timeout_s)
        with Folding(settings) as folding:

            def announce() -> None:
                tell(url)
                if where == "process":
                    folding.start()

            if workers > 1:
                make = partial(config, factory=True, workers=workers)
                Workers(make, settings, listener, announce).serve()
            else:
                _Announcing(config(_app(settings, inline=where == "inline")), announce).run([listener])


def _where_to_fold(settings: Settings, workers: int) -> str:
    """As the settings say; but `ram:` is folded here, and several workers have a process beside them."""
    if settings.fold == "off":
        return "off"
    if settings.store == "ram:":
        return "inline"
    return "process" if workers > 1 else settings.fold


def _app(settings: Settings, *, inline: bool) -> Starlette:
    log = connect(settings=settings)
    return create_app(log, runner=runner(log, config=GENTLE) if inline else None)


async def _open_once(settings: Settings) -> None:
    """Fail here, in one place and with one error, when the store cannot be opened."""
    async with connect(settings=settings):
        pass


def _listen(settings: Settings) -> socket:
    """A socket that takes connections from now on. Raises `InvalidInput`."""
    listener = socket(AF_INET6 if ":" in settings.host else AF_INET)
    try:
        listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise InvalidInput("port", f"cannot listen on {_url(settings.host, settings.port)}: {error.strerror}") from None
    listener.set_inheritable(True)
    return listener


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _config(
    app: Starlette | Worker, *, factory: bool = False, workers: int = 1, access: bool, headers_s: float
) -> uvicorn.Config:
    return _Config(
        app,
        headers_s=headers_s,
        factory=factory,
        workers=workers,
        loop="auto",  # uvloop, which the extra brings, but on Windows
        http=_Protocol,
        log_config=_log_config(access=access),
        access_log=access,
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_S_MAX,
    )


def _log_config(*, access: bool) -> dict[str, Any]:
    """Warnings on standard error, and with `access` each request: standard output tells the URL alone."""
    config = deepcopy(LOGGING_CONFIG)
    config["handlers"]["access"]["stream"] = "ext://sys.stderr"
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        config["loggers"][name]["level"] = "INFO" if access and name == "uvicorn.access" else "WARNING"
    return config


class _Config(uvicorn.Config):
    """Uvicorn's configuration, with the time that a client may take for the headers of a request."""

    def __init__(self, app: Starlette | Worker, *, headers_s: float, **options: Any) -> None:
        super().__init__(app, **options)
        self.headers_s = headers_s


class _Protocol(HttpToolsProtocol):
    """Closes a connection whose headers do not arrive in time, which uvicorn would keep for ever.

    The timer runs only while headers are awaited in part, so that a request that arrives in one piece costs nothing.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._await_headers()
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _await_headers(self) -> None:
        if self._timer is None:
            seconds = self.config.headers_s  # type: ignore[attr-defined]
            self._timer = self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()


class _Announcing(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()
