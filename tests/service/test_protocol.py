"""HTTP itself: methods, media types, bodies, clients that dawdle, other origins, and the pages for people."""

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

import turnlog
from support.served import served
from support.service import serving
from turnlog.service import create_app
from turnlog.service.routes import table

C1 = "/v1/conversations/c1"
HI = {"role": "user", "content": "hi"}
GETS = [operation.path for operation in table(turnlog.Settings()) if operation.method == "GET"]


def filled(path: str) -> str:
    values = {"conversation_id": "c1", "user_id": "ana", "seq": "1", "asset": "swagger-ui.css"}
    return re.sub(r"{(\w+)}", lambda match: values.get(match[1], "x"), path)


@pytest.mark.parametrize("path", GETS)
async def test_head_is_get_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    got, head = await client.get(filled(path)), await client.head(filled(path))
    assert (got.status_code, head.status_code, head.content, head.headers) == (200, 200, b"", got.headers)


@pytest.mark.parametrize("path", sorted({operation.path for operation in table(turnlog.Settings())}))
async def test_options_tells_the_methods(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.options(filled(path))
    methods = {operation.method for operation in table(turnlog.Settings()) if operation.path == path}
    also = {"HEAD"} if "GET" in methods else set()
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(answer.headers["allow"].split(", ")) == methods | also | {"OPTIONS"}


async def test_json_ends_in_a_newline_and_is_not_stored(client: httpx.AsyncClient) -> None:
    for path in (C1, "/health", "/openapi.json", "/v1/nothing"):
        answer = await client.get(path)
        assert answer.content.endswith(b"}\n")
        assert answer.headers["cache-control"] == "no-store"
        assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 201),
        ("Application/JSON; charset=UTF-8", 201),
        ("application/vnd.chat+json", 201),
        ('application/json; charset="utf8"', 201),
        ("application/json; charset=latin-1", 415),
        ("text/json", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        (None, 415),
    ],
)
async def test_a_body_is_json_in_utf_8(client: httpx.AsyncClient, media_type: str | None, status: int) -> None:
    headers = {} if media_type is None else {"content-type": media_type}
    for path, body in ((f"{C1}/messages", HI), ("/v1/conversations", {"title": "x"})):
        answer = await client.post(path, content=json.dumps(body).encode(), headers=headers)
        assert answer.status_code == status


async def test_a_byte_order_mark_is_ignored(client: httpx.AsyncClient) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(HI).encode()
    answer = await client.post(f"{C1}/messages", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "text", ["2030-01-01T00:00:00+02:00", "2030-01-01 00:00:00+0200", "2030-01-01", "2030-01-01T00:00:00Z"]
)
async def test_a_time_in_a_query_may_have_a_bare_plus(client: httpx.AsyncClient, text: str) -> None:
    plain = await client.get(f"/v1/users/ana/memory?as_of={text.replace(' ', '%20')}")
    escaped = await client.get("/v1/users/ana/memory", params={"as_of": text})
    assert (plain.status_code, plain.json()["as_of"]) == (200, escaped.json()["as_of"])
    assert (await client.get("/v1/conversations", params={"updated_since": text})).json()["data"] == []


