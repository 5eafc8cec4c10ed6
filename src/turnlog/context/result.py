"""What the planner returns: the messages to send, and an account of every candidate."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Any, Literal

import msgspec

from turnlog import codec, formats
from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.exchanges import LeftOut
from turnlog.context.planner_state import Layout, PlannerState
from turnlog.context.policy import VOLATILE
from turnlog.context.sections import Memory, SectionText
from turnlog.message import Message
from turnlog.store import Header


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


Place = Literal["summary", "pinned", "window", "dropped", "omitted"]


class SectionCost(msgspec.Struct, frozen=True):
    """The tokens of a section, and their share of the budget (0 to 1)."""

    name: str
    tokens: int
    share: float


class Coverage(msgspec.Struct, frozen=True):
    """Where each message of the log up to `head` is (law 7); `place` returns it for one message.

    The window begins at seq `window_from`; its messages in `dropped` are not shown. Before the window, the messages in
    `pinned` are shown, the summary covers those up to `summary_to` (0 without a summary), and the rest is not shown:
    `omitted` messages from seq `omitted_from` to `omitted_to` (0 when there are none).
    """

    head: int
    summary_to: int
    window_from: int
    pinned: tuple[int, ...]
    dropped: tuple[LeftOut, ...]
    omitted: int
    omitted_from: int
    omitted_to: int

    def place(self, seq: int) -> Place:
        """Which of the five covers message `seq`, 1 to head."""
        if seq >= self.window_from:
            return "dropped" if any(left.seq == seq for left in self.dropped) else "window"
        if seq in self.pinned:
            return "pinned"
        return "summary" if seq <= self.summary_to else "omitted"


def coverage(
    head: int, window_from: int, summary_to: int, pinned: tuple[int, ...], dropped: tuple[LeftOut, ...]
) -> Coverage:
    """The coverage of a log; `pinned` are all before the window, in order."""
    first, last = summary_to + 1, window_from - 1
    while first in pinned:
        first += 1
    while last in pinned:
        last -= 1
    omitted = last - first + 1 - sum(first < seq < last for seq in pinned)
    if omitted <= 0:
        omitted = first = last = 0
    return Coverage(head, summary_to, window_from, pinned, dropped, omitted, first, last)


class Plan(msgspec.Struct, frozen=True):
    """What a model sees of a conversation, as of `header`.

    `records` are the messages in the order in which they are sent: pinned messages, stable sections, recent window,
    volatile sections. Sections, and results that stand for unrecorded ones, have seq 0 and are marked `derived`. The prompt
    costs `tokens` of the `budget_tokens`. `compaction` is stored and given to the next plan; None when nothing moved. The
    first `stable` records also begin the next context if it makes no compaction; the first `shared_tokens` tokens also
    began the context before the newest turn. `before` are the records that were read and lie before the window. `memory`
    is what memory contributed, shown or not.
    """

    header: Header
    records: tuple[Record, ...]
    sections: tuple[SectionCost, ...]
    tokens: int
    budget_tokens: int
    coverage: Coverage
    compaction: Compaction | None
    stable: int
    shared_tokens: int
    account: Account
    before: Sequence[Record]
    memory: Memory

    def __repr__(self) -> str:
        return f"Context({len(self.records)} messages, tokens={self.tokens}, budget_tokens={self.budget_tokens})"

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, decoded."""
        return tuple(map(codec.decode, self.records))

    def render(self, format: str) -> dict[str, Any]:
        """The messages as keyword arguments for a provider's SDK, as `turnlog.formats` says."""
        return formats.render(self.messages, format)

    @property
    def omitted(self) -> int:
        """How many messages of the conversation are neither shown nor covered by the summary."""
        return self.coverage.omitted

    @property
    def prefix_hash(self) -> str:
        """32 hexadecimal digits of the stable records; equal hashes mean equal bytes."""
        marks = [mark for record in self.records[: self.stable] for mark in (record.digest, record.checksum)]
        return blake2b(_marks(self.stable).pack(*marks), digest_size=16).hexdigest()

    @property
    def explain(self) -> tuple[Entry, ...]:
        """An entry for each candidate that was read: sections and dropped messages, then messages in order of seq."""
        place = self.coverage.place
        shown = [Entry("recent", record.seq, record.tokens, True, "") for record in self._window()]
        out = [
            Entry("recent", record.seq, record.tokens, False, _OUT[where])
            for record in self.before
            if (where := place(record.seq)) in _OUT
        ]
        return (*self.account.entries(), *out, *shown)

    def _window(self) -> tuple[Record, ...]:
        first = next(
            (at for at, record in enumerate(self.records) if record.seq >= self.coverage.window_from), len(self.records)
        )
        return self.records[first : self.stable]


@lru_cache(maxsize=1024)
def _marks(count: int) -> Struct:
    """The layout of the digests and checksums of `count` records."""
    return Struct(">" + count * "16sI")


_OUT: dict[Place, str] = {
    "summary": "before the window; the summary covers it",
    "omitted": "before the window, which has no room for it",
}
