"""Ways to reach a log: through the library, and through HTTP. What each call answers is in one form for all of them.

An answer is what the call is about, or the code of the error (with the actual head where that was the matter).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import httpx
import msgspec

from turnlog import Context, Conversation, HeadMoved, Message, Settings, Turnlog, TurnlogError
from turnlog.service import create_app
from turnlog.wiring import connect

ROUTE = "/v1/conversations"
Said = tuple[str | None, str, Any]
"""Id, role, content as JSON."""
Shown = tuple[int, str, str, Any, bool]
"""Seq, id, role, content as JSON, whether it was erased."""


class Driver(Protocol):
    """One way to reach a log; conversations are named by their ids."""

    async def create(self, id: str, said: Sequence[Said]) -> Any: ...
    async def append(self, id: str, said: Sequence[Said], expect_head: int | None, key: str | None) -> Any: ...
    async def fork(self, id: str, new: str, at: int) -> Any: ...
    async def redact(self, id: str, seq: int) -> Any: ...
    async def delete(self, id: str) -> Any: ...
    async def rename(self, id: str, title: str, expect_revision: int | None) -> Any: ...
    async def sync(self, id: str, said: Sequence[Said]) -> Any: ...
    async def read(self, id: str, after: int, before: int | None, limit: int, newest: bool) -> Any: ...
    async def context(self, id: str, max_messages: int) -> Any: ...
    async def turn(self, id: str, said: Sequence[Said], max_messages: int) -> Any: ...


def _messages(said: Sequence[Said]) -> list[Message]:
    rows = [{"role": role, "content": content, **({"id": id_} if id_ else {})} for id_, role, content in said]
    return msgspec.convert(rows, list[Message])


def _shown(message: Message) -> Shown:
    return (message.seq or 0, message.id, message.role, _as_json(message.content), message.redacted)


def _as_json(content: Any) -> Any:
    return content if isinstance(content, str) else [msgspec.to_builtins(part) for part in content]


def _seen(context: Context) -> dict[str, Any]:
    messages = [(message.role, _as_json(message.content)) for message in context.messages]
    return {"messages": messages, "coverage": msgspec.to_builtins(context.coverage)}


def _told(found: dict[str, Any]) -> dict[str, Any]:
    messages = [(message["role"], message["content"]) for message in found["messages"]]
    return {"messages": messages, "coverage": found["coverage"]}


class Library:
    """Through `Turnlog` and `Conversation`."""

    def __init__(self, log: Turnlog) -> None:
        self.log = log

    async def _answer(self, call: Any) -> Any:
        try:
            return await call
        except HeadMoved as error:
            return error.code, error.actual
        except TurnlogError as error:
            return error.code

    def _at(self, id: str) -> Conversation:
        return self.log.conversation(id)

    async def create(self, id: str, said: Sequence[Said]) -> Any:
        async def call() -> int:
            return (await (await self.log.create(*_messages(said), id=id)).info()).head

        return await self._answer(call())

    async def append(self, id: str, said: Sequence[Said], expect_head: int | None, key: str | None) -> Any:
        async def call() -> tuple[list[int], list[str], bool]:
            done = await self._at(id).append(*_messages(said), expect_head=expect_head, idempotency_key=key)
            return list(done.seqs), list(done.ids), done.replayed

        return await self._answer(call())

    async def fork(self, id: str, new: str, at: int) -> Any:
        async def call() -> int:
            return (await (await self._at(id).fork(at=at, id=new)).info()).head

        return await self._answer(call())

    async def redact(self, id: str, seq: int) -> Any:
        return await self._answer(self._at(id).redact(seq))

    async def delete(self, id: str) -> Any:
        return await self._answer(self._at(id).delete())

    async def rename(self, id: str, title: str, expect_revision: int | None) -> Any:
        async def call() -> tuple[str | None, int, int]:
            header = await self._at(id).update(title=title, expect_revision=expect_revision)
            return header.title, header.revision, header.head

        return await self._answer(call())

    async def sync(self, id: str, said: Sequence[Said]) -> Any:
        async def call() -> tuple[int, int, int]:
            done = await self._at(id).reconcile(_messages(said), by_id=all(id_ for id_, _, _ in said))
            return done.matched, done.appended, done.head

        return await self._answer(call())

    async def read(self, id: str, after: int, before: int | None, limit: int, newest: bool) -> Any:
        async def call() -> tuple[int, list[Shown]]:
            page = await self._at(id).read(after=after, before=before, limit=limit, newest=newest)
            shown = await self._at(id).messages(after=after, before=before, limit=limit, newest=newest)
            return page.header.head, [_shown(message) for message in shown]

        return await self._answer(call())

    async def context(self, id: str, max_messages: int) -> Any:
        async def call() -> Any:
            return _seen(await self._at(id).context(max_messages=max_messages))

        return await self._answer(call())

    async def turn(self, id: str, said: Sequence[Said], max_messages: int) -> Any:
        async def call() -> Any:
            done = await self._at(id).turn(*_messages(said), max_messages=max_messages)
            appended = done.appended
            return (list(appended.seqs), list(appended.ids), appended.replayed), _seen(done.context)

        return await self._answer(call())


class Http:
    """Through the service."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    @classmethod
    def within(cls, log: Turnlog) -> "Http":
        """Through a service in this process."""
        return cls(httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(log)), base_url="http://turnlog"))

    @classmethod
    def at(cls, url: str) -> "Http":
        """Through the service at `url`, each call on a connection of its own so that any worker may get it."""
        limits = httpx.Limits(max_keepalive_connections=0)
        return cls(httpx.AsyncClient(base_url=url, limits=limits, timeout=30, verify=False))

    async def _call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> Any:
        params = {name: str(value) for name, value in query.items() if value is not None}
        answer = await self.client.request(method, ROUTE + path, json=body, headers=headers, params=params)
        found = answer.json()
        if answer.is_success:
            return found
        assert answer.headers["content-type"] == "application/problem+json"
        raise Refused((found["code"], found["actual"]) if found["code"] == "head_moved" else found["code"])

    async def create(self, id: str, said: Sequence[Said]) -> Any:
        try:
            return (await self._call("POST", "", {"id": id, "messages": _json(said)}))["head"]
        except Refused as refused:
            return refused.answer

    async def append(self, id: str, said: Sequence[Said], expect_head: int | None, key: str | None) -> Any:
        headers = {} if expect_head is None else {"If-Match": f'"{expect_head}"'}
        if key is not None:
            headers["Idempotency-Key"] = key
        answer = await self.client.post(f"{ROUTE}/{id}/messages", json={"messages": _json(said)}, headers=headers)
        found = answer.json()
        if answer.is_success:
            return [one["seq"] for one in found], [one["id"] for one in found], answer.status_code == 200
        return (found["code"], found["actual"]) if found["code"] == "head_moved" else found["code"]

    async def fork(self, id: str, new: str, at: int) -> Any:
        try:
            return (await self._call("POST", f"/{id}/fork", {"at": at, "id": new}))["head"]
        except Refused as refused:
            return refused.answer

    async def redact(self, id: str, seq: int) -> Any:
        try:
            await self._call("DELETE", f"/{id}/messages/{seq}")
        except Refused as refused:
            return refused.answer

    async def delete(self, id: str) -> Any:
        try:
            await self._call("DELETE", f"/{id}")
        except Refused as refused:
            return refused.answer

    async def rename(self, id: str, title: str, expect_revision: int | None) -> Any:
        headers = {} if expect_revision is None else {"If-Match": f'"0.{expect_revision}"'}
        try:
            found = await self._call("PATCH", f"/{id}", {"title": title}, headers)
        except Refused as refused:
            return refused.answer
        return found["title"], found["revision"], found["head"]

    async def sync(self, id: str, said: Sequence[Said]) -> Any:
        try:
            found = await self._call("POST", f"/{id}/reconcile", {"messages": _json(said)})
        except Refused as refused:
            return refused.answer
        return found["matched"], found["appended"], found["head"]

    async def read(self, id: str, after: int, before: int | None, limit: int, newest: bool) -> Any:
        order = "desc" if newest else "asc"
        try:
            found = await self._call("GET", f"/{id}/messages", after=after, before=before, limit=limit, order=order)
        except Refused as refused:
            return refused.answer
        shown = [(one["seq"], one["id"], one["role"], one["content"], one.get("redacted", False)) for one in found["data"]]
        return found["head"], shown[::-1] if newest else shown

    async def context(self, id: str, max_messages: int) -> Any:
        try:
            found = await self._call("POST", f"/{id}/context", {"max_messages": max_messages})
        except Refused as refused:
            return refused.answer
        return _told(found)

    async def turn(self, id: str, said: Sequence[Said], max_messages: int) -> Any:
        body = {"messages": _json(said), "max_messages": max_messages}
        answer = await self.client.post(f"{ROUTE}/{id}/turn", json=body)
        found = answer.json()
        if not answer.is_success:
            return found["code"]
        receipts = found["receipts"]
        appended = [one["seq"] for one in receipts], [one["id"] for one in receipts], answer.status_code == 200
        return appended, _told(found)


class Refused(Exception):
    """The service refused."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer


def _json(said: Sequence[Said]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content, **({"id": id_} if id_ else {})} for id_, role, content in said]


class Stage:
    """A log, reached in one way, with an event loop of its own to run its calls."""

    def __init__(self, url: str, tenant: str, drive: Callable[[Turnlog], Driver]) -> None:
        self.runner = asyncio.Runner()
        self.log = connect(url, settings=Settings(tenant=tenant))
        self.run(self.log.open())
        self.driver = drive(self.log)

    def run(self, call: Any) -> Any:
        """What the call answers."""
        return self.runner.run(call)

    def close(self) -> None:
        """Let go of everything."""
        self.run(self.log.close())
        if isinstance(self.driver, Http):
            self.run(self.driver.client.aclose())
        self.runner.close()
