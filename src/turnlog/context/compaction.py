"""Where the recent window starts, and when that moves (law 13)."""

from collections.abc import Callable, Sequence

import msgspec

from turnlog.context.exchanges import Exchange
from turnlog.context.parts import Part


class Compaction(msgspec.Struct, frozen=True):
    """What the last compaction fixed, until the next one: where the window starts, and what memory tells before it.

    It was made when the log ended at `head`, at an erase `epoch`; its summary tells of the messages up to `summary_to`;
    `shared_tokens` is how much of the prompt it left as it was. To be stored for one conversation, policy and counter.
    """

    start: int = 1
    parts: tuple[Part, ...] = ()
    summary_to: int = 0
    head: int = 0
    epoch: int = 0
    shared_tokens: int = 0

    def same(self, other: "Compaction") -> bool:
        """Whether both make the same prompt."""
        mine, theirs = (self.start, self.parts, self.epoch), (other.start, other.parts, other.epoch)
        return mine == theirs and self.summary_to == other.summary_to


class Bounds(msgspec.Struct, frozen=True):
    """What the window may have at most: tokens, and messages if they are bounded."""

    tokens: int
    messages: float


class Windows(msgspec.Struct, frozen=True):
    """The windows that could be shown: one for each place where `units` could be cut, to the end.

    `tokens[i]` and `messages[i]` are the costs from unit i on, pinned messages before it included; there is one more, for
    the empty window. `ranks[i]` tells whether a model accepts a start there: 2 a user's message, 1 otherwise, 0 no.
    """

    units: Sequence[Exchange]
    tokens: list[int]
    messages: list[int]
    ranks: list[int]

    def fits(self, at: int, bounds: Bounds) -> bool:
        """Whether the window from unit `at` on keeps to `bounds`."""
        return self.tokens[at] <= bounds.tokens and self.messages[at] <= bounds.messages


def windows(
    units: Sequence[Exchange], pinned_before: Callable[[int], int], *, end: int, from_the_beginning: bool
) -> Windows:
    """The windows of `units`, behind which the log goes on at seq `end`; `pinned_before(seq)` is what is pinned before it.

    The beginning of the log is a start, whoever speaks; elsewhere a user begins, or an assistant. If neither ever speaks,
    whatever is shown may begin, but never a tool's result.
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


def required(found: Windows, min_turns: int, *, from_the_beginning: bool) -> tuple[int, int]:
    """The newest place where a window may start so that it has what must be there, and the tokens of that.

    When `min_turns` turns begin before the first unit, the tokens are those of all units: at least that much is needed.
    """
    users = [at for at, rank in enumerate(found.ranks) if rank == 2]
    starts = [at for at, rank in enumerate(found.ranks) if rank]
    if min_turns and users:
        last = users[-min_turns] if len(users) >= min_turns else users[0]
        if len(users) < min_turns:
            return (0 if from_the_beginning else last), found.tokens[0]
    else:
        last = starts[-1] if starts else len(found.units)
    return last, found.tokens[last]


def choose_start(found: Windows, last: int, low: Bounds, most: Bounds) -> int:
    """Where to start after a compaction: at a user's message, the oldest within `low`, else the newest within `most`; when a
    turn is longer than that, at the oldest exchange within `low`; else at `last`."""
    users = [at for at, rank in enumerate(found.ranks[: last + 1]) if rank == 2]
    for at in users:
        if found.fits(at, low):
            return at
    if users and found.fits(users[-1], most):
        return users[-1]
    for at in range(last):
        if found.ranks[at] and found.fits(at, low):
            return at
    return last
