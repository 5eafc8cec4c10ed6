"""The bodies of answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from turnlog.context.result import Coverage, Entry, SectionCost
from turnlog.log.info import ConversationInfo
from turnlog.message import Part, Role, Status, Usage
from turnlog.store import Header, Receipt
from turnlog.timestamps import format_moment

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Polarity = Literal["like", "dislike", "prefer"]


class StoredMessage(msgspec.Struct, frozen=True):
    """A stored message. Fields that hold their default are left out."""

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


class PreferenceText(msgspec.Struct, frozen=True):
    """What the user likes, dislikes or prefers, in their words."""

    polarity: Polarity
    text: str


class ItemText(msgspec.Struct, frozen=True):
    """A remembered item."""

    text: str


class MemoryAnswer(msgspec.Struct, frozen=True):
    """What is remembered, the most important items first.

    Name, preferences, facts and pending tasks come from all conversations of the user, topic and entities from this one.
    `/memory` of the conversation and of the user show the sources.
    """

    user_name: str | None = None
    user_preferences: tuple[PreferenceText, ...] = ()
    current_topic: str | None = None
    entities: tuple[ItemText, ...] = ()
    facts: tuple[ItemText, ...] = ()
    pending_tasks: tuple[ItemText, ...] = ()


class ConversationState(ConversationInfo, frozen=True):
    """A conversation with its memory and its newest messages, in order; `has_more` tells whether there are older ones."""

    memory: MemoryAnswer
    messages: tuple[StoredMessage, ...]
    has_more: bool


class MessagePage(msgspec.Struct, frozen=True):
    """Messages in the order that was asked for. A page may have fewer than its limit: it also has a limit in bytes."""

    data: tuple[StoredMessage, ...]
    next_cursor: str | None
    has_more: bool
    head: int
    incarnation: str


class ConversationPage(msgspec.Struct, frozen=True):
    """Conversations, the one that was updated last first. `next_cursor` asks for the next page."""

    data: tuple[ConversationInfo, ...]
    next_cursor: str | None
    has_more: bool


class ContextMessage(msgspec.Struct, frozen=True):
    """A message as it is sent to the model."""

    role: Role
    content: str | tuple[Part, ...]
    name: str | UnsetType = UNSET


class ContextAccount(msgspec.Struct, frozen=True):
    """What a context costs, and where each message of the conversation is.

    `rendered` holds the keyword arguments for the SDK that `format` named. `prefix_hash` names the bytes that the next
    context begins with if nothing is compacted; `shared_tokens` is how many tokens the context before the newest turn began
    with as well.
    """

    tokens: int
    budget: int
    sections: tuple[SectionCost, ...]
    coverage: Coverage
    prefix_hash: str
    shared_tokens: int
    rendered: dict[str, Any] | UnsetType = UNSET
    explain: tuple[Entry, ...] | UnsetType = UNSET


class ContextAnswer(ContextAccount, frozen=True, kw_only=True):
    """The messages to send to the model, and an account of them."""

    messages: tuple[ContextMessage, ...]
    memory: MemoryAnswer


class TurnAnswer(ContextAnswer, frozen=True, kw_only=True):
    """Where the messages are stored, and the context right behind them."""

    receipts: tuple[Receipt, ...]


class ReconcileAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of a reconciliation. After a divergence, the rest of the transcript is in the fork `forked_to`."""

    conversation_id: str
    appended: int
    matched: int
    head: int
    diverged_at: int | None = None
    forked_to: str | None = None


class Deleted(msgspec.Struct, frozen=True):
    """What was named is erased."""

    deleted: bool = True


class Redacted(msgspec.Struct, frozen=True):
    """The message's content is erased; its place stays."""

    seq: int
    redacted: bool = True


class FoldMemory(msgspec.Struct, frozen=True):
    """The state of a fold after the messages up to `watermark`, which is `lag` messages behind the head.

    `version` and `state` are null until something was folded.
    """

    fold: str
    version: int | None
    watermark: int
    lag: int
    state: Any


