"""`rediss://`: the way to the server is encrypted, and the server is who it says, by a certificate that is trusted."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from support.loop import awaited
from support.valkey import ValkeyServer
from turnlog import connect, user
from turnlog.errors import StoreUnavailable


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def behind_tls(server: ValkeyServer, authority: trustme.CA, name: str) -> AsyncIterator[str]:
    """The URL of a way to the server that speaks TLS, with a certificate for `name`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer), return_exceptions=True)

    listening = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
    try:
        yield f"rediss://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        await asyncio.sleep(0.05)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Someone whose certificates this process trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


@awaited
async def test_a_conversation_is_kept_over_tls(valkey_server: ValkeyServer, authority: trustme.CA) -> None:
    async with behind_tls(valkey_server, authority, "127.0.0.1") as url, connect(url) as log:
        conversation = await log.create(user("a"))
        await asyncio.gather(*(conversation.append(user("x" * 10_000)) for _ in range(50)))
        assert len(await conversation.messages(limit=100)) == 51
        assert await conversation.verify() == []


@awaited
async def test_a_server_with_a_certificate_that_nobody_vouches_for_is_refused(
    valkey_server: ValkeyServer, authority: trustme.CA
) -> None:
    async with behind_tls(valkey_server, trustme.CA(), "127.0.0.1") as url:
        with pytest.raises(StoreUnavailable, match="certificate verify failed"):
            await connect(url).open()


@awaited
async def test_a_server_with_a_certificate_for_another_name_is_refused(
    valkey_server: ValkeyServer, authority: trustme.CA
) -> None:
    async with behind_tls(valkey_server, authority, "elsewhere.example") as url:
        with pytest.raises(StoreUnavailable, match="certificate"):
            await connect(url).open()
