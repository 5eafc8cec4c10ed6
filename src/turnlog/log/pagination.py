"""Pages of conversations, and the cursors that ask for the next one."""

import base64
from hashlib import blake2b
from typing import Any

import msgspec

from turnlog.errors import (
    InvalidInput,
)
from turnlog.store import Header, Position


class Listing(msgspec.Struct, frozen=True):
    """A page of conversations, latest first; `next_cursor` asks for the next page, None when this is the last."""

    headers: list[Header]
    next_cursor: str | None


def query_mark(parts: list[Any]) -> str:
    """What a cursor remembers of the query that it belongs to."""
    return blake2b(msgspec.json.encode(parts), digest_size=6).hexdigest()


def cursor_of(position: Position, query: str) -> str:
    """The cursor that asks for what comes behind `position` in the results of `query`."""
    return base64.urlsafe_b64encode(msgspec.json.encode((query, *position))).decode().rstrip("=")


def read_cursor(cursor: str, query: str) -> Position:
    """The position that `cursor` names. Raises `InvalidInput` if it was not given out for `query`."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        found, updated_at, conversation_id = msgspec.json.decode(text, type=tuple[str, int, str])
    except (ValueError, msgspec.MsgspecError):
        raise InvalidInput("cursor", "must be a next_cursor that this service gave out") from None
    if found != query:
        raise InvalidInput("cursor", "belongs to another query")
    return Position(updated_at, conversation_id)
