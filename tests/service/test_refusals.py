"""What the service refuses: with the field and the rule, storing nothing."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

import turnlog
from turnlog.service import create_app

C1 = "/v1/conversations/c1"
JSON = {"content-type": "application/json"}


def message(**fields: Any) -> bytes:
    return json.dumps({"role": "user", "content": "x"} | fields).encode()


def nested(depth: int) -> bytes:
    return b'{"role":"user","content":"x","metadata":{"a":' + b"[" * depth + b"]" * depth + b"}}"


BODIES = [
    (message(role="king"), 422, "role"),
    (b'{"content":"x"}', 422, "role"),
    (message(role=None), 422, "role"),
    (message(content=""), 422, "content"),
    (message(content=None), 422, "content"),
    (message(content=7), 422, "content"),
    (message(content=[]), 422, "content"),
    (message(content=[{"type": "text", "text": ""}]), 422, "content[0].text"),
    (message(content=[{"type": "smell"}]), 422, "content[0].type"),
    (message(content=[{"type": "image"}]), 422, "content[0].url"),
    (message(content=[{"type": "tool_call", "id": "a", "name": "f"}]), 422, "content[0]"),
    (message(content="a\0b"), 422, "content"),
    (message(content="x" * 60_000), 413, "content"),
    (message(content="x" * 120_000), 413, "body"),
    (message(surprise=1), 422, "surprise"),
    (message(id="no spaces"), 422, "id"),
    (message(id=""), 422, "id"),
    (message(id=5), 422, "id"),
    (message(status="done"), 422, "status"),
    (message(created_at="yesterday"), 422, "created_at"),
    (message(created_at="2026-01-01T00:00:00"), 422, "created_at"),
    (message(metadata=[1]), 422, "metadata"),
    (message(metadata={"k": 2**64}), 422, "metadata.k"),
    (message(metadata={"k": "\0"}), 422, "metadata.k"),
    (message(metadata={"k": "x" * 20_000}), 413, "metadata"),
    (message(usage={"input": -1}), 422, "usage.input"),
    (message(name=""), 422, "name"),
    (message(role="tool"), 422, "tool_call_id"),
    (message(role="tool", tool_call_id=""), 422, "tool_call_id"),
    (message(tool_call_id="k"), 422, "tool_call_id"),
    (message(tool_calls=[{"id": "k", "function": {"name": "f"}}]), 422, "tool_calls"),
    (message(role="assistant", tool_calls=[{"id": "k", "function": {"name": ""}}]), 422, "tool_calls[0].name"),
    (message(redacted=True), 422, "redacted"),
    (message(content="", redacted=True), 422, "redacted"),
    (b"[]", 422, "body"),
    (b"", 400, "body"),
    (b"{", 400, "body"),
    (b'{"role":"user","content":"x"} y', 400, "body"),
    (b'{"role":"user","content":"\xff"}', 400, "body"),
    (b'{"role":"user","content":"\\ud800"}', 422, "content"),
    (b'{"role":"user","content":"x","metadata":{"k":NaN}}', 422, "metadata.k"),
    (nested(40), 422, None),
    (nested(40_000), 422, "body"),
    (b'{"messages":[]}', 422, "messages"),
    (b'{"messages":[{"role":"user","content":"x"},{"role":"king"}]}', 422, "messages[1].role"),
    (b'{"messages":[{"role":"user","content":"x"},{"role":"user","content":""}]}', 422, "messages[1].content"),
    (b'{"messages":7}', 422, "messages"),
    (b'{"messages":[],"more":1}', 422, "more"),
]


async def refused(client: httpx.AsyncClient, answer: httpx.Response, status: int, field: str | None) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert answer.status_code == status, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert {"type", "title", "detail", "code", "retryable"} <= problem.keys()
    if field is not None:
        assert problem["field"] == field, problem
        assert problem["rule"]
    assert (await client.get(C1)).json()["head"] == 1
    return problem


@pytest.mark.parametrize(("body", "status", "field"), BODIES, ids=lambda value: str(value)[:60])
async def test_a_bad_message_is_named_and_not_stored(
    client: httpx.AsyncClient, body: bytes, status: int, field: str | None
) -> None:
    answer = await client.post(f"{C1}/messages", content=body, headers=JSON)
    await refused(client, answer, status, field)


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/messages", "limit=-1", "limit"),
        ("/messages", "limit=0", "limit"),
        ("/messages", "limit=1001", "limit"),
        ("/messages", "limit=x", "limit"),
        ("/messages", "limit=", "limit"),
        ("/messages", "limit=1&limit=2", "limit"),
        ("/messages", "limit=%D9%A3", "limit"),
        ("/messages", "offset=-1", "offset"),
        ("/messages", "offset=1&after=1", "offset"),
        ("/messages", "after=1.5", "after"),
        ("/messages", "before=99999999999999999999", "before"),
        ("/messages", "order=up", "order"),
        ("/messages", "surprise=1", "surprise"),
        ("/messages", "limit=%FF", "query"),
        ("/messages/x", "", "seq"),
        ("/messages/-1", "", "seq"),
        ("", "limit=-1", "limit"),
        ("", "page=1", "page"),
    ],
)
async def test_a_bad_parameter_is_named(client: httpx.AsyncClient, path: str, query: str, field: str) -> None:
    await refused(client, await client.get(f"{C1}{path}?{query}"), 422, field)


@pytest.mark.parametrize(
    ("query", "field"),
    [("cursor=abc", "cursor"), ("cursor=", "cursor"), ("archived=1", "archived"), ("tag=%00", "tag"), ("limit=-5", "limit")],
)
async def test_a_bad_listing_parameter_is_named(client: httpx.AsyncClient, query: str, field: str) -> None:
    await refused(client, await client.get(f"/v1/users/ana/conversations?{query}"), 422, field)


async def test_a_cursor_from_elsewhere_is_refused(client: httpx.AsyncClient) -> None:
    await client.post("/v1/conversations", json={"user_id": "ana"})
    page = (await client.get("/v1/users/ana/conversations", params={"limit": 1})).json()
    answer = await client.get("/v1/users/bo/conversations", params={"limit": 1, "cursor": page["next_cursor"]})
    await refused(client, answer, 422, "cursor")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "/v1/conversations", {"id": "a b"}, 422, "id"),
        ("POST", "/v1/conversations", {"user_id": ""}, 422, "user_id"),
        ("POST", "/v1/conversations", {"tags": "x"}, 422, "tags"),
        ("POST", "/v1/conversations", {"tags": [""]}, 422, "tags[0]"),
        ("POST", "/v1/conversations", {"tags": [str(n) for n in range(40)]}, 413, "tags"),
        ("POST", "/v1/conversations", {"messages": [{"role": "user"}]}, 422, "messages[0].content"),
        ("POST", "/v1/conversations", {"title": "x" * 501}, 422, "title"),
        ("PATCH", C1, {"head": 5}, 422, "head"),
        ("PATCH", C1, {"archived": 1}, 422, "archived"),
        ("POST", f"{C1}/context", {"max_messages": 0}, 422, "max_messages"),
        ("POST", f"{C1}/context", {"max_messages": 5_000_000}, 422, "max_messages"),
        ("POST", f"{C1}/context", {"budget": -5}, 422, "budget"),
        ("POST", f"{C1}/context", {"budget": "8000"}, 422, "budget"),
        ("POST", f"{C1}/context", {"budget": 2**70}, 422, "budget"),
        ("POST", f"{C1}/context", {"format": "yaml"}, 422, "format"),
        ("POST", f"{C1}/context", {"policy": "fullest"}, 422, "policy.preset"),
        ("POST", f"{C1}/context", {"policy": 7}, 422, "policy"),
        ("POST", f"{C1}/context", {"policy": {"bugdet": 7}}, 422, "policy.bugdet"),
        ("POST", f"{C1}/context", {"policy": {"sections": {"weather": 0.1}}}, 422, "policy.sections.weather"),
        ("POST", f"{C1}/context", {"policy": {"sections": {"facts": 0.9}}}, 422, "policy.sections"),
        ("POST", f"{C1}/context", {"policy": {"low": 0.9, "high": 0.5}}, 422, "policy.low"),
        ("POST", f"{C1}/context", {"policy": {"reserve_tokens": 900}, "budget": 500}, 422, "policy.reserve_tokens"),
        ("POST", f"{C1}/context", {"model": ""}, 422, "model"),
        ("POST", f"{C1}/context", {"model": "hf:/etc/passwd"}, 422, "model"),
        ("POST", f"{C1}/context", {"query": "a\0b"}, 422, "query"),
        ("POST", f"{C1}/context", {"tools": [5]}, 422, "tools[0]"),
        ("POST", f"{C1}/context", {"tools": [{"name": 2**70}]}, 422, "tools[0].name"),
        ("POST", f"{C1}/context", {"bugdet": 5}, 422, "bugdet"),
        ("POST", f"{C1}/turn", {}, 422, "messages"),
        ("POST", f"{C1}/turn", {"messages": []}, 422, "messages"),
        ("POST", f"{C1}/turn", {"messages": [{"role": "user"}]}, 422, "messages[0].content"),
        ("POST", f"{C1}/fork", {"at": -1}, 422, "at"),
        ("POST", f"{C1}/fork", {"at": "1"}, 422, "at"),
        ("POST", f"{C1}/reconcile", {"messages": []}, 422, "messages"),
        ("POST", f"{C1}/reconcile", {"messages": [{"role": "user", "content": "x", "id": "a"},
                                             {"role": "user", "content": "x"}]}, 422, "messages"),
        ("POST", f"{C1}/reconcile", {"messages": [], "on_divergence": "merge"}, 422, "on_divergence"),
    ],
)  # fmt: skip
async def test_a_bad_body_is_named(
    client: httpx.AsyncClient, method: str, path: str, body: Any, status: int, field: str
) -> None:
    await refused(client, await client.request(method, path, json=body), status, field)


@pytest.mark.parametrize(
    "asked",
    [{"budget": 0}, {"format": "yaml"}, {"policy": {"sections": {"weather": 0.1}}}, {"model": ""}, {"tools": [{"a": "\0"}]}],
)
async def test_a_turn_that_asks_for_no_possible_context_appends_nothing(client: httpx.AsyncClient, asked: Any) -> None:
    body = {"messages": [{"role": "user", "content": "x"}], **asked}
    assert (await client.post(f"{C1}/turn", json=body)).status_code == 422
    assert (await client.get(f"{C1}/messages")).json()["head"] == 1


async def test_a_budget_that_is_too_small_says_by_how_much(client: httpx.AsyncClient) -> None:
    problem = await refused(client, await client.post(f"{C1}/context", json={"budget": 2}), 422, None)
    assert (problem["code"], problem["budget"]) == ("budget_too_small", 2)
    assert problem["needed"] - problem["budget"] == problem["missing"] > 0
    assert (await client.post(f"{C1}/context", json={"budget": problem["needed"]})).status_code == 200


async def test_a_result_that_is_far_larger_than_the_budget_is_no_empty_context(client: httpx.AsyncClient) -> None:
    call = [{"type": "tool_call", "id": "k", "name": "f", "arguments": "{}"}]
    result = [{"type": "tool_result", "call_id": "k", "content": "word " * 5000}]
    told = [{"role": "assistant", "content": call}, {"role": "tool", "content": result}]
    await client.post(f"{C1}/messages", json={"messages": told})
    for budget in (10, 800):
        problem = (await client.post(f"{C1}/context", json={"budget": budget})).json()
        assert (problem["code"], problem["needed"] > 4000) == ("budget_too_small", True)
    assert len((await client.post(f"{C1}/context", json={"budget": problem["needed"]})).json()["messages"]) == 2


async def test_a_bad_policy_of_a_conversation_is_named_when_a_context_is_asked_for(client: httpx.AsyncClient) -> None:
    for own, field in (
        ({"sections": {"weather": 1}}, "metadata.context_policy.sections.weather"),
        ({"budget": 5}, "metadata.context_policy.budget"),
        ({"preset": []}, "metadata.context_policy.preset"),
        ("full", "metadata.context_policy"),
    ):
        await client.patch(C1, json={"metadata": {"context_policy": own}})
        await refused(client, await client.post(f"{C1}/context"), 422, field)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("If-Match", "1"),
        ("If-Match", ""),
        ("If-Match", '"1" "2"'),
        ("If-Match", '"1", 2'),
        ("Idempotency-Key", '"open'),
        ("Idempotency-Key", ""),
        ("Idempotency-Key", "x" * 256),
        ("Idempotency-Key", b"\xfc"),
    ],
)
async def test_a_bad_header_is_named(client: httpx.AsyncClient, header: str, value: Any) -> None:
    answer = await client.post(f"{C1}/messages", content=message(), headers=[*JSON.items(), (header, value)])
    await refused(client, answer, 422, header)


async def test_a_key_over_some_messages_with_ids_and_some_without_is_refused(client: httpx.AsyncClient) -> None:
    body = {"messages": [{"role": "user", "content": "a", "id": "m"}, {"role": "user", "content": "b"}]}
    answer = await client.post(f"{C1}/messages", json=body, headers={"Idempotency-Key": "k"})
    await refused(client, answer, 422, "Idempotency-Key")


@pytest.mark.parametrize(
    "headers", [{"content-type": "text/plain"}, JSON | {"content-encoding": "gzip"}, {"content-type": "application/xml"}]
)
async def test_a_body_of_another_kind_is_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post(f"{C1}/messages", content=message(), headers=headers)
    assert (await refused(client, answer, 415, None))["code"] == "unsupported_media_type"


async def test_a_body_that_never_ends_is_refused_at_the_limit(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield b" " * 1000

    answer = await client.post(f"{C1}/messages", content=endless(), headers=JSON)
    assert (await refused(client, answer, 413, "body"))["limit"] == 100_000
    assert sent < 110_000


async def test_an_unknown_conversation_is_404_everywhere(client: httpx.AsyncClient) -> None:
    there = "/v1/conversations/nobody"
    calls = [
        client.get(there),
        client.patch(there, json={}),
        client.delete(there),
        client.get(f"{there}/messages"),
        client.post(f"{there}/messages", content=message(), headers=JSON | {"If-Match": "*"}),
        client.get(f"{there}/messages/1"),
        client.delete(f"{there}/messages/1"),
        client.post(f"{there}/context"),
        client.post(f"{there}/turn", json={"messages": [{"role": "user", "content": "x"}]}),
        client.post(f"{there}/fork"),
        client.post(f"{there}/reconcile", json={"messages": [{"role": "user", "content": "x"}]}),
    ]
    for call in calls:
        problem = await refused(client, await call, 404, None)
        assert (problem["code"], problem["conversation_id"]) == ("conversation_not_found", "nobody")


async def test_an_id_in_use_is_409(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/conversations", json={"id": "c1"})
    assert (await refused(client, answer, 409, None))["code"] == "conversation_exists"


async def test_an_unknown_route_is_404_and_a_wrong_method_405(client: httpx.AsyncClient) -> None:
    assert (await refused(client, await client.get("/v2"), 404, None))["code"] == "not_found"
    answer = await client.post(C1)
    assert (await refused(client, answer, 405, None))["code"] == "method_not_allowed"
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"


async def test_a_store_that_cannot_answer_is_503_with_a_time_to_come_back(log: turnlog.Turnlog) -> None:
    class Away(type(log)):  # type: ignore[misc]
        async def ping(self) -> None:
            raise turnlog.StoreUnavailable("away")

    transport = httpx.ASGITransport(create_app(Away(log.store)))
    async with httpx.AsyncClient(transport=transport, base_url="http://turnlog") as client:
        answer = await client.get("/ready")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert (answer.json()["code"], answer.json()["retryable"]) == ("store_unavailable", True)


async def test_an_error_that_nobody_foresaw_tells_nothing_and_is_counted(log: turnlog.Turnlog) -> None:
    class Broken(type(log)):  # type: ignore[misc]
        async def ping(self) -> None:
            raise ZeroDivisionError("secret")

    app = create_app(Broken(log.store))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://turnlog") as client:
        answer = await client.get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert app.state.unexpected == 1
