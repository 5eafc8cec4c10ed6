"""Every route, used as it is meant to be."""

import asyncio
from typing import Any

import httpx
import pytest

import turnlog

C1 = "/v1/conversations/c1"
CALL = {"id": "k1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
NOTHING_KNOWN = {
    "user_name": None,
    "user_preferences": [],
    "current_topic": None,
    "entities": [],
    "facts": [],
    "pending_tasks": [],
}


async def test_a_conversation_begins_with_what_it_is_given(client: httpx.AsyncClient) -> None:
    body = {
        "id": "c2",
        "user_id": "bo",
        "title": "T",
        "tags": ["x"],
        "metadata": {"k": 1},
        "messages": [{"role": "user", "content": "hi"}],
    }
    answer = await client.post("/v1/conversations", json=body)
    assert answer.status_code == 201
    state = (await client.get("/v1/conversations/c2")).json()
    assert answer.json() == {name: value for name, value in state.items() if name not in ("memory", "messages", "has_more")}
    assert {name: state[name] for name in ("user_id", "title", "tags", "metadata", "parent", "archived")} == {
        "user_id": "bo",
        "title": "T",
        "tags": ["x"],
        "metadata": {"k": 1},
        "parent": None,
        "archived": False,
    }


async def test_a_conversation_can_begin_with_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/conversations")
    assert answer.status_code == 201
    assert answer.json()["head"] == 0


async def test_the_state_shows_header_memory_and_the_newest_messages(client: httpx.AsyncClient) -> None:
    await client.post(f"{C1}/messages", json={"messages": [{"role": "user", "content": str(n)} for n in range(60)]})
    answer = await client.get(C1)
    state = answer.json()
    assert answer.headers["etag"].startswith('"61.1.')
    assert [message["seq"] for message in state["messages"]] == list(range(12, 62))
    assert state["has_more"] is True
    assert state["memory"] == NOTHING_KNOWN
    few = (await client.get(C1, params={"limit": 2})).json()
    assert [message["content"] for message in few["messages"]] == ["58", "59"]


async def test_a_patch_changes_what_it_names(client: httpx.AsyncClient) -> None:
    answer = await client.patch(C1, json={"title": "Lisbon", "archived": True})
    assert (answer.status_code, answer.headers["etag"][:5]) == (200, '"1.2.')
    assert (answer.json()["title"], answer.json()["archived"], answer.json()["tags"]) == ("Lisbon", True, ["a"])
    assert (await client.patch(C1, json={"title": None})).json()["title"] is None


async def test_a_deleted_conversation_is_gone_for_reads_and_dead_for_writes(client: httpx.AsyncClient) -> None:
    assert (await client.delete(C1)).json() == {"deleted": True}
    for call in (client.get(C1), client.post(f"{C1}/context"), client.get(f"{C1}/messages")):
        assert (await call).status_code == 404
    late = client.post(f"{C1}/messages", json={"role": "user", "content": "late"})
    again = client.post("/v1/conversations", json={"id": "c1"})
    change = client.patch(C1, json={"title": "x"})
    writes = (
        client.delete(C1),
        client.put(C1),
        client.post(f"{C1}/fork"),
        client.delete(f"{C1}/messages/1"),
        client.post(f"{C1}/memory/refresh"),
        client.post(f"{C1}/memory/retry", json={"fold": "knowledge"}),
    )
    for call in (late, again, change, *writes):
        answer = await call
        assert (answer.status_code, answer.json()["code"]) == (410, "conversation_deleted")


async def test_one_message_gets_a_receipt_and_several_get_a_list(client: httpx.AsyncClient) -> None:
    one = await client.post(f"{C1}/messages", json={"role": "assistant", "content": "hi", "id": "m1"})
    assert (one.status_code, one.headers["etag"]) == (201, '"2"')
    assert one.json() == {"id": "m1", "seq": 2, "created_at": one.json()["created_at"]}
    body = {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": 'says "messages"'}]}
    several = await client.post(f"{C1}/messages", json=body)
    assert [receipt["seq"] for receipt in several.json()] == [3, 4]
    assert several.headers["etag"] == '"4"'


async def test_a_message_that_speaks_of_messages_is_one_message(client: httpx.AsyncClient) -> None:
    body = {"role": "user", "content": "x", "metadata": {"messages": [1]}}
    assert (await client.post(f"{C1}/messages", json=body)).json()["seq"] == 2


async def test_what_was_read_can_be_sent_back(client: httpx.AsyncClient) -> None:
    stored = (await client.get(f"{C1}/messages/1")).json()
    answer = await client.post(f"{C1}/messages", json=stored)
    assert (answer.status_code, answer.json()["seq"]) == (200, 1)


async def test_chat_tool_calls_become_parts(client: httpx.AsyncClient) -> None:
    body = {
        "messages": [
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "k1", "content": "found"},
        ]
    }
    assert (await client.post(f"{C1}/messages", json=body)).status_code == 201
    messages = (await client.post(f"{C1}/context")).json()["messages"]
    assert messages[1]["content"] == [{"type": "tool_call", "id": "k1", "name": "find", "arguments": "{}"}]
    assert messages[2]["content"] == [{"type": "tool_result", "call_id": "k1", "content": "found"}]


@pytest.mark.parametrize(
    ("query", "seqs", "more"),
    [
        ({}, [1, 2, 3, 4, 5], False),
        ({"limit": 2}, [1, 2], True),
        ({"limit": 2, "offset": 2}, [3, 4], True),
        ({"after": 3}, [4, 5], False),
        ({"after": 1, "before": 4}, [2, 3], False),
        ({"order": "desc", "limit": 2}, [5, 4], True),
        ({"order": "desc", "limit": 2, "offset": 1}, [4, 3], True),
        ({"order": "desc", "offset": 9}, [], False),
        ({"order": "desc", "before": 3}, [2, 1], False),
    ],
)
async def test_messages_are_paged(client: httpx.AsyncClient, query: dict[str, Any], seqs: list[int], more: bool) -> None:
    await client.post(f"{C1}/messages", json={"messages": [{"role": "user", "content": "m"}] * 4})
    page = (await client.get(f"{C1}/messages", params=query)).json()
    assert ([message["seq"] for message in page["data"]], page["has_more"], page["head"]) == (seqs, more, 5)


async def test_a_redacted_message_keeps_its_place(client: httpx.AsyncClient) -> None:
    answer = await client.delete(f"{C1}/messages/1")
    assert (answer.status_code, answer.json()) == (200, {"seq": 1, "redacted": True})
    message = (await client.get(f"{C1}/messages/1")).json()
    assert (message["seq"], message["content"], message["redacted"]) == (1, "", True)
    assert (await client.get(f"{C1}/messages/2")).json()["code"] == "message_not_found"


async def test_the_context_is_what_to_send(client: httpx.AsyncClient) -> None:
    named = {"role": "user", "content": "second", "name": "ana", "metadata": {"k": 1}}
    await client.post(f"{C1}/messages", json=named)
    answer = (await client.post(f"{C1}/context", json={"max_messages": 1, "include_summary": False})).json()
    costs = [section["tokens"] for section in answer["sections"]]
    assert answer == {
        "messages": [{"role": "user", "content": "second", "name": "ana"}],
        "memory": NOTHING_KNOWN,
        "tokens": sum(costs),
        "budget": 8000,
        "sections": [
            {"name": "overhead", "tokens": costs[0], "share": costs[0] / 8000},
            {"name": "recent", "tokens": costs[1], "share": costs[1] / 8000},
        ],
        "coverage": {
            "head": 2,
            "summary_to": 0,
            "window_from": 2,
            "pinned": [],
            "dropped": [],
            "omitted": 1,
            "omitted_from": 1,
            "omitted_to": 1,
        },
        "prefix_hash": answer["prefix_hash"],
        "shared_tokens": 0,
    }
    assert len(answer["prefix_hash"]) == 32


SDK_ARGUMENTS = {
    "openai": {"messages"},
    "openai-responses": {"input"},
    "anthropic": {"messages"},
    "gemini": {"contents"},
    "plain": {"text"},
}


@pytest.mark.parametrize("format", SDK_ARGUMENTS)
async def test_a_format_gives_the_arguments_of_its_sdk(client: httpx.AsyncClient, format: str) -> None:
    answer = (await client.post(f"{C1}/context", json={"format": format})).json()
    assert answer["rendered"].keys() == SDK_ARGUMENTS[format]
    assert "first" in str(answer["rendered"])


async def test_explain_tells_of_each_message_and_of_a_query_that_nothing_answers(client: httpx.AsyncClient) -> None:
    await client.post(f"{C1}/messages", json={"messages": [{"role": "user", "content": "m"}] * 3})
    answer = (await client.post(f"{C1}/context", json={"max_messages": 2, "explain": True, "query": "first"})).json()
    recent = {entry["seq"]: entry["included"] for entry in answer["explain"] if entry["section"] == "recent"}
    first = answer["coverage"]["window_from"]
    assert recent == {seq: seq >= first for seq in range(1, 5)}
    assert [entry["included"] for entry in answer["explain"] if entry["section"] == "recalled"] == [False]
    assert "explain" not in (await client.post(f"{C1}/context")).json()


async def test_a_call_changes_the_policy_and_without_the_summary_the_rest_of_it_stays(client: httpx.AsyncClient) -> None:
    asked = {"policy": {"preset": "summary", "budget_tokens": 500, "reserve_tokens": 100}, "include_summary": False}
    assert (await client.post(f"{C1}/context", json=asked)).json()["budget"] == 500
    assert (await client.post(f"{C1}/context", json=asked | {"budget": 600})).json()["budget"] == 600
    assert (await client.post(f"{C1}/context", json=asked | {"policy": "window"})).json()["budget"] == 8000
    large = {"policy": {"reserve_tokens": 9000}, "budget": 16_000}
    assert (await client.post(f"{C1}/context", json=large)).json()["budget"] == 16_000


async def test_a_conversations_metadata_changes_its_policy(client: httpx.AsyncClient) -> None:
    await client.patch(C1, json={"metadata": {"context_policy": {"budget_tokens": 700}}})
    assert (await client.post(f"{C1}/context")).json()["budget"] == 700
    assert (await client.post(f"{C1}/context", json={"budget": 900})).json()["budget"] == 900


async def test_a_model_counts_by_its_own_tokenizer_and_tools_cost_tokens(client: httpx.AsyncClient) -> None:
    plain = (await client.post(f"{C1}/context", json={"model": "gpt-4o"})).json()
    assert plain["tokens"] == 3 + 4 + 1
    tools = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}]
    assert (await client.post(f"{C1}/context", json={"model": "gpt-4o", "tools": tools})).json()["tokens"] > plain["tokens"]


