"""Encodes parameters of statements and ids of messages, and decodes rows."""

import re
from collections.abc import Iterable, Sequence
from struct import pack
from typing import NamedTuple

from turnlog.codec import Record, checked
from turnlog.stores.postgres.log_ids import Names, utf8

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
