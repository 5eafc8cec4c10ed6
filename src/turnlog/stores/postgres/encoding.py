"""Encodes parameters, ids and the keyed hashes that stand for names; decodes rows, headers and the states of functions."""

import logging
import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from struct import pack
from typing import Any, NamedTuple, NoReturn

import msgspec

from turnlog.codec import Record, checked
from turnlog.errors import (
    ConversationDeleted,
    ConversationNotFound,
    CorruptRecord,
    HeadMoved,
    MessageNotFound,
    RevisionMoved,
    SnapshotMoved,
    StoreFailed,
)
from turnlog.store import Header, Key

_KNOWN_MAX = 2000


def utf8(value: str) -> bytes:
    """Encode a text. Raises `StoreFailed` if it is not valid Unicode."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise StoreFailed("a text holds half of a surrogate pair, which UTF-8 cannot say") from None


Row = list[bytes | None]


class Names:
    """Computes the numbers of conversations and of message ids with the database's `secret` (decision 014)."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self._log = blake2b(digest_size=8, key=secret, person=b"log")
        self._mark = blake2b(digest_size=8, key=secret, person=b"mark")
        self._logs: dict[Key, int] = {}

    def log(self, key: Key) -> int:
        """Return the number that names a conversation in every table: 64 bits, signed."""
        hashed = self._log.copy()
        hashed.update(utf8(f"{key.tenant}\0{key.conversation_id}"))
        return int.from_bytes(hashed.digest(), "big", signed=True)

    def log_again(self, key: Key) -> int:
        """As `log`, with a cache for conversations that get many appends."""
        found = self._logs.get(key)
        if found is None:
            if len(self._logs) >= _KNOWN_MAX:
                # emptied, not trimmed: an order of use would cost each append more than the hashes that come again
                self._logs.clear()
            found = self._logs[key] = self.log(key)
        return found

    def mark(self, packed: bytes) -> int:
        """Return the number of a packed message id: 64 bits, signed."""
        hashed = self._mark.copy()  # a copy of a hash with its key in it costs less than a new one
        hashed.update(packed)
        return int.from_bytes(hashed.digest(), "big", signed=True)


_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UUID_BYTES = 16
_UUID_TEXT = 36


class Param(NamedTuple):
    """A parameter: its bytes (None: NULL), the number of its type in PostgreSQL (0: let it find out), 0 for text form or 1
    for binary."""

    value: bytes | None
    type: int
    form: int


def number(value: int | None) -> Param:
    """Encode an integer of the type that the statement expects."""
    return Param(None if value is None else b"%d" % value, 0, 0)


def text(value: str | None) -> Param:
    """Encode a text in binary form: in text form libpq would end it at a NUL, which the server must see and refuse."""
    return Param(None if value is None else utf8(value), 25, 1)


def boolean(value: bool) -> Param:
    """A boolean."""
    return Param(b"t" if value else b"f", 16, 0)


def blob(value: bytes) -> Param:
    """A bytea."""
    return Param(value, 17, 1)


def int8s(values: list[int]) -> Param:
    """An int8[]."""
    # the `repr` of a list of integers, in braces, is the text form of an array: `{1, 2}`
    return Param(f"{{{repr(values)[1:-1]}}}".encode(), 1016, 0)


def texts(values: Iterable[str]) -> Param:
    """A text[]."""
    return Param(_binary_array([utf8(value) for value in values], 25), 1009, 1)


def blobs(values: Sequence[bytes]) -> Param:
    """A bytea[]."""
    return Param(_binary_array(values, 17), 1001, 1)


def _binary_array(values: Sequence[bytes], kind: int) -> bytes:
    # array_recv of PostgreSQL: dimensions, no NULLs, type, then length and lower bound of the one dimension
    pieces = [pack(">iiiii", 1, 0, kind, len(values), 1)]
    for value in values:
        pieces += (pack(">i", len(value)), value)
    return b"".join(pieces)


def ints(array: bytes | None) -> list[int]:
    """Decode an array of integers in text form."""
    return [int(value) for value in array[1:-1].split(b",")] if array and array != b"{}" else []


def integer(value: bytes | None) -> int:
    """Decode an integer in binary form."""
    return int.from_bytes(value or b"", "big", signed=True)


def pack_id(id_: str) -> bytes:
    """Pack a message id: a UUID in its usual form into 16 bytes, any other text into more or fewer."""
    if len(id_) == _UUID_TEXT and _UUID.fullmatch(id_):
        return bytes.fromhex(id_.replace("-", ""))
    told = utf8(id_)
    # a text of 16 bytes would be read as a UUID; ids hold no NUL, so that one at the end marks it
    return told + b"\0" if len(told) == _UUID_BYTES else told


