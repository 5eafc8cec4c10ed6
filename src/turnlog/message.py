"""Messages: frozen values, checked once, when they are made.

What may be said is the same for every store: any Unicode but NUL and lone surrogates, integers of 64 bits, no NaN or
infinity, JSON of bounded depth. A message that was constructed is valid; nobody checks it again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TypedDict, Unpack, get_args

import msgspec
from msgspec.structs import force_setattr

from turnlog.errors import InvalidInput
from turnlog.ids import uuid7
from turnlog.timestamps import in_utc
from turnlog.validation import COUNT_MAX, INTEGER_MAX, check_base64, check_id, check_json, check_name, check_text

Role = Literal["user", "assistant", "system", "developer", "tool"]
Status = Literal["complete", "partial", "incomplete"]


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="text", tag_field="type"):
    """Plain text."""

    text: str

    def __post_init__(self) -> None:
        check_text("text", self.text)
        if not self.text:
            raise InvalidInput("text", "must not be empty")


class _Media(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", omit_defaults=True):
    """Bytes by reference (`url`) or by value (`data`, base64, with its `media_type`)."""

    url: str | None = None
    data: str | None = None
    media_type: str | None = None

    def __post_init__(self) -> None:
        if (self.url is None) == (self.data is None):
            raise InvalidInput("url", "give either url or data")
        if self.data is not None:
            if not self.media_type:
                raise InvalidInput("media_type", "is needed beside data")
            check_base64("data", self.data)
        for field in ("url", "media_type"):
            if (value := getattr(self, field)) is not None:
                check_text(field, value)


class Image(_Media, frozen=True, tag="image"):
    """A picture."""


class Audio(_Media, frozen=True, tag="audio"):
    """Recorded sound."""


class File(_Media, frozen=True, tag="file"):
    """Any other file."""

    filename: str | None = None

    def __post_init__(self) -> None:
        _Media.__post_init__(self)
        if self.filename is not None:
            check_text("filename", self.filename)


class ToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="tool_call", tag_field="type"):
    """A model's request to run a tool. `arguments` is JSON text exactly as the model wrote it, valid or not."""

    id: str
    name: str
    arguments: str = "{}"

    def __post_init__(self) -> None:
        for field in ("id", "name"):
            check_text(field, getattr(self, field))
            if not getattr(self, field):
                raise InvalidInput(field, "must not be empty")
        check_text("arguments", self.arguments)


class ToolResult(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="tool_result", tag_field="type", omit_defaults=True
):
    """What a tool answered to the call `call_id`."""

    call_id: str
    content: str | tuple[Text | Image | Audio | File, ...] = ""
    is_error: bool = False

    def __post_init__(self) -> None:
        check_text("call_id", self.call_id)
        if not self.call_id:
            raise InvalidInput("call_id", "must not be empty")
        if not isinstance(self.is_error, bool):
            raise InvalidInput("is_error", "must be true or false")
        if isinstance(self.content, str):
            check_text("content", self.content)
        else:
            force_setattr(self, "content", _parts("content", self.content, (Text, Image, Audio, File)))


class Reasoning(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="reasoning", tag_field="type"):
    """A provider's own reasoning item, kept byte for byte to be given back to that provider."""

    payload: str

    def __post_init__(self) -> None:
        check_text("payload", self.payload)


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="refusal", tag_field="type"):
    """A model's words of refusal."""

    text: str

    def __post_init__(self) -> None:
        check_text("text", self.text)


Part = Text | Image | Audio | File | ToolCall | ToolResult | Reasoning | Refusal
_SPOKEN = (Text, Image, Audio, File)
PARTS_OF_ROLE: dict[str, tuple[type, ...]] = {
    "user": _SPOKEN,
    "assistant": (*_SPOKEN, ToolCall, Reasoning, Refusal),
    "system": (Text,),
    "developer": (Text,),
    "tool": (ToolResult,),
}
_STATUSES = get_args(Status)


