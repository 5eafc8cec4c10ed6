"""Conditional requests, entity tags and repeatable requests."""

from typing import Any

import httpx
import pytest

import turnlog

C1 = "/v1/conversations/c1"
HI = {"role": "user", "content": "hi"}
GUARDED: list[tuple[str, str, Any]] = [
    ("DELETE", C1, None),
    ("DELETE", f"{C1}/messages/1", None),
    ("POST", f"{C1}/fork", {}),
    ("POST", f"{C1}/reconcile", {"messages": [{"role": "user", "content": "first"}, HI]}),
    ("PATCH", C1, {"title": "new"}),
    ("POST", f"{C1}/messages", HI),
    ("POST", f"{C1}/turn", {"messages": [HI]}),
]


async def tag_of(client: httpx.AsyncClient) -> str:
    return (await client.get(C1)).headers["etag"]


async def shown(client: httpx.AsyncClient) -> tuple[Any, Any]:
    """All that a write could change."""
    return (await client.get(C1)).json(), (await client.get("/v1/conversations")).json()


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
async def test_a_stale_tag_lets_no_write_pass(client: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    stale = await tag_of(client)
    await client.post(f"{C1}/messages", json=HI)
    await client.patch(C1, json={"title": "changed"})
    before = await shown(client)
    for tags in (stale, f'"9", {stale}', f"W/{await tag_of(client)}", '"foreign"'):
        answer = await client.request(method, path, json=body, headers={"If-Match": tags})
        assert answer.status_code == 412, tags
        assert answer.json()["code"] in ("head_moved", "revision_moved", "precondition_failed")
        assert await shown(client) == before


@pytest.mark.parametrize(("method", "path", "body"), GUARDED)
async def test_a_present_tag_lets_a_write_pass_alone_or_in_a_list(
    client: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    tags = f'W/"1", "foreign", "7" , {await tag_of(client)}'
    assert (await client.request(method, path, json=body, headers={"If-Match": tags})).is_success


async def test_several_lines_of_if_match_are_one_list(client: httpx.AsyncClient) -> None:
    headers = [("If-Match", '"7"'), ("If-Match", await tag_of(client))]
    assert (await client.request("DELETE", C1, headers=headers)).status_code == 200


async def test_a_write_of_another_history_is_refused(client: httpx.AsyncClient) -> None:
    other = '"1.1.0.0123456789abcdef"'
    for method, path, body in GUARDED:
        answer = await client.request(method, path, json=body, headers={"If-Match": other})
        assert (answer.status_code, answer.json()["code"]) == (412, "history_moved")


async def test_a_repeated_append_passes_its_old_expectation(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k", "If-Match": '"0", "1"'}
    first = await client.post(f"{C1}/messages", json=HI, headers=headers)
    again = await client.post(f"{C1}/messages", json=HI, headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())


async def test_the_tag_changes_with_the_body_and_is_answered_with_304_until_then(client: httpx.AsyncClient) -> None:
    seen: set[str] = set()
    steps = (
        ("POST", f"{C1}/messages", {"role": "user", "content": "I am Ada and I live in Lisbon."}),
        ("POST", f"{C1}/memory/refresh", {"wait_s": 60}),
        ("PATCH", C1, {"title": "x"}),
        ("DELETE", f"{C1}/messages/2", None),
    )
    for method, path, body in steps:
        assert (await client.request(method, path, json=body)).is_success
        got = await client.get(C1)
        assert got.headers["etag"] not in seen, path
        seen.add(got.headers["etag"])
        for value in (got.headers["etag"], f'"x", W/{got.headers["etag"]}', "*"):
            same = await client.get(C1, headers={"If-None-Match": value})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", got.headers["etag"])
        assert (await client.get(C1, headers={"If-None-Match": '"x"'})).status_code == 200


@pytest.mark.parametrize("path", ["/v1/conversations", f"{C1}/fork"])
async def test_a_create_or_fork_is_repeatable_under_a_key(client: httpx.AsyncClient, path: str) -> None:
    bodies: list[dict[str, Any]] = (
        [{}, {"at": 0}] if path.endswith("fork") else [{"title": "a", "messages": [HI]}, {"title": "b"}]
    )
    first = await client.post(path, json=bodies[0], headers={"Idempotency-Key": '"q1"'})
    again = await client.post(path, json=bodies[0], headers={"Idempotency-Key": "q1"})
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    other = await client.post(path, json=bodies[1], headers={"Idempotency-Key": "q1"})
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    another = await client.post(path, json=bodies[0], headers={"Idempotency-Key": "q2"})
    assert (another.status_code, another.json()["id"] != first.json()["id"]) == (201, True)
    assert len((await client.get("/v1/conversations")).json()["data"]) == 3


@pytest.mark.parametrize(
    "other",
    [{"user_id": "bo"}, {"title": "x"}, {"tags": ["x"]}, {"metadata": {"k": 1}}, {"messages": [{**HI, "content": "ho"}]}],
)
async def test_another_request_under_the_key_of_a_create_is_refused(client: httpx.AsyncClient, other: Any) -> None:
    body = {"user_id": "ana", "messages": [HI]}
    headers = {"Idempotency-Key": "k"}
    assert (await client.post("/v1/conversations", json=body, headers=headers)).status_code == 201
    answer = await client.post("/v1/conversations", json=body | other, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")


async def test_own_ids_decide_over_the_key_of_a_create(client: httpx.AsyncClient) -> None:
    for id_ in ("n1", "n2"):
        answer = await client.post("/v1/conversations", json={"id": id_}, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["id"]) == (201, id_)


async def test_a_put_creates_once_and_returns_what_is_there(client: httpx.AsyncClient, log: turnlog.Turnlog) -> None:
    made = await client.put("/v1/conversations/s1", json={"user_id": "bo", "messages": [HI]})
    again = await client.put("/v1/conversations/s1")
    assert (made.status_code, again.status_code, again.json()) == (201, 200, made.json())
    wrong = await client.put("/v1/conversations/s1", json={"id": "s2"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "id")


async def test_null_means_none(client: httpx.AsyncClient) -> None:
    nothing = dict.fromkeys(("id", "user_id", "title", "tags", "metadata", "messages"))
    made = (await client.post("/v1/conversations", json=nothing)).json()
    assert (made["tags"], made["metadata"], made["head"]) == ([], {}, 0)
    await client.patch(C1, json={"metadata": {"k": 1}})
    cleared = (await client.patch(C1, json={"tags": None, "metadata": None})).json()
    assert (cleared["tags"], cleared["metadata"]) == ([], {})
