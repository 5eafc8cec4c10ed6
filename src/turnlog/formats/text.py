"""What all formats say alike: what counts as said, marks, turns, and reasoning that goes back to whom it came from."""

from typing import Any

from turnlog.formats.media import placeholder
from turnlog.formats.tool_calls import json_object
from turnlog.message import Audio, File, Image, Message, Part, Reasoning, Refusal, Text, ToolResult

NOTHING = "…"
"""Stands where a format needs words and none were said; one token."""
MARK = ("<system>", "</system>")
"""Around an instruction behind the beginning, where a format takes such only as words of the user; three tokens each."""


def silent(message: Message) -> bool:
    """Whether a message has nothing to say: it was erased, or broke off before its first word."""
    return message.redacted or not message.content


def parts(message: Message) -> tuple[Part, ...]:
    """What `message` says, as parts."""
    return (Text(message.content),) if isinstance(message.content, str) else message.content


def wording(part: Text | Refusal | Image | Audio | File) -> str:
    """The text of a part, or the words that stand for it."""
    return part.text if isinstance(part, Text | Refusal) else placeholder(part)


def tells(part: Text | Image | Audio | File) -> bool:
    """Whether a part may stand alone: Anthropic and Gemini refuse blank text."""
    return not isinstance(part, Text) or bool(part.text.strip())


def line(message: Message, text: str) -> str:
    """`text`, all that a message says, as a turn has it; "" when there is nothing to say."""
    if not text.strip():
        return NOTHING if message.role == "user" else ""
    if message.role == "user":
        return _named(message, text)
    return text if message.role == "assistant" else f"{MARK[0]}{text}{MARK[1]}"


def question(message: Message) -> list[Text | Image | Audio | File]:
    """What a user says in parts, blank texts left out; the user's name goes before the first words."""
    told = [part for part in parts(message) if isinstance(part, Text | Image | Audio | File) and tells(part)]
    first = next((at for at, part in enumerate(told) if isinstance(part, Text)), None)
    if first is not None and message.name is not None:
        told[first] = Text(_named(message, wording(told[first])))
    return told


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


def _named(message: Message, text: str) -> str:
    """`text` with the name of the user who said it, for a format that has no field for the name."""
    return text if message.name is None else f"{message.name}: {text}"


class Turns:
    """The turns of one rendering. Parts go into the `field` of a turn; `nothing` is what a user says who said nothing."""

    def __init__(self, field: str, nothing: dict[str, Any]) -> None:
        self._field = field
        self._nothing = nothing
        self._kind = ""
        self.items: list[dict[str, Any]] = []

    def add(self, role: str, parts: list[dict[str, Any]], kind: str = "") -> None:
        """What `role` says next: more parts of the last turn if that is theirs and of the same kind, else a new turn.

        A short turn of the user is put before a first one that is not theirs.
        """
        if not parts:
            return
        if not self.items and role != "user":
            self.items.append({"role": "user", self._field: [self._nothing]})
        if self.items and self.items[-1]["role"] == role and self._kind == kind:
            self.items[-1][self._field] += parts
        else:
            self.items.append({"role": role, self._field: parts})
        self._kind = kind
