"""Runs `turnlog` in processes forked from one that has imported it: starting Python takes most of a short test."""

import gc
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

TIMEOUT_S = 120
_REQUEST_BYTES_MAX = 1 << 20


class ForkedCommands:
    """A process that forks one for each command."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(TIMEOUT_S)
        command = [sys.executable, "-m", "support.forked_command", str(theirs.fileno())]
        path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=os.environ | {"PYTHONPATH": path})
        theirs.close()

    def run(
        self, arguments: Sequence[str], environ: Mapping[str, str], cwd: Path, stdin: bytes
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run `turnlog` with these arguments to its end."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin)
            given.seek(0)
            request = json.dumps([list(arguments), dict(environ), str(cwd)]).encode()
            socket.send_fds(self._socket, [request], [given.fileno(), out.fileno(), err.fileno()])
            code = int(self._socket.recv(16))
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(arguments, code, out.read(), err.read())

    def close(self) -> None:
        self._socket.close()
        self._process.wait(TIMEOUT_S)


def serve(requests: socket.socket) -> None:
    """Fork a process for each request, and answer with its exit code, until the other side closes."""
    from turnlog.cli import app

    for module in ["wiring", *(f"cli.{place.partition(':')[0]}" for place, _ in app.COMMANDS.values())]:
        importlib.import_module(f"turnlog.{module}")
    gc.freeze()  # collections in the children would copy the pages of all modules
    while True:
        data, descriptors, _, _ = socket.recv_fds(requests, _REQUEST_BYTES_MAX, 3)
        if not data:
            return
        child = os.fork()
        if not child:
            requests.close()
            become(json.loads(data), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(child, 0)
        requests.send(str(os.waitstatus_to_exitcode(status)).encode())


def become(request: tuple[list[str], dict[str, str], str], descriptors: list[int]) -> None:
    """Be the command in this process, and end with it."""
    arguments, environ, cwd = request
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    sys.argv = ["turnlog", *arguments]
    from turnlog.cli import main

    main()
    raise SystemExit


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
