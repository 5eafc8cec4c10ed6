"""The service on both stores, and ways to talk to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

import turnlog
from turnlog.service import create_app


@pytest.fixture(params=["ram", "sqlite"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[turnlog.Turnlog]:
    """An open `Turnlog` with a small limit on bodies."""
    url = "ram:" if request.param == "ram" else f"sqlite:///{tmp_path}/turnlog.db"
    async with turnlog.connect(url, settings=turnlog.Settings(body_bytes=100_000, message_bytes=50_000)) as log:
        yield log


@pytest.fixture
async def client(log: turnlog.Turnlog) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service, in this process, with a conversation `c1` of ana that holds one message."""
    transport = httpx.ASGITransport(create_app(log))
    async with httpx.AsyncClient(transport=transport, base_url="http://turnlog") as client:
        await log.create(turnlog.user("first"), id="c1", user_id="ana", tags=["a"])
        yield client
