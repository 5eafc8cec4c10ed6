"""The real command, as a process of its own, on a store of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.forked_command import ForkedCommands

SAMPLE = Path(__file__).parents[1] / "data" / "chats.jsonl"
COMMAND = [sys.executable, "-m", "turnlog"]
LONG_LIVED = ("serve", "worker")
"""Commands that start processes of their own, and need one that was not forked."""


@dataclass
class Ran:
    """What a finished command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        # not splitlines: texts hold separators that JSON leaves as they are
        return [json.loads(line) for line in self.out.split("\n") if line]


@dataclass
class Turnlog:
    """The command `turnlog`, with the store of one test."""

    url: str
    cwd: Path
    forked: ForkedCommands

    def environ(self, changes: dict[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TURNLOG_")}
        return kept | {"TURNLOG_STORE": self.url, "COLUMNS": "200"} | changes

    def start(self, *arguments: str, group: bool = False, **environ: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.cwd,
            env=self.environ(environ),
            start_new_session=group,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, *arguments: str, stdin: bytes = b"", **environ: str) -> Ran:
        if not set(LONG_LIVED) & set(arguments):
            done = self.forked.run(arguments, self.environ(environ), self.cwd, stdin)
            return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        with self.start(*arguments, **environ) as process:
            try:
                out, err = process.communicate(stdin, timeout=120)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Ran(process.returncode, out.decode(), err.decode())

    @contextmanager
    def serving(self, *arguments: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
        process = self.start("serve", "--port", "0", "--json", *arguments)
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, process.stderr and process.stderr.read().decode()
            yield json.loads(line)["url"], process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


@pytest.fixture(scope="session")
def forked() -> Iterator[ForkedCommands]:
    commands = ForkedCommands()
    yield commands
    commands.close()


@pytest.fixture
def turnlog(tmp_path: Path, forked: ForkedCommands) -> Turnlog:
    return Turnlog(f"sqlite:///{tmp_path}/store/turnlog.db", tmp_path, forked)


@pytest.fixture
def filled(turnlog: Turnlog) -> Turnlog:
    ran = turnlog("import", str(SAMPLE), "--rejects", "r.jsonl")
    assert ran.code == 0, ran.err
    return turnlog


@pytest.fixture
def other(tmp_path: Path, forked: ForkedCommands) -> Callable[[str], Turnlog]:
    return lambda name: Turnlog(f"sqlite:///{tmp_path}/{name}.db", tmp_path, forked)