async def test_a_turn_appends_and_shows_the_context_behind_it(client: httpx.AsyncClient) -> None:
    body = {"messages": [{"role": "user", "content": "second"}], "budget": 900, "format": "openai", "explain": True}
    headers = {"Idempotency-Key": "k", "If-Match": '"1"'}
    answer = await client.post(f"{C1}/turn", json=body, headers=headers)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"2"')
    told = answer.json()
    assert [receipt["seq"] for receipt in told.pop("receipts")] == [2]
    assert told == (await client.post(f"{C1}/context", json={key: body[key] for key in body if key != "messages"})).json()
    again = await client.post(f"{C1}/turn", json=body, headers=headers)
    assert (again.status_code, again.json()["receipts"], again.json()["coverage"]["head"]) == (
        200,
        answer.json()["receipts"],
        2,
    )
    late = await client.post(f"{C1}/turn", json=body, headers=headers | {"Idempotency-Key": "l"})
    assert (late.status_code, late.json()["code"], late.json()["actual"]) == (412, "head_moved", 2)


async def test_a_fork_shares_the_log_up_to_a_seq(client: httpx.AsyncClient) -> None:
    await client.post(f"{C1}/messages", json={"role": "user", "content": "second"})
    answer = await client.post(f"{C1}/fork", json={"at": 1, "id": "f1"})
    assert answer.status_code == 201
    assert (answer.json()["parent"], answer.json()["head"]) == ({"conversation_id": "c1", "seq": 1}, 1)
    assert (await client.post(f"{C1}/fork", json={"at": 3})).status_code == 404
    assert (await client.post(f"{C1}/fork", json={"id": "f1"})).status_code == 409


