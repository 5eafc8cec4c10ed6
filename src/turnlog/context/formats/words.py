"""What every format says the same way: what counts as said, marks, and reasoning that goes back to whom it came from."""

import re
from typing import Any

from turnlog.context.formats.calls import json_object
from turnlog.context.formats.media import placeholder
from turnlog.message import Audio, File, Image, Message, Reasoning, Refusal, Text, ToolResult

NOTHING = "…"
"""Stands where a format needs words and none were said; one token."""

_UNFIT = re.compile(r"[^a-zA-Z0-9_-]+")


def silent(message: Message) -> bool:
    """Whether a message has nothing to say: it was erased, or broke off before its first word."""
    return message.redacted or not message.content


def instruction(message: Message) -> str:
    """An instruction behind the beginning, marked, for a format that takes such only as words of the user; "" if blank."""
    text = message.text
    return f"<system>{text}</system>" if text.strip() else ""


def speaker(name: str | None) -> str | None:
    """`name` as OpenAI takes it: 1 to 64 letters, digits, _ and -; None if nothing of it is left."""
    if name is None:
        return None
    return _UNFIT.sub("_", name)[:64].strip("_") or None


def wording(part: Text | Refusal | Image | Audio | File) -> str:
    """The text of a part, or the words that stand for it."""
    return part.text if isinstance(part, Text | Refusal) else placeholder(part)


def tells(part: Text | Image | Audio | File) -> bool:
    """Whether a part may stand alone: Anthropic and Gemini refuse blank text."""
    return not isinstance(part, Text) or bool(part.text.strip())


def question(message: Message) -> list[Text | Image | Audio | File]:
    """What a user says, blank texts left out; for a format without a field for it the user's name goes before the words."""
    if isinstance(message.content, str):
        parts: list[Text | Image | Audio | File] = [Text(message.content)]
    else:
        parts = [part for part in message.content if isinstance(part, Text | Image | Audio | File)]
    parts = list(filter(tells, parts))
    if message.name is not None:
        first = next((at for at, part in enumerate(parts) if isinstance(part, Text)), None)
        if first is not None:
            parts[first] = Text(f"{message.name}: {wording(parts[first])}")
    return parts


def failed(result: ToolResult) -> str:
    """What to put before a result in a format that has no field for failure; "" unless it failed and does not say so."""
    if not result.is_error:
        return ""
    first = result.content if isinstance(result.content, str) else next(iter(_texts(result)), "")
    return "" if first[:5].lower() == "error" else "Error: "


def reasoning(message: Message, part: Reasoning, providers: tuple[str, ...]) -> dict[str, Any] | None:
    """The provider's own item in `part` if `message` came from one of `providers`; None if it is not for them to read."""
    if message.provider is None or message.provider.lower() not in providers:
        return None
    return json_object(part.payload)


def _texts(result: ToolResult) -> list[str]:
    return [part.text for part in result.content if isinstance(part, Text)]
