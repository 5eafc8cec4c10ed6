"""Exchanges (law 9): the units of a window, in a form that models accept.

Providers refuse a tool result whose call is not right before it, and a call without a result in the middle of a prompt.
The log keeps both. A context leaves out a result without its call, and adds a result to a call that has none.
"""

from collections import Counter as Bag
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from turnlog import codec
from turnlog.codec import Record
from turnlog.message import Message, Role, ToolCall, ToolResult
from turnlog.timestamps import from_micros
from turnlog.tokens import Counter
from turnlog.validation import Limits

NO_RESULT = "No result of this call was recorded."
UNLIMITED = Limits(message_bytes=1 << 62, parts=1 << 62, metadata_bytes=1 << 62)
"""No limits, for messages made here: the budget bounds them, or the message that they are made from."""


class LeftOut(msgspec.Struct, frozen=True, gc=False):
    """A message that is not shown, and why."""

    seq: int
    tokens: int
    reason: str


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """One message, or an assistant message with calls and the tool messages right behind it; seqs `seq` to `end`.

    `records` are shown and cost `tokens`; `role` is that of the first, None when nothing is shown; `left_out` are the
    messages of this exchange that are not shown.
    """

    seq: int
    end: int
    role: Role | None
    records: tuple[Record, ...]
    tokens: int
    left_out: tuple[LeftOut, ...] = ()


def exchanges(records: Sequence[Record], count: Counter) -> list[Exchange]:
    """The exchanges of contiguous `records` up to the head of their log; calls in the last exchange may be pending."""
    units: list[Exchange] = []
    text_role = codec.text_role
    at, size = 0, len(records)
    while at < size:
        record = records[at]
        if role := text_role(record):
            units.append(Exchange(record.seq, record.seq, role, (record,), record.tokens))
            at += 1
            continue
        message = codec.decode(record)
        end = at + 1
        if calls := message.tool_calls:
            while end < size and codec.role(records[end]) == "tool":
                end += 1
            units.append(_with_tools(record, calls, records[at + 1 : end], count, pending=end == size))
        else:
            units.append(_alone(record, message))
        at = end
    return units


def _alone(record: Record, message: Message) -> Exchange:
    reason = why_not_shown(message)
    if reason is None:
        return Exchange(record.seq, record.seq, message.role, (record,), record.tokens)
    return Exchange(record.seq, record.seq, None, (), 0, (LeftOut(record.seq, record.tokens, reason),))


def why_not_shown(message: Message) -> str | None:
    """Why a message without calls is never shown; None when it can be."""
    if message.redacted:
        return "redacted"
    if message.role == "tool":
        return "orphan: a tool result without its call right before it"
    if message.content == "":
        return "empty"
    return None


def _with_tools(
    record: Record, calls: Sequence[ToolCall], answers: Sequence[Record], count: Counter, *, pending: bool
) -> Exchange:
    """The exchange of `record`, which makes `calls`; each call takes one result, and two calls may have the same id."""
    waiting = Bag(call.id for call in calls)
    shown, left_out = [record], []
    for answer in answers:
        message = codec.decode(answer)
        results = tuple(result for result in message.tool_results if _take(waiting, result.call_id))
        if not results:
            left_out.append(LeftOut(answer.seq, answer.tokens, why_not_shown(message) or ""))
        elif results == message.content:
            shown.append(answer)
        else:
            rest = msgspec.structs.replace(message, content=results)
            shown.append(msgspec.structs.replace(codec.rewrite(answer, rest), tokens=count(rest)))
    if not pending:
        unanswered = [call for call in calls if _take(waiting, call.id)]
        shown += [_no_result(record, call, index, count) for index, call in enumerate(unanswered)]
    end = answers[-1].seq if answers else record.seq
    tokens = sum(each.tokens for each in shown)
    return Exchange(record.seq, end, "assistant", tuple(shown), tokens, tuple(left_out))


def _take(waiting: Bag[str], call_id: str) -> bool:
    if not waiting[call_id]:
        return False
    waiting[call_id] -= 1
    return True


def _no_result(record: Record, call: ToolCall, index: int, count: Counter) -> Record:
    """A tool message in place of the missing result of `call`, which `record` makes. Equal input gives equal bytes."""
    name = blake2b(f"{index} {record.id}".encode(), digest_size=8).hexdigest()
    message = Message(
        "tool",
        (ToolResult(call.id, NO_RESULT, is_error=True),),
        id=f"no-result-{name}",
        created_at=from_micros(record.created_at),
        metadata={"synthetic": True},
        derived=True,
    )
    return codec.encode(message, tokens=count(message), limits=UNLIMITED)
