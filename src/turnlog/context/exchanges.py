"""Whole exchanges (law 9): what a window takes or leaves as one, in a form that models accept.

A provider refuses a tool result whose call is not right before it, and a call that was never answered although the
conversation went on. The log keeps both, since they happened. Here a result without its call is left out, and a call
without a result gets one that says so.
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
"""For what is made here: it is bounded by the budget, or by what it is made from."""


class LeftOut(msgspec.Struct, frozen=True, gc=False):
    """A message that no model is shown, and why."""

    seq: int
    tokens: int
    reason: str


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """One message, or an assistant message with calls and the tool messages right behind it; seqs `seq` to `end`.

    `records` are what a model is shown and cost `tokens`; `role` is that of the first, None when nothing is shown;
    `left_out` are the messages of this exchange that it is not shown.
    """

    seq: int
    end: int
    role: Role | None
    records: tuple[Record, ...]
    tokens: int
    left_out: tuple[LeftOut, ...] = ()


def exchanges(records: Sequence[Record], count: Counter) -> list[Exchange]:
    """The exchanges of contiguous `records` that end at the head of their log; calls in the last one may be pending."""
    found: list[Exchange] = []
    text_role = codec.text_role
    at, size = 0, len(records)
    while at < size:
        record = records[at]
        if role := text_role(record):
            found.append(Exchange(record.seq, record.seq, role, (record,), record.tokens))
            at += 1
            continue
        message = codec.decode(record)
        end = at + 1
        if calls := message.tool_calls:
            while end < size and codec.role(records[end]) == "tool":
                end += 1
            found.append(_with_tools(record, calls, records[at + 1 : end], count, pending=end == size))
        else:
            found.append(_alone(record, message))
        at = end
    return found


def _alone(record: Record, message: Message) -> Exchange:
    reason = why_not_shown(message)
    if reason is None:
        return Exchange(record.seq, record.seq, message.role, (record,), record.tokens)
    return Exchange(record.seq, record.seq, None, (), 0, (LeftOut(record.seq, record.tokens, reason),))


def why_not_shown(message: Message) -> str | None:
    """Why a message that makes no calls is not shown, whatever is around it; None when it can be."""
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
    """The exchange of `record`, which makes `calls`; each takes one result, and two calls may have one id."""
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
        shown += [_no_result(record, call, place, count) for place, call in enumerate(unanswered)]
    end = answers[-1].seq if answers else record.seq
    tokens = sum(each.tokens for each in shown)
    return Exchange(record.seq, end, "assistant", tuple(shown), tokens, tuple(left_out))


def _take(waiting: Bag[str], call_id: str) -> bool:
    if not waiting[call_id]:
        return False
    waiting[call_id] -= 1
    return True


def _no_result(record: Record, call: ToolCall, place: int, count: Counter) -> Record:
    """A tool message that stands for the result that `call`, made in `record`, never got. Equal input, equal bytes."""
    name = blake2b(f"{place} {record.id}".encode(), digest_size=8).hexdigest()
    message = Message(
        "tool",
        (ToolResult(call.id, NO_RESULT, is_error=True),),
        id=f"no-result-{name}",
        created_at=from_micros(record.created_at),
        metadata={"synthetic": True},
        derived=True,
    )
    return codec.encode(message, tokens=count(message), limits=UNLIMITED)
