"""OpenAI Chat Completions: one item for each message, one for each tool result."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from turnlog.formats.media import data_url, placeholder, source
from turnlog.formats.text import failed, silent, wording
from turnlog.formats.tool_calls import Calls, tool_name
from turnlog.message import Audio, File, Image, Message, Refusal, Text, ToolCall, ToolResult
from turnlog.tokens.counter import speaker

ID_CHARS_MAX = 40

_ID = re.compile(r".+", re.DOTALL)
_SOUNDS = {"audio/wav": "wav", "audio/mpeg": "mp3"}

Item = dict[str, Any]


def render(messages: Sequence[Message]) -> dict[str, Any]:
    """`{"messages": [...]}`. Raises `InvalidInput` for a call without its result or a result without its call."""
    calls = Calls(_ID, chars_max=ID_CHARS_MAX)
    items: list[Item] = []
    for index, message in enumerate(messages):
        if silent(message):
            continue
        content = message.content
        if isinstance(content, str):
            if calls.waiting:
                calls.follow(index, message.role)
            items.append(_named(message, {"role": message.role, "content": content}))
        else:
            calls.follow(index, message.role)
            items.extend(_items(message, calls))
    return {"messages": items}


def _items(message: Message, calls: Calls) -> Iterable[Item]:
    if message.role == "tool":
        return [_result(result, calls) for result in message.tool_results]
    if message.role == "assistant":
        return _assistant(message, calls)
    content = [_spoken(part) for part in message.content if isinstance(part, Text | Image | Audio | File)]
    return [_named(message, {"role": message.role, "content": content})]


def _named(message: Message, item: Item) -> Item:
    if message.name is not None and (name := speaker(message.name)):
        item["name"] = name
    return item


def _assistant(message: Message, calls: Calls) -> list[Item]:
    made = [_call(call, calls) for call in message.tool_calls]
    content = _answer(message)
    if not made and not content:
        return []
    item: Item = {"role": "assistant", "content": content or None}
    if made:
        item["tool_calls"] = made
        if len(content) == 1 and content[0]["type"] == "text":
            item["content"] = content[0]["text"]
    return [_named(message, item)]


def _answer(message: Message) -> list[Item]:
    """The words of an answer. OpenAI takes texts, or one refusal alone, and no media from an assistant."""
    parts = [part for part in message.content if isinstance(part, Text | Image | Audio | File | Refusal)]
    if all(isinstance(part, Refusal) for part in parts):
        refusal = message.text
        return [{"type": "refusal", "refusal": refusal}] if refusal.strip() else []
    return [_text(text) for part in parts if (text := wording(part))]


def _call(call: ToolCall, calls: Calls) -> Item:
    function = {"name": tool_name(call.name), "arguments": call.arguments}
    return {"id": calls.make(call), "type": "function", "function": function}


def _result(result: ToolResult, calls: Calls) -> Item:
    call = calls.answer(result)
    mark = failed(result)
    if isinstance(result.content, str):
        return {"role": "tool", "tool_call_id": call.id, "content": mark + result.content}
    texts = [wording(part) for part in result.content]
    texts[0] = mark + texts[0]
    return {"role": "tool", "tool_call_id": call.id, "content": list(map(_text, texts))}


def _text(text: str) -> Item:
    return {"type": "text", "text": text}


def _spoken(part: Text | Image | Audio | File) -> Item:
    if isinstance(part, Text):
        return _text(part.text)
    found = source(part)
    if isinstance(part, Image) and (found.url or found.data):
        return {"type": "image_url", "image_url": {"url": found.url or data_url(found)}}
    if isinstance(part, Audio) and found.data and found.media_type in _SOUNDS:
        return {"type": "input_audio", "input_audio": {"data": found.data, "format": _SOUNDS[found.media_type]}}
    if isinstance(part, File) and found.data:
        return {"type": "file", "file": {"filename": part.filename or "file", "file_data": data_url(found)}}
    return _text(placeholder(part))
