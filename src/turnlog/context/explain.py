"""The account of a context: what became of each candidate that is not simply recent, and why."""

from collections.abc import Iterator, Sequence

import msgspec

from turnlog.codec import Record
from turnlog.context.exchanges import LeftOut
from turnlog.context.parts import Part
from turnlog.context.planner_state import Layout, PlannerState
from turnlog.context.policy import STABLE, VOLATILE
from turnlog.context.sections import texts_behind


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A candidate for the context: a message by its `seq`, or a part of memory, whose seq is 0; in or out, and why.

    A call that never got a result has a candidate of its own, in section `recent` with seq 0.
    """

    section: str
    seq: int
    tokens: int
    included: bool
    reason: str


class Account(msgspec.Struct, frozen=True):
    """What an account is made from, once somebody asks for it."""

    ground: PlannerState
    layout: Layout
    pins: Sequence[Record]
    dropped: Sequence[LeftOut]

    def entries(self) -> Iterator[Entry]:
        """What became of all that is not simply recent."""
        ground, layout = self.ground, self.layout
        for pin in self.pins:
            yield Entry(
                "pinned", pin.seq, pin.tokens, True, "instructions" if pin.seq < ground.base else "pinned by the policy"
            )
        for refused in ground.not_pinned:
            if refused.seq < layout.compaction.start:
                yield Entry("pinned", refused.seq, refused.tokens, False, refused.reason)
        shown = {part.name: part for part in (*layout.parts, *layout.behind)}
        for name in () if ground.silent else (*STABLE, *VOLATILE):
            if name in shown:
                yield Entry(name, 0, shown[name].tokens, True, _why_in(layout, shown[name]))
            elif reason := _why_out(ground, layout, name):
                yield Entry(name, 0, 0, False, reason)
        for left in self.dropped:
            yield Entry("recent", left.seq, left.tokens, False, left.reason)


def _why_in(layout: Layout, part: Part) -> str:
    if part.name not in STABLE:
        return "as of now"
    return f"as of message {layout.compaction.head}, the last compaction"


def _why_out(ground: PlannerState, layout: Layout, name: str) -> str | None:
    """Why memory's section is not shown; None when it has nothing to say."""
    if name in VOLATILE:
        there = bool(texts_behind(ground, name, layout.compaction.start, layout.parts))
    else:
        there = bool(ground.view.memory.items(name))
    if not there:
        return None
    if not ground.policy.share(name):
        return "off in the policy"
    if name == "summary" and layout.compaction.start == ground.base:
        return "the window has everything"
    if name in STABLE and not layout.new and ground.view.frozen is not None:
        return "waits for the next compaction"
    return "does not fit in its share"
