"""Memory over HTTP: what is remembered of conversations and users, put right, taken back, exported and erased."""

import json
from typing import Any

import httpx
import pytest

C1 = "/v1/conversations/c1"
ADA = "/v1/users/ada"
SAID = "I am Ada and I live in Lisbon. I love sushi."


async def begin(client: httpx.AsyncClient, id_: str, *texts: str, user_id: str | None = "ada") -> None:
    messages = [{"role": "user", "content": text} for text in texts]
    told = {"id": id_, "user_id": user_id, "messages": messages}
    assert (await client.post("/v1/conversations", json=told)).status_code == 201
    answer = await client.post(f"/v1/conversations/{id_}/memory/refresh", json={"wait_s": 60})
    assert {fold["lag"] for fold in answer.json()["folds"].values()} == {0}


async def facts(client: httpx.AsyncClient, **query: Any) -> dict[str, dict[str, Any]]:
    answer = await client.get(f"{ADA}/memory", params=query)
    return {fact["text"]: fact for fact in answer.json()["facts"]}


async def test_each_fold_tells_how_far_it_has_seen_and_from_which_messages(client: httpx.AsyncClient) -> None:
    await begin(client, "m1", "Hello.", SAID)
    await client.post("/v1/conversations/m1/messages", json={"role": "assistant", "content": "Hello Ada!"})
    told = (await client.get("/v1/conversations/m1/memory")).json()
    assert told["failures"] == []
    knowledge = told["folds"]["knowledge"]
    assert (knowledge["version"], knowledge["watermark"], knowledge["lag"]) == (1, 2, 1)
    name = knowledge["state"]["profile"]["name"]
    assert (name["text"], name["seqs"]) == ("Ada", [2])


async def test_what_nobody_folded_yet_is_empty_and_behind(client: httpx.AsyncClient) -> None:
    told = (await client.get(f"{C1}/memory")).json()["folds"]["knowledge"]
    assert told == {"fold": "knowledge", "version": None, "watermark": 0, "lag": 1, "state": None}


async def test_a_user_is_known_in_every_conversation_of_theirs(client: httpx.AsyncClient) -> None:
    await begin(client, "m1", SAID)
    await client.post("/v1/conversations", json={"id": "m2", "user_id": "ada"})
    await client.post("/v1/conversations/m2/messages", json={"role": "user", "content": "What shall I eat?"})
    context = (await client.post("/v1/conversations/m2/context")).json()
    assert context["memory"]["user_name"] == "Ada"
    assert context["memory"]["facts"] == [{"text": "lives in Lisbon"}]
    assert context["memory"]["user_preferences"] == [{"polarity": "like", "text": "sushi"}]
    assert [message["role"] for message in context["messages"]] == ["system", "system", "user"]
    state = (await client.get("/v1/conversations/m2")).json()
    assert state["memory"] == context["memory"]


async def test_a_conversation_without_a_user_is_remembered_by_itself(client: httpx.AsyncClient) -> None:
    await begin(client, "m1", SAID, user_id=None)
    context = (await client.post("/v1/conversations/m1/context")).json()["memory"]
    assert (context["user_name"], context["facts"]) == ("Ada", [{"text": "lives in Lisbon"}])
    assert [entity["text"] for entity in context["entities"]] == ["Ada", "Lisbon"]


async def test_each_fact_names_its_messages_and_what_held_when(client: httpx.AsyncClient) -> None:
    await begin(client, "m1", SAID)
    await begin(client, "m2", "I moved to Porto.")
    known = await facts(client)
    assert known["lives in Porto"]["sources"] == [{"conversation_id": "m2", "seq": 1}]
    assert "lives in Lisbon" not in known
    before = await facts(client, as_of=known["likes sushi"]["recorded_at"])
    assert before["lives in Lisbon"]["valid_to"] == known["lives in Porto"]["valid_from"]


async def test_a_correction_stands_and_a_fact_that_is_taken_back_is_gone(client: httpx.AsyncClient) -> None:
    await begin(client, "m1", SAID)
    fact = (await facts(client))["lives in Lisbon"]
    told = {"text": "lives in Porto", "slot": "home", "value": "Porto"}
    put = await client.put(f"{ADA}/facts/{fact['id']}", json=told)
    assert (put.status_code, put.json()["corrected"], put.json()["id"]) == (200, True, fact["id"])
    await client.post("/v1/conversations/m1/memory/refresh", json={"wait_s": 60})
    assert {"lives in Porto", "lives in Lisbon"} & (await facts(client)).keys() == {"lives in Porto"}
    assert (await client.delete(f"{ADA}/facts/{fact['id']}")).json() == {"deleted": True}
    assert {"lives in Porto", "lives in Lisbon"} & (await facts(client)).keys() == set()


