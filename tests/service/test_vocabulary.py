"""One spelling for each concept, in every body and parameter; and an OpenAPI document that says all."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import turnlog
from support.glossary import FORBIDDEN, GLOSSARY, faults
from turnlog.service.openapi import document
from turnlog.service.routes import table

DOCUMENT = document(table(turnlog.Settings()), "1")
OPERATIONS = [(path, method, entry) for path, each in DOCUMENT["paths"].items() for method, entry in each.items()]
HIDDEN = {"example", "enum", "const", "default"}


def properties(schema: Any) -> Iterator[str]:
    """The names of all properties in a schema."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for key, value in schema.items():
            if key not in HIDDEN:
                yield from properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value)


def names() -> set[str]:
    """The names of all fields and parameters but headers."""
    parameters = {it["name"] for _, _, entry in OPERATIONS for it in entry["parameters"] if it["in"] != "header"}
    return parameters | set(properties(DOCUMENT["components"])) | set(properties(DOCUMENT["paths"]))


def test_every_field_has_one_spelling() -> None:
    assert faults(names()) == []


def test_the_glossary_has_nothing_that_nobody_uses() -> None:
    assert GLOSSARY.keys() - names() == set()


@pytest.mark.parametrize(
    "name", ["token_estimate", "timestamp", "message_id", "wait", "userid", "message_tokens", "limits", "has_more_s", "new"]
)
def test_a_second_spelling_or_a_new_name_is_a_fault(name: str) -> None:
    assert faults({*names(), name}) != []


def test_no_forbidden_spelling_is_in_the_glossary() -> None:
    assert GLOSSARY.keys() & {name for all_wrong in FORBIDDEN.values() for name in all_wrong} == set()


async def test_what_is_answered_has_the_names_of_the_glossary(client: httpx.AsyncClient) -> None:
    await client.post("/v1/conversations/c1/messages", json={"role": "user", "content": "I am Ada. I love green tea."})
    await client.post("/v1/conversations/c1/memory/refresh")
    for path in ("/v1/conversations/c1", "/v1/conversations", "/v1/users/ana/memory", "/v1/conversations/c1/messages"):
        assert faults(keys((await client.get(path)).json())) == [], path
    assert faults(keys((await client.post("/v1/conversations/c1/turn", json={"messages": [MESSAGE]})).json())) == []


MESSAGE = {"role": "user", "content": "hi"}


def keys(value: Any) -> set[str]:
    """The names of all fields in a value, but those of a client's metadata."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(keys(each) for name, each in value.items() if name not in ("metadata", "state")))


@pytest.mark.parametrize(("path", "method", "entry"), OPERATIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_operation_says_what_it_does_and_may_answer(path: str, method: str, entry: dict[str, Any]) -> None:
    assert entry["summary"]
    assert entry["description"].endswith(".")
    assert entry["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}
    assert {"422", "500", "503"} <= entry["responses"].keys()
    if "requestBody" in entry:
        assert {"400", "408", "413", "415"} <= entry["responses"].keys()
    if path.startswith("/v1/conversations/{") and method in ("put", "patch", "delete"):
        assert "410" in entry["responses"]


def test_operation_ids_are_unique_and_a_refresh_tells_of_the_model() -> None:
    ids = [entry["operationId"] for _, _, entry in OPERATIONS]
    assert len(ids) == len(set(ids))
    assert "502" in DOCUMENT["paths"]["/v1/conversations/{conversation_id}/memory/refresh"]["post"]["responses"]
