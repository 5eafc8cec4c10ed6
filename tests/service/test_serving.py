"""The service behind a real socket, mounted in other applications, and as its own description says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from openapi_spec_validator import validate
from starlette.applications import Starlette

import turnlog
from support.served import served
from turnlog.service import create_app
from turnlog.service.responses import StoredMessage
from turnlog.service.routes import table
from turnlog.tokens import counter, tokenizers

HI = {"role": "user", "content": "hi"}


async def test_run_alone_it_opens_and_closes_the_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    for head in (1, 2):
        async with served(create_app(turnlog.connect(url))) as base, httpx.AsyncClient(base_url=base) as client:
            await client.post("/v1/conversations", json={"id": "c1"})
            answer = await client.post("/v1/conversations/c1/messages", json=HI)
            assert (answer.status_code, answer.headers["etag"]) == (201, f'"{head}"')


async def test_a_user_id_with_a_slash_passes_a_real_server() -> None:
    async with served(create_app(turnlog.connect("ram:"))) as base, httpx.AsyncClient(base_url=base) as client:
        await client.post("/v1/conversations", json={"user_id": "a/b ü"})
        page = (await client.get("/v1/users/a%2Fb%20%C3%BC/conversations")).json()
        assert len(page["data"]) == 1


async def test_a_head_request_gets_the_headers_alone() -> None:
    async with served(create_app(turnlog.connect("ram:"))) as base, httpx.AsyncClient(base_url=base) as client:
        answer = await client.head("/health")
        assert (answer.status_code, answer.content) == (200, b"")


async def test_an_oversize_body_is_refused_before_it_is_read() -> None:
    async with served(create_app(turnlog.connect("ram:"))) as base:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(base.rpartition(":")[2]))
        writer.write(b"POST /v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        await writer.drain()
        assert b" 413 " in await asyncio.wait_for(reader.readline(), 30)
        writer.close()
        await writer.wait_closed()


async def test_a_client_that_goes_away_in_the_middle_harms_nobody() -> None:
    app = create_app(turnlog.connect("ram:"))
    async with served(app) as base, httpx.AsyncClient(base_url=base) as client:
        _, writer = await asyncio.open_connection("127.0.0.1", int(base.rpartition(":")[2]))
        writer.write(b"POST /v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await client.get("/ready")).status_code == 200
    assert app.state.unexpected == 0


@pytest.mark.parametrize("host", [FastAPI, Starlette])
async def test_mounted_the_host_opens_the_log(host: Any) -> None:
    log = turnlog.connect("ram:")

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        async with log:
            yield

    app = host(lifespan=lifespan)
    app.mount("/chat", create_app(log))
    async with served(app) as base, httpx.AsyncClient(base_url=base) as client:
        made = await client.post("/chat/v1/conversations", json={"user_id": "a/b", "messages": [HI]})
        assert made.status_code == 201
        assert len((await client.get("/chat/v1/users/a%2Fb/conversations")).json()["data"]) == 1
        for path, status in (("/chat/nix", 404), ("/chat/v1/conversations/x", 404)):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert (await client.put("/chat/health")).headers["allow"] == "GET, HEAD, OPTIONS"


async def test_mounted_it_works_where_no_lifespan_runs(tmp_path: Path) -> None:
    async with turnlog.connect(f"sqlite:///{tmp_path}/x.db") as log:
        app = Starlette()
        app.mount("/chat", create_app(log))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://turnlog") as client:
            assert (await client.post("/chat/v1/conversations")).status_code == 201
            assert (await client.get("/chat/ready")).status_code == 200


async def test_mounted_and_not_opened_it_says_so(tmp_path: Path) -> None:
    app = Starlette()
    app.mount("/chat", create_app(turnlog.connect(f"sqlite:///{tmp_path}/x.db")))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://turnlog") as client:
        answer = await client.get("/chat/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")


async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


async def test_the_description_is_valid_and_names_every_route(client: httpx.AsyncClient) -> None:
    described = await document(client)
    validate(described)
    told = {(method.upper(), path) for path, entry in described["paths"].items() for method in entry}
    assert {(operation.method, operation.path) for operation in table(turnlog.Settings())} <= told


async def test_every_request_and_answer_has_an_example_that_fits(client: httpx.AsyncClient) -> None:
    for operation in table(turnlog.Settings()):
        for status, result in operation.results.items():
            assert status != 304 or result.example is None
            msgspec.convert(result.example, result.schema)
        fitting = [form for form in operation.request if fits(operation.request_example, form)]
        assert bool(fitting) == bool(operation.request), operation.path
    for entry in (await document(client))["paths"].values():
        for method in entry.values():
            contents = [answer["content"] for status, answer in method["responses"].items() if status != "304"]
            assert all("example" in kind for content in contents for kind in content.values())


async def test_a_stored_message_is_as_described(client: httpx.AsyncClient) -> None:
    stored = (await client.get("/v1/conversations/c1/messages/1")).content
    assert msgspec.json.decode(stored, type=StoredMessage).content == "first"


def fits(example: Any, form: type) -> bool:
    try:
        msgspec.convert(example, form)
    except msgspec.ValidationError:
        return False
    return True


def test_an_application_has_the_tables_that_would_stop_its_requests_before_the_first_one(tmp_path: Path) -> None:
    tokenizers.openai.cache_clear()
    counter.cache_clear()
    create_app(turnlog.connect(f"sqlite:///{tmp_path}/turnlog.db"))
    assert tokenizers.openai.cache_info().currsize == 2