class FoldFailure(msgspec.Struct, frozen=True):
    """A fold that failed `failures` times behind `watermark`; it is tried again at `retry_at`."""

    conversation_id: str
    fold: str
    version: int
    watermark: int
    failures: int
    error: str
    failed_at: Time
    retry_at: Time


class ConversationMemory(msgspec.Struct, frozen=True):
    """The state of each fold of a conversation, and the folds that failed."""

    conversation_id: str
    folds: dict[str, FoldMemory]
    failures: tuple[FoldFailure, ...]


class FoldProgress(msgspec.Struct, frozen=True):
    """How far a fold is behind: `behind` conversations, by `messages` in sum and `longest` at most. With `more`, there are
    conversations that were not counted.
    """

    fold: str
    version: int
    behind: int
    more: bool
    messages: int
    longest: int
    failures: tuple[FoldFailure, ...]


class LLMUsage(msgspec.Struct, frozen=True):
    """The calls of one language model in a month: `failures` of them brought no reply; tokens, and their cost."""

    model: str
    calls: int
    failures: int
    input: int
    output: int
    cached: int
    cost: float


class MemoryStatus(msgspec.Struct, frozen=True):
    """How far the folds are behind, and the use of language models by month and model."""

    folds: tuple[FoldProgress, ...]
    spent: dict[str, LLMUsage]


class Retried(msgspec.Struct, frozen=True):
    """Whether the fold was waiting for its next try."""

    retried: bool


class SourceAnswer(msgspec.Struct, frozen=True):
    """The message that an item comes from."""

    conversation_id: str
    seq: int


class FactAnswer(msgspec.Struct, frozen=True):
    """A statement about the user in the third person, true from `valid_from` until `valid_to` (null: until now).

    `recorded_at` is when it was learned, `confidence` is 0 to 1; `corrected` marks a correction by a person. A `slot` has
    one value at a time.
    """

    id: str
    text: str
    slot: str
    value: str
    confidence: float
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time
    sources: tuple[SourceAnswer, ...]
    corrected: bool


class PreferenceAnswer(PreferenceText, frozen=True):
    """A preference with its sources."""

    sources: tuple[SourceAnswer, ...]
    recorded_at: Time


class TaskAnswer(ItemText, frozen=True):
    """What the user asked for and waits for."""

    sources: tuple[SourceAnswer, ...]
    recorded_at: Time


class EntityAnswer(ItemText, frozen=True):
    """Someone or something that the user named in `count` messages."""

    kind: str
    count: int
    aliases: tuple[str, ...]
    sources: tuple[SourceAnswer, ...]
    recorded_at: Time


class UserMemoryAnswer(msgspec.Struct, frozen=True):
    """What is remembered of a user from all their conversations except archived ones, newest first.

    `facts` are those that hold now, or that held at `as_of`.
    """

    user_id: str
    user_name: str | None
    user_preferences: tuple[PreferenceAnswer, ...]
    current_topic: str | None
    facts: tuple[FactAnswer, ...]
    pending_tasks: tuple[TaskAnswer, ...]
    entities: tuple[EntityAnswer, ...]
    as_of: Time | UnsetType = UNSET


class ErasureReceipt(msgspec.Struct, frozen=True):
    """How much of each kind was erased, and when. `not_ruled_out` says where bytes may be left."""

    conversations: int
    messages: int
    facts: int
    preferences: int
    entities: int
    corrections: int
    erased_at: Time
    not_ruled_out: tuple[str, ...]


class Health(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["healthy"] = "healthy"


class Ready(msgspec.Struct, frozen=True):
    """The store answers."""

    status: Literal["ready"] = "ready"


class Problem(msgspec.Struct, frozen=True):
    """An error (RFC 9457). Facts about it follow as further fields, such as `field`, `rule` or `actual`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool


def info(header: Header | ConversationInfo) -> dict[str, Any]:
    """The fields of `ConversationInfo`."""
    shown = ConversationInfo.of(header) if isinstance(header, Header) else header
    fields = {name: getattr(shown, name) for name in ConversationInfo.__struct_fields__}
    return fields | {"created_at": format_moment(shown.created_at), "updated_at": format_moment(shown.updated_at)}
