"""What the server's answers mean: headers, and the states that functions end with."""

from typing import NoReturn

import msgspec

from turnlog.errors import (
    ConversationDeleted,
    ConversationNotFound,
    CorruptRecord,
    HeadMoved,
    MessageNotFound,
    RevisionMoved,
    SnapshotMoved,
)
from turnlog.ports import Header, Key
from turnlog.stores.postgres.wire import Row

Expected = tuple[int | None, int | None]
"""The head and the revision that a caller expects."""
_decode_header = msgspec.json.Decoder(Header).decode


def header_in(rows: list[Row], key: Key) -> Header:
    """The header, of rows of which the first begins with it and with whether the conversation is deleted."""
    if not rows:
        raise ConversationNotFound(key.conversation_id)
    header, deleted = rows[0][:2]
    if deleted != b"\0":
        raise ConversationDeleted(key.conversation_id)
    return header_of(header or b"")


def header_of(told: bytes) -> Header:
    """The header that the server told as JSON."""
    try:
        return _decode_header(told)
    except msgspec.MsgspecError as error:
        raise CorruptRecord(seq=0, reason=f"the header is none: {error}") from None


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