class Usage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Tokens that the provider billed for the call that produced a message."""

    input: int = 0
    output: int = 0
    cached: int = 0

    def __post_init__(self) -> None:
        for field in ("input", "output", "cached"):
            value = getattr(self, field)
            if type(value) is not int or not 0 <= value <= INTEGER_MAX:
                raise InvalidInput(field, "must be a whole number from 0 to 2**63 - 1")


class Message(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One thing said in a conversation.

    `id` is the caller's, else a new UUID of version 7; `seq` is None until the message is stored; `tokens` is None until it
    is counted: a count that the caller sets is stored as it is, and contexts trust it. `derived` marks text that memory put
    there, so that memory does not learn from itself. `redacted` marks the tombstone of an erased message.
    Raises `InvalidInput` with the field and the rule that it breaks.
    """

    role: Role
    content: str | tuple[Part, ...]
    name: str | None = None
    metadata: dict[str, Any] = {}
    id: str = ""
    created_at: datetime = msgspec.field(default_factory=partial(datetime.now, UTC))
    status: Status = "complete"
    provider: str | None = None
    model: str | None = None
    usage: Usage | None = None
    derived: bool = False
    redacted: bool = False
    seq: int | None = None
    tokens: int | None = None

    def __post_init__(self) -> None:
        if type(self.role) is not str or self.role not in PARTS_OF_ROLE:
            raise InvalidInput("role", f"must be one of {', '.join(PARTS_OF_ROLE)}")
        if self.status not in _STATUSES:
            raise InvalidInput("status", f"must be one of {', '.join(_STATUSES)}")
        _check_content(self)
        if not self.id:
            force_setattr(self, "id", uuid7())
        else:
            check_id("id", self.id)
        if not isinstance(self.created_at, datetime) or self.created_at.tzinfo is not UTC:
            force_setattr(self, "created_at", in_utc("created_at", self.created_at))
        if self.name is not None or self.model is not None or self.provider is not None:
            _check_labels(self)
        if self.metadata or type(self.metadata) is not dict:
            _check_metadata(self.metadata)
        if self.usage is not None or self.derived is not False or self.redacted is not False:
            _check_marks(self)
        if self.tokens is not None or self.seq is not None:
            _check_counts(self)

    def __repr__(self) -> str:
        place = "" if self.seq is None else f", seq={self.seq}"
        return f"Message({self.role}, {shorten(self.text)!r}, id={self.id!r}{place})"

    @property
    def text(self) -> str:
        """The words in this message, without tool calls, tool results and reasoning."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, Text | Refusal))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that this message makes."""
        if isinstance(self.content, str):
            return ()
        return tuple(part for part in self.content if isinstance(part, ToolCall))

    @property
    def tool_results(self) -> tuple[ToolResult, ...]:
        """The results that this message brings."""
        if isinstance(self.content, str):
            return ()
        return tuple(part for part in self.content if isinstance(part, ToolResult))


class MessageFields(TypedDict, total=False):
    """The fields of a `Message` beside its role and content."""

    name: str | None
    metadata: dict[str, Any]
    id: str
    created_at: datetime
    status: Status
    provider: str | None
    model: str | None
    usage: Usage | None
    derived: bool
    redacted: bool
    seq: int | None
    tokens: int | None


def shorten(text: str, length_max: int = 60) -> str:
    """`text`, cut so that it fits into a line."""
    return text if len(text) <= length_max else text[: length_max - 1] + "…"


def user(content: str | Sequence[Part], **fields: Unpack[MessageFields]) -> Message:
    """A message of the person talking; `fields` are those of `Message`."""
    return Message("user", content, **fields)  # type: ignore[arg-type]


def assistant(content: str | Sequence[Part], **fields: Unpack[MessageFields]) -> Message:
    """A message of the assistant; `fields` are those of `Message`."""
    return Message("assistant", content, **fields)  # type: ignore[arg-type]


def system(content: str | Sequence[Part], **fields: Unpack[MessageFields]) -> Message:
    """An instruction to the model; `fields` are those of `Message`."""
    return Message("system", content, **fields)  # type: ignore[arg-type]


def developer(content: str | Sequence[Part], **fields: Unpack[MessageFields]) -> Message:
    """An instruction of the application's developer; `fields` are those of `Message`."""
    return Message("developer", content, **fields)  # type: ignore[arg-type]


def tool(
    call_id: str,
    content: str | Sequence[Text | Image | Audio | File],
    *,
    is_error: bool = False,
    **fields: Unpack[MessageFields],
) -> Message:
    """The answer of a tool to the call `call_id`; `fields` are those of `Message`."""
    return Message("tool", (ToolResult(call_id, content, is_error),), **fields)  # type: ignore[arg-type]


def _check_content(message: Message) -> None:
    content = message.content
    if not isinstance(content, str):
        force_setattr(message, "content", _parts("content", content, PARTS_OF_ROLE[message.role]))
        return
    check_text("content", content)
    if message.redacted:
        return
    if message.role == "tool":
        raise InvalidInput("content", "of a tool message must be tool_result parts, each with the call_id that it answers")
    if not content and message.status == "complete":
        raise InvalidInput("content", "must not be empty")


def _parts(field: str, parts: object, allowed: tuple[type, ...]) -> tuple[Any, ...]:
    if not isinstance(parts, list | tuple):
        raise InvalidInput(field, "must be text or a list of parts")
    if not parts:
        raise InvalidInput(field, "must not be empty")
    for index, part in enumerate(parts):
        if not isinstance(part, allowed):
            kinds = ", ".join(kind.__struct_config__.tag for kind in allowed)  # type: ignore[attr-defined]
            raise InvalidInput(f"{field}[{index}]", f"must be one of {kinds} here")
    return tuple(parts)


def _check_metadata(metadata: object) -> None:
    if not isinstance(metadata, dict):
        raise InvalidInput("metadata", "must be a JSON object")
    check_json("metadata", metadata)


def _check_marks(message: Message) -> None:
    if message.usage is not None and not isinstance(message.usage, Usage):
        raise InvalidInput("usage", "must be a Usage")
    for field in ("derived", "redacted"):
        if not isinstance(getattr(message, field), bool):
            raise InvalidInput(field, "must be true or false")


def _check_counts(message: Message) -> None:
    for field, least in (("tokens", 0), ("seq", 1)):
        value = getattr(message, field)
        if value is not None and (type(value) is not int or not least <= value <= COUNT_MAX):
            raise InvalidInput(field, f"must be a whole number from {least} to 2**31 - 1")


def _check_labels(message: Message) -> None:
    for field in ("name", "provider", "model"):
        if (value := getattr(message, field)) is not None:
            check_name(field, value)