async def test_sync_stores_only_what_is_new(client: httpx.AsyncClient) -> None:
    transcript = [{"role": "user", "content": "first"}, {"role": "assistant", "content": "new"}]
    answer = await client.post(f"{C1}/reconcile", json={"messages": transcript})
    assert answer.json() == {"conversation_id": "c1", "appended": 1, "matched": 1, "head": 2}
    assert (await client.post(f"{C1}/reconcile", json={"messages": transcript})).json()["appended"] == 0


async def test_a_transcript_that_diverges_is_refused_or_forked(client: httpx.AsyncClient) -> None:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "other"}]}
    refused = await client.post(f"{C1}/reconcile", json=body)
    assert (refused.status_code, refused.json()["code"], refused.json()["diverged_at"]) == (409, "transcript_diverged", 1)
    forked = (await client.post(f"{C1}/reconcile", json=body | {"on_divergence": "fork"})).json()
    assert (forked["diverged_at"], forked["appended"]) == (1, 1)
    assert (await client.get(f"/v1/conversations/{forked['forked_to']}")).json()["messages"][0]["content"] == "other"


async def test_a_users_conversations_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    for n in range(2, 5):
        await client.post("/v1/conversations", json={"id": f"c{n}", "user_id": "ana"})
    found: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = (await client.get("/v1/users/ana/conversations", params=query)).json()
        found += [item["id"] for item in page["data"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert sorted(found) == ["c1", "c2", "c3", "c4"]
    tagged = await client.get("/v1/users/ana/conversations", params={"tag": "a", "archived": "false"})
    assert [item["id"] for item in tagged.json()["data"]] == ["c1"]


@pytest.mark.parametrize("user", ["a/b", "a b@c", "/conversations", "ü?#%"])
async def test_a_user_id_may_hold_anything(client: httpx.AsyncClient, user: str) -> None:
    await client.post("/v1/conversations", json={"id": "c9", "user_id": user})
    quoted = "".join(f"%{byte:02X}" for byte in user.encode())
    page = (await client.get(f"/v1/users/{quoted}/conversations")).json()
    assert [item["id"] for item in page["data"]] == ["c9"]


async def test_health_and_readiness(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health")).json() == {"status": "healthy"}
    assert (await client.get("/ready")).json() == {"status": "ready"}


async def test_a_repeated_request_under_one_key_stores_once(client: httpx.AsyncClient) -> None:
    async def post(content: str) -> httpx.Response:
        headers = {"Idempotency-Key": "k 1"}
        return await client.post(f"{C1}/messages", json={"role": "user", "content": content}, headers=headers)

    first, again = await post("hi"), await post("hi")
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["id"], first.headers["etag"]) == (again.json()["id"], again.headers["etag"])
    other = await post("ho")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


async def test_own_ids_decide_over_the_key(client: httpx.AsyncClient) -> None:
    for message_id in ("m1", "m2"):
        body = {"role": "user", "content": "hi", "id": message_id}
        answer = await client.post(f"{C1}/messages", json=body, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json()["id"]) == (201, message_id)


@pytest.mark.parametrize("tag", ['"1"', 'W/"1", "7", "1"', "*"])
async def test_an_expectation_that_holds_lets_an_append_pass(client: httpx.AsyncClient, tag: str) -> None:
    answer = await client.post(f"{C1}/messages", json={"role": "user", "content": "x"}, headers={"If-Match": tag})
    assert answer.status_code == 201


async def test_a_wrong_expectation_appends_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{C1}/messages", json={"role": "user", "content": "x"}, headers={"If-Match": '"7"'})
    assert (answer.status_code, answer.json()["code"], answer.json()["actual"]) == (412, "head_moved", 1)
    assert (await client.get(C1)).json()["head"] == 1


async def test_a_patch_of_an_older_revision_or_head_changes_nothing(client: httpx.AsyncClient) -> None:
    etag = (await client.get(C1)).headers["etag"]
    assert (await client.patch(C1, json={"title": "x"}, headers={"If-Match": etag})).status_code == 200
    late = await client.patch(C1, json={"title": "y"}, headers={"If-Match": etag})
    assert (late.status_code, late.json()["code"]) == (412, "revision_moved")
    moved = await client.patch(C1, json={"title": "y"}, headers={"If-Match": '"0"'})
    assert (moved.status_code, moved.json()["code"]) == (412, "head_moved")
    assert (await client.get(C1)).json()["title"] == "x"


async def test_writers_at_once_leave_no_gap(client: httpx.AsyncClient, log: turnlog.Turnlog) -> None:
    posts = [client.post(f"{C1}/messages", json={"role": "user", "content": str(n)}) for n in range(50)]
    seqs = sorted(answer.json()["seq"] for answer in await asyncio.gather(*posts))
    assert seqs == list(range(2, 52))
    assert await log.conversation("c1").verify() == []


async def test_an_etag_of_another_history_matches_nothing(client: httpx.AsyncClient) -> None:
    got = await client.get(C1)
    tag = got.headers["etag"]
    assert tag.startswith(f'"{got.json()["head"]}.{got.json()["revision"]}.0.{got.json()["incarnation"]}.')
    other = tag.replace(got.json()["incarnation"], "0123456789abcdef")
    message = {"role": "user", "content": "x"}
    for answer in (
        await client.post(f"{C1}/messages", json=message, headers={"If-Match": other}),
        await client.patch(C1, json={"title": "x"}, headers={"If-Match": other}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (412, "history_moved")
    assert (await client.post(f"{C1}/messages", json=message, headers={"If-Match": tag})).status_code == 201
    assert (await client.get(f"{C1}/messages")).json()["incarnation"] == got.json()["incarnation"]
