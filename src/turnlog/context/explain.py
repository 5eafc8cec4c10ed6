"""The account of a context: for each candidate, whether it is shown, and why."""

from collections.abc import Iterator, Sequence

import msgspec

from turnlog.codec import Record
from turnlog.context.exchanges import LeftOut
from turnlog.context.planner_state import Layout, PlannerState
from turnlog.context.policy import VOLATILE
from turnlog.context.sections import SectionText


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A candidate for the context: a message by its `seq`, or a section of memory, whose seq is 0.

    A result that stands for one that was never recorded has an entry of its own, in section `recent` with seq 0.
    """

    section: str
    seq: int
    tokens: int
    included: bool
    reason: str


class Account(msgspec.Struct, frozen=True):
    """What the entries are made from when they are asked for."""

    state: PlannerState
    layout: Layout
    pins: Sequence[Record]
    dropped: Sequence[LeftOut]

    def entries(self) -> Iterator[Entry]:
        """An entry for each candidate except the messages of the window that are shown."""
        state, layout = self.state, self.layout
        for pin in self.pins:
            yield Entry(
                "pinned", pin.seq, pin.tokens, True, "instructions" if pin.seq < state.base else "pinned by the policy"
            )
        for refused in state.not_pinned:
            if refused.seq < layout.compaction.start:
                yield Entry("pinned", refused.seq, refused.tokens, False, refused.reason)
        shown = {section.name: section for section in (*layout.sections, *layout.behind)}
        for name in () if state.silent else state.view.sections:
            if name in shown:
                yield Entry(name, 0, shown[name].tokens, True, _why_shown(layout, shown[name]))
            elif reason := _why_left_out(state, layout, name):
                yield Entry(name, 0, 0, False, reason)
        for left in self.dropped:
            yield Entry("recent", left.seq, left.tokens, False, left.reason)


def _why_shown(layout: Layout, section: SectionText) -> str:
    if section.name in VOLATILE:
        return "as of now"
    return f"as of message {layout.compaction.head}, the last compaction"


def _why_left_out(state: PlannerState, layout: Layout, name: str) -> str | None:
    """Why a section is not shown; None when it has no lines."""
    if name in VOLATILE:
        lines = state.lines_behind(name, layout.compaction.start, layout.sections)
    else:
        lines = state.view.memory.lines(name)
    if not lines:
        return None
    if not state.policy.share(name):
        return "off in the policy"
    if name == "summary" and layout.compaction.start == state.base:
        return "the window has everything"
    if name not in VOLATILE and not layout.new and state.view.frozen is not None:
        return "waits for the next compaction"
    return "does not fit in its share"
