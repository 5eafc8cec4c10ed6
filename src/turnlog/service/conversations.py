"""The operations on conversations as a whole, and those that return a context."""

import asyncio
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from turnlog import codec
from turnlog.context.result import Entry
from turnlog.errors import ConversationExists, InvalidInput
from turnlog.ids import uuid7
from turnlog.log.assembly import Context
from turnlog.log.conversation import Conversation, keyed
from turnlog.message import Message
from turnlog.message_input import decoded
from turnlog.service.errors import RequestKeyReused
from turnlog.service.memory import memory_json
from turnlog.service.messages import all_have_ids, appended_answer, needed_key, receipts, to_messages
from turnlog.service.preconditions import etag, is_among
from turnlog.service.request import Answer, Request, header_of
from turnlog.service.requests import ChangeConversation, ContextBody, CreateConversation, ForkRequest, TurnRequest
from turnlog.service.responses import ContextAccount, Deleted, info
from turnlog.store import Header
from turnlog.validation import check_id, check_json, check_text

_json = msgspec.json.Encoder().encode
_create = msgspec.json.Decoder(CreateConversation).decode
_change = msgspec.json.Decoder(ChangeConversation).decode
_fork = msgspec.json.Decoder(ForkRequest).decode
_DELETED = Answer(200, _json(Deleted()))


async def create(call: Request) -> Answer:
    """Create a conversation; under an idempotency key, answer a repetition as the first time."""
    given, key = await call.decode(_create, default=b"{}"), call.idempotency_key()
    messages = to_messages(given.messages or ())
    if key is None or given.id is not None:
        return await _created(call, given, uuid7() if given.id is None else check_id("id", given.id), messages)
    if messages and not all_have_ids(given.messages or (), "Idempotency-Key"):
        messages = list(keyed(messages, key))
    id_ = _derived("create", key)
    try:
        return await _created(call, given, id_, messages)
    except ConversationExists:
        return await _repeated(call.log.conversation(id_), given, messages)


async def ensure(call: Request) -> Answer:
    """Create a conversation with this id, or answer the one that is there."""
    given, id_ = await call.decode(_create, default=b"{}"), call.path["conversation_id"]
    if given.id not in (None, id_):
        raise InvalidInput("id", "must be the one in the path, or left out")
    messages = to_messages(given.messages or ())
    try:
        return await _created(call, given, id_, messages)
    except ConversationExists:
        header = await header_of(call.conversation)
        if given.user_id not in (None, header.user_id):
            raise ConversationExists(header.id, of_another_user=True) from None
        return _shown(200, header)


async def _created(call: Request, given: CreateConversation, id_: str, messages: list[Message]) -> Answer:
    conversation = await call.log.create(
        *messages,
        id=id_,
        user_id=given.user_id,
        title=given.title,
        tags=given.tags or (),
        metadata=given.metadata,
    )
    return _shown(201, await header_of(conversation))


async def _repeated(conversation: Conversation, given: CreateConversation, messages: list[Message]) -> Answer:
    """The answer to a repetition. Raises `RequestKeyReused` if the first request under the key was another one."""
    page = await conversation.read(limit=max(len(messages), 1))
    header, stored = page.header, [codec.decode(record) for record in page.records]
    same = header.user_id == given.user_id and len(stored) >= len(messages)
    for mine, theirs in zip(stored, messages, strict=False):
        same &= mine.id == theirs.id and (mine.redacted or (mine.role, mine.content) == (theirs.role, theirs.content))
    if header.revision == 1:  # nobody changed it since, so that the header tells what the first request said
        said = (given.title, tuple(dict.fromkeys(given.tags or ())), given.metadata or {})
        same &= (header.title, header.tags, header.metadata) == said
    if not same:
        raise RequestKeyReused(conversation.id)
    return _shown(200, header)


async def listing(call: Request) -> Answer:
    """A page of conversations."""
    query: dict[str, Any] = {**call.path, **call.query}
    found = await call.log.conversations(**query)
    data = [info(header) for header in found]
    return Answer(200, _json({"data": data, "next_cursor": found.next_cursor, "has_more": found.has_more}))


async def state(call: Request) -> Answer:
    """The conversation, its memory and its newest messages; 304 if the client has them."""
    conversation = call.conversation
    page = await conversation.read(limit=call.query["limit"], newest=True)
    memory = memory_json(await conversation.known())
    tag = etag(page.header, memory)
    if is_among(tag, call.header(b"if-none-match")):
        return Answer(304, headers=((b"etag", tag),))
    records, more = codec.list_to_json(page.records), b"true" if page.more else b"false"
    body = b'%b,"memory":%b,"messages":%b,"has_more":%b}' % (_json(info(page.header))[:-1], memory, records, more)
    return Answer(200, body, ((b"etag", tag),))


async def change(call: Request) -> Answer:
    """Change fields of the header."""
    given, expected = await call.decode(_change), await call.check_unchanged(revision_only=True)
    changes = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not msgspec.UNSET}
    for name, empty in (("tags", ()), ("metadata", {})):
        if name in changes and changes[name] is None:
            changes[name] = empty
    head = expected.head if expected.revision is None else None
    await call.conversation.update(expect_revision=expected.revision, expect_head=head, **changes)
    return _shown(200, await header_of(call.conversation))


async def delete(call: Request) -> Answer:
    """Erase the conversation."""
    expected = (await call.check_unchanged()).expected
    await call.conversation.delete(**expected)
    return _DELETED


async def fork(call: Request) -> Answer:
    """Create a conversation that shares this one's log; under an idempotency key, answer a repetition as the first time."""
    given, key = await call.decode(_fork, default=b"{}"), call.idempotency_key()
    parent, id_ = call.conversation, None if given.id is None else check_id("id", given.id)
    expected = (await call.check_unchanged()).expected
    if key is not None and id_ is None:
        id_ = _derived("fork", parent.id, key)
    try:
        made = await parent.fork(at=given.at, id=id_, **expected)
    except ConversationExists:
        if key is None or given.id is not None:
            raise
        header = await header_of(call.log.conversation(id_ or ""))
        if header.parent_seq != (given.at if given.at is not None else header.parent_seq):
            raise RequestKeyReused(header.id) from None
        return _shown(200, header)
    return _shown(201, await header_of(made))


def _derived(*parts: str) -> str:
    """The id of the conversation that a repeatable request makes."""
    return str(UUID(bytes=blake2b(msgspec.json.encode(parts), digest_size=16).digest()))


def _shown(status: int, header: Header) -> Answer:
    fields: dict[str, Any] = info(header)
    return Answer(status, _json(fields), ((b"etag", etag(header)),))


_context = msgspec.json.Decoder(ContextBody).decode
_turn = msgspec.json.Decoder(TurnRequest).decode

_LARGE_BYTES = 256 << 10
_DEFAULT = ContextBody()
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


def _options(given: ContextBody) -> dict[str, Any]:
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


def _policy(given: ContextBody) -> dict[str, Any] | None:
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


async def _answer(found: Context, given: ContextBody) -> bytes:
    """A context as JSON."""
    if sum([len(record.body) for record in found.records]) < _LARGE_BYTES:
        return _as_json(found, given)
    # decision 047: a large context is encoded in a thread, so that other requests are served meanwhile
    return await asyncio.to_thread(_as_json, found, given)


def _as_json(found: Context, given: ContextBody) -> bytes:
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
