"""Plain: a transcript to read, for completion models, logs and people."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from turnlog.formats.text import silent, wording
from turnlog.formats.tool_calls import Calls
from turnlog.message import Message, Reasoning, ToolCall, ToolResult

_ANY = re.compile(r".*", re.DOTALL)


def render(messages: Sequence[Message]) -> dict[str, Any]:
    """`{"text": ...}`: a paragraph for each message.

    Raises `InvalidInput` for a call without its result or a result without its call.
    """
    calls = Calls(_ANY, chars_max=128)
    paragraphs = []
    for index, message in enumerate(messages):
        if not silent(message):
            calls.follow(index, message.role)
            paragraphs.append("\n".join(_lines(message, calls)))
    return {"text": "\n\n".join(filter(None, paragraphs))}


def _lines(message: Message, calls: Calls) -> Iterator[str]:
    who = message.role if message.name is None else f"{message.role} ({message.name})"
    if isinstance(message.content, str):
        yield f"{who}: {message.content}"
        return
    told = [wording(part) for part in message.content if not isinstance(part, ToolCall | ToolResult | Reasoning)]
    if text := "\n".join(filter(None, told)):
        yield f"{who}: {text}"
    for call in message.tool_calls:
        calls.make(call)
        yield f"{who} calls {call.name}: {call.arguments}"
    for result in message.tool_results:
        name = calls.answer(result).name
        yield f"{name} {'fails' if result.is_error else 'returns'}: {_told(result)}"


def _told(result: ToolResult) -> str:
    return result.content if isinstance(result.content, str) else "\n".join(map(wording, result.content))
