"""Ports for servers of one's own."""

import contextlib
import random
import socket

_FIRST, _LAST = 11_000, 21_999
_BUS = 10_000
"""The bus of a cluster's node is so far above its port."""
_chosen: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on and that this process was not given before; nor is one at its place for a bus.

    It is below the range that outgoing connections take theirs from (Linux: 32768 and above), so that it is still free when
    the server comes to it, and when it comes back.
    """
    while True:
        port = random.SystemRandom().randint(_FIRST, _LAST)
        if port not in _chosen and _free(port) and _free(port + _BUS):
            _chosen.add(port)
            return port


def _free(port: int) -> bool:
    with socket.socket() as trial, contextlib.suppress(OSError):
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind(("127.0.0.1", port))
        return True
    return False
