"""The stored form of a message, and the way back.

A record is a message in the form that every store keeps: a few columns, and `body`, the exact JSON text of what was
said, which no store ever decodes. The body is canonical: equal messages have equal bodies, byte for byte. Each record
carries the version of its form; `UPCASTERS` lifts older bodies to the present one, step by step.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, get_args
from zlib import crc32

import msgspec

from turnlog.errors import CorruptRecord, InvalidInput, TooLarge
from turnlog.message import Limits, Message, Part, Role, Status, Usage, check_json, from_micros, to_micros

VERSION = 1

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: dict[int, Upcaster] = {}
"""From version n to n + 1: the body as a dict, as that version wrote it."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """A message in stored form.

    `created_at` is in microseconds since 1970 UTC; `digest` (64 bits, signed) tells whether two messages with one id
    say the same, 0 where the message was erased; `checksum` (32 bits) covers the record's bytes; `seq` is 0 until stored.
    """

    id: str
    created_at: int
    tokens: int
    body: bytes
    digest: int
    checksum: int
    version: int = VERSION
    seq: int = 0


class _Body(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    role: Role
    content: str | tuple[Part, ...]
    name: str | None = None
    metadata: dict[str, Any] = {}
    status: Status = "complete"
    provider: str | None = None
    model: str | None = None
    usage: Usage | None = None
    derived: bool = False
    redacted: bool = False


class _Said(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    role: str
    content: msgspec.Raw
    name: str | None = None


_ROLE_AT = len(b'{"role":"')
_ROLE_OF_LETTER: dict[int, Role] = {ord(role[0]): role for role in get_args(Role)}
_CONTENT_OF_LETTER: dict[int, tuple[int, Role]] = {
    letter: (len(f'{{"role":"{role}","content":'), role) for letter, role in _ROLE_OF_LETTER.items()
}
_QUOTE = ord('"')
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_body = msgspec.json.Decoder(_Body).decode
_decode_said = msgspec.json.Decoder(_Said).decode


def _body(message: Message) -> bytes:
    return _encode(
        _Body(
            message.role,
            message.content,
            message.name,
            message.metadata,
            message.status,
            message.provider,
            message.model,
            message.usage,
            message.derived,
            message.redacted,
        )
    )


def encode(message: Message, *, tokens: int, limits: Limits, salt: bytes = b"") -> Record:
    """The record of `message`. With a `salt`, the same words under another salt count as another body.

    Raises `TooLarge` when the message is over one of `limits`.
    """
    body = _body(message)
    _check_limits(message, body, limits)
    created_at = to_micros(message.created_at)
    digest = int.from_bytes(blake2b(body, digest_size=8, key=salt).digest(), "big", signed=True) or 1
    return Record(message.id, created_at, tokens, body, digest, checksum(message.id, created_at, body))


def decode(record: Record) -> Message:
    """The message of `record`. Raises `CorruptRecord` when its bytes are not what was written."""
    if checksum(record.id, record.created_at, record.body) != record.checksum:
        raise CorruptRecord(seq=record.seq, reason="its checksum does not match")
    try:
        body = _decode_body(record.body if record.version == VERSION else upcast(record.body, record.version))
        return Message(
            body.role,
            body.content,
            body.name,
            body.metadata,
            record.id,
            from_micros(record.created_at),
            body.status,
            body.provider,
            body.model,
            body.usage,
            body.derived,
            body.redacted,
            record.seq or None,
            record.tokens,
        )
    except (msgspec.MsgspecError, InvalidInput, OverflowError) as error:
        raise CorruptRecord(seq=record.seq, reason=str(error)) from error
    except KeyError as error:
        raise CorruptRecord(seq=record.seq, reason=f"this turnlog cannot read version {record.version}") from error


def upcast(body: bytes, version: int) -> bytes:
    """`body`, written in an older `version`, in the present one. Raises `KeyError` for a version that never was."""
    fields = msgspec.json.decode(body)
    while version != VERSION:
        fields = UPCASTERS[version](fields)
        version += 1
    return _encode(fields)


def rewrite(record: Record, message: Message) -> Record:
    """`record` with the words of `message` in the place of its own."""
    body = _body(message)
    check = checksum(record.id, record.created_at, body)
    return Record(record.id, record.created_at, record.tokens, body, record.digest, check, VERSION, record.seq)


def tombstone(record: Record) -> Record:
    """What stays of an erased message: its place, id, time and role."""
    blank = rewrite(record, Message(decode(record).role, "", redacted=True))
    return msgspec.structs.replace(blank, tokens=0, digest=0)


def text_role(record: Record) -> Role | None:
    """The role of a message whose content is a text, not parts, and was not erased; told from the bytes alone.

    The body is canonical: it begins with the role and then the content, and only an erased one has an empty text.
    """
    body = record.body
    try:
        at, role = _CONTENT_OF_LETTER[body[_ROLE_AT]]
        text = body[at] == _QUOTE and body[at + 1] != _QUOTE
    except (KeyError, IndexError):
        return None
    return role if text and record.version == VERSION else None


def role(record: Record) -> Role:
    """The role of the message, told from the bytes alone: a canonical body begins with it."""
    return _ROLE_OF_LETTER[record.body[_ROLE_AT]] if record.version == VERSION else decode(record).role


_NEXT_FIELD = b'","'
"""What stands between a text and the next field, and never within a text, where each quote has a backslash before it."""


def said(record: Record) -> bytes:
    """Role, name and content as JSON: what a model is told."""
    if text_role(record) is not None and record.body.count(_NEXT_FIELD) == 1:  # that between role and content
        return record.body
    body = record.body if record.version == VERSION else upcast(record.body, record.version)
    said = _decode_said(body)
    return _encode(said)


def checksum(message_id: str, created_at: int, body: bytes) -> int:
    """CRC-32 over what a record holds."""
    return crc32(body, crc32(message_id.encode(), (created_at ^ created_at >> 32) & 0xFFFFFFFF))


def to_json(record: Record) -> bytes:
    """The message as JSON, spliced from the stored bytes without decoding them."""
    body = record.body if record.version == VERSION else upcast(record.body, record.version)
    return (
        f'{{"seq":{record.seq},"id":"{record.id}","created_at":"{format_time(record.created_at)}","tokens":{record.tokens},'
    ).encode() + body[1:]


def list_to_json(records: Iterable[Record]) -> bytes:
    """The messages as a JSON array."""
    return b"[" + b",".join(map(to_json, records)) + b"]"


def format_time(micros: int) -> str:
    """RFC 3339 in UTC, to the microsecond."""
    seconds, rest = divmod(micros, 1_000_000)
    return f"{_second(seconds)}.{rest:06d}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return from_micros(seconds * 1_000_000).isoformat()[:19]


def _check_limits(message: Message, body: bytes, limits: Limits) -> None:
    if len(body) > limits.message_bytes:
        raise TooLarge("content", limit=limits.message_bytes, actual=len(body), unit="bytes with all its fields")
    if not isinstance(message.content, str) and len(message.content) > limits.parts:
        raise TooLarge("content", limit=limits.parts, actual=len(message.content), unit="parts")
    if message.metadata:
        check_metadata(message.metadata, limits)


def check_metadata(metadata: dict[str, Any], limits: Limits) -> bytes:
    """The JSON text of `metadata`; refuses what is no JSON, nested too deep or too large."""
    check_json("metadata", metadata, depth_max=limits.json_depth)
    text = _encode(metadata)
    if len(text) > limits.metadata_bytes:
        raise TooLarge("metadata", limit=limits.metadata_bytes, actual=len(text), unit="bytes")
    return text
