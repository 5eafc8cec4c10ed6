"""How a context is made, as data: a budget, the sections and their shares, and when to compact.

A policy is JSON both ways. A deployment starts from a preset; the deployment, a conversation and a call may each change
some fields with `override`, and the later change wins.
"""

from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from turnlog.errors import InvalidInput
from turnlog.fold import Section

STABLE = {
    "profile": Section("About the user:", 0.03),
    "facts": Section("Known facts:", 0.07),
    "entities": Section("Named in this conversation:", 0.03),
    "summary": Section("Summary of the earlier conversation:", 0.12),
}
"""Sections before the recent window, which stay as they are until a compaction; so do those that folds declare."""
VOLATILE = {
    "changes": Section("Changed since the above was written:", 0.03),
    "recalled": Section("From earlier, perhaps of use:", 0.1),
    "time": Section("Current time:", 0.02),
}
"""Sections behind the recent window, which may differ in every context."""
SECTIONS: Mapping[str, Section] = MappingProxyType(STABLE | VOLATILE)
"""The sections of a deployment whose folds declare no others."""
COSTS = ("overhead", "tools", "pinned", "recent", "free")
"""What else the account of a context names; no section has such a name."""
UNTRACKED = ("entities", "summary")
"""Stable sections whose new lines do not go into `changes`: they would fill it on every turn."""

BUDGET_TOKENS_MAX = 100_000_000
MESSAGES_MAX = 1_000_000
TURNS_MAX = 1_000
PINNED_MAX = 64


class ContextPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a context is made. Raises `InvalidInput` with the field and the rule.

    `sections` maps each section of memory to the largest share of the budget that it may take, 0 to 1. A section that is
    not named is off. Sections before the recent window, like those behind it, come in the order in which they are named.
    Pinned messages are always shown, and so is the last message, or the last exchange with its tools; with `min_turns`
    also the last turns as a whole (a turn begins at a user message).

    The window grows up to `high` of the available budget; then a compaction moves its start so that it is within `low`.
    `max_messages` bounds the window by the same two marks.
    """

    budget_tokens: int = 8_000
    reserve_tokens: int = 0
    sections: dict[str, float] = msgspec.field(default_factory=lambda: _shares(SECTIONS))
    min_turns: int = 0
    max_messages: int | None = None
    pinned: tuple[int, ...] = ()
    high: float = 1.0
    low: float = 0.56

    def __post_init__(self) -> None:
        check_whole("budget_tokens", self.budget_tokens, 1, BUDGET_TOKENS_MAX)
        check_whole("reserve_tokens", self.reserve_tokens, 0, self.budget_tokens - 1)
        check_whole("min_turns", self.min_turns, 0, TURNS_MAX)
        if self.max_messages is not None:
            check_whole("max_messages", self.max_messages, 1, MESSAGES_MAX)
        _check_part_of_one("high", self.high)
        _check_part_of_one("low", self.low)
        if not 0 < self.low < self.high:
            raise InvalidInput("low", "must be more than 0 and less than high")
        _check_sections(self.sections, self.low)
        force_setattr(self, "pinned", _seqs(self.pinned))

    def share(self, section: str) -> float:
        """The largest part of the budget that `section` may take; 0 when it is off."""
        return self.sections.get(section, 0.0)

    @property
    def stable(self) -> list[str]:
        """The sections before the window that are not off, in order."""
        return [name for name, share in self.sections.items() if share and name not in VOLATILE]

    @property
    def volatile(self) -> list[str]:
        """The sections behind the window that are not off, in order."""
        return [name for name, share in self.sections.items() if share and name in VOLATILE]

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that identify the policy: compactions are stored under them."""
        return blake2b(msgspec.json.encode(self), digest_size=8).hexdigest()


def preset(name: str, sections: Mapping[str, Section] = SECTIONS) -> ContextPolicy:
    """The preset of that name; `full` has all of `sections`."""
    if not isinstance(name, str) or name not in PRESETS:
        raise InvalidInput("preset", f"must be one of {', '.join(PRESETS)}")
    if name == "full" and sections is not SECTIONS:
        return ContextPolicy(sections=_shares(sections))
    return PRESETS[name]


def override(policy: ContextPolicy, *layers: Mapping[str, Any], sections: Mapping[str, Section] = SECTIONS) -> ContextPolicy:
    """`policy` with the changes of each layer; later layers win. `sections` are those that a policy may name.

    A layer has fields of `ContextPolicy`, and may begin anew from a `preset`. Shares in its `sections` are changed one by
    one, so that `{"sections": {"summary": 0}}` turns off the summary alone.
    """
    for layer in layers:
        changes = dict(layer)
        if (name := changes.pop("preset", None)) is not None:
            policy = preset(name, sections)
        if unknown := changes.keys() - _FIELDS:
            raise InvalidInput(
                min(map(str, unknown)), f"is no field of a policy; it has preset, {', '.join(sorted(_FIELDS))}"
            )
        if isinstance(changes.get("sections"), Mapping):
            _check_names(changes["sections"], sections)
            changes["sections"] = {**policy.sections, **changes["sections"]}
        policy = msgspec.structs.replace(policy, **changes)
    return policy


def _check_names(shares: Mapping[str, Any], sections: Mapping[str, Section]) -> None:
    for name in shares:
        if name not in sections:
            raise InvalidInput(f"sections.{name}", f"must be one of {', '.join(sections)}")


def _shares(sections: Mapping[str, Section]) -> dict[str, float]:
    return {name: section.share for name, section in sections.items()}


def check_whole(field: str, value: object, least: int, most: int) -> None:
    """Raise `InvalidInput` unless `value` is a whole number from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(field, f"must be a whole number from {least} to {most}")


def _check_part_of_one(field: str, value: object) -> None:
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]
        raise InvalidInput(field, "must be a number from 0 to 1")


def _check_sections(sections: object, low: float) -> None:
    if not isinstance(sections, dict):
        raise InvalidInput("sections", "must map names to shares")
    for name, share in sections.items():
        _check_part_of_one(f"sections.{name}", share)
    if sum(sections.values()) >= low:
        raise InvalidInput(
            "sections", f"must have shares that add up to less than low ({low:g}), which the window also needs"
        )


def _seqs(pinned: object) -> tuple[int, ...]:
    if not isinstance(pinned, list | tuple):
        raise InvalidInput("pinned", "must be a list of seqs")
    if len(pinned) > PINNED_MAX:
        raise InvalidInput("pinned", f"must name at most {PINNED_MAX} messages")
    for seq in pinned:
        check_whole("pinned", seq, 1, 2**63 - 1)
    return tuple(sorted(set(pinned)))


PRESETS: dict[str, ContextPolicy] = {
    "window": ContextPolicy(sections={}),
    "summary": ContextPolicy(sections={"summary": 0.2}),
    "entity": ContextPolicy(sections={"profile": 0.05, "facts": 0.1, "entities": 0.1, "changes": 0.03}),
    "full": ContextPolicy(),
}
"""`window`: recent messages only; `summary`: with a summary before them; `entity`: with the user's profile, facts and named
entities; `full`: with every section, also those that folds declare."""

_FIELDS = {field.name for field in msgspec.structs.fields(ContextPolicy)}
