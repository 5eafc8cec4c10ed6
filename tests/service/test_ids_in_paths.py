"""Ids of any kind in the path of any route: each names one thing, and none reaches another user's data."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette

import turnlog
from support.served import served
from turnlog.service import create_app
from turnlog.service.app import Router, raw_path
from turnlog.service.routes import Operation, table

SECRET = "lives in Atlantis"
PLACES = ("alone", "mounted", "uvicorn", "uvicorn mounted", "uvicorn with root_path")
STRANGE = (
    "/", "a/b", "/a", "a/", "a//b", "%", "%2F", "a%2Fb", "%252F", "?", "a?b=1", "#", "a#b", ".", "..", "../vic", "vic/..",
    "vic/../vic/memory", "+", "a+b", "a b", " ", "ü", "日本/語", "-", "-rf", "--user=vic", "vic/memory", "vic/facts",
    "vic/conversations", "vic/export", "vic%2Fmemory", "vic;x", "vic:memory", "vic\\memory", "memory", "conversations",
)  # fmt: skip
PARAMETERS = ("user_id", "conversation_id", "fact_id", "seq", "asset")
ROUTES = [
    (operation, name) for operation in table(turnlog.Settings()) for name in PARAMETERS if f"{{{name}}}" in operation.path
]


def escaped(text: str) -> str:
    """`text` as one segment of a path; dots too, which clients take for steps otherwise."""
    return quote(text, safe="").replace(".", "%2E")


@asynccontextmanager
async def service(place: str) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A client, and what stands before the paths, with a victim of whom there is a conversation and a fact."""
    async with turnlog.connect("ram:") as log:
        app: Any = create_app(log)
        root = ""
        if "mounted" in place:
            host, root = Starlette(), "/chat"
            host.mount(root, app)
            app = host
        await log.create(turnlog.user(SECRET), id="c1", user_id="vic", title=SECRET)
        await log.user("vic").correct(SECRET, slot="home", value="Atlantis")
        options = {"root_path": "/api"} if "root_path" in place else {}
        if "uvicorn" in place:
            async with served(app, lifespan="off", **options) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
                yield client, root
        else:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://turnlog") as client:
                yield client, root


async def of_victim(client: httpx.AsyncClient, root: str) -> list[Any]:
    """All that the service shows of the victim."""
    paths = ("/users/vic/memory", "/users/vic/conversations", "/conversations/c1")
    return [(await client.get(f"{root}/v1{path}")).json() for path in paths]


async def fact_of(client: httpx.AsyncClient, root: str) -> str:
    facts: list[Any] = (await client.get(f"{root}/v1/users/vic/memory")).json()["facts"]
    return next(fact["id"] for fact in facts if fact["text"] == SECRET)


def filled(operation: Operation, values: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda match: escaped(values[match[1]]), operation.path)


@pytest.mark.parametrize("place", PLACES)
async def test_a_user_of_any_id_is_created_read_corrected_and_erased_and_the_victim_stays(place: str) -> None:
    async with service(place) as (client, root):
        before, fact = await of_victim(client, root), await fact_of(client, root)
        for user_id in (*STRANGE, f"vic/facts/{fact}", f"vic%2Ffacts%2F{fact}"):
            user = f"{root}/v1/users/{escaped(user_id)}"
            made = await client.post(f"{root}/v1/conversations", json={"user_id": user_id, "tags": [user_id]})
            assert made.status_code == 201, made.text
            for path, query in ((f"{user}/conversations", {}), (f"{root}/v1/conversations", {"user_id": user_id})):
                page = (await client.get(path, params={**query, "tag": user_id})).json()
                assert [it["id"] for it in page["data"]] == [made.json()["id"]], user_id
            added = await client.post(f"{user}/facts", json={"text": "likes ice"})
            put = await client.put(f"{user}/facts/{added.json()['id']}", json={"text": "likes snow"})
            assert put.status_code == 200, user_id
            memory = (await client.get(f"{user}/memory")).json()
            assert (memory["user_id"], [it["text"] for it in memory["facts"]]) == (user_id, ["likes snow"])
            assert (await client.delete(f"{user}/facts/{added.json()['id']}")).json() == {"deleted": True}
            assert (await client.get(f"{user}/export")).text.count(made.json()["id"]) == 1
            assert (await client.delete(user)).json()["conversations"] == 1, user_id
            assert (await client.get(f"{user}/conversations")).json()["data"] == []
        assert await of_victim(client, root) == before


