"""How much of a prompt's beginning the one before had too (law 13): what a provider's prompt cache can keep."""

from collections.abc import Sequence
from itertools import islice

from turnlog import codec
from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.parts import Part
from turnlog.context.planner_state import Layout, PlannerState
from turnlog.context.sections import cost


def unchanged(ground: PlannerState, start: int, parts: Sequence[Part]) -> int:
    """Tokens of the pinned messages and of memory that a compaction leaves as they were at the beginning of the prompt."""
    frozen = ground.view.frozen or Compaction()
    if frozen.epoch != ground.view.header.epoch or not _spoke_before(ground):
        return 0
    begin = max(frozen.start, ground.base)
    old: list[Record | Part] = [*(pin for pin in ground.pins if pin.seq < begin), *frozen.parts]
    new: list[Record | Part] = [*(pin for pin in ground.pins if pin.seq < start), *parts]
    tokens = 0
    for was, now in zip(old, new, strict=False):
        if was != now:
            break
        tokens += now.tokens
    return tokens


def _spoke_before(ground: PlannerState) -> bool:
    """Whether there was a turn before the newest, as far as what was read tells."""
    users = (record for record in ground.view.records if codec.role(record) == "user")
    return ground.view.first > ground.base or len(list(islice(users, 2))) > 1


def shared(ground: PlannerState, layout: Layout) -> int:
    """Tokens at the prompt's beginning that the context before the newest turn had too.

    That one had what comes before the window, if the last compaction is older than the turn, and the window up to the
    message of the user before, or up to where the log ended at that compaction; what was pending there had no
    results yet.
    """
    if layout.new:
        return layout.compaction.shared_tokens
    users = islice((unit.end for unit in reversed(layout.units) if unit.role == "user"), 2)
    newest, earlier = next(users, layout.compaction.start), next(users, 0)
    frozen = ground.view.frozen
    if frozen is not None and frozen.head >= newest:
        return frozen.shared_tokens
    until = max(earlier, frozen.head if frozen else 0)
    if not until:
        return 0
    newer = 0
    for unit in reversed(layout.units):
        if unit.end <= until:
            newer += sum(record.tokens for record in unit.records if not record.seq) if unit.end == until else 0
            break
        newer += unit.tokens
    return ground.pinned_before(layout.compaction.start) + cost(layout.parts) + layout.recent - newer
