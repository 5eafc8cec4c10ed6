"""What a peer is asked to do. Modules here but `remote` run in the peers' environment."""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

TEXT = "x" * 200
LAST = 20
CONNECTIONS = 16


class Peer(Protocol):
    """One system on one engine. `url` is that of a database, or the path of a file, that nobody else uses."""

    async def open(self, url: str) -> None: ...

    async def fill(self, names: Sequence[str], length: int) -> None:
        """Make these conversations, each with `length` messages."""

    async def append(self, name: str) -> None:
        """One message of `TEXT`; what the system calls saved when this returns."""

    async def last(self, name: str) -> int:
        """How many of the newest `LAST` messages it gave back."""


def sqlalchemy_url(url: str) -> str:
    """`url` for SQLAlchemy with asyncpg."""
    return urlsplit(url)._replace(scheme="postgresql+asyncpg").geturl()