@pytest.mark.parametrize(("operation", "name"), ROUTES, ids=lambda value: getattr(value, "path", value))
async def test_no_id_on_any_route_reaches_the_victims_data(operation: Operation, name: str) -> None:
    async with service("alone") as (client, root):
        before, fact = await of_victim(client, root), await fact_of(client, root)
        hostile = (*STRANGE, f"vic/facts/{fact}", "c1/messages/1", "c1/memory", "c1%2Fmessages", "1/../1", "summary")
        for id_ in hostile:
            others = {"user_id": "nobody", "conversation_id": "nobody", "fact_id": "nothing", "seq": "1", "asset": "x"}
            path = root + filled(operation, {**others, name: id_})
            body = operation.request_example if operation.request else None
            answer = await client.request(operation.method, path, json=body)
            assert SECRET not in answer.text, id_
            assert answer.status_code < 500, id_
            if name != "user_id" and operation.method != "PUT":
                assert 400 <= answer.status_code < 500, id_
        assert await of_victim(client, root) == before


async def test_the_fold_in_a_body_and_a_query_are_no_paths(client: httpx.AsyncClient) -> None:
    for id_ in STRANGE:
        refused = await client.post("/v1/conversations/c1/memory/retry", json={"fold": id_})
        assert (refused.status_code, refused.json()["field"]) == (422, "fold")
        assert (await client.get("/v1/conversations", params={"user_id": id_})).json()["data"] == []


async def test_a_segment_that_is_not_utf_8_is_refused_by_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/users/%FF/memory")
    assert (answer.status_code, answer.json()["field"]) == (422, "user_id")


async def test_a_slash_at_the_end_changes_nothing(client: httpx.AsyncClient) -> None:
    for path in ("/v1/conversations", "/v1/conversations/c1", "/v1/users/ana/memory", "/health"):
        assert (await client.get(path + "/")).json() == (await client.get(path)).json()
    assert (await client.get("/v1/conversations/c1//")).status_code == 404
    assert (await client.delete("/v1/users/ana/facts/")).status_code == 405


def test_a_server_that_gives_no_raw_path_is_refused() -> None:
    with pytest.raises(turnlog.TurnlogError, match="raw_path"):
        raw_path({"type": "http", "path": "/v1/users/vic/memory"})


@pytest.mark.parametrize(
    ("raw", "root", "below"),
    [
        (b"/chat/v1", "/chat", b"/v1"),
        (b"/chat/v1", "/chat/", b"/v1"),
        (b"/v1", "/chat", b"/v1"),
        (b"/chatter/v1", "/chat", b"/chatter/v1"),
        (b"/t%C3%BCr/v1/a%2Fb", "/tür", b"/v1/a%2Fb"),
        (b"/ch%61t/v1", "/chat", b"/v1"),
        (b"/a%2Fb/v1", "/a", b"/a%2Fb/v1"),
    ],
)
def test_what_stands_before_the_mount_is_taken_off_the_raw_path(raw: bytes, root: str, below: bytes) -> None:
    assert raw_path({"raw_path": raw, "root_path": root}) == below


def test_every_route_is_found_with_every_id() -> None:
    router = Router(table(turnlog.Settings()))
    for operation in table(turnlog.Settings()):
        for id_ in STRANGE:
            values = dict.fromkeys(PARAMETERS, id_)
            node, found = router.find(filled(operation, values).encode())
            assert node is not None
            assert node.operations[operation.method] == operation
            assert set(found.values()) <= {id_}
