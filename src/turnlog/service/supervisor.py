"""Several processes that serve on one socket, and the process that minds them."""

import logging
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing import Pipe, parent_process
from multiprocessing.connection import Connection
from socket import socket

import uvicorn
from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from turnlog.errors import TurnlogError
from turnlog.service import create_app
from turnlog.settings import Settings
from turnlog.wiring import connect

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
