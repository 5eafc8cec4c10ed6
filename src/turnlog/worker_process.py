"""Keeping memory up with the logs in a process of its own: `turnlog worker`, or one that `turnlog serve` keeps beside it."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from turnlog.errors import TurnlogError
from turnlog.settings import Settings
from turnlog.wiring import connect, runner

RESTART_S = 2.0
"""How long after it ended a folding process is begun anew."""
STOP_S_MAX = 10.0
"""How long a folding process may take to stop."""
NICENESS = 5
"""Folding gives way to serving."""

logger = logging.getLogger(__name__)


def fold(settings: Settings, tenants: Sequence[str] = (), *, tell: Callable[[], None] = lambda: None) -> None:
    """Fold until told to stop by SIGINT or SIGTERM; `tell` is called when it begins.

    Steps under way are finished and saved first, as far as `WorkerConfig.stop_s` allows. Raises as opening the store does.
    """
    asyncio.run(_fold(settings, tenants, tell))


async def _fold(settings: Settings, tenants: Sequence[str], tell: Callable[[], None]) -> None:
    async with connect(settings=settings, working=True) as log:
        worker = runner(log, tenants)
        with suppress(NotImplementedError):  # Windows
            for told in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(told, worker.stop)
        tell()
        await worker.run()


class Folding:
    """A process that folds beside this one, from `start` on to the end of the context; it comes again if it ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._over = threading.Event()
        self._minder = threading.Thread(target=self._mind, name="turnlog-folding", daemon=True)

    def start(self) -> None:
        """Begin the process."""
        self._minder.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        if self._minder.is_alive():
            self._minder.join()

    def _mind(self) -> None:
        while not self._over.is_set():
            process = subprocess.Popen([sys.executable, "-m", "turnlog.worker_process"], stdin=subprocess.PIPE)
            with process, suppress(BrokenPipeError):
                assert process.stdin is not None
                process.stdin.write(msgspec.json.encode(self._settings) + b"\n")
                process.stdin.flush()
                while process.poll() is None and not self._over.wait(0.2):
                    pass
                _end(process)
            if not self._over.is_set():
                logger.warning("the folding process ended with exit code %s, and is begun anew", process.returncode)
                self._over.wait(RESTART_S)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()


def _beside() -> None:
    """The process beside: gets its settings as a line of stdin, and folds until told to stop or until stdin ends, which is
    when its parent has ended.
    """
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as told:
        settings = msgspec.json.decode(told.readline(), type=Settings)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        fold(settings)
    except TurnlogError as error:
        sys.exit(f"turnlog: folding ends: {error}")


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    _beside()
