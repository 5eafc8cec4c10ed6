"""What each operation does: decode, call the library, encode."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from turnlog import codec
from turnlog.context.explain import Entry
from turnlog.errors import InvalidInput
from turnlog.log.assembly import Context
from turnlog.log.info import ConversationInfo
from turnlog.memory.user.digest import UserDigest
from turnlog.message import Message
from turnlog.message_input import MessageIn, decoded, to_message
from turnlog.service.memory import memory_of
from turnlog.service.request import Answer, Request
from turnlog.service.schemas import (
    ChangeConversation,
    ContextAccount,
    ContextRequest,
    ConversationCreated,
    CreateConversation,
    Deleted,
    ForkRequest,
    Health,
    MessageBatch,
    Ready,
    ReconcileAnswer,
    ReconcileRequest,
    Redacted,
    TurnRequest,
    info,
)
from turnlog.store import Appended, Header
from turnlog.timestamps import format_moment, format_time
from turnlog.validation import check_id, check_json, check_text

_json = msgspec.json.Encoder().encode
_create = msgspec.json.Decoder(CreateConversation).decode
_change = msgspec.json.Decoder(ChangeConversation).decode
_message = msgspec.json.Decoder(MessageIn).decode
_batch = msgspec.json.Decoder(MessageBatch).decode
_context = msgspec.json.Decoder(ContextRequest).decode
_turn = msgspec.json.Decoder(TurnRequest).decode
_fork = msgspec.json.Decoder(ForkRequest).decode
_sync = msgspec.json.Decoder(ReconcileRequest).decode

_HEALTHY = Answer(200, _json(Health()))
_READY = Answer(200, _json(Ready()))
_NOTHING = UserDigest()
_NOTHING_KNOWN = _json(memory_of(_NOTHING))
_LARGE_BYTES = 256 << 10
_DEFAULT_CONTEXT = ContextRequest()
_NOT_RECALLED = (Entry("recalled", 0, 0, False, "nothing is recalled yet, whatever the query"),)


_TURN_MESSAGES = 500
"""Messages of a transcript that are checked before others have their turn."""


class _Keys(msgspec.Struct):
    messages: msgspec.Raw = msgspec.Raw()


_keys = msgspec.json.Decoder(_Keys).decode


async def health(call: Request) -> Answer:
    """The process answers."""
    return _HEALTHY


async def ready(call: Request) -> Answer:
    """The store answers."""
    await call.log.ping()
    return _READY


async def create(call: Request) -> Answer:
    """Begin a conversation."""
    given = await call.decode(_create, default=b"{}")
    conversation = await call.log.create(
        *_messages(given.messages),
        id=_named(given.conversation_id),
        user_id=given.user_id,
        title=given.title,
        tags=given.tags,
        metadata=given.metadata,
    )
    return _created(await conversation.info())


async def state(call: Request) -> Answer:
    """Header, memory and the newest messages."""
    conversation = call.conversation
    page = await conversation.read(limit=call.query["messages"], newest=True)
    head = _json(info(page.header) | {"context": memory_of(await conversation.known()), "has_more": page.more})
    return Answer(200, head[:-1] + b',"messages":' + codec.list_to_json(page.records) + b"}", (_version(page.header),))


async def change(call: Request) -> Answer:
    """Set fields of the header."""
    conversation, expected = call.conversation, await call.if_match()
    given = await call.decode(_change)
    changes = {name: value for name, value in msgspec.structs.asdict(given).items() if value is not msgspec.UNSET}
    if expected.revision is not None:
        header = await conversation.update(expect_revision=expected.revision, **changes)
    else:
        header = await conversation.update(expect_head=expected.head, **changes)
    return Answer(200, _json(info(header)), (_version(header),))


async def delete(call: Request) -> Answer:
    """Erase a conversation."""
    await call.conversation.delete()
    return Answer(200, _json(Deleted()))


async def append(call: Request) -> Answer:
    """Put one message or several at the end."""
    conversation, expected, key = call.conversation, await call.if_match(), call.idempotency_key()
    body = await call.body()
    if b'"messages"' in body and _has_messages(body):
        given = decoded(_batch, body).messages
        messages = _messages(given)
        key = _needed(key, given)
        appended = await conversation.append(*messages, expect_head=expected.head, idempotency_key=key)
        receipts = b"[" + b",".join(_receipts(appended)) + b"]"
    else:
        one = decoded(_message, body)
        key = _needed(key, (one,))
        try:
            appended = await conversation.append(to_message(one), expect_head=expected.head, idempotency_key=key)
        except InvalidInput as error:
            error.field = error.field.removeprefix("messages[0].")
            raise
        receipts = _receipts(appended)[0]
    return _appended(appended, receipts)


async def read(call: Request) -> Answer:
    """A page of messages."""
    conversation, query = call.conversation, call.query
    newest = query["order"] == "desc"
    after, before = query["after"] or 0, query["before"]
    if query["offset"] is not None:
        if query["after"] is not None or before is not None:
            raise InvalidInput("offset", "cannot go together with after or before")
        if newest:
            head = (await conversation.info()).head
            before = max(head + 1 - query["offset"], 0)
        else:
            after = query["offset"]
    page = await conversation.read(after=after, before=before, limit=query["limit"], newest=newest)
    records = page.records[::-1] if newest else page.records
    header = page.header
    end = _json({"head": header.head, "incarnation": header.incarnation, "has_more": page.more})
    return Answer(200, b'{"messages":' + codec.list_to_json(records) + b"," + end[1:])


async def message(call: Request) -> Answer:
    """One message."""
    return Answer(200, codec.to_json(await call.conversation.record(call.seq)))


async def redact(call: Request) -> Answer:
    """Erase what a message says."""
    await call.conversation.redact(call.seq)
    return Answer(200, _json(Redacted(call.seq)))


async def context(call: Request) -> Answer:
    """What to send to the model."""
    conversation, body = call.conversation, await call.body()
    given = decoded(_context, body) if body else _DEFAULT_CONTEXT
    return Answer(200, await _context_answer(await conversation.context(**_options(given)), given))


async def turn(call: Request) -> Answer:
    """Append, and what to send to the model then."""
    conversation, expected, key = call.conversation, await call.if_match(), call.idempotency_key()
    given = await call.decode(_turn)
    messages, key = _messages(given.messages), _needed(key, given.messages)
    done = await conversation.turn(*messages, expect_head=expected.head, idempotency_key=key, **_options(given))
    receipts = b'{"receipts":[' + b",".join(_receipts(done.appended)) + b"],"
    return _appended(done.appended, receipts + (await _context_answer(done.context, given))[1:])


async def fork(call: Request) -> Answer:
    """A new conversation that shares this one's log."""
    given = await call.decode(_fork, default=b"{}")
    made = await call.conversation.fork(at=given.at, id=_named(given.conversation_id))
    return _created(await made.info(), whole=True)


