"""Decodes answers of the server: headers, and the states that functions return."""

import logging
from typing import Any, NoReturn

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
from turnlog.store import Header, Key
from turnlog.stores.postgres.connection import Row

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
