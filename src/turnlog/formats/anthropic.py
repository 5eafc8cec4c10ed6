"""Anthropic Messages: leading instructions apart, then turns of user and assistant made of blocks."""

import base64
import re
from collections.abc import Sequence
from typing import Any

from turnlog.formats.media import MediaSource, source
from turnlog.formats.text import NOTHING, Turns, line, parts, question, reasoning, silent, tells, wording
from turnlog.formats.tool_calls import INSTRUCTING, Calls, arguments_object, tool_name
from turnlog.message import Audio, File, Image, Message, Part, Reasoning, Text, ToolCall, ToolResult

ID_CHARS_MAX = 64
PROVIDERS = ("anthropic",)
PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
PDF = "application/pdf"

_ID = re.compile(r"[a-zA-Z0-9_-]+")
_THOUGHTS = {"thinking": ("thinking", "signature"), "redacted_thinking": ("data",)}

Block = dict[str, Any]


def render(messages: Sequence[Message]) -> dict[str, Any]:
    """`{"system": [...], "messages": [...]}`, the former only where instructions lead.

    Raises `InvalidInput` for a call without its result or a result without its call.
    """
    calls = Calls(_ID, chars_max=ID_CHARS_MAX)
    turns = Turns("content", _text(NOTHING))
    system: list[Block] = []
    for index, message in enumerate(messages):
        if silent(message):
            continue
        calls.follow(index, message.role)
        if message.role in INSTRUCTING and not turns.items:
            system += _texts(message.text)
        else:
            turns.add("assistant" if message.role == "assistant" else "user", _blocks(message, calls))
    return {"system": system, "messages": turns.items} if system else {"messages": turns.items}


def _blocks(message: Message, calls: Calls) -> list[Block]:
    if isinstance(message.content, str):
        return _ending(_texts(line(message, message.content)), message)
    match message.role:
        case "tool":
            return [_result(result, calls) for result in message.tool_results]
        case "assistant":
            return _ending(_answer(message, calls), message)
        case "user":
            return [_spoken(part) for part in question(message)] or [_text(NOTHING)]
    return _texts(line(message, message.text))


def _answer(message: Message, calls: Calls) -> list[Block]:
    return [block for part in parts(message) if (block := _part(message, part, calls)) is not None]


def _ending(blocks: list[Block], message: Message) -> list[Block]:
    """An answer ends neither in whitespace nor in a thought: as the last turn it would be refused."""
    if message.role == "assistant":
        while blocks and blocks[-1]["type"] in _THOUGHTS:
            blocks.pop()
        if blocks and blocks[-1]["type"] == "text":
            blocks[-1]["text"] = blocks[-1]["text"].rstrip()
    return blocks


def _part(message: Message, part: Part, calls: Calls) -> Block | None:
    match part:
        case ToolCall():
            name = tool_name(part.name, chars_max=128)
            return {"type": "tool_use", "id": calls.make(part), "name": name, "input": arguments_object(part.arguments)}
        case Reasoning():
            return _thought(reasoning(message, part, PROVIDERS))
        case ToolResult():
            return None
    text = wording(part)
    return _text(text) if text.strip() else None


def _thought(item: Block | None) -> Block | None:
    if item is None:
        return None
    fields = _THOUGHTS.get(str(item.get("type")))
    return item if fields and all(isinstance(item.get(field), str) for field in fields) else None


def _result(result: ToolResult, calls: Calls) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": calls.answer(result).id}
    content: str | list[Block]
    if isinstance(result.content, str):
        content = result.content if result.content.strip() else ""
    else:
        content = [_spoken(part) for part in result.content if tells(part)]
    if content or result.is_error:
        block["content"] = content or "error"
    if result.is_error:
        block["is_error"] = True
    return block


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _texts(text: str) -> list[Block]:
    return [_text(text)] if text.strip() else []


def _spoken(part: Text | Image | Audio | File) -> Block:
    if isinstance(part, Image) and (place := _picture(source(part))):
        return {"type": "image", "source": place}
    if isinstance(part, File) and (place := _document(source(part))):
        return {"type": "document", "source": place, **({"title": part.filename} if part.filename else {})}
    return _text(wording(part))


def _picture(found: MediaSource) -> Block | None:
    if found.url:
        return {"type": "url", "url": found.url}
    if found.data and found.media_type in PICTURES:
        return {"type": "base64", "media_type": found.media_type, "data": found.data}
    return None


def _document(found: MediaSource) -> Block | None:
    if found.media_type == PDF and found.url:
        return {"type": "url", "url": found.url}
    if found.media_type == PDF and found.data:
        return {"type": "base64", "media_type": PDF, "data": found.data}
    if found.media_type == "text/plain" and found.data and (text := _plain(found.data)):
        return {"type": "text", "media_type": "text/plain", "data": text}
    return None


def _plain(data: str) -> str:
    """The text in `data`; "" if it is blank or not UTF-8."""
    try:
        text = base64.b64decode(data).decode()
    except UnicodeDecodeError:
        return ""
    return text if text.strip() else ""