async def test_a_fact_can_be_told(client: httpx.AsyncClient) -> None:
    added = await client.post(f"{ADA}/facts", json={"text": "has two cats", "valid_from": "2025-01-01T00:00:00Z"})
    assert (added.status_code, added.json()["valid_from"]) == (201, "2025-01-01T00:00:00.000000Z")
    assert (await facts(client)).keys() == {"has two cats"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", f"{ADA}/facts", {"text": " "}, 422, "text"),
        ("POST", f"{ADA}/facts", {"text": "x" * 2001}, 422, "text"),
        ("POST", f"{ADA}/facts", {}, 422, "text"),
        ("POST", f"{ADA}/facts", {"text": "a", "valid_from": "2025-01-01T00:00:00"}, 422, "valid_from"),
        ("POST", f"{ADA}/facts", {"text": "a", "valid_from": "yesterday"}, 422, "valid_from"),
        ("POST", f"{ADA}/facts", {"text": "a", "confidence": 1}, 422, "confidence"),
        ("PUT", f"{ADA}/facts/{'x' * 65}", {"text": "a"}, 422, "fact"),
        ("DELETE", f"{ADA}/facts/nothing", None, 404, None),
        ("GET", f"{ADA}/memory?as_of=now", None, 422, "as_of"),
        ("POST", f"{C1}/memory/refresh", {"wait_s": 0}, 422, "wait_s"),
        ("POST", f"{C1}/memory/retry", {"fold": "nonsense"}, 422, "fold"),
        ("GET", "/v1/conversations/nobody/memory", None, 404, None),
        ("POST", "/v1/conversations/nobody/memory/refresh", None, 404, None),
    ],
)
async def test_what_cannot_be_is_refused_with_the_field(
    client: httpx.AsyncClient, method: str, path: str, body: Any, status: int, field: str | None
) -> None:
    answer = await client.request(method, path, json=body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)


async def test_the_status_tells_how_far_each_fold_is_behind(client: httpx.AsyncClient) -> None:
    await begin(client, "m1", SAID)
    told = (await client.get("/v1/memory")).json()
    assert {(fold["fold"], fold["behind"], fold["messages"]) for fold in told["folds"]} == {
        (name, 1, 1) for name in ("summary", "knowledge", "integrity")
    }
    assert told["spent"] == {}


async def test_nothing_that_rests_is_retried(client: httpx.AsyncClient) -> None:
    assert (await client.post(f"{C1}/memory/retry", json={"fold": "knowledge"})).json() == {"retried": False}


async def test_an_export_is_all_of_a_user_and_nothing_of_others(client: httpx.AsyncClient) -> None:
    await begin(client, "m1", SAID)
    await begin(client, "m2", "I am Bo.", user_id="bo")
    answer = await client.get(f"{ADA}/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["id"] for line in lines if "messages" in line] == ["m1"]
    assert "Bo" not in answer.text


async def test_an_erased_user_is_gone_everywhere_and_the_receipt_names_nobody(client: httpx.AsyncClient) -> None:
    await begin(client, "m1", SAID)
    await begin(client, "m2", "I am Bo.", user_id="bo")
    receipt = await client.delete(ADA)
    assert receipt.status_code == 200
    assert (receipt.json()["conversations"], receipt.json()["messages"], receipt.json()["facts"]) == (1, 1, 3)
    assert "ada" not in receipt.text.lower()
    assert (await client.get("/v1/conversations/m1")).status_code == 404
    late = await client.post("/v1/conversations/m1/messages", json={"role": "user", "content": "late"})
    assert late.status_code == 410
    assert await facts(client) == {}
    assert (await client.get(f"{ADA}/conversations")).json()["data"] == []
    assert (await client.get(f"{ADA}/export")).text.count("messages") == 0
    bo = (await client.get("/v1/users/bo/memory")).json()
    assert bo["user_name"] == "Bo"
    assert (await client.delete(ADA)).json()["conversations"] == 0
