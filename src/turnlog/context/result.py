"""What the planner hands back: the messages to send, and an account of everything that it considered."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Any, Literal

import msgspec

from turnlog import codec, formats
from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.exchanges import LeftOut
from turnlog.context.explain import Account, Entry
from turnlog.context.parts import Memory
from turnlog.message import Message
from turnlog.store import Header

Place = Literal["summary", "pinned", "window", "dropped", "omitted"]


class Section(msgspec.Struct, frozen=True):
    """What a section costs, and which share of the budget that is (0 to 1)."""

    name: str
    tokens: int
    share: float


class Coverage(msgspec.Struct, frozen=True):
    """Where each message of the log up to `head` is (law 7); `place` tells it for one.

    The window is the messages from seq `window_from` on, of which those in `dropped` are not shown. Before it, `pinned` are
    shown, the summary tells of those up to `summary_to` (0: there is none), and the rest, `omitted` in number from seq
    `omitted_from` to `omitted_to` (0 when there are none), is not shown at all.
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
    """The account of a log's messages; `pinned` are all before the window, in order."""
    first, last = summary_to + 1, window_from - 1
    while first in pinned:
        first += 1
    while last in pinned:
        last -= 1
    omitted = last - first + 1 - sum(first < seq < last for seq in pinned)
    if omitted <= 0:
        omitted = first = last = 0
    return Coverage(head, summary_to, window_from, pinned, dropped, omitted, first, last)


class Context(msgspec.Struct, frozen=True):
    """What a model gets to see of a conversation, as of `header`.

    `records` are the messages in the order in which they are sent: pinned, memory, recent window, then what changes from
    turn to turn. What memory says, and a result that was never recorded, has seq 0 and is marked `derived`. The prompt costs
    `tokens` of the `budget_tokens`. `compaction` is to be stored and given back next time; None when nothing moved. The
    first `stable` records, without a compaction, are the beginning of the next context too; the first `shared_tokens`
    tokens were the beginning of the one before the newest turn.
    """

    header: Header
    records: tuple[Record, ...]
    sections: tuple[Section, ...]
    tokens: int
    budget_tokens: int
    coverage: Coverage
    compaction: Compaction | None
    stable: int
    shared_tokens: int
    account: Account
    before: Sequence[Record]
    """Records that were read and lie before the window."""
    memory: Memory = Memory()
    """What memory had to tell, shown or not."""

    def __repr__(self) -> str:
        return f"Context({len(self.records)} messages, tokens={self.tokens}, budget_tokens={self.budget_tokens})"

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, decoded."""
        return tuple(map(codec.decode, self.records))

    def render(self, format: str) -> dict[str, Any]:
        """The keyword arguments with which a provider's SDK takes the messages, as `turnlog.formats` says."""
        return formats.render(self.messages, format)

    @property
    def omitted(self) -> int:
        """How many messages of the conversation are neither shown nor told by the summary."""
        return self.coverage.omitted

    @property
    def prefix_hash(self) -> str:
        """32 hexadecimal digits of the stable part, made from its records' digests: equal ones stand for equal bytes."""
        marks = [mark for record in self.records[: self.stable] for mark in (record.digest, record.checksum)]
        return blake2b(_marks(self.stable).pack(*marks), digest_size=16).hexdigest()

    @property
    def explain(self) -> tuple[Entry, ...]:
        """An account of every candidate: parts of memory and dropped messages, then messages in order of seq."""
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
    """How the marks of so many records are packed."""
    return Struct(">" + count * "16sI")


_OUT: dict[Place, str] = {
    "summary": "before the window; the summary tells of it",
    "omitted": "before the window, which has no room for it",
}
