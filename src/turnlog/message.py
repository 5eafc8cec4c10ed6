"""Messages: frozen values, checked once, when they are made.

What may be said is the same for every store: any Unicode but NUL and lone surrogates, integers of 64 bits, no NaN or
infinity, JSON of bounded depth. A message that was constructed is valid; nobody checks it again.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from random import getrandbits
from time import time_ns
from typing import Any, Literal, get_args

import msgspec
from msgspec.structs import force_setattr

from turnlog.errors import InvalidInput

Role = Literal["user", "assistant", "system", "developer", "tool"]
Status = Literal["complete", "partial", "incomplete"]

INTEGER_MAX = 2**63 - 1
COUNT_MAX = 2**31 - 1
_VERSION_7 = 0x7 << 76 | 0b10 << 62
_RANDOM = 0xFFF << 64 | (1 << 62) - 1
JSON_DEPTH_MAX = 64
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:~@|=+-]{0,127}", re.ASCII)
ID_RULE = "must be 1 to 128 letters, digits or _ . : ~ @ | = + -, beginning with a letter, a digit or _"


class Limits(msgspec.Struct, frozen=True):
    """How large one message may be; sizes are of its JSON in UTF-8."""

    message_bytes: int = 1 << 20
    parts: int = 256
    metadata_bytes: int = 16 << 10
    json_depth: int = 32


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
    is counted. `derived` marks text that memory put there, so that memory does not learn from itself. `redacted` marks the
    tombstone of an erased message.
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
            force_setattr(self, "created_at", _to_utc("created_at", self.created_at))
        if self.name is not None or self.model is not None or self.provider is not None:
            _check_labels(self)
        if self.metadata or type(self.metadata) is not dict:
            _check_metadata(self.metadata)
        if self.usage is not None or self.derived is not False or self.redacted is not False:
            _check_marks(self)
        if self.tokens is not None or self.seq is not None:
            _check_counts(self)

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


def user(content: str | Sequence[Part], **fields: Any) -> Message:
    """A message of the person talking; `fields` are those of `Message`."""
    return Message("user", content, **fields)  # type: ignore[arg-type]


def assistant(content: str | Sequence[Part], **fields: Any) -> Message:
    """A message of the assistant; `fields` are those of `Message`."""
    return Message("assistant", content, **fields)  # type: ignore[arg-type]


def system(content: str | Sequence[Part], **fields: Any) -> Message:
    """An instruction to the model; `fields` are those of `Message`."""
    return Message("system", content, **fields)  # type: ignore[arg-type]


def developer(content: str | Sequence[Part], **fields: Any) -> Message:
    """An instruction of the application's developer; `fields` are those of `Message`."""
    return Message("developer", content, **fields)  # type: ignore[arg-type]


def tool(
    call_id: str, content: str | Sequence[Text | Image | Audio | File], *, is_error: bool = False, **fields: Any
) -> Message:
    """The answer of a tool to the call `call_id`; `fields` are those of `Message`."""
    return Message("tool", (ToolResult(call_id, content, is_error),), **fields)  # type: ignore[arg-type]


def uuid7() -> str:
    """A new UUID whose text sorts by the time it was made (RFC 9562, version 7, random counter)."""
    bits = time_ns() // 1_000_000 << 80 | _VERSION_7 | getrandbits(76) & _RANDOM
    text = bits.to_bytes(16, "big").hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def check_id(field: str, value: str) -> str:
    """`value` if it can name a tenant, a conversation or a message."""
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise InvalidInput(field, ID_RULE)
    return value


def check_name(field: str, value: str, *, length_max: int = 256) -> str:
    """`value` if it can name a user, a tag or a title: 1 to `length_max` characters, none of them a control character."""
    check_text(field, value)
    if not 1 <= len(value) <= length_max:
        raise InvalidInput(field, f"must have 1 to {length_max} characters")
    if any(character < " " or character == "\x7f" for character in value):
        raise InvalidInput(field, "must not hold control characters")
    return value


KEY_SHOWN_MAX = 100
"""Characters of a key that an error names, at most."""


def check_text(field: str, value: str) -> None:
    """Refuse what some engine cannot keep: NUL and lone surrogates."""
    if not isinstance(value, str):
        raise InvalidInput(field, f"must be text, not {type(value).__name__}")
    if "\0" in value:
        raise InvalidInput(field, "must not hold NUL (U+0000)")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(field, f"must not hold a lone surrogate (at {error.start})") from None


def check_base64(field: str, value: str) -> None:
    """Refuse what is not standard base64 with its padding (RFC 4648, section 4)."""
    check_text(field, value)
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput(field, "must be base64") from None


def check_json(field: str, value: object, *, depth_max: int = JSON_DEPTH_MAX) -> None:
    """Refuse what is not JSON with text keys, 64-bit integers, finite numbers and at most `depth_max` levels."""
    fault = _json_fault(value, depth_max)
    if fault is not None:
        place, rule = fault
        raise InvalidInput(field + place, rule)


def _json_fault(value: object, depth_max: int) -> tuple[str, str] | None:
    """Where in `value` something is no JSON, and which rule it breaks; None if nothing is.

    The place is put together once there is a fault: to name each place before would cost the length of all keys above it.
    """
    if depth_max < 0:
        return "", "is nested too deep"
    if isinstance(value, str):
        return _text_fault("", value)
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if -INTEGER_MAX - 1 <= value <= INTEGER_MAX else ("", "must be an integer of 64 bits")
    if isinstance(value, float):
        return None if isfinite(value) else ("", "must be a finite number")
    if isinstance(value, dict | list | tuple):
        return _fault_within(value, depth_max - 1)
    return "", f"must be JSON, not {type(value).__name__}"


def _fault_within(value: dict[str, object] | list[object] | tuple[object, ...], depth_max: int) -> tuple[str, str] | None:
    if not isinstance(value, dict):
        for index, item in enumerate(value):
            if (fault := _json_fault(item, depth_max)) is not None:
                return f"[{index}]{fault[0]}", fault[1]
        return None
    for key, item in value.items():
        if (fault := _text_fault(" key", key)) is not None:
            return fault
        if (fault := _json_fault(item, depth_max)) is not None:
            return f".{key[:KEY_SHOWN_MAX]}{fault[0]}", fault[1]
    return None


def _text_fault(place: str, value: object) -> tuple[str, str] | None:
    try:
        check_text("", value)  # type: ignore[arg-type]
    except InvalidInput as error:
        return place, error.rule
    return None


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    """The moment, in UTC, that lies `micros` microseconds after 1970-01-01."""
    seconds, rest = divmod(micros, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


def _to_utc(field: str, moment: object) -> datetime:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise InvalidInput(field, "must be a time with a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(field, "must be a time of the years 1 to 9999") from None


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
