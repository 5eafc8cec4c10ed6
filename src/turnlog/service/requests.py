"""The bodies of requests."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from turnlog.context.policy import BUDGET_TOKENS_MAX, MESSAGES_MAX, PRESETS
from turnlog.formats import FORMATS
from turnlog.message_input import MessageIn

TOOLS_MAX = 1000
"""Tool schemas that one request may count, at most."""
WAIT_S_MAX = 60
"""Seconds that a refresh may take, at most."""

Format = Annotated[str, Meta(extra_json_schema={"enum": list(FORMATS)})]
Preset = Annotated[str, Meta(extra_json_schema={"enum": list(PRESETS)})]
Moment = Annotated[str, Meta(extra_json_schema={"anyOf": [{"format": "date"}, {"format": "date-time"}]})]


def _whole(most: int) -> Meta:
    """A whole number from 1 to `most`, as the document describes it; the library refuses others in its own words."""
    return Meta(extra_json_schema={"minimum": 1, "maximum": most})


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request's body. Unknown fields are refused."""


class CreateConversation(Given, frozen=True):
    """A new conversation. Every field may be left out or null; turnlog then chooses the `id`."""

    id: str | None = None
    user_id: str | None = None
    title: str | None = None
    tags: tuple[str, ...] | None = None
    metadata: dict[str, Any] | None = None
    messages: tuple[MessageIn, ...] | None = None


class ChangeConversation(Given, frozen=True):
    """The changes of a conversation. A field that is left out stays; null clears it; `metadata` is replaced as a whole."""

    title: str | None | UnsetType = UNSET
    tags: tuple[str, ...] | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


class MessageBatch(Given, frozen=True):
    """Messages to append together, all or nothing."""

    messages: tuple[MessageIn, ...]


class PolicyChanges(Given, frozen=True):
    """What a call changes of the policy; `preset` starts from that preset. A field that is left out stays as it is."""

    preset: Preset | UnsetType = UNSET
    budget_tokens: int | UnsetType = UNSET
    reserve_tokens: int | UnsetType = UNSET
    sections: dict[str, int | float] | UnsetType = UNSET
    min_turns: int | UnsetType = UNSET
    max_messages: int | None | UnsetType = UNSET
    pinned: tuple[int, ...] | UnsetType = UNSET
    high: int | float | UnsetType = UNSET
    low: int | float | UnsetType = UNSET


class ContextBody(Given, frozen=True):
    """The options of a context. The conversation's policy decides what is left out.

    `policy` names a preset or changes fields of the policy. `format` asks for `rendered` too, `explain` for an account of
    every candidate. `tools` are the schemas that will be sent with the context; their tokens count. `query` is what recall
    will look for; nothing is recalled yet.
    """

    budget: Annotated[int, _whole(BUDGET_TOKENS_MAX)] | None = None
    model: str | None = None
    format: Format | None = None
    policy: Preset | PolicyChanges | None = None
    max_messages: Annotated[int, _whole(MESSAGES_MAX)] | None = None
    include_summary: bool = True
    query: str | None = None
    tools: Annotated[tuple[dict[str, Any], ...], Meta(max_length=TOOLS_MAX)] = ()
    explain: bool = False


class TurnRequest(ContextBody, frozen=True, kw_only=True):
    """Messages to append together, all or nothing, and the options of the context behind them."""

    messages: tuple[MessageIn, ...]


class ForkRequest(Given, frozen=True):
    """The seq up to which the fork shares the log (default: the head), and the id of the new conversation."""

    at: Annotated[int, Meta(ge=0)] | None = None
    id: str | None = None


class ReconcileRequest(Given, frozen=True):
    """The client's whole transcript, from its first message on."""

    messages: tuple[MessageIn, ...]
    on_divergence: Literal["error", "fork"] = "error"


class RefreshRequest(Given, frozen=True):
    """How long a refresh may take."""

    wait_s: Annotated[float, Meta(ge=0.01, le=WAIT_S_MAX)] = 10


class RetryRequest(Given, frozen=True):
    """The fold to try again at once."""

    fold: str


class FactRequest(Given, frozen=True):
    """A fact in the third person without its subject ("lives in Lisbon"). `slot` and `value` go together: of one slot the
    newest value holds. `valid_from` and `valid_to` are days or times with a time zone.
    """

    text: str
    slot: str = ""
    value: str = ""
    valid_from: Moment | None = None
    valid_to: Moment | None = None