async def reconcile(call: Request) -> Answer:
    """Store what is new in a transcript."""
    conversation, given = call.conversation, await call.decode(_sync)
    by_id = _all_named(given.messages, "messages")
    messages: list[Message] = []
    for first in range(0, len(given.messages), _TURN_MESSAGES):
        messages += _messages(given.messages[first : first + _TURN_MESSAGES], first)
        await asyncio.sleep(0)
    reconciled = await conversation.reconcile(messages, by_id=by_id, on_divergence=given.on_divergence)
    answer = ReconcileAnswer(
        reconciled.conversation_id,
        reconciled.appended,
        reconciled.matched,
        reconciled.head,
        reconciled.diverged_at,
        reconciled.forked_to,
    )
    return Answer(200, _json(answer))


async def listing(call: Request) -> Answer:
    """A user's conversations."""
    found = await call.log.conversations(user_id=call.path["user_id"], **call.query)
    return Answer(200, _json({"data": [info(header) for header in found], "next_cursor": found.next_cursor}))


def _named(id_: str | None) -> str | None:
    """The id of a new conversation, checked under its name in the body."""
    return None if id_ is None else check_id("conversation_id", id_)


def _has_messages(body: bytes) -> bool:
    """Whether the body is a batch: an object with the key `messages`."""
    return bool(decoded(_keys, body).messages)


def _messages(given: Sequence[MessageIn], first: int = 0) -> list[Message]:
    """The messages, the first of which is at the place `first` of the request."""
    messages = []
    for index, one in enumerate(given, first):
        try:
            messages.append(to_message(one))
        except InvalidInput as error:
            raise error.within(f"messages[{index}]") from None
    return messages


def _all_named(given: Sequence[MessageIn], field: str) -> bool:
    """Whether all messages carry ids of the client's, or none. Raises `InvalidInput` for a mix."""
    named = sum(one.id is not None for one in given)
    if named not in (0, len(given)):
        raise InvalidInput(field, "either all messages must have ids or none")
    return named > 0


def _needed(key: str | None, given: Sequence[MessageIn]) -> str | None:
    """The idempotency key, unless the messages have ids that decide."""
    return None if key is None or _all_named(given, "Idempotency-Key") else key


def _receipts(appended: Appended) -> list[bytes]:
    return [
        f'{{"message_id":"{id_}","seq":{seq},"timestamp":"{format_time(time)}"}}'.encode()
        for id_, seq, time in zip(appended.ids, appended.seqs, appended.times_us, strict=True)
    ]


def _appended(appended: Appended, body: bytes) -> Answer:
    return Answer(200 if appended.replayed else 201, body, ((b"etag", b'"%d"' % appended.head),))


def _options(given: ContextRequest) -> dict[str, Any]:
    """The library's options for what a client asked for."""
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


async def _context_answer(found: Context, given: ContextRequest) -> bytes:
    """A context as JSON. A large one is made in a thread, message by message, so that others are served meanwhile."""
    if sum([len(record.body) for record in found.records]) < _LARGE_BYTES:
        return _context_json(found, given)
    return await asyncio.to_thread(_context_json, found, given)


def _context_json(found: Context, given: ContextRequest) -> bytes:
    """A context as JSON; its messages are spliced from the stored bytes."""
    account = ContextAccount(
        found.tokens,
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
    return b'{"messages":[' + messages + b'],"context":' + _memory(found.known) + b"," + _json(account)[1:]


def _memory(known: UserDigest) -> bytes:
    return _NOTHING_KNOWN if known == _NOTHING else _json(memory_of(known))


def _created(header: ConversationInfo, *, whole: bool = False) -> Answer:
    created = ConversationCreated(header.id, format_moment(header.created_at), header.head)
    return Answer(201, _json(info(header) if whole else created), (_version(header),))


def _version(header: Header | ConversationInfo) -> tuple[bytes, bytes]:
    return b"etag", f'"{header.head}.{header.revision}.{header.incarnation}"'.encode()
