"""A real PgBouncer in front of a PostgreSQL server: each transaction may run in another session of the server.

It is a package of the operating system (Debian: `apt-get install pgbouncer`).
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ports import free_port
from support.postgres import USER, PostgresServer, not_root

POOL = 3
"""Sessions of the server that all clients together share: few, so that clients do take turns in one session."""

_CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 500
server_login_retry = 1
log_connections = 0
log_disconnections = 0
"""


def program() -> str:
    """Where the program is. Skips the test, and says so, when it is not installed."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("PgBouncer is not installed, so nothing is tested behind it: apt-get install pgbouncer")
    return found


@contextlib.contextmanager
def pgbouncer(directory: Path, server: PostgresServer) -> Iterator[str]:
    """The address (host:port) of a running PgBouncer in transaction mode that hands everything to `server`."""
    port = free_port()
    configuration = directory / "pgbouncer.ini"
    configuration.write_text(_CONFIGURATION.format(server=server.port, user=USER, port=port, pool=POOL))
    with (directory / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen(
            [program(), configuration], stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=not_root()
        )
    try:
        _wait(process, port)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], port: int, within_s: float = 30) -> None:
    end = time.monotonic() + within_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert process.poll() is None, "PgBouncer has ended"
            assert time.monotonic() < end, "PgBouncer did not start"
            time.sleep(0.05)