async def test_conversations_are_listed_by_what_is_asked_for(client: httpx.AsyncClient) -> None:
    await client.post("/v1/conversations", json={"id": "c2", "user_id": "bo", "tags": ["b"]})
    await client.patch("/v1/conversations/c2", json={"archived": True})
    page = (await client.get("/v1/conversations", params={"limit": 1})).json()
    assert ([it["id"] for it in page["data"]], page["has_more"]) == (["c2"], True)
    rest = (await client.get("/v1/conversations", params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert ([it["id"] for it in rest["data"]], rest["has_more"], rest["next_cursor"]) == (["c1"], False, None)
    asked: list[tuple[dict[str, str], list[str]]] = [
        ({"user_id": "ana"}, ["c1"]),
        ({"tag": "b"}, ["c2"]),
        ({"archived": "false"}, ["c1"]),
        ({"updated_since": "2020-01-01"}, ["c2", "c1"]),
        ({"updated_since": "2100-01-01"}, []),
    ]
    for query, ids in asked:
        found = (await client.get("/v1/conversations", params=query)).json()["data"]
        assert [it["id"] for it in found] == ids, query


@pytest.mark.parametrize(
    "query", [{}, {"order": "desc"}, {"after": 2, "before": 8}, {"offset": 3}, {"order": "desc", "offset": 2}]
)
async def test_a_cursor_walks_through_all_messages(client: httpx.AsyncClient, query: dict[str, Any]) -> None:
    await client.post(f"{C1}/messages", json={"messages": [HI] * 8})
    whole = [it["seq"] for it in (await client.get(f"{C1}/messages", params=query)).json()["data"]]
    seqs: list[int] = []
    page: dict[str, Any] = {"next_cursor": None, "has_more": True}
    while page["has_more"]:
        cursor = {} if page["next_cursor"] is None else {"cursor": page["next_cursor"]}
        page = (await client.get(f"{C1}/messages", params={**query, **cursor, "limit": 2})).json()
        seqs += [it["seq"] for it in page["data"]]
    assert (seqs, page["next_cursor"]) == (whole, None)


async def test_a_cursor_of_other_messages_is_refused(client: httpx.AsyncClient) -> None:
    await client.post(f"{C1}/messages", json={"messages": [HI] * 3})
    cursor = (await client.get(f"{C1}/messages", params={"limit": 1})).json()["next_cursor"]
    for query in ({"cursor": cursor, "order": "desc"}, {"cursor": "x"}, {"cursor": cursor, "after": "1"}):
        answer = await client.get(f"{C1}/messages", params=query)
        assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


async def test_pages_by_default_keep_a_small_limit_of_the_settings() -> None:
    async with turnlog.connect("ram:", settings=turnlog.Settings(messages_per_call=3)) as log:
        await log.create(turnlog.user("hi"), id="c1", user_id="ana")
        transport = httpx.ASGITransport(create_app(log))
        async with httpx.AsyncClient(transport=transport, base_url="http://turnlog") as client:
            for path in (C1, f"{C1}/messages", "/v1/conversations", "/v1/users/ana/conversations"):
                assert (await client.get(path)).status_code == 200
            assert (await client.get(f"{C1}/messages", params={"limit": 4})).status_code == 422


async def test_a_redacted_message_can_be_reconciled_and_not_appended(client: httpx.AsyncClient) -> None:
    await client.delete(f"{C1}/messages/1")
    stored = (await client.get(f"{C1}/messages/1")).json()
    again = await client.post(f"{C1}/reconcile", json={"messages": [stored]})
    assert (again.status_code, again.json()["matched"]) == (200, 1)
    new = {"role": "user", "content": "", "redacted": True}
    for path, body, field in (
        (f"{C1}/messages", new, "redacted"),
        (f"{C1}/messages", {"messages": [HI, new]}, "messages[1].redacted"),
        (f"{C1}/turn", {"messages": [new]}, "messages[0].redacted"),
        (f"{C1}/reconcile", {"messages": [new, new]}, "messages[1].redacted"),
        ("/v1/conversations", {"messages": [new]}, "messages[0].redacted"),
    ):
        answer = await client.post(path, json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"slot": "home"}, "value"),
        ({"value": "Lisbon"}, "slot"),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-31"}, "valid_to"),
        ({"valid_from": "soon"}, "valid_from"),
        ({"valid_to": "2026-01-31T00:00:00"}, "valid_to"),
    ],
)
async def test_a_fact_that_cannot_be_is_refused(client: httpx.AsyncClient, told: Any, field: str) -> None:
    answer = await client.post("/v1/users/ana/facts", json={"text": "lives in Lisbon", **told})
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_fact_takes_days_and_an_unknown_one_is_not_made(client: httpx.AsyncClient) -> None:
    added = await client.post("/v1/users/ana/facts", json={"text": "lives in Lisbon", "valid_from": "2026-05-01"})
    assert (added.status_code, added.json()["valid_from"]) == (201, "2026-05-01T00:00:00.000000Z")
    answer = await client.put("/v1/users/ana/facts/unknown", json={"text": "lives in Porto"})
    assert (answer.status_code, answer.json()["code"]) == (404, "fact_not_found")
    assert len((await client.get("/v1/users/ana/memory")).json()["facts"]) == 1


