"""Gemini: leading instructions apart, then contents of user and model made of parts."""

import re
from collections.abc import Sequence
from typing import Any

from turnlog.formats.media import MediaSource, source
from turnlog.formats.text import NOTHING, Turns, line, parts, question, reasoning, silent, wording
from turnlog.formats.tool_calls import INSTRUCTING, Calls, arguments_object, tool_name
from turnlog.message import Audio, File, Image, Message, Part, Reasoning, Text, ToolCall, ToolResult

ID_CHARS_MAX = 64
PROVIDERS = ("google", "gemini")
UNSIGNED = "skip_thought_signature_validator"
"""What Google documents to send as the signature of a call that its model did not make; without one Gemini 3 refuses it."""

_ID = re.compile(r".+", re.DOTALL)
_NAME_BEGIN = re.compile(r"[a-zA-Z_]")
_INLINE = ("image/", "audio/", "video/", "text/", "application/pdf")
_IN_RESULT = ("image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain")
_SCHEMES = ("http", "https", "gs")
_THOUGHT = {"thought", "text", "thought_signature", "thoughtSignature"}

Item = dict[str, Any]


def render(messages: Sequence[Message]) -> dict[str, Any]:
    """`{"system_instruction": {...}, "contents": [...]}`, the former only where instructions lead.

    `system_instruction` belongs into the SDK's `config`. Bytes are base64 text. Results of tools are contents of their own:
    Gemini takes no other part beside them. Raises `InvalidInput` for a call without its result or a result without its call.
    """
    calls = Calls(_ID, chars_max=ID_CHARS_MAX)
    turns = Turns("parts", {"text": NOTHING})
    system: list[Item] = []
    for index, message in enumerate(messages):
        if silent(message):
            continue
        calls.follow(index, message.role)
        if message.role in INSTRUCTING and not turns.items:
            system += _texts(message.text)
        else:
            kind = "results" if message.role == "tool" else ""
            turns.add("model" if message.role == "assistant" else "user", _parts(message, calls), kind)
    return {"system_instruction": {"parts": system}, "contents": turns.items} if system else {"contents": turns.items}


def _parts(message: Message, calls: Calls) -> list[Item]:
    if isinstance(message.content, str):
        return _texts(line(message, message.content))
    match message.role:
        case "tool":
            return [_result(result, calls) for result in message.tool_results]
        case "assistant":
            return _answer(message, calls)
        case "user":
            return [_spoken(part, _INLINE) for part in question(message)] or [{"text": NOTHING}]
    return _texts(line(message, message.text))


def _answer(message: Message, calls: Calls) -> list[Item]:
    """The parts of an answer. A signature that came without words goes to the part behind it, where Gemini had put it."""
    items: list[Item] = []
    signature: str | None = None
    for part in parts(message):
        if isinstance(part, Reasoning):
            thought = _thought(message, part)
            if thought.get("text", "").strip():
                items.append(thought)
            else:
                signature = _signature(thought) or signature
        elif item := _part(part, calls):
            if signature:
                item["thought_signature"], signature = signature, None
            items.append(item)
    _sign(items)
    return items


def _sign(items: list[Item]) -> None:
    """Put a signature to the first call, the one that Gemini looks at, if it has none."""
    first = next((item for item in items if "function_call" in item), None)
    if first is not None:
        first.setdefault("thought_signature", UNSIGNED)


def _part(part: Part, calls: Calls) -> Item | None:
    match part:
        case ToolCall():
            name, args = _name(part.name), arguments_object(part.arguments)
            return {"function_call": {"id": calls.make(part), "name": name, "args": args}}
        case ToolResult() | Reasoning():
            return None
    text = wording(part)
    return {"text": text} if text.strip() else None


def _thought(message: Message, part: Reasoning) -> Item:
    item = reasoning(message, part, PROVIDERS) or {}
    fits = item.keys() <= _THOUGHT and (item.get("thought") is True or "text" not in item)
    return item if fits and all(isinstance(item[key], str) for key in item if key != "thought") else {}


def _signature(thought: Item) -> str | None:
    return thought.get("thought_signature") or thought.get("thoughtSignature")


def _result(result: ToolResult, calls: Calls) -> Item:
    call = calls.answer(result)
    key = "error" if result.is_error else "output"
    response: Item = {"id": call.id, "name": _name(call.name), "response": {key: result.content}}
    if not isinstance(result.content, str):
        items = [_spoken(part, _IN_RESULT) for part in result.content]
        response["response"] = {key: "\n".join(item["text"] for item in items if "text" in item)}
        if media := [item for item in items if "text" not in item]:
            response["parts"] = media
    return {"function_response": response}


def _name(name: str) -> str:
    made = tool_name(name, chars_max=127)
    return made if _NAME_BEGIN.match(made) else f"_{made}"


def _texts(text: str) -> list[Item]:
    return [{"text": text}] if text.strip() else []


def _spoken(part: Text | Image | Audio | File, taken: tuple[str, ...]) -> Item:
    """A part with its bytes where their media type begins with one of `taken`, else with words."""
    if not isinstance(part, Text):
        found = source(part, schemes=_SCHEMES)
        if found.media_type and found.media_type.startswith(taken) and (item := _media(found)):
            return item
    return {"text": wording(part)}


def _media(found: MediaSource) -> Item | None:
    if found.data:
        return {"inline_data": {"mime_type": found.media_type, "data": found.data}}
    if found.url:
        return {"file_data": {"mime_type": found.media_type, "file_uri": found.url}}
    return None
