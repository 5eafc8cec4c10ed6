"""What the planner's steps hand to one another: what was read, what holds for every layout of it, and the layout chosen."""

from collections.abc import Sequence
from math import floor

import msgspec

from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.exchanges import Exchange, LeftOut
from turnlog.context.parts import Memory, Part
from turnlog.context.policy import ContextPolicy
from turnlog.store import Header
from turnlog.tokens import Counter

LEADING = 2
"""How many messages at a log's beginning are always shown if they are instructions."""


class View(msgspec.Struct, frozen=True):
    """What was read of a conversation.

    `records` are its last ones, with no gap, up to the head: from the start of the window on that `frozen` names, or so many
    that they cost more than the budget, or all. `pinned` are the log's first two and those that the policy pins; those that
    are among `records` may be left out. `frozen` is the last compaction for this policy, None before the first.
    """

    header: Header
    records: Sequence[Record]
    pinned: Sequence[Record] = ()
    frozen: Compaction | None = None
    memory: Memory = Memory()

    @property
    def first(self) -> int:
        """Seq of the first record; one past the head when there is none."""
        return self.records[0].seq if self.records else self.header.head + 1


class PlannerState(msgspec.Struct, frozen=True):
    """What is given, and what follows from it whatever the window is.

    The window starts at `base` or later; `fixed` tokens are spent before the first message, and `available` are left for
    messages; `pins` are shown wherever the window starts. `silent` tells that memory has
    nothing to say now, and had nothing when the last compaction froze it.
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
        """A share of what is available, in tokens."""
        return floor(share * self.available)


class Layout(msgspec.Struct, frozen=True):
    """A choice: the window and its tokens, the memory before and behind it, and the compaction that fixes it."""

    units: Sequence[Exchange]
    recent: int
    parts: tuple[Part, ...]
    behind: tuple[Part, ...]
    compaction: Compaction
    new: bool
