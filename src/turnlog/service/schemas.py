"""What goes over the wire: the bodies of requests, which are decoded into these, and the shapes of answers."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from turnlog.context.explain import Entry
from turnlog.context.policy import BUDGET_TOKENS_MAX, MESSAGES_MAX, PRESETS
from turnlog.context.result import Coverage, SectionCost
from turnlog.formats import FORMATS
from turnlog.log.info import ConversationInfo as Info
from turnlog.log.info import Parent
from turnlog.message import Part, Role, Status, Usage
from turnlog.message_input import MessageIn
from turnlog.store import Header
from turnlog.timestamps import format_moment

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


def _whole(most: int) -> Meta:
    """A whole number from 1 to `most`, as the document describes it; the library refuses others in its own words."""
    return Meta(extra_json_schema={"minimum": 1, "maximum": most})


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


class PolicyChanges(Given, frozen=True):
    """What a call changes of the policy; `preset` begins anew from one. What is left out stays as it is."""

    preset: Annotated[str, Meta(extra_json_schema={"enum": list(PRESETS)})] | UnsetType = UNSET
    budget_tokens: int | UnsetType = UNSET
    reserve_tokens: int | UnsetType = UNSET
    sections: dict[str, int | float] | UnsetType = UNSET
    min_turns: int | UnsetType = UNSET
    max_messages: int | None | UnsetType = UNSET
    pinned: tuple[int, ...] | UnsetType = UNSET
    high: int | float | UnsetType = UNSET
    low: int | float | UnsetType = UNSET


TOOLS_MAX = 1000
"""Schemas of tools that one request may count, at most."""


class ContextRequest(Given, frozen=True):
    """What the context is to be like; what is left out is as the conversation's policy says.

    `policy` names a preset or changes fields of the policy. `format` asks for `rendered` too, `explain` for an account of
    every candidate. `tools` are the schemas that will be sent with the context; their tokens count. `query` is what recall
    will look for: nothing is recalled yet.
    """

    budget: Annotated[int, _whole(BUDGET_TOKENS_MAX)] | None = None
    model: str | None = None
    format: Annotated[str, Meta(extra_json_schema={"enum": list(FORMATS)})] | None = None
    policy: Annotated[str, Meta(extra_json_schema={"enum": list(PRESETS)})] | PolicyChanges | None = None
    max_messages: Annotated[int, _whole(MESSAGES_MAX)] | None = None
    include_summary: bool = True
    query: str | None = None
    tools: Annotated[tuple[dict[str, Any], ...], Meta(max_length=TOOLS_MAX)] = ()
    explain: bool = False


class TurnRequest(ContextRequest, frozen=True, kw_only=True):
    """Messages to append together, all or nothing, and what the context behind them is to be like."""

    messages: tuple[MessageIn, ...]


class ForkRequest(Given, frozen=True):
    """Where the fork leaves its parent (default: at its head), and the new conversation's id."""

    at: Annotated[int, Meta(ge=0)] | None = None
    conversation_id: str | None = None


class ReconcileRequest(Given, frozen=True):
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


class ConversationInfo(msgspec.Struct, frozen=True):
    """What is known of a conversation beside its messages.

    While `incarnation` stays the same, a seq still names the same message; it is new when the history may have gone back,
    after a restore or a failover.
    """

    conversation_id: str
    user_id: str | None
    title: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    parent: Parent | None
    head: int
    incarnation: str
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


class Likings(msgspec.Struct, frozen=True):
    """What the user likes, dislikes and prefers, in their words, the newest first."""

    likes: tuple[str, ...] = ()
    dislikes: tuple[str, ...] = ()
    prefers: tuple[str, ...] = ()


class Memory(msgspec.Struct, frozen=True):
    """What is remembered, the most important first; empty until something is.

    Name, preferences, facts and pending tasks are those of the user from all their conversations; topic and entities are of
    this one. Where each of them comes from, `/memory` of the conversation and of the user tell.
    """

    user_name: str | None = None
    user_preferences: Likings = Likings()
    current_topic: str | None = None
    entities: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    pending_tasks: tuple[str, ...] = ()


class ConversationState(ConversationInfo, frozen=True):
    """A conversation with its newest messages, in order; `has_more` tells whether there are older ones."""

    context: Memory
    messages: tuple[StoredMessage, ...]
    has_more: bool


class MessagePage(msgspec.Struct, frozen=True):
    """Messages in the order that was asked for; `has_more` tells whether the log goes on in that direction.

    A page may have fewer messages than its limit: it also has a limit in bytes.
    """

    messages: tuple[StoredMessage, ...]
    head: int
    incarnation: str
    has_more: bool


class SaidMessage(msgspec.Struct, frozen=True):
    """What a model is told of a message."""

    role: Role
    content: str | tuple[Part, ...]
    name: str | UnsetType = UNSET


class ContextAccount(msgspec.Struct, frozen=True):
    """What a context costs, and where each message of the conversation is.

    `token_estimate` is `tokens` under the name that it had first. `rendered` holds the keyword arguments for the SDK that
    `format` named. `prefix_hash` names the bytes that the next context begins with if nothing is compacted;
    `shared_tokens` is how many tokens the context before the newest turn began with as well.
    """

    tokens: int
    token_estimate: int
    budget: int
    sections: tuple[SectionCost, ...]
    coverage: Coverage
    prefix_hash: str
    shared_tokens: int
    rendered: dict[str, Any] | UnsetType = UNSET
    explain: tuple[Entry, ...] | UnsetType = UNSET