def unpack_id(packed: bytes) -> str:
    """Unpack a message id. Decayed bytes give an id, too; the checksum finds them."""
    if len(packed) == _UUID_BYTES:
        told = packed.hex()
        return f"{told[:8]}-{told[8:12]}-{told[12:16]}-{told[16:20]}-{told[20:]}"
    return packed.rstrip(b"\0").decode(errors="replace")


def hexes(array: bytes | None) -> list[bytes]:
    """Decode an array of hexadecimal texts in text form."""
    return [bytes.fromhex(value.decode()) for value in array[1:-1].split(b",")] if array and array != b"{}" else []


def record(row: Sequence[bytes | None]) -> Record:
    """Decode a row as `raw` does. Raises `CorruptRecord` if it is not what was written."""
    return checked(raw(row))


def raw(row: Sequence[bytes | None]) -> Record:
    """Decode a row (seq, id, created_at, tokens, version, digest, checksum, body) in binary form."""
    seq, id_, created_at, tokens, version, digest, check, body = row
    return Record(
        unpack_id(id_ or b""),
        integer(created_at),
        integer(tokens),
        body or b"",
        digest or b"",
        integer(check),
        integer(version),
        integer(seq),
    )


class Column(NamedTuple):
    """The stored columns of a record: created_at, mark, checksum, tokens and version; the packed id; digest; body."""

    numbers: tuple[int, int, int, int, int]
    id: bytes
    digest: bytes
    body: bytes

    @property
    def tokens(self) -> int:
        """The tokens of the message."""
        return self.numbers[3]


def column(record: Record, names: Names) -> Column:
    """Return the stored columns of `record`."""
    id_ = pack_id(record.id)
    numbers = (record.created_at, names.mark(id_), record.checksum, record.tokens, record.version)
    return Column(numbers, id_, record.digest, record.body)


def arrays(columns: Iterable[tuple[tuple[int, ...], Column]]) -> tuple[Param, Param, Param, Param]:
    """Encode columns as arrays: the numbers of each (those of its place first), ids, digests, bodies."""
    numbers: list[int] = []
    ids, digests, bodies = [], [], []
    for place, (told, id_, digest, body) in columns:
        numbers += place
        numbers += told
        ids.append(id_)
        digests.append(digest)
        bodies.append(body)
    return int8s(numbers), blobs(ids), blobs(digests), blobs(bodies)


Expected = tuple[int | None, int | None]
"""The head and the revision that a caller expects."""
_logger = logging.getLogger(__name__)


class _Told(Header, frozen=True):
    """A header with the text of its metadata, which may have decayed."""

    stored_metadata: str = "{}"


_decode_header = msgspec.json.Decoder(_Told).decode
_decode_metadata = msgspec.json.Decoder(dict[str, Any]).decode
_METADATA = Header.__struct_fields__.index("metadata")


def header_in(rows: list[Row], key: Key) -> Header:
    """The header, of rows of which the first begins with it and with whether the conversation is deleted."""
    if not rows:
        raise ConversationNotFound(key.conversation_id)
    header, deleted = rows[0][:2]
    if deleted != b"\0":
        raise ConversationDeleted(key.conversation_id)
    return header_of(header or b"")


def header_of(told: bytes) -> Header:
    """The header that the server told as JSON. Raises `CorruptRecord`, with what is left where only metadata decayed."""
    try:
        *fields, metadata = msgspec.structs.astuple(_decode_header(told))
    except msgspec.MsgspecError as error:
        raise CorruptRecord(seq=0, reason=f"the header is none: {error}") from None
    try:
        fields[_METADATA] = _decode_metadata(metadata)
    except (msgspec.MsgspecError, ValueError) as error:
        reason = f"the metadata in the header of {fields[0]!r} is damaged: {error}"
        raise CorruptRecord(seq=0, reason=reason, record=Header(*fields)) from None
    return Header(*fields)


def listed(told: bytes) -> Header:
    """`header_of`, without metadata that decayed: one such header does not keep all from being listed."""
    try:
        return header_of(told)
    except CorruptRecord as error:
        if not isinstance(error.record, Header):
            raise
        _logger.warning("%s", error)
        return error.record


def refuse(row: Row, key: Key, *, seq: int = 0, expected: Expected = (None, None)) -> NoReturn:
    """Raise what the state in an answer of a function means."""
    a, b = int(row[1] or 0), int(row[2] or 0)
    match int(row[0] or 0):
        case 1:
            raise ConversationNotFound(key.conversation_id)
        case 2:
            raise ConversationDeleted(key.conversation_id)
        case 4:
            raise HeadMoved(expected=expected[0] or 0, actual=a)
        case 5:
            raise RevisionMoved(expected=expected[1] or 0, actual=a)
        case 6:
            raise MessageNotFound(key.conversation_id, seq)
        case _:
            raise SnapshotMoved(watermark=a, epoch=b)
