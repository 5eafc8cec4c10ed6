"""What goes over the wire: the bodies of requests, which are decoded into these, and the shapes of answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from turnlog import codec
from turnlog.intake import MessageIn
from turnlog.message import Part, Role, Status, Usage
from turnlog.ports import Header

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request's body: a field that is not known here is refused."""


class CreateConversation(Given, frozen=True):
    """A conversation to begin; every field may be left out."""

    conversation_id: str | None = None
    user_id: str | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] | None = None
    messages: tuple[MessageIn, ...] = ()


class ChangeConversation(Given, frozen=True):
    """What to change of a conversation; what is left out stays."""

    title: str | None | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


class MessageBatch(Given, frozen=True):
    """Messages to append together, all or nothing."""

    messages: tuple[MessageIn, ...]


class ContextRequest(Given, frozen=True):
    """How much of the conversation the model should see."""

    max_messages: Annotated[int, Meta(ge=1)] = 10
    include_summary: bool = True


class ForkRequest(Given, frozen=True):
    """Where the fork leaves its parent (default: at its head), and the new conversation's id."""

    at: Annotated[int, Meta(ge=0)] | None = None
    conversation_id: str | None = None


class SyncRequest(Given, frozen=True):
    """The client's whole transcript, from the first message on."""

    messages: tuple[MessageIn, ...]
    on_divergence: Literal["error", "fork"] = "error"


class ConversationCreated(msgspec.Struct, frozen=True):
    """A conversation that was begun."""

    conversation_id: str
    created_at: Time
    head: int


class Receipt(msgspec.Struct, frozen=True):
    """Where a message stands."""

    message_id: str
    seq: int
    timestamp: Time


class Parent(msgspec.Struct, frozen=True):
    """The conversation, and the seq up to which a fork shares its log."""

    conversation_id: str
    seq: int


class ConversationInfo(msgspec.Struct, frozen=True):
    """What is known of a conversation beside its messages."""

    conversation_id: str
    user_id: str | None
    title: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    parent: Parent | None
    head: int
    created_at: Time
    updated_at: Time
    archived: bool
    revision: int


class StoredMessage(msgspec.Struct, frozen=True):
    """A message as it is stored. Fields that hold their default are left out."""

    seq: int
    id: str
    created_at: datetime
    tokens: int
    role: Role
    content: str | tuple[Part, ...]
    name: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    status: Status = "complete"
    provider: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    usage: Usage | UnsetType = UNSET
    derived: bool = False
    redacted: bool = False


class Memory(msgspec.Struct, frozen=True):
    """What is remembered of the user and the conversation; empty until something is."""

    user_name: str | None = None
    user_preferences: dict[str, Any] = {}
    current_topic: str | None = None
    entities: tuple[Any, ...] = ()
    facts: tuple[Any, ...] = ()
    pending_tasks: tuple[Any, ...] = ()


class ConversationState(ConversationInfo, frozen=True):
    """A conversation with its newest messages, in order; `has_more` tells whether there are older ones."""

    context: Memory
    messages: tuple[StoredMessage, ...]
    has_more: bool


class MessagePage(msgspec.Struct, frozen=True):
    """Messages in the order that was asked for; `has_more` tells whether the log goes on in that direction."""

    messages: tuple[StoredMessage, ...]
    head: int
    has_more: bool


class SaidMessage(msgspec.Struct, frozen=True):
    """What a model is told of a message."""

    role: Role
    content: str | tuple[Part, ...]
    name: str | UnsetType = UNSET


class ContextMemory(msgspec.Struct, frozen=True):
    """What is remembered, as far as it goes into a context."""

    user_name: str | None = None
    current_topic: str | None = None
    entities: tuple[Any, ...] = ()


class ContextAnswer(msgspec.Struct, frozen=True):
    """What to send to the model, and about how many tokens the messages cost."""

    messages: tuple[SaidMessage, ...]
    context: ContextMemory
    tokens: int
    token_estimate: int


class SyncAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a sync did. After a divergence, the rest of the transcript is in the conversation `forked_to`."""

    conversation_id: str
    appended: int
    matched: int
    head: int
    diverged_at: int | None = None
    forked_to: str | None = None


class ConversationList(msgspec.Struct, frozen=True):
    """Conversations, latest first; `next_cursor` asks for the next page."""

    data: tuple[ConversationInfo, ...]
    next_cursor: str | None


class Deleted(msgspec.Struct, frozen=True):
    """The conversation is gone."""

    deleted: bool = True


class Redacted(msgspec.Struct, frozen=True):
    """What the message said is gone; its place stays."""

    seq: int
    redacted: bool = True


class Health(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["healthy"] = "healthy"


class Ready(msgspec.Struct, frozen=True):
    """The store answers."""

    status: Literal["ready"] = "ready"


class Problem(msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457). Facts about it follow as further fields, such as `field`, `rule` or `actual`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool


def info(header: Header) -> dict[str, Any]:
    """The fields of a header, as `ConversationInfo` has them."""
    return {
        "conversation_id": header.id,
        "user_id": header.user_id,
        "title": header.title,
        "tags": header.tags,
        "metadata": header.metadata,
        "parent": None if header.parent is None else Parent(header.parent, header.parent_seq),
        "head": header.head,
        "created_at": codec.format_time(header.created_at),
        "updated_at": codec.format_time(header.updated_at),
        "archived": header.archived,
        "revision": header.revision,
    }
