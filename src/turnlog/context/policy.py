"""What a context should look like, as data: a budget, the sections and their shares, and when to compact.

A policy is JSON both ways. A deployment starts from a preset; a tenant, a conversation and a call may each change some of
it with `override`, and the later word wins.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from turnlog.errors import InvalidInput

STABLE = ("profile", "facts", "entities", "summary")
"""Sections before the recent window, which stay as they are until a compaction."""
VOLATILE = ("changes", "recalled", "time")
"""Sections behind the recent window, which may differ in every context."""

SHARES = {
    "profile": 0.03,
    "facts": 0.07,
    "entities": 0.03,
    "summary": 0.12,
    "changes": 0.03,
    "recalled": 0.1,
    "time": 0.02,
}
"""The sections that are on if a policy does not say, and their shares."""

BUDGET_TOKENS_MAX = 100_000_000
MESSAGES_MAX = 1_000_000
TURNS_MAX = 1_000
PINNED_MAX = 64


class ContextPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a context is made. Raises `InvalidInput` with the field and the rule that it breaks.

    `sections` gives to each section of memory the largest part of the budget that it may take, 0 to 1; a section that is
    not named is off, and those before the recent window, like those behind it, come in the order in which they are named.
    A message that is pinned is always shown. At least the last message, or the last exchange with its tools, is shown; with
    `min_turns` also the last turns whole (a turn begins at a user message).

    The window grows up to `high` of what the budget leaves; then a compaction moves its start so that it is within `low`.
    `max_messages` bounds the window likewise, by the same two marks.
    """

    budget_tokens: int = 8_000
    reserve_tokens: int = 0
    sections: dict[str, float] = msgspec.field(default_factory=lambda: dict(SHARES))
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

    def on(self, sections: tuple[str, ...]) -> list[str]:
        """Those of `sections` that are not off, in the order of this policy."""
        return [name for name, share in self.sections.items() if share and name in sections]

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that tell this policy from others: what a stored compaction is filed under."""
        return blake2b(msgspec.json.encode(self), digest_size=8).hexdigest()


def preset(name: str) -> ContextPolicy:
    """The preset of that name."""
    if not isinstance(name, str) or name not in PRESETS:
        raise InvalidInput("preset", f"must be one of {', '.join(PRESETS)}")
    return PRESETS[name]


def override(policy: ContextPolicy, *layers: Mapping[str, Any]) -> ContextPolicy:
    """`policy` with the changes of each layer, the later ones winning.

    A layer holds fields of `ContextPolicy`, and may begin anew from a `preset`; shares in its `sections` are changed one by
    one, so that `{"sections": {"summary": 0}}` turns off the summary alone.
    """
    for layer in layers:
        changes = dict(layer)
        if (name := changes.pop("preset", None)) is not None:
            policy = preset(name)
        if unknown := changes.keys() - _FIELDS:
            raise InvalidInput(
                min(map(str, unknown)), f"is no field of a policy; it has preset, {', '.join(sorted(_FIELDS))}"
            )
        if isinstance(changes.get("sections"), Mapping):
            changes["sections"] = {**policy.sections, **changes["sections"]}
        policy = msgspec.structs.replace(policy, **changes)
    return policy


def check_whole(field: str, value: object, least: int, most: int) -> None:
    """Refuse what is no whole number from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(field, f"must be a whole number from {least} to {most}")


def _check_part_of_one(field: str, value: object) -> None:
    if type(value) not in (int, float) or not 0 <= value <= 1:  # type: ignore[operator]
        raise InvalidInput(field, "must be a number from 0 to 1")


def _check_sections(sections: object, low: float) -> None:
    if not isinstance(sections, dict):
        raise InvalidInput("sections", "must map names to shares")
    for name, share in sections.items():
        if name not in STABLE + VOLATILE:
            raise InvalidInput(f"sections.{name}", f"must be one of {', '.join(STABLE + VOLATILE)}")
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
"""`window`: recent messages alone; `summary`: with the summary before them; `entity`: with what is known of the user and
whom and what they named; `full`: with everything memory has."""

_FIELDS = {field.name for field in msgspec.structs.fields(ContextPolicy)}
