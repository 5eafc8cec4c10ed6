"""The operations that give a context."""

import asyncio
from typing import Any

import msgspec

from turnlog import codec
from turnlog.context.explain import Entry
from turnlog.log.assembly import Context
from turnlog.message_input import decoded
from turnlog.service.memory import memory_json
from turnlog.service.messages import appended_answer, needed_key, receipts, to_messages
from turnlog.service.request import Answer, Request
from turnlog.service.requests import ContextRequest, TurnRequest
from turnlog.service.responses import ContextAccount
from turnlog.validation import check_json, check_text

_json = msgspec.json.Encoder().encode
_context = msgspec.json.Decoder(ContextRequest).decode
_turn = msgspec.json.Decoder(TurnRequest).decode

_LARGE_BYTES = 256 << 10
_DEFAULT = ContextRequest()
_NOT_RECALLED = (Entry("recalled", 0, 0, False, "nothing is recalled yet, whatever the query"),)


async def context(call: Request) -> Answer:
    """The messages to send to the model."""
    conversation, body = call.conversation, await call.body()
    given = decoded(_context, body) if body else _DEFAULT
    return Answer(200, await _answer(await conversation.context(**_options(given)), given))


async def turn(call: Request) -> Answer:
    """Append, and the messages to send to the model then."""
    conversation, key, given = call.conversation, call.idempotency_key(), await call.decode(_turn)
    messages, key, options = to_messages(given.messages), needed_key(key, given.messages), _options(given)
    expected = await call.expected()
    done = await conversation.turn(*messages, expect_head=expected.head, idempotency_key=key, **options)
    start = b'{"receipts":[' + b",".join(receipts(done.appended)) + b"],"
    return appended_answer(done.appended, start + (await _answer(done.context, given))[1:])


def _options(given: ContextRequest) -> dict[str, Any]:
    """The library's options for a request."""
    if given.query is not None:
        check_text("query", given.query)
    if given.tools:
        check_json("tools", given.tools)
    return {
        "budget": given.budget,
        "model": given.model,
        "format": given.format or "openai",
        "policy": _policy(given),
        "max_messages": given.max_messages,
        "tools": given.tools,
    }


def _policy(given: ContextRequest) -> dict[str, Any] | None:
    """What the request changes of the policy."""
    changes: dict[str, Any] = {}
    if isinstance(given.policy, str):
        changes["preset"] = given.policy
    elif given.policy is not None:
        fields = msgspec.structs.asdict(given.policy)
        changes = {name: value for name, value in fields.items() if value is not msgspec.UNSET}
    if not given.include_summary:
        changes["sections"] = {**changes.get("sections", {}), "summary": 0}
    return changes or None


async def _answer(found: Context, given: ContextRequest) -> bytes:
    """A context as JSON."""
    if sum([len(record.body) for record in found.records]) < _LARGE_BYTES:
        return _as_json(found, given)
    # decision 047: a large context is encoded in a thread, so that other requests are served meanwhile
    return await asyncio.to_thread(_as_json, found, given)


def _as_json(found: Context, given: ContextRequest) -> bytes:
    """A context as JSON; its messages are spliced from the stored bytes."""
    account = ContextAccount(
        found.tokens,
        found.budget_tokens,
        found.sections,
        found.coverage,
        found.prefix_hash,
        found.shared_tokens,
        found.render(given.format) if given.format else msgspec.UNSET,
        (*found.explain, *_NOT_RECALLED[: given.query is not None]) if given.explain else msgspec.UNSET,
    )
    messages = b",".join(map(codec.said, found.records))
    return b'{"messages":[' + messages + b'],"memory":' + memory_json(found.known) + b"," + _json(account)[1:]
