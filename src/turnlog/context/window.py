"""The recent window: a pure choice over records, with whole tool calls (law 9).

A provider refuses a tool result whose call is not right before it, and a call that was never answered although the
conversation went on. The log keeps both, since they happened; a window holds neither.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from turnlog import codec
from turnlog.codec import Record
from turnlog.message import Message, Reasoning, ToolCall
from turnlog.ports import Header


class Context(msgspec.Struct, frozen=True):
    """What a model gets to see of a conversation, as of `header`.

    `records` are in order of seq; `tokens` is what they cost together, by the counts stored with them; `omitted` is how
    many messages of the conversation are not among them.
    """

    header: Header
    records: tuple[Record, ...]
    tokens: int
    omitted: int

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, decoded."""
        return tuple(map(codec.decode, self.records))


def window(header: Header, records: Sequence[Record]) -> Context:
    """The context that shows `records`, the last ones of the log in order of seq, as far as a model accepts them."""
    if not all(map(codec.is_text, records)):
        records = list(_whole(records))
    return Context(header, tuple(records), sum(record.tokens for record in records), header.head - len(records))


def _whole(records: Sequence[Record]) -> Iterator[Record]:
    """Exchange by exchange: a message, and the tool messages right behind it when it makes calls."""
    messages = [codec.decode(record) for record in records]
    at = 0
    while at < len(records):
        end = at + 1
        while messages[at].tool_calls and end < len(records) and messages[end].role == "tool":
            end += 1
        calls = {call.id for call in messages[at].tool_calls}
        answered = {result.call_id for message in messages[at + 1 : end] for result in message.tool_results}
        kept = calls if end == len(records) else calls & answered
        for record, message in zip(records[at:end], messages[at:end], strict=True):
            yield from _keep(record, message, kept)
        at = end


def _keep(record: Record, message: Message, calls: set[str]) -> Iterator[Record]:
    """The record with the calls and results of `calls` alone; nothing if that leaves nothing to say."""
    if isinstance(message.content, str):
        if not message.redacted:
            yield record
        return
    parts = tuple(part for part in message.content if _named(part) is None or _named(part) in calls)
    if parts == message.content:
        yield record
    elif any(not isinstance(part, Reasoning) for part in parts):
        yield codec.rewrite(record, msgspec.structs.replace(message, content=parts))


def _named(part: Any) -> str | None:
    """The call that a part makes or answers."""
    return part.id if isinstance(part, ToolCall) else getattr(part, "call_id", None)
