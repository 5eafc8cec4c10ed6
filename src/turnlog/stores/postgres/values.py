"""How values travel: the parameters of a statement, ids as bytes, the number of a log."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from struct import pack
from typing import NamedTuple

from turnlog.codec import Record
from turnlog.ports import Key

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
    """An integer of the type that its place asks for."""
    return Param(None if value is None else b"%d" % value, 0, 0)


def text(value: str | None) -> Param:
    """A text."""
    return Param(None if value is None else value.encode(), 25, 0)


def boolean(value: bool) -> Param:
    """A boolean."""
    return Param(b"t" if value else b"f", 16, 0)


def blob(value: bytes) -> Param:
    """A bytea."""
    return Param(value, 17, 1)


def int8s(values: list[int]) -> Param:
    """An int8[]."""
    return Param(f"{{{repr(values)[1:-1]}}}".encode(), 1016, 0)


def texts(values: Iterable[str]) -> Param:
    """A text[]."""
    return Param(_binary_array([value.encode() for value in values], 25), 1009, 1)


def blobs(values: Sequence[bytes]) -> Param:
    """A bytea[]."""
    return Param(_binary_array(values, 17), 1001, 1)


def _binary_array(values: Sequence[bytes], kind: int) -> bytes:
    pieces = [pack(">iiiii", 1, 0, kind, len(values), 1)]
    for value in values:
        pieces += (pack(">i", len(value)), value)
    return b"".join(pieces)


def ints(array: bytes | None) -> list[int]:
    """What an array of numbers in text form holds."""
    return [int(value) for value in array[1:-1].split(b",")] if array and array != b"{}" else []


def integer(value: bytes | None) -> int:
    """What an integer in binary form says."""
    return int.from_bytes(value or b"", "big", signed=True)


@lru_cache(maxsize=10_000)
def log_of(key: Key) -> int:
    """The number that names a conversation in the tables: 64 bits of a hash, signed."""
    name = f"{key.tenant}\0{key.conversation_id}".encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big", signed=True)


def pack_id(id_: str) -> bytes:
    """A message's id in 16 bytes if it is a UUID in its usual form, else its text, which never has that length."""
    if len(id_) == _UUID_TEXT and _UUID.fullmatch(id_):
        return bytes.fromhex(id_.replace("-", ""))
    told = id_.encode()
    return told + b"\0" if len(told) == _UUID_BYTES else told


def unpack_id(packed: bytes) -> str:
    """The id that was packed."""
    if len(packed) == _UUID_BYTES:
        told = packed.hex()
        return f"{told[:8]}-{told[8:12]}-{told[12:16]}-{told[16:20]}-{told[20:]}"
    return packed.rstrip(b"\0").decode()


def mark(packed: bytes) -> int:
    """64 bits of a hash of a packed id, signed."""
    return int.from_bytes(blake2b(packed, digest_size=8).digest(), "big", signed=True)


def signed(checksum: int) -> int:
    """32 bits without a sign, in an int4."""
    return checksum - (1 << 32) if checksum >> 31 else checksum


def record(row: Sequence[bytes | None]) -> Record:
    """The record of a row (seq, id, created_at, tokens, version, digest, checksum, body) in binary form."""
    seq, id_, created_at, tokens, version, digest, check, body = row
    return Record(
        unpack_id(id_ or b""),
        integer(created_at),
        integer(tokens),
        body or b"",
        integer(digest),
        int.from_bytes(check or b"", "big"),
        integer(version),
        integer(seq),
    )


def columns(records: Iterable[tuple[tuple[int, ...], Record]]) -> tuple[Param, Param, Param]:
    """Records, each with its place, as arrays: the numbers of each (those of its place first), ids, bodies."""
    numbers: list[int] = []
    ids, bodies = [], []
    for place, record in records:
        told, id_, body = column(record)
        numbers += place
        numbers += told
        ids.append(id_)
        bodies.append(body)
    return int8s(numbers), blobs(ids), blobs(bodies)


def column(record: Record) -> tuple[tuple[int, ...], bytes, bytes]:
    """Of one record: created_at, digest, mark, tokens, checksum and version; the packed id; the body."""
    id_ = pack_id(record.id)
    numbers = (record.created_at, record.digest, mark(id_), record.tokens, signed(record.checksum), record.version)
    return numbers, id_, record.body
