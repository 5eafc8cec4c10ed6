"""OpenAI Responses: items in order; instructions are items where they stand, and reasoning goes back to OpenAI."""

import re
from collections.abc import Sequence
from typing import Any

from turnlog.formats.media import data_url, placeholder, source
from turnlog.formats.text import NOTHING, failed, line, parts, question, reasoning, silent, wording
from turnlog.formats.tool_calls import Calls, tool_name
from turnlog.message import Audio, File, Image, Message, Part, Reasoning, Text, ToolCall, ToolResult

ID_CHARS_MAX = 64
PROVIDERS = ("openai",)

_ID = re.compile(r".+", re.DOTALL)

Item = dict[str, Any]


def render(messages: Sequence[Message]) -> dict[str, Any]:
    """`{"input": [...]}`. Raises `InvalidInput` for a call without its result or a result without its call."""
    calls = Calls(_ID, chars_max=ID_CHARS_MAX)
    items: list[Item] = []
    for index, message in enumerate(messages):
        if not silent(message):
            calls.follow(index, message.role)
            items.extend(_items(message, calls))
    return {"input": items}


def _items(message: Message, calls: Calls) -> list[Item]:
    if message.role == "tool":
        return [_result(result, calls) for result in message.tool_results]
    if message.role == "assistant":
        return _assistant(message, calls)
    if message.role == "user":
        return [{"role": "user", "content": _question(message)}]
    return [{"role": message.role, "content": message.text}]


def _question(message: Message) -> str | list[Item]:
    if isinstance(message.content, str):
        return line(message, message.content)
    return [_spoken(part) for part in question(message)] or NOTHING


def _assistant(message: Message, calls: Calls) -> list[Item]:
    """The items of an answer: neighbouring words are one, and reasoning stays only before what it led to."""
    if isinstance(message.content, str):
        return [_said(message.content)]
    items: list[Item] = []
    for part in parts(message):
        item = _part(message, part, calls)
        if item is None:
            continue
        if items and "role" in item and "role" in items[-1]:
            items[-1]["content"] += "\n" + item["content"]
        else:
            items.append(item)
    while items and items[-1].get("type") == "reasoning":
        items.pop()
    return items


def _part(message: Message, part: Part, calls: Calls) -> Item | None:
    match part:
        case ToolCall():
            name = tool_name(part.name, chars_max=128)
            return {"type": "function_call", "call_id": calls.make(part), "name": name, "arguments": part.arguments}
        case Reasoning():
            item = reasoning(message, part, PROVIDERS)
            return item if item is not None and item.get("type") == "reasoning" else None
        case ToolResult():
            return None
    text = wording(part)
    return _said(text) if text else None


def _said(text: str) -> Item:
    return {"role": "assistant", "content": text}


def _result(result: ToolResult, calls: Calls) -> Item:
    call = calls.answer(result)
    mark = failed(result)
    output: str | list[Item]
    if isinstance(result.content, str):
        output = mark + result.content
    else:
        output = [_spoken(part) for part in result.content]
        if mark:
            output.insert(0, _text(mark.strip()))
    return {"type": "function_call_output", "call_id": call.id, "output": output}


def _text(text: str) -> Item:
    return {"type": "input_text", "text": text}


def _spoken(part: Text | Image | Audio | File) -> Item:
    if isinstance(part, Text):
        return _text(part.text)
    found = source(part)
    if isinstance(part, Image) and (found.url or found.data):
        return {"type": "input_image", "image_url": found.url or data_url(found), "detail": "auto"}
    if isinstance(part, File) and found.data:
        return {"type": "input_file", "filename": part.filename or "file", "file_data": data_url(found)}
    if isinstance(part, File) and found.url:
        return {"type": "input_file", "file_url": found.url}
    return _text(placeholder(part))