class ContextAnswer(ContextAccount, frozen=True, kw_only=True):
    """What to send to the model, and an account of it."""

    messages: tuple[SaidMessage, ...]
    context: Memory


class TurnAnswer(ContextAnswer, frozen=True, kw_only=True):
    """Where the messages stand, and the context right behind them."""

    receipts: tuple[Receipt, ...]


class ReconcileAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
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


class FoldMemory(msgspec.Struct, frozen=True):
    """What one fold remembers: its state after the messages up to `watermark`, which is `lag` messages behind the head.

    `version` is null, and so is the state, while nothing was folded.
    """

    fold: str
    version: int | None
    watermark: int
    lag: int
    state: Any


class FoldFailure(msgspec.Struct, frozen=True):
    """A fold that does not get on: it failed `failures` times behind `watermark`, and rests until `retry_at`."""

    conversation_id: str
    fold: str
    version: int
    watermark: int
    failures: int
    error: str
    failed_at: Time
    retry_at: Time


class ConversationMemory(msgspec.Struct, frozen=True):
    """What is remembered of a conversation, fold by fold, and what failed."""

    conversation_id: str
    folds: dict[str, FoldMemory]
    failures: tuple[FoldFailure, ...]


class FoldProgress(msgspec.Struct, frozen=True):
    """How a fold does: `behind` conversations, by `messages` together and `longest` at most; `more` are not counted."""

    fold: str
    version: int
    behind: int
    more: bool
    messages: int
    longest: int
    failures: tuple[FoldFailure, ...]


class SpentOut(msgspec.Struct, frozen=True):
    """What calls of one language model took in a month: of `calls`, `failures` brought no reply; tokens, and their cost."""

    model: str
    calls: int
    failures: int
    input: int
    output: int
    cached: int
    cost: float


class MemoryStatus(msgspec.Struct, frozen=True):
    """How memory keeps up, and what was spent on language models, by month and model."""

    folds: tuple[FoldProgress, ...]
    spent: dict[str, SpentOut]


class RetryRequest(Given, frozen=True):
    """The fold to try again at once."""

    fold: str


class Retried(msgspec.Struct, frozen=True):
    """Whether the fold was resting."""

    retried: bool


class SourceOut(msgspec.Struct, frozen=True):
    """The message that something was learned from."""

    conversation_id: str
    seq: int


class FactOut(msgspec.Struct, frozen=True):
    """A statement about the user, in the third person: true from `valid_from` until `valid_to` (null: still).

    `recorded_at` is when it was learned, `confidence` from 0 to 1; `corrected` tells that a person said so. `slot` names
    what has one value at a time.
    """

    id: str
    text: str
    slot: str
    value: str
    confidence: float
    valid_from: Time | None
    valid_to: Time | None
    recorded_at: Time
    sources: tuple[SourceOut, ...]
    corrected: bool


class PreferenceOut(msgspec.Struct, frozen=True):
    """What the user likes, dislikes or prefers."""

    polarity: Literal["like", "dislike", "prefer"]
    text: str
    sources: tuple[SourceOut, ...]
    at: Time


class TaskOut(msgspec.Struct, frozen=True):
    """What the user asked for and waits for."""

    text: str
    sources: tuple[SourceOut, ...]
    at: Time


class EntityOut(msgspec.Struct, frozen=True):
    """Someone or something that the user named in `count` messages."""

    text: str
    kind: str
    count: int
    aliases: tuple[str, ...]
    sources: tuple[SourceOut, ...]
    at: Time


class UserMemory(msgspec.Struct, frozen=True):
    """What is known of a user from all their conversations, archived ones left out; the newest first.

    `facts` are those that hold now, or that held at `as_of`.
    """

    user_id: str
    user_name: str | None
    user_preferences: tuple[PreferenceOut, ...]
    current_topic: str | None
    facts: tuple[FactOut, ...]
    pending_tasks: tuple[TaskOut, ...]
    entities: tuple[EntityOut, ...]
    as_of: Time | UnsetType = UNSET


class FactRequest(Given, frozen=True):
    """What is so, in the third person without its subject ("lives in Lisbon"). Of one slot the newest value holds."""

    text: str
    slot: str = ""
    value: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None


class Receipted(msgspec.Struct, frozen=True):
    """A receipt: how much of each kind was erased, and when. `not_ruled_out` says where something may be left."""

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
    """What went wrong (RFC 9457). Facts about it follow as further fields, such as `field`, `rule` or `actual`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool


def info(header: Header | Info) -> dict[str, Any]:
    """The fields of a header, as `ConversationInfo` has them."""
    told = Info.of(header) if isinstance(header, Header) else header
    fields = {name: getattr(told, name) for name in ConversationInfo.__struct_fields__ if name != "conversation_id"}
    times = {"created_at": format_moment(told.created_at), "updated_at": format_moment(told.updated_at)}
    return {"conversation_id": told.id} | fields | times
