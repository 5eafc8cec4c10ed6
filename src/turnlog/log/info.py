"""What a caller gets of conversations beside messages: `ConversationInfo`, and `Page`, the one form of a list."""

import base64
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Generic, Self, TypeVar, overload

import msgspec

from turnlog.errors import InvalidInput
from turnlog.store import Header
from turnlog.timestamps import from_micros

T = TypeVar("T")
U = TypeVar("U")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A part of a list: iterating, indexing and `len` go over `data`.

    `next_cursor` asks the same method, with the same other arguments, for the next page; it is None on the last page.
    """

    data: tuple[T, ...]
    next_cursor: str | None = None
    has_more: bool = False

    @classmethod
    def of(cls, data: Sequence[T], *, cursor: str | None) -> "Page[T]":
        """A page that goes on at `cursor`, None for the last one."""
        return cls(tuple(data), cursor, cursor is not None)

    def map(self, change: Callable[[T], U]) -> "Page[U]":
        """The same page of what `change` makes of each item."""
        return Page(tuple(map(change, self.data)), self.next_cursor, self.has_more)

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...

    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self.data[index]


def query_mark(parts: list[Any]) -> str:
    """What a cursor remembers of the query that it belongs to."""
    return blake2b(msgspec.json.encode(parts), digest_size=6).hexdigest()


def cursor_of(query: str, *position: int | str) -> str:
    """The cursor that asks for what comes behind `position` in the results of `query`."""
    return base64.urlsafe_b64encode(msgspec.json.encode((query, *position))).decode().rstrip("=")


def read_cursor(cursor: str, query: str, kind: type[T]) -> T:
    """The position that `cursor` names, a tuple of this `kind`. Raises `InvalidInput` if it was not given for `query`."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        found, *position = msgspec.json.decode(text, type=list[Any])
        read = msgspec.convert(position, kind)
    except (ValueError, TypeError, msgspec.MsgspecError):
        raise InvalidInput("cursor", "must be a next_cursor that this service gave out") from None
    if found != query:
        raise InvalidInput("cursor", "belongs to another query")
    return read


class Parent(msgspec.Struct, frozen=True):
    """The conversation whose log a fork shares, and the last seq that it shares."""

    conversation_id: str
    seq: int


class ConversationInfo(msgspec.Struct, frozen=True):
    """What is known of a conversation beside its messages; times are in UTC.

    `head` is the seq of the last message, 0 when there is none. `tokens` is the sum over all messages as they were appended,
    of those too that a fork shares; a redaction does not lower it. `revision` counts changes of title, tags, metadata and
    `archived`. While `incarnation` stays the same, a seq still names the same message; it is new when the history may have
    gone back, after a restore or a failover. `parent` is None unless the conversation is a fork.
    """

    id: str
    user_id: str | None
    title: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    parent: Parent | None
    head: int
    tokens: int
    incarnation: str
    created_at: datetime
    updated_at: datetime
    archived: bool
    revision: int

    def __repr__(self) -> str:
        told = {"title": self.title, "user_id": self.user_id, "head": self.head}
        shown = ", ".join(f"{name}={value!r}" for name, value in told.items() if value is not None)
        return f"ConversationInfo({self.id!r}, {shown})"

    @classmethod
    def of(cls, header: Header) -> Self:
        """What the stored `header` says."""
        return cls(
            header.id,
            header.user_id,
            header.title,
            header.tags,
            header.metadata,
            Parent(header.parent, header.parent_seq) if header.parent is not None else None,
            header.head,
            header.tokens,
            header.incarnation,
            from_micros(header.created_at),
            from_micros(header.updated_at),
            header.archived,
            header.revision,
        )
