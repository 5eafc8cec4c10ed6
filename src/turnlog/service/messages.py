"""The operations on the messages of a conversation."""

import asyncio
from collections.abc import Sequence

import msgspec

from turnlog import codec
from turnlog.errors import HistoryMoved, InvalidInput
from turnlog.log.info import cursor_of, query_mark, read_cursor
from turnlog.message import Message
from turnlog.message_input import MessageIn, decoded, to_message
from turnlog.service.request import Answer, Request
from turnlog.service.requests import MessageBatch, ReconcileRequest
from turnlog.service.responses import ReconcileAnswer, Redacted
from turnlog.store import Appended
from turnlog.timestamps import format_time

_json = msgspec.json.Encoder().encode
_message = msgspec.json.Decoder(MessageIn).decode
_batch = msgspec.json.Decoder(MessageBatch).decode
_reconcile = msgspec.json.Decoder(ReconcileRequest).decode

_CHUNK_MESSAGES = 500
"""Messages of a transcript that are checked before other requests have their turn."""


class _Keys(msgspec.Struct):
    messages: msgspec.Raw = msgspec.Raw()


_keys = msgspec.json.Decoder(_Keys).decode


async def append(call: Request) -> Answer:
    """Append one message or several."""
    conversation, key, body = call.conversation, call.idempotency_key(), await call.body()
    if b'"messages"' in body and decoded(_keys, body).messages:
        given = decoded(_batch, body).messages
        messages = to_messages(given)
        key, expected = needed_key(key, given), await call.expected()
        appended = await conversation.append(*messages, expect_head=expected.head, idempotency_key=key)
        return appended_answer(appended, b"[" + b",".join(receipts(appended)) + b"]")
    one = decoded(_message, body)
    message, key, expected = _appendable(one), needed_key(key, (one,)), await call.expected()
    try:
        appended = await conversation.append(message, expect_head=expected.head, idempotency_key=key)
    except InvalidInput as error:
        error.field = error.field.removeprefix("messages[0].")
        raise
    return appended_answer(appended, receipts(appended)[0])


async def read(call: Request) -> Answer:
    """A page of messages."""
    conversation, query = call.conversation, call.query
    newest = query["order"] == "desc"
    mark = query_mark([conversation.id, *(query[name] for name in ("order", "after", "before", "offset"))])
    if query["cursor"] is not None:
        seq, incarnation = read_cursor(query["cursor"], mark, tuple[int, str])
        after, before = (query["after"] or 0, seq) if newest else (seq, query["before"])
    else:
        incarnation = None
        after, before = await _bounds(call, newest)
    page = await conversation.read(after=after, before=before, limit=query["limit"], newest=newest)
    if incarnation not in (None, page.header.incarnation):
        raise HistoryMoved(expected=incarnation or "", actual=page.header.incarnation)
    records = page.records[::-1] if newest else page.records
    end = {
        "next_cursor": cursor_of(mark, records[-1].seq, page.header.incarnation) if page.more and records else None,
        "has_more": page.more,
        "head": page.header.head,
        "incarnation": page.header.incarnation,
    }
    return Answer(200, b'{"data":' + codec.list_to_json(records) + b"," + _json(end)[1:])


async def _bounds(call: Request, newest: bool) -> tuple[int, int | None]:
    """The seqs between which the first page lies."""
    after, before, offset = call.query["after"], call.query["before"], call.query["offset"]
    if offset is None:
        return after or 0, before
    if after is not None or before is not None:
        raise InvalidInput("offset", "cannot go together with after or before")
    if newest:
        return 0, max((await call.conversation.info()).head + 1 - offset, 0)
    return offset, None


async def message(call: Request) -> Answer:
    """One message."""
    return Answer(200, codec.to_json(await call.conversation.record(call.seq)))


async def redact(call: Request) -> Answer:
    """Erase the content of a message."""
    seq, expected = call.seq, (await call.check_unchanged()).expected
    await call.conversation.redact(seq, **expected)
    return Answer(200, _json(Redacted(seq)))


async def reconcile(call: Request) -> Answer:
    """Store what is new in a transcript."""
    conversation, given = call.conversation, await call.decode(_reconcile)
    by_id = all_have_ids(given.messages, "messages")
    await _check_tombstones(call, given.messages)
    expected = (await call.check_unchanged()).expected
    messages: list[Message] = []
    for first in range(0, len(given.messages), _CHUNK_MESSAGES):
        messages += to_messages(given.messages[first : first + _CHUNK_MESSAGES], first, known=True)
        await asyncio.sleep(0)  # decision 047: a long transcript must not stop other requests
    done = await conversation.reconcile(messages, by_id=by_id, on_divergence=given.on_divergence, **expected)
    answer = ReconcileAnswer(done.conversation_id, done.appended, done.matched, done.head, done.diverged_at, done.forked_to)
    return Answer(200, _json(answer))


async def _check_tombstones(call: Request, given: Sequence[MessageIn]) -> None:
    """Refuse a redacted message behind the head: it would be appended."""
    last = max((index for index, one in enumerate(given) if one.redacted), default=-1)
    if last >= 0 and last >= (await call.conversation.info()).head:
        raise InvalidInput(f"messages[{last}].redacted", _REDACTED_RULE)


_REDACTED_RULE = "cannot be appended: DELETE a stored message to redact it"


def _appendable(given: MessageIn) -> Message:
    if given.redacted:
        raise InvalidInput("redacted", _REDACTED_RULE)
    return to_message(given)


def to_messages(given: Sequence[MessageIn], first: int = 0, *, known: bool = False) -> list[Message]:
    """The messages of a request, the first of which is at index `first`; those that are `known` may be redacted."""
    messages = []
    for index, one in enumerate(given, first):
        try:
            messages.append(to_message(one) if known else _appendable(one))
        except InvalidInput as error:
            raise error.within(f"messages[{index}]") from None
    return messages


def all_have_ids(given: Sequence[MessageIn], field: str) -> bool:
    """Whether all messages have ids of the client, or none. Raises `InvalidInput` for a mix."""
    count = sum(one.id is not None for one in given)
    if count not in (0, len(given)):
        raise InvalidInput(field, "either all messages must have ids or none")
    return count > 0


def needed_key(key: str | None, given: Sequence[MessageIn]) -> str | None:
    """The idempotency key, unless the messages have ids, which decide."""
    return None if key is None or all_have_ids(given, "Idempotency-Key") else key


def receipts(appended: Appended) -> list[bytes]:
    """The receipts of an append, as JSON."""
    return [
        f'{{"id":"{id_}","seq":{seq},"created_at":"{format_time(time)}"}}'.encode()
        for id_, seq, time in zip(appended.ids, appended.seqs, appended.times_us, strict=True)
    ]


def appended_answer(appended: Appended, body: bytes) -> Answer:
    """The answer to an append: 200 if all of it had been stored before."""
    return Answer(200 if appended.replayed else 201, body, ((b"etag", b'"%d"' % appended.head),))
