"""How much of a prompt's beginning the previous prompt had too (law 13): what a provider's prompt cache can reuse."""

from collections.abc import Sequence
from itertools import islice

from turnlog import codec
from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.planner_state import Layout, PlannerState
from turnlog.context.sections import SectionText, cost


def unchanged(state: PlannerState, start: int, sections: Sequence[SectionText]) -> int:
    """Tokens of the pinned messages and the sections that a compaction leaves unchanged at the beginning of the prompt."""
    frozen = state.view.frozen or Compaction()
    if frozen.epoch != state.view.header.epoch or not _has_earlier_turn(state):
        return 0
    begin = max(frozen.start, state.base)
    old: list[Record | SectionText] = [*(pin for pin in state.pins if pin.seq < begin), *frozen.sections]
    new: list[Record | SectionText] = [*(pin for pin in state.pins if pin.seq < start), *sections]
    tokens = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        tokens += after.tokens
    return tokens


def _has_earlier_turn(state: PlannerState) -> bool:
    """Whether a turn came before the newest one, as far as the records that were read show."""
    users = (record for record in state.view.records if codec.role(record) == "user")
    return state.view.first > state.base or len(list(islice(users, 2))) > 1


def shared(state: PlannerState, layout: Layout) -> int:
    """Tokens at the beginning of the prompt that the context before the newest turn had too.

    If the last compaction is older than the turn, that context had everything before the window, and the window up to the
    previous message of the user or up to the head at that compaction; calls that were pending then had no results yet.
    """
    if layout.new:
        return layout.compaction.shared_tokens
    users = islice((unit.end for unit in reversed(layout.units) if unit.role == "user"), 2)
    newest, earlier = next(users, layout.compaction.start), next(users, 0)
    frozen = state.view.frozen
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
    return state.pinned_before(layout.compaction.start) + cost(layout.sections) + layout.recent - newer
