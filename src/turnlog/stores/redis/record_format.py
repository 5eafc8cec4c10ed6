"""The bytes of a record in a list: version, time, digest, checksum, tokens, total, then its id and its body.

The total is that of the conversation's tokens up to here, cut to 32 bits; a script writes it when the record is appended.
The scripts read the digest, the time and the id at fixed places (`lua/prelude.lua`) and never look into the body.
"""

import re
import struct

from turnlog.codec import Record
from turnlog.errors import CorruptRecord

_HEAD = struct.Struct("<Bq16sIIIB")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII).fullmatch
_TIME = struct.Struct("<q")


def pack_id(id_: str) -> bytes:
    """Pack a message id: a UUID in its usual form into NUL and 16 bytes, any other id as its text."""
    if len(id_) == 36 and _UUID(id_):
        # ids hold no NUL, so that it marks the packed form; 17 bytes instead of 36 a message (decision 021)
        return b"\0" + bytes.fromhex(id_.replace("-", ""))
    return id_.encode()


def unpack_id(packed: bytes) -> str:
    """Unpack an id of `pack_id`."""
    if packed[:1] != b"\0":
        return packed.decode()
    text = packed[1:].hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def pack(record: Record, total: int = 0) -> bytes:
    """Encode a record; its seq is its place in the list."""
    id_ = pack_id(record.id)
    head = _HEAD.pack(
        record.version, record.created_at, record.digest, record.checksum, record.tokens, total % 2**32, len(id_)
    )
    return head + id_ + record.body


def unpack(frame: bytes, seq: int) -> Record:
    """Decode the record at `seq`, decayed or not. Raises `CorruptRecord` for bytes that no `pack` made."""
    try:
        version, created_at, digest, checksum, tokens, _, length = _HEAD.unpack_from(frame)
        body = _HEAD.size + length
        return Record(unpack_id(frame[_HEAD.size : body]), created_at, tokens, frame[body:], digest, checksum, version, seq)
    except (struct.error, UnicodeDecodeError) as error:
        raise CorruptRecord(seq=seq, reason=str(error)) from error


def total_at(frame: bytes, above: int) -> int:
    """Return the tokens of the conversation up to this record, which are at most `above`, and less by less than 2**32."""
    # decision 058: 32 bits and a later total tell the whole, so that the frame is no longer than it was without them
    total = int(_HEAD.unpack_from(frame)[5]) if len(frame) >= _HEAD.size else above
    return above - (above - total) % 2**32


def weight(frame: bytes) -> int:
    """Return the number of bytes of the body."""
    # the last byte of the head is the length of the id: the body's weight without unpacking anything
    return len(frame) - _HEAD.size - frame[_HEAD.size - 1] if len(frame) >= _HEAD.size else 0


def unpack_time(packed: bytes) -> int:
    """Decode the `created_at` that a script cut out of a frame."""
    time: int = _TIME.unpack(packed)[0]
    return time
