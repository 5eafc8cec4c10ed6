"""Folding in a process of its own: `turnlog worker`, or the one that `turnlog serve` keeps beside it."""

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
"""How long after a failure a folding process is started again."""
TOLD_S = 15.0
"""The same for one that was told to stop: a signal to the group stops it at once, the service in up to 10 s. decision 055"""
_TOLD = (0, -signal.SIGTERM, -signal.SIGINT)
"""Exit codes of a folding process that was told to stop, the last two before it could handle signals."""
STOP_S_MAX = 10.0
"""How long a folding process may take to stop."""
NICENESS = 5
"""Folding gives way to serving."""

logger = logging.getLogger(__name__)


def fold(settings: Settings, tenants: Sequence[str] = (), *, tell: Callable[[], None] = lambda: None) -> None:
    """Fold until SIGINT or SIGTERM; `tell` is called at the start.

    Steps under way are finished and saved first, for at most `WorkerConfig.stop_s`. Raises what opening the store raises.
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
    """A process that folds beside this one, from `start` to the end of the context; it is started again when it ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._over = threading.Event()
        self._minder = threading.Thread(target=self._mind, name="turnlog-folding", daemon=True)

    def start(self) -> None:
        """Start the process."""
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
            if not self._over.wait(TOLD_S if process.returncode in _TOLD else RESTART_S):
                logger.warning("the folding process ended with exit code %s and is started again", process.returncode)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()


def _beside() -> None:
    """The process beside: reads its settings from a line of stdin, and folds until a signal or the end of stdin, which
    comes when the parent ends.
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
