"""What the planner works on: what was read, what follows from it for every window, and the window that is chosen."""

from collections.abc import Mapping, Sequence
from math import floor

import msgspec

from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.exchanges import Exchange, LeftOut
from turnlog.context.policy import SECTIONS, UNTRACKED, ContextPolicy
from turnlog.context.sections import Memory, SectionText, fit
from turnlog.fold import Section
from turnlog.store import Header
from turnlog.tokens import Counter

LEADING = 2
"""Up to so many messages at the beginning of a log are always shown if they are instructions."""


class View(msgspec.Struct, frozen=True):
    """What was read of a conversation.

    `records` are the last ones up to the head, without a gap: from the start of the window of `frozen` on, or enough to
    cost more than the budget, or all. `pinned` are the first two of the log and those that the policy pins; records that
    `records` contains may be missing. `frozen` is the last compaction for this policy, None before the first one.
    """

    header: Header
    records: Sequence[Record]
    pinned: Sequence[Record] = ()
    frozen: Compaction | None = None
    memory: Memory = Memory()
    sections: Mapping[str, Section] = SECTIONS

    @property
    def first(self) -> int:
        """Seq of the first record; head + 1 when there is none."""
        return self.records[0].seq if self.records else self.header.head + 1


class PlannerState(msgspec.Struct, frozen=True):
    """What was read, and what follows from it for every window.

    The window starts at `base` or later. `fixed` tokens are spent before the first message; `available` tokens are left
    for messages. `pins` are shown wherever the window starts. With `silent`, memory has no lines now and had none at the
    last compaction.
    """

    view: View
    policy: ContextPolicy
    count: Counter
    fixed: int
    available: int
    base: int
    pins: tuple[Record, ...]
    not_pinned: tuple[LeftOut, ...]
    silent: bool

    def pinned_before(self, seq: int) -> int:
        """Tokens of the pinned messages before `seq`."""
        return sum([pin.tokens for pin in self.pins if pin.seq < seq])

    def mark(self, share: float) -> int:
        """A share of the available tokens."""
        return floor(share * self.available)

    def before_window(self, room: int) -> tuple[SectionText, ...]:
        """The stable sections as of now, each within its share and all within `room` tokens."""
        if self.silent:
            return ()
        lines = self.view.memory.lines
        return self._fit_all([(name, lines(name)) for name in self.policy.stable], room)

    def behind_window(self, start: int, frozen: Sequence[SectionText], room: int) -> tuple[SectionText, ...]:
        """The volatile sections behind a window from `start` on, within the same bounds; `frozen` stand before it."""
        if self.silent:
            return ()
        return self._fit_all([(name, self.lines_behind(name, start, frozen)) for name in self.policy.volatile], room)

    def _fit_all(self, sections: Sequence[tuple[str, Sequence[str]]], room: int) -> tuple[SectionText, ...]:
        shown = []
        for name, lines in sections:
            if lines and (section := self._fit(name, lines, room)):
                shown.append(section)
                room -= section.tokens
        return tuple(shown)

    def _fit(self, name: str, lines: Sequence[str], room: float) -> SectionText | None:
        limit = min(self.mark(self.policy.share(name)), room)
        return fit(name, self.view.sections[name].heading, lines, int(limit), self.count)

    def lines_behind(self, name: str, start: int, frozen: Sequence[SectionText]) -> Sequence[str]:
        """The lines of the volatile section `name` behind a window from `start` on; `frozen` stand before it."""
        if name == "recalled":
            return [found.text for found in self.view.memory.recalled if found.seq < start]
        if name != "changes":
            return self.view.memory.lines(name)
        shown = {section.name: section.lines for section in frozen}
        tracked = [section for section in self.policy.stable if section not in UNTRACKED]
        return [line for section in tracked for line in self._changes(section, shown.get(section, ()))]

    def _changes(self, name: str, frozen: Sequence[str]) -> list[str]:
        """The lines of a section that are new since it was frozen, then those that no longer hold.

        A line that would not fit in the section's share is not new.
        """
        now = self.view.memory.lines(name)
        if now == frozen:
            return []
        section = self._fit(name, now, self.available)
        fresh = [line for line in (section.lines if section else ()) if line not in frozen]
        return fresh + [f"no longer: {line}" for line in frozen if line not in now]


class Layout(msgspec.Struct, frozen=True):
    """The window and its tokens, the sections before and behind it, and the compaction that fixes it."""

    units: Sequence[Exchange]
    recent: int
    sections: tuple[SectionText, ...]
    behind: tuple[SectionText, ...]
    compaction: Compaction
    new: bool