@pytest.mark.parametrize(("body", "field"), [({"wait": 1}, "wait"), ({"wait_s": 61}, "wait_s"), ([], "body")])
async def test_a_refresh_reads_its_body(client: httpx.AsyncClient, body: Any, field: str) -> None:
    answer = await client.post(f"{C1}/memory/refresh", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_an_export_that_fails_before_its_first_piece_is_a_problem(tmp_path: Path) -> None:
    app = create_app(turnlog.connect(f"sqlite:///{tmp_path}/x.db"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://turnlog") as client:
        answer = await client.get("/v1/users/ana/export")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert app.state.unexpected == 0


async def test_a_fact_about_an_error_never_replaces_a_member_of_the_problem(log: turnlog.Turnlog) -> None:
    class Refusing(type(log)):  # type: ignore[misc]
        async def ping(self) -> None:
            raise turnlog.LLMRefused(status=401, reason="bad key")

    transport = httpx.ASGITransport(create_app(Refusing(log.store)))
    async with httpx.AsyncClient(transport=transport, base_url="http://turnlog") as client:
        answer = await client.get("/ready")
    assert (answer.status_code, answer.json()["status"], answer.json()["http_status"]) == (502, 502, 401)


async def talk(url: str, *pieces: bytes, pause_s: float) -> tuple[bytes, float]:
    """What a server answers before it closes the connection, and when, to pieces that are sent one by one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    began = time.monotonic()

    async def send() -> None:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause_s)

    sending = asyncio.create_task(send())
    answer = await asyncio.wait_for(reader.read(), 60)
    took = time.monotonic() - began
    sending.cancel()
    writer.close()
    return answer, took


HEADERS = b"POST /v1/conversations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
WHOLE = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([], b""),
        ([b"GET /health HTTP/1.1\r\nHost: x\r\n"] + [b"X-A: b\r\n"] * 200, b""),
        ([WHOLE + b"GET /hea"] + [b"l"] * 200, b""),
        ([HEADERS], b"request_timeout"),
        ([HEADERS] + [b" "] * 200, b"request_timeout"),
    ],
    ids=["nothing", "headers", "headers of the second request", "no body", "body"],
)
async def test_a_client_that_dawdles_is_sent_away(pieces: list[bytes], code: bytes, tmp_path: Path) -> None:
    environ = {"TURNLOG_RECEIVE_TIMEOUT_S": "1"}
    with serving(f"sqlite:///{tmp_path}/x.db", workers=1, directory=tmp_path, environ=environ) as service:
        answer, took = await talk(service.url, *pieces, pause_s=0.1)
        assert b" 408 " in answer
        assert code in answer
        assert 0.9 < took < 15
        async with httpx.AsyncClient(base_url=service.url) as client:
            assert (await client.get("/health")).status_code == 200


async def test_a_client_that_keeps_its_connection_is_not_timed(tmp_path: Path) -> None:
    environ = {"TURNLOG_RECEIVE_TIMEOUT_S": "0.5", "TURNLOG_ACCESS_LOG": "true"}
    with serving(f"sqlite:///{tmp_path}/x.db", workers=1, directory=tmp_path, environ=environ) as service:
        answer, _ = await talk(service.url, WHOLE, WHOLE, pause_s=1.0)
        assert answer.count(b" 200 OK") == 2
        assert b" 408 " not in answer
    assert (tmp_path / "service.log").read_text().count('"GET /health HTTP/1.1" 200') == 2


async def test_no_other_origin_is_allowed_unless_the_settings_do() -> None:
    ask = {"Origin": "https://chat.example", "Access-Control-Request-Method": "PATCH"}
    for origins, allowed in (("", False), ("https://chat.example, https://b.example", True), ("*", True)):
        async with turnlog.connect("ram:", settings=turnlog.Settings(cors_origins=origins)) as log:
            transport = httpx.ASGITransport(create_app(log))
            async with httpx.AsyncClient(transport=transport, base_url="http://turnlog") as client:
                asked = await client.options(C1, headers=ask)
                got = await client.get("/health", headers={"Origin": "https://chat.example"})
        assert ("access-control-allow-origin" in asked.headers, asked.status_code) == (allowed, 200 if allowed else 204)
        assert ("access-control-allow-origin" in got.headers) == allowed


@pytest.mark.parametrize("root", ["", "/chat"])
async def test_the_pages_load_nothing_from_elsewhere(root: str) -> None:
    app: Any = create_app(turnlog.connect("ram:"))
    if root:
        host = Starlette()
        host.mount(root, app)
        app = host
    async with served(app, lifespan="off") as url, httpx.AsyncClient(base_url=url) as client:
        for path in ("/", "/docs"):
            page = await client.get(root + path)
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert "default-src 'none'" in page.headers["content-security-policy"]
            links = re.findall(r'(?:href|src|data-document)="([^"]*)"', page.text)
            assert [link for link in links if "//" in link] == []
            for link in links:
                if link != "data:,":
                    assert (await client.get(link)).status_code == 200, link
        described = (await client.get(f"{root}/openapi.json")).json()
        assert described["servers"] == [{"url": root or "/"}]
        assert (await client.get(f"{root}/docs/../../secret")).status_code == 404
        script = await client.get(f"{root}/docs/swagger-ui-bundle.js")
        assert (script.headers["content-type"], len(script.content) > 1_000_000) == ("text/javascript", True)
