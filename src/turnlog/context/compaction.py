"""Where the recent window starts, and when its start moves (law 13)."""

from collections.abc import Callable, Sequence

import msgspec

from turnlog.context.exchanges import Exchange
from turnlog.context.sections import SectionText


class Compaction(msgspec.Struct, frozen=True):
    """What a compaction fixed until the next one: the start of the window, and the sections before it.

    It was made when the log ended at `head`, at an erase `epoch`; its summary covers the messages up to `summary_to`;
    `shared_tokens` tokens at the beginning of the prompt stayed the same. Stored for one conversation, policy and counter.
    """

    start: int = 1
    sections: tuple[SectionText, ...] = ()
    summary_to: int = 0
    head: int = 0
    epoch: int = 0
    shared_tokens: int = 0

    def same(self, other: "Compaction") -> bool:
        """Whether both make the same prompt."""
        mine, theirs = (self.start, self.sections, self.epoch), (other.start, other.sections, other.epoch)
        return mine == theirs and self.summary_to == other.summary_to


class Bounds(msgspec.Struct, frozen=True):
    """The largest window: tokens, and messages (infinity when they are not bounded)."""

    tokens: int
    messages: float


class Windows(msgspec.Struct, frozen=True):
    """The possible windows: one from each of `units` to the end.

    `tokens[i]` and `messages[i]` are the costs from unit i on, with the pinned messages before it; the last entry is that
    of the empty window. `ranks[i]` tells whether a model accepts a start there: 2 a user's message, 1 another one, 0 no.
    """

    units: Sequence[Exchange]
    tokens: list[int]
    messages: list[int]
    ranks: list[int]

    def fits(self, at: int, bounds: Bounds) -> bool:
        """Whether the window from unit `at` on is within `bounds`."""
        return self.tokens[at] <= bounds.tokens and self.messages[at] <= bounds.messages


def possible_windows(
    units: Sequence[Exchange], pinned_before: Callable[[int], int], *, end: int, from_the_beginning: bool
) -> Windows:
    """The possible windows of `units`, which end before seq `end`; `pinned_before(seq)` are the pinned tokens before it.

    The first message of the log may start a window whatever its role; elsewhere a message of a user or an assistant may.
    If there is none, any message may that is shown, but never a tool's result.
    """
    tokens, messages = [pinned_before(end)] * (len(units) + 1), [0] * (len(units) + 1)
    pinned_between = bool(units) and pinned_before(units[0].seq) != tokens[-1]
    for at in range(len(units) - 1, -1, -1):
        tokens[at] = tokens[at + 1] + units[at].tokens
        messages[at] = messages[at + 1] + len(units[at].records)
    if pinned_between:
        tokens = [cost - tokens[-1] + pinned_before(unit.seq) for cost, unit in zip(tokens, units, strict=False)] + tokens[
            -1:
        ]
    ranks = [2 if unit.role == "user" else int(unit.role == "assistant") for unit in units]
    if not any(ranks):
        ranks = [int(unit.role is not None) for unit in units]
    if from_the_beginning and units:
        ranks[0] = max(ranks[0], 1)
    return Windows(units, tokens, messages, ranks)


def required(possible: Windows, min_turns: int, *, from_the_beginning: bool) -> tuple[int, int]:
    """The newest unit at which a window may start and still contain all that is required, and the tokens of that window.

    When the required turns begin before the first unit, the tokens are those of all units: at least so many are needed.
    """
    users = [at for at, rank in enumerate(possible.ranks) if rank == 2]
    starts = [at for at, rank in enumerate(possible.ranks) if rank]
    if min_turns and users:
        last = users[-min_turns] if len(users) >= min_turns else users[0]
        if len(users) < min_turns:
            return (0 if from_the_beginning else last), possible.tokens[0]
    else:
        last = starts[-1] if starts else len(possible.units)
    return last, possible.tokens[last]


def choose_start(possible: Windows, last: int, low: Bounds, most: Bounds) -> int:
    """The unit at which the window starts after a compaction: the oldest message of a user within `low`, else the newest
    within `most`; when a turn is longer than that, the oldest exchange within `low`; else `last`.
    """
    users = [at for at, rank in enumerate(possible.ranks[: last + 1]) if rank == 2]
    for at in users:
        if possible.fits(at, low):
            return at
    if users and possible.fits(users[-1], most):
        return users[-1]
    for at in range(last):
        if possible.ranks[at] and possible.fits(at, low):
            return at
    return last
