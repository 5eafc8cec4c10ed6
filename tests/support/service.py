"""The service in processes of its own, on any store."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


@dataclass
class Service:
    """A service that runs; `process` is the one that its workers are children of."""

    url: str
    process: subprocess.Popen[bytes]

    def workers(self) -> list[int]:
        """The pids of the worker processes that live."""
        pid = self.process.pid
        children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return [child for child in children if b"spawn_main" in command_of(child)]


def command_of(pid: int) -> bytes:
    """The command line of a process; empty when it has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@contextlib.contextmanager
def serving(
    store: str, *, workers: int, directory: Path, tenant: str = "default", environ: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Service]:
    """A service that takes requests, and does not fold unless `environ` says so; what it says of errors goes to a file in
    `directory`.
    """
    command = [sys.executable, "-m", "turnlog", "serve", "--port", "0", "--json", "--workers", str(workers)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TURNLOG_")}
    with (directory / "service.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--store", store, "--tenant", tenant],
            cwd=directory,
            env={**kept, "TURNLOG_FOLD": "off", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (directory / "service.log").read_text()
        yield Service(json.loads(line)["url"], process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=60)
        finally:
            process.kill()
