"""Messages as clients write them, turned into `Message`s: what the service and the import accept.

Beside the fields of `Message` this understands two habits of OpenAI's chat format: `tool_calls` on an assistant
message, and `tool_call_id` on a tool message. What a client reads from turnlog it may send back as it is.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar, cast, get_args

import msgspec

from turnlog.errors import InvalidInput, InvalidJson
from turnlog.message import Message, Part, Role, Status, Text, ToolCall, ToolResult, Usage
from turnlog.validation import check_json

T = TypeVar("T")


class FunctionIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The function that a call names; `arguments` is JSON text as the model wrote it."""

    name: str
    arguments: str = "{}"


class ToolCallIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool call in OpenAI's chat format."""

    id: str
    function: FunctionIn
    type: Literal["function"] = "function"


class MessageIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing said, as a client tells it. `seq` and `tokens` are accepted and ignored."""

    role: Role
    content: str | tuple[Part, ...] | None = None
    name: str | None = None
    metadata: dict[str, Any] | None = None
    id: str | None = None
    created_at: datetime | None = None
    status: Status = "complete"
    provider: str | None = None
    model: str | None = None
    usage: Usage | None = None
    derived: bool = False
    redacted: bool = False
    tool_calls: tuple[ToolCallIn, ...] | None = None
    tool_call_id: str | None = None
    seq: int | None = None
    tokens: int | None = None


_decode = msgspec.json.Decoder(MessageIn).decode


def decode_message(data: bytes | dict[str, Any]) -> Message:
    """The message in a JSON text or in what was decoded from one. Raises `InvalidInput`, or `InvalidJson` for no JSON."""
    if isinstance(data, bytes):
        return to_message(decoded(_decode, data))
    return to_message(decoded(lambda fields: msgspec.convert(fields, MessageIn), data))


MessageLike = Message | str | Mapping[str, Any]
"""A message, the text of a user's message, or the fields of a message as JSON has them."""


def as_messages(given: Sequence[MessageLike], *, field: str = "messages") -> list[Message]:
    """The messages that `given` means. Raises `InvalidInput` with the index of the one that means none."""
    if {*map(type, given)} == {Message}:  # an append is too short for a loop over what most calls bring
        return list(cast(Sequence[Message], given))
    return [one if isinstance(one, Message) else _as_message(f"{field}[{index}]", one) for index, one in enumerate(given)]


def _as_message(place: str, given: object) -> Message:
    try:
        if isinstance(given, str):
            return Message("user", given)
        if isinstance(given, Mapping):
            return decode_message(dict(given))
    except InvalidInput as error:
        raise error.within(place) from None
    rule = 'must be a Message, the text of a user, or a dict like {"role": "assistant", "content": "Hello"}, not '
    raise InvalidInput(place, rule + type(given).__name__)


def to_message(given: MessageIn) -> Message:
    """The message that `given` means. Raises `InvalidInput`."""
    if given.id == "":
        raise InvalidInput("id", "must not be empty")
    if given.redacted and given.content:
        raise InvalidInput("content", "of a redacted message must be empty")
    told: dict[str, Any] = {}
    if given.id is not None:
        told["id"] = given.id
    if given.created_at is not None:
        told["created_at"] = given.created_at
    return Message(
        given.role,
        _content(given),
        given.name,
        given.metadata or {},
        status=given.status,
        provider=given.provider,
        model=given.model,
        usage=given.usage,
        derived=given.derived,
        redacted=given.redacted,
        **told,
    )


def decoded(decode: Callable[[Any], T], data: Any) -> T:
    """What `decode`, a decoder of msgspec, makes of `data`. Raises `InvalidInput` with the field, or `InvalidJson`."""
    try:
        return decode(data)
    except msgspec.ValidationError as error:
        raise invalid(error) from None
    except UnicodeDecodeError:
        raise InvalidJson("must be UTF-8") from None
    except msgspec.DecodeError as error:
        raise _refused(data, error) from None
    except RecursionError:
        raise InvalidInput("body", "is nested too deep") from None


def _refused(data: bytes, error: msgspec.DecodeError) -> InvalidInput:
    """Why `data` is no JSON to msgspec; a value that a laxer reader lets pass is named with its field."""
    try:
        told = json.loads(data)
        for field, value in told.items() if isinstance(told, dict) else ():
            check_json(field, value)
    except InvalidInput as found:
        return found
    except (ValueError, RecursionError):
        pass
    return InvalidJson(f"must be JSON: {error}")


def invalid(error: msgspec.ValidationError) -> InvalidInput:
    """The error of msgspec as one that names the field, in the way that turnlog writes places: `messages[2].role`."""
    rule, _, path = str(error).partition(" - at `")
    place = path.removesuffix("`").removeprefix("$").removeprefix(".")
    if isinstance(error.__cause__, InvalidInput):
        return error.__cause__.within(place) if place else error.__cause__
    for said, now in _MISSING:
        if rule.startswith(said):
            name = rule.removeprefix(said).strip("`")
            return InvalidInput(f"{place}.{name}" if place else name, now)
    choices = _CHOICES.get(place.rpartition(".")[2])
    if choices and rule.startswith("Invalid enum value"):
        return InvalidInput(place, f"must be one of {', '.join(choices)}")
    return InvalidInput(place or "body", rule[:1].lower() + rule[1:])


_CHOICES = {"role": get_args(Role), "status": get_args(Status)}
_MISSING = (
    ("Object missing required field ", "is missing"),
    ("Object contains unknown field ", "is no field that is known here"),
)


def _content(given: MessageIn) -> str | tuple[Part, ...]:
    if given.tool_calls:
        return _with_calls(given, given.tool_calls)
    if given.role == "tool":
        return _result(given)
    if given.tool_call_id is not None:
        raise InvalidInput("tool_call_id", "belongs to a message of the role tool")
    return given.content if given.content is not None else ""


def _with_calls(given: MessageIn, calls: tuple[ToolCallIn, ...]) -> tuple[Part, ...]:
    if given.role != "assistant":
        raise InvalidInput("tool_calls", "belong to a message of the role assistant")
    content = given.content or ()
    said: tuple[Part, ...] = (Text(content),) if isinstance(content, str) else content
    return said + tuple(_call(index, call) for index, call in enumerate(calls))


def _call(index: int, call: ToolCallIn) -> ToolCall:
    try:
        return ToolCall(call.id, call.function.name, call.function.arguments)
    except InvalidInput as error:
        raise error.within(f"tool_calls[{index}]") from None


def _result(given: MessageIn) -> str | tuple[Part, ...]:
    content = given.content if given.content is not None else ""
    if given.tool_call_id is None:
        if isinstance(content, str) and not given.redacted:
            raise InvalidInput("tool_call_id", "is needed in a message of the role tool")
        return content
    try:
        return (ToolResult(given.tool_call_id, content),)  # type: ignore[arg-type]
    except InvalidInput as error:
        field = "tool_call_id" if error.field == "call_id" else error.field
        raise InvalidInput(field, error.rule) from None
