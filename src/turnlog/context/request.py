"""What a caller requests of a context: budget, policy, model, format and tools."""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any, Literal, TypedDict

import msgspec
from msgspec.structs import force_setattr

from turnlog.context.policy import SECTIONS, ContextPolicy, check_whole, override, preset
from turnlog.context.sections import Memory
from turnlog.errors import InvalidInput
from turnlog.fold import Section, Sectioned
from turnlog.tokens import Counter

Strategy = Literal["sliding_window", "summary", "entity", "combined"]

PRESET_OF: dict[str, str] = {"sliding_window": "window", "summary": "summary", "entity": "entity", "combined": "full"}
"""The preset of `ContextPolicy` that each strategy starts from."""

_HIGHEST_LOW = 0.9
_SHARES_OF_LOW = 0.8


class MemoryConfig(msgspec.Struct, frozen=True):
    """A strategy and its bounds, all whole numbers from 1 on. Raises `InvalidInput` with the field and the rule.

    A context costs at most `max_tokens`. Its window grows to `max_messages`, or with a summary to `summarize_after` if that
    is less; then it is cut to the newest `context_window` messages, and the summary, if any, covers those before.
    """

    strategy: Strategy = "combined"
    max_messages: int = 50
    max_tokens: int = 4000
    summarize_after: int = 20
    context_window: int = 10

    def __post_init__(self) -> None:
        if not isinstance(self.strategy, str) or self.strategy not in PRESET_OF:
            raise InvalidInput("strategy", f"must be one of {', '.join(PRESET_OF)}")
        for field in ("max_messages", "max_tokens", "summarize_after", "context_window"):
            check_whole(field, getattr(self, field), 1, 1_000_000)
        if self.context_window > self.max_messages:
            raise InvalidInput("context_window", "must not be more than max_messages")

    @property
    def policy(self) -> ContextPolicy:
        """The policy with these bounds; the shares of the sections shrink when the window must be cut hard."""
        base = preset(PRESET_OF[self.strategy])
        most = min(self.max_messages, self.summarize_after) if base.share("summary") else self.max_messages
        low = min(_HIGHEST_LOW, self.context_window / most)
        scale = min(1.0, _SHARES_OF_LOW * low / (sum(base.sections.values()) or 1.0))
        shares = {name: floor(scale * share * 10_000) / 10_000 for name, share in base.sections.items()}
        return override(base, {"budget_tokens": self.max_tokens, "max_messages": most, "low": low, "sections": shares})


OVERRIDES = "context_policy"
"""The key of a conversation's metadata whose value changes the policy."""

Policy = str | Mapping[str, Any] | ContextPolicy | MemoryConfig
"""A policy as a call names it: a preset, some fields, or all of them."""


class ContextOptions(TypedDict, total=False):
    """The options of `Conversation.context` and `Conversation.turn`.

    `budget` and `max_messages` win over `policy`. `model` names the model whose tokens are counted; without it, the
    counter of the `Turnlog` counts. `format` adds what a format costs beside the messages, and `tools` what their schemas
    cost. `memory` takes the place of what the folds have stored.
    """

    budget: int | None
    max_messages: int | None
    policy: Policy | None
    model: str | None
    format: str
    tools: Sequence[Mapping[str, Any]]
    memory: Memory | None


class ContextRequest(msgspec.Struct, frozen=True):
    """A checked request for a context.

    `policy` is the deployment's, `changes` are those of the call, and `usual` is the policy for a conversation that changes
    nothing itself. `stored` counted the stored records; `count` is the counter of the model that reads the context.
    `memory` is the caller's; None stands for what `folds` have stored (names and versions, the preferred version of each
    name first). `sections` are those of the deployment, and `sectioned` the folds that declare one.
    """

    policy: ContextPolicy
    changes: Mapping[str, Any]
    usual: ContextPolicy
    stored: Counter
    count: Counter
    format: str
    tools: Sequence[Mapping[str, Any]] = ()
    memory: Memory | None = None
    folds: tuple[tuple[str, int], ...] = ()
    rows: int = 5000
    bytes_max: int = 8 << 20
    sections: Mapping[str, Section] = SECTIONS
    sectioned: tuple[Sectioned, ...] = ()
    label: str = ""
    """Names the compactions of the usual policy; follows from the other fields."""

    def __post_init__(self) -> None:
        force_setattr(self, "label", self.label_of(self.usual))

    def label_of(self, policy: ContextPolicy) -> str:
        """The name under which compactions for a policy are stored."""
        return f"{policy.digest} {self.count.name}"

    def resolved(self, metadata: Mapping[str, Any]) -> ContextPolicy:
        """The policy for a conversation with this `metadata`. Raises `InvalidInput`."""
        if OVERRIDES not in metadata:
            return self.usual
        own = metadata[OVERRIDES]
        if not isinstance(own, Mapping):
            raise InvalidInput(f"metadata.{OVERRIDES}", "must be an object with fields of a policy")
        try:
            policy = override(self.policy, own, sections=self.sections)
        except InvalidInput as error:
            raise error.within(f"metadata.{OVERRIDES}") from None
        return override(policy, self.changes, sections=self.sections)


def deployed_policy(changes: Mapping[str, Any], sections: Mapping[str, Section] = SECTIONS) -> ContextPolicy:
    """The policy of a deployment. Raises `InvalidInput` that names the setting and the field."""
    try:
        return override(preset("full", sections), changes, sections=sections)
    except InvalidInput as error:
        raise error.within("context_policy") from None


_FIELD_OF_OPTION = {"budget": "budget_tokens", "max_messages": "max_messages"}


def policy_changes(options: ContextOptions) -> Mapping[str, Any]:
    """What the options of a call change of the policy. Raises `InvalidInput`."""
    policy = options.get("policy")
    if isinstance(policy, MemoryConfig):
        policy = policy.policy
    if isinstance(policy, ContextPolicy):
        policy = {"preset": "window", **msgspec.structs.asdict(policy)}
    if not isinstance(policy, str | Mapping | None):
        raise InvalidInput("policy", "must be the name of a preset, fields of a policy, a ContextPolicy or a MemoryConfig")
    changes: dict[str, Any] = {"preset": policy} if isinstance(policy, str) else dict(policy or {})
    for option, field in _FIELD_OF_OPTION.items():
        if (value := options.get(option)) is not None:
            changes[field] = value
    return changes


def changed_policy(
    policy: ContextPolicy,
    changes: Mapping[str, Any],
    options: ContextOptions,
    sections: Mapping[str, Section] = SECTIONS,
) -> ContextPolicy:
    """`policy` with the `changes` of a call. Raises `InvalidInput` that names the option."""
    if not changes:
        return policy
    try:
        return override(policy, changes, sections=sections)
    except InvalidInput as error:
        for option, field in _FIELD_OF_OPTION.items():
            if error.field == field and options.get(option) is not None:
                raise InvalidInput(option, error.rule) from None
        raise error.within("policy") from None
