"""The stored form of a message, and the way back.

A record is the form of a message that every store keeps: a few columns, and `body`, the JSON text of its content, which no
store decodes (decision 003). The body is canonical: equal messages have equal bodies, byte for byte. Each record carries the
version of its form; `UPCASTERS` convert older bodies to the current form, step by step.
"""

import struct
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, get_args
from zlib import crc32

import msgspec

from turnlog.errors import CorruptRecord, InvalidInput, TooLarge
from turnlog.message import Message, Part, Role, Status, Usage
from turnlog.timestamps import format_time, from_micros, to_micros
from turnlog.validation import INTEGER_MAX, Limits, check_json

VERSION = 1
DIGEST_BYTES = 16
ERASED = bytes(DIGEST_BYTES)
"""The digest of an erased message, which matches the digest of any message."""

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
UPCASTERS: dict[int, Upcaster] = {}
"""By version n: converts the body, as a dict, to version n + 1."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """A message in stored form.

    `created_at` is in microseconds since 1970 UTC; `digest` (16 bytes) tells whether two messages with one id say the
    same, `ERASED` where the message was erased; `checksum` (32 bits, unsigned) covers all other fields but `seq`, which is 0
    until the record is stored.
    """

    id: str
    created_at: int
    tokens: int
    body: bytes
    digest: bytes
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


# decision 003: the body is canonical, so its first bytes tell the role, and where the content begins, without decoding
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


def encode(message: Message, *, tokens: int, limits: Limits, salt: bytes = b"", received_at: int = INTEGER_MAX) -> Record:
    """The record of `message`, whose time is `received_at` (microseconds since 1970 UTC) at the latest: no clock of a client
    can put it in the future. With a `salt`, the same words under another salt count as another body.

    Raises `TooLarge` when the message is over one of `limits`.
    """
    body = _body(message)
    _check_limits(message, body, limits)
    digest = digest_of(message.id, body, salt)
    return _sealed(message.id, min(to_micros(message.created_at), received_at), tokens, body, digest)


def digest_of(message_id: str, body: bytes, salt: bytes = b"") -> bytes:
    """BLAKE2b-128 (RFC 7693) of what a message says, keyed by its id and `salt`, so that two bodies that were found to have
    one digest have two under any other id.

    It leaves the time out: a retry carries a time of its own and is the same message all the same (decision 049).
    """
    name = message_id.encode()
    digest = blake2b(b"%d %d %b%b%b" % (len(name), len(salt), name, salt, body), digest_size=DIGEST_BYTES).digest()
    # decision 003: zero means erased and matches any body; no body may have it by chance
    return digest if digest != ERASED else b"\1" + ERASED[1:]


def checked(record: Record) -> Record:
    """`record`, if its bytes are what was written. Stores pass every record through this before they let it out.

    Raises `CorruptRecord`, which holds the record as it was found.
    """
    if not intact(record):
        raise CorruptRecord(seq=record.seq, reason="its checksum does not match", record=record)
    return record


def intact(record: Record) -> bool:
    """Whether the record matches its checksum."""
    try:
        return checksum(record) == record.checksum
    except struct.error:  # a number that no record can have
        return False


def decode(record: Record) -> Message:
    """The message of `record`, which `checked` let pass. Raises `CorruptRecord` when it is none, or of a newer version."""
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
    except (msgspec.MsgspecError, InvalidInput, OverflowError, ValueError) as error:
        raise CorruptRecord(seq=record.seq, reason=str(error), record=record) from error
    except KeyError as error:
        reason = f"this turnlog cannot read version {record.version}"
        raise CorruptRecord(seq=record.seq, reason=reason, record=record) from error


def upcast(body: bytes, version: int) -> bytes:
    """`body`, written in an older `version`, in the present one. Raises `KeyError` for a version that never was."""
    fields = msgspec.json.decode(body)
    while version != VERSION:
        fields = UPCASTERS[version](fields)
        version += 1
    return _encode(fields)


def rewrite(record: Record, message: Message) -> Record:
    """`record` with the words of `message` in the place of its own."""
    return _sealed(record.id, record.created_at, record.tokens, _body(message), record.digest, seq=record.seq)


def tombstone(record: Record) -> Record:
    """What stays of an erased message: its place, id, time and role (`user` where that decayed)."""
    body = _body(Message(_role_left(record), "", redacted=True))
    return _sealed(record.id, _time_left(record), 0, body, ERASED, seq=record.seq)


def _role_left(record: Record) -> Role:
    """The role of a record that may be decayed, or of a version that this turnlog does not know."""
    try:
        return decode(record).role
    except CorruptRecord:
        at = record.body[_ROLE_AT] if len(record.body) > _ROLE_AT else 0
        return _ROLE_OF_LETTER.get(at, "user")


def _time_left(record: Record) -> int:
    try:
        return to_micros(from_micros(record.created_at))
    except (OverflowError, ValueError):  # decayed
        return 0


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


_COVERED = struct.Struct("<qqq16s")


def _sealed(message_id: str, created_at: int, tokens: int, body: bytes, digest: bytes, *, seq: int = 0) -> Record:
    """A record of the present version, with its checksum."""
    check = _checksum(message_id, created_at, tokens, VERSION, digest, body)
    return Record(message_id, created_at, tokens, body, digest, check, VERSION, seq)


def checksum(record: Record) -> int:
    """CRC-32 over what a record holds, its seq left out. Raises `struct.error` for numbers beyond 64 bits."""
    return _checksum(record.id, record.created_at, record.tokens, record.version, record.digest, record.body)


def _checksum(message_id: str, created_at: int, tokens: int, version: int, digest: bytes, body: bytes) -> int:
    return crc32(body, crc32(message_id.encode(), crc32(_COVERED.pack(created_at, tokens, version, digest))))


def to_json(record: Record) -> bytes:
    """The message as JSON, spliced from the stored bytes without decoding them."""
    body = record.body if record.version == VERSION else upcast(record.body, record.version)
    return (
        f'{{"seq":{record.seq},"id":"{record.id}","created_at":"{format_time(record.created_at)}","tokens":{record.tokens},'
    ).encode() + body[1:]


def list_to_json(records: Iterable[Record]) -> bytes:
    """The messages as a JSON array."""
    return b"[" + b",".join(map(to_json, records)) + b"]"


def _check_limits(message: Message, body: bytes, limits: Limits) -> None:
    if len(body) > limits.message_bytes:
        raise TooLarge("content", limit=limits.message_bytes, actual=len(body), unit="bytes with all its fields")
    if not isinstance(message.content, str) and len(message.content) > limits.parts:
        raise TooLarge("content", limit=limits.parts, actual=len(message.content), unit="parts")
    if message.metadata:
        check_metadata(message.metadata, limits)


def check_metadata(metadata: dict[str, Any], limits: Limits) -> bytes:
    """The JSON text of `metadata`; refuses what is no JSON, nested too deep or too large."""
    try:
        text = _encode(metadata)
    except (TypeError, ValueError, RecursionError, OverflowError):
        text = b""  # it is no JSON: the check says where
    if len(text) <= limits.metadata_bytes:  # to look through what is too large anyway would take long
        check_json("metadata", metadata, depth_max=limits.json_depth)
        text = text or _encode(metadata)
    if len(text) > limits.metadata_bytes:
        raise TooLarge("metadata", limit=limits.metadata_bytes, actual=len(text), unit="bytes")
    return text
