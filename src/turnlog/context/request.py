"""What a caller asks of a context: budget, policy, model, format, and what it brings along."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import msgspec
from msgspec.structs import force_setattr

from turnlog.context.memory_config import MemoryConfig
from turnlog.context.parts import Memory
from turnlog.context.policy import ContextPolicy, override, preset
from turnlog.errors import InvalidInput
from turnlog.tokens import Counter

OVERRIDES = "context_policy"
"""The key of a conversation's metadata under which it changes the policy."""


Policy = str | Mapping[str, Any] | ContextPolicy | MemoryConfig
"""How a call names a policy: a preset, some fields, or all of them."""


class ContextOptions(TypedDict, total=False):
    """The options of `Conversation.context` and `Conversation.turn`."""

    budget: int | None
    max_messages: int | None
    policy: Policy | None
    model: str | None
    format: str
    tools: Sequence[Mapping[str, Any]]
    memory: Memory | None


class ContextRequest(msgspec.Struct, frozen=True):
    """What a context is to be like: the deployment's policy, what the call changes of it, and for what it is counted.

    `usual` is the policy for a conversation that changes nothing itself. Records are counted by `stored`; `count` is the
    counter of the model that will read the context. `memory` is what the caller knows; None: what `folds` (names and
    versions, of each name those to be preferred first) have stored.
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
    label: str = ""
    """What the usual policy's compactions are kept under; follows from the rest."""

    def __post_init__(self) -> None:
        force_setattr(self, "label", self.label_of(self.usual))

    def label_of(self, policy: ContextPolicy) -> str:
        """What compactions for a policy are kept under."""
        return f"{policy.digest} {self.count.name}"

    def resolved(self, metadata: Mapping[str, Any]) -> ContextPolicy:
        """The policy for a conversation with this `metadata`. Raises `InvalidInput`."""
        if OVERRIDES not in metadata:
            return self.usual
        own = metadata[OVERRIDES]
        if not isinstance(own, Mapping):
            raise InvalidInput(f"metadata.{OVERRIDES}", "must be an object with fields of a policy")
        try:
            policy = override(self.policy, own)
        except InvalidInput as error:
            raise error.within(f"metadata.{OVERRIDES}") from None
        return override(policy, self.changes)


def deployed_policy(changes: Mapping[str, Any]) -> ContextPolicy:
    """The policy of a deployment. Raises `InvalidInput` that names the setting and the field."""
    try:
        return override(preset("full"), changes)
    except InvalidInput as error:
        raise error.within("context_policy") from None


_FIELD_OF_OPTION = {"budget": "budget_tokens", "max_messages": "max_messages"}


def policy_changes(policy: Policy | None, options: Mapping[str, int | None]) -> Mapping[str, Any]:
    """What a call changes of the policy; its own options win over the policy that it names."""
    if isinstance(policy, MemoryConfig):
        policy = policy.policy
    if isinstance(policy, ContextPolicy):
        policy = {"preset": "window", **msgspec.structs.asdict(policy)}
    if not isinstance(policy, str | Mapping | None):
        raise InvalidInput("policy", "must be the name of a preset, fields of a policy, a ContextPolicy or a MemoryConfig")
    changes: dict[str, Any] = {"preset": policy} if isinstance(policy, str) else dict(policy or {})
    for option, value in options.items():
        if value is not None:
            changes[_FIELD_OF_OPTION[option]] = value
    return changes


def changed_policy(policy: ContextPolicy, changes: Mapping[str, Any], options: Mapping[str, int | None]) -> ContextPolicy:
    """`policy` with `changes`. Raises `InvalidInput` that names the option which asked for what cannot be."""
    if not changes:
        return policy
    try:
        return override(policy, changes)
    except InvalidInput as error:
        for option, field in _FIELD_OF_OPTION.items():
            if error.field == field and options[option] is not None:
                raise InvalidInput(option, error.rule) from None
        raise error.within("policy") from None
