"""`ConversationInfo`: what a caller is told of a conversation beside its messages."""

from datetime import datetime
from typing import Any, Self

import msgspec

from turnlog.store import Header
from turnlog.timestamps import from_micros


class Parent(msgspec.Struct, frozen=True):
    """The conversation whose log a fork shares, and the last seq that it shares."""

    conversation_id: str
    seq: int


class ConversationInfo(msgspec.Struct, frozen=True):
    """What is known of a conversation beside its messages; times are in UTC.

    `head` is the seq of the last message, 0 when there is none. `revision` counts changes of title, tags, metadata and
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
            header.incarnation,
            from_micros(header.created_at),
            from_micros(header.updated_at),
            header.archived,
            header.revision,
        )
