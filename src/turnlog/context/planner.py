"""The planner: a pure function from what was read of a conversation to what a model sees.

It keeps these laws:
 7  Coverage: each message is covered by the summary, pinned, in the window (shown, or dropped with a reason), or omitted.
 8  Budget: the prompt costs at most the budget less the reserve; otherwise `BudgetTooSmall` has the missing tokens.
 9  Tool integrity: an exchange (see `exchanges`) is shown as a whole or not at all.
13  Stable prefix: the start of the window and the sections before it stay as the last `Compaction` fixed them while
    everything fits under the high mark. What changes from turn to turn comes after the window.
"""

from collections.abc import Sequence
from itertools import chain, islice
from math import inf

import msgspec

from turnlog import codec
from turnlog.codec import Record
from turnlog.context.compaction import Bounds, Compaction, Windows, choose_start, possible_windows, required
from turnlog.context.exchanges import LeftOut, exchanges, why_not_shown
from turnlog.context.planner_state import LEADING, Layout, PlannerState, View
from turnlog.context.policy import UNTRACKED, ContextPolicy
from turnlog.context.result import Account, Plan, SectionCost, coverage
from turnlog.context.sections import SectionText, cost, without_summary
from turnlog.errors import BudgetTooSmall, InvalidInput
from turnlog.tokens import Counter


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


def plan(view: View, policy: ContextPolicy, count: Counter, *, overhead_tokens: int = 0, tools_tokens: int = 0) -> Plan:
    """What a model sees of `view` by `policy`. Equal input gives an equal plan. Raises `BudgetTooSmall`.

    `count` must be the counter that the records were counted with. `overhead_tokens` are the tokens of the prompt beside
    its messages, `tools_tokens` those of the tool schemas.
    """
    state = _state_of(view, policy, count, overhead_tokens + tools_tokens)
    layout = _as_before(state) or _compacted(state)
    return _context(state, layout, {"overhead": overhead_tokens, "tools": tools_tokens})


def _state_of(view: View, policy: ContextPolicy, count: Counter, fixed: int) -> PlannerState:
    _check_contiguous(view)
    known = {record.seq: record for record in (*view.records[:LEADING], *view.pinned)}
    base = 1
    while base <= LEADING and base in known and codec.role(known[base]) in ("system", "developer"):
        base += 1
    pins, refused = [], []
    for seq in sorted({*range(1, base), *policy.pinned}):
        if seq > view.header.head:
            continue
        record = known.get(seq) or (view.records[seq - view.first] if seq >= view.first else None)
        reason = "not read" if record is None else _why_not_pinned(record)
        if record is not None and reason is None:
            pins.append(record)
        else:
            refused.append(LeftOut(seq, record.tokens if record else 0, reason or ""))
    available = policy.budget_tokens - policy.reserve_tokens - fixed
    silent = view.memory.empty and not (view.frozen and view.frozen.sections)
    return PlannerState(view, policy, count, fixed, available, base, tuple(pins), tuple(refused), silent)


def _check_contiguous(view: View) -> None:
    records, head = view.records, view.header.head
    if head and (not records or records[-1].seq != head or head - records[0].seq + 1 != len(records)):
        raise InvalidInput("records", f"must be the last of the log without a gap, up to its head {head}")


def _why_not_pinned(record: Record) -> str | None:
    if codec.text_role(record):
        return None
    message = codec.decode(record)
    return "a tool call cannot be shown out of its place" if message.tool_calls else why_not_shown(message)


def _as_before(state: PlannerState) -> Layout | None:
    """The layout of the last compaction, if it still holds and everything fits under the high mark."""
    view, policy = state.view, state.policy
    frozen = view.frozen or Compaction()
    start = max(frozen.start, state.base)
    if not view.first <= start <= view.header.head + 1 or not _holds(state, frozen):
        return None
    units = exchanges(view.records[start - view.first :], state.count)
    if start > state.base and units and units[0].role is None:
        return None
    turns = sum(unit.role == "user" for unit in units) if policy.min_turns else 0
    if start > state.base and turns < policy.min_turns:
        return None
    behind = state.behind_window(start, frozen.sections, state.available)
    recent = sum([unit.tokens for unit in units])
    tokens = state.pinned_before(start) + cost(frozen.sections) + recent + cost(behind)
    if tokens > state.mark(policy.high):
        return None
    if policy.max_messages and sum(len(unit.records) for unit in units) > policy.max_messages:
        return None
    return Layout(units, recent, frozen.sections, behind, msgspec.structs.replace(frozen, start=start), new=False)


def _holds(state: PlannerState, frozen: Compaction) -> bool:
    """Whether the frozen sections may still be shown: nothing was erased, and the policy has all of them."""
    view, policy = state.view, state.policy
    # the first sections are shown at once; without a compaction `changes` has nothing to compare with
    if view.frozen is None and any(view.memory.lines(name) for name in policy.stable if name not in UNTRACKED):
        return False
    if frozen.sections and frozen.start < state.base:
        return False
    # law 11: after an erasure the frozen lines may tell what was erased
    return frozen.epoch == view.header.epoch and all(policy.share(section.name) for section in frozen.sections)


def _compacted(state: PlannerState) -> Layout:
    """The layout with a new start of the window, and memory as of now."""
    view, policy = state.view, state.policy
    head, base = view.header.head, state.base
    old = max((view.frozen or Compaction()).start, base)
    origin = _origin(state, old)
    units = exchanges(view.records[origin - view.first :], state.count)
    whole = origin == base
    possible = possible_windows(units, state.pinned_before, end=head + 1, from_the_beginning=whole)
    last, needed = required(possible, policy.min_turns, from_the_beginning=whole)
    if needed > state.available:
        raise BudgetTooSmall(budget=policy.budget_tokens, needed=policy.reserve_tokens + state.fixed + needed)
    sections = state.before_window(state.available - needed)
    behind = state.behind_window(head + 1, sections, state.available - needed - cost(sections))
    at = _start(state, possible, last, sections, cost(behind))
    start = units[at].seq if at < len(units) else head + 1
    if start == base:
        sections = without_summary(sections)
    behind = state.behind_window(start, sections, state.available - possible.tokens[at] - cost(sections))
    summarised = any(section.name == "summary" for section in sections)
    summary_to = min(view.memory.summary_to, start - 1) if summarised else 0
    fixed = Compaction(start, sections, summary_to, head, view.header.epoch, unchanged(state, start, sections))
    same = fixed.same(view.frozen or Compaction(base))
    recent = sum([unit.tokens for unit in units[at:]])
    return Layout(units[at:], recent, sections, behind, fixed, new=not same)


def _origin(state: PlannerState, old: int) -> int:
    """The oldest seq at which a new window may start: that of the old one, if it was read and leaves enough turns."""
    view, minimum = state.view, state.policy.min_turns
    oldest = max(state.base, view.first)
    if not oldest <= old <= view.header.head + 1:
        return oldest
    turns = sum(codec.role(record) == "user" for record in view.records[old - view.first :]) if minimum else 0
    return oldest if turns < minimum else old


def _start(state: PlannerState, possible: Windows, last: int, sections: tuple[SectionText, ...], behind: int) -> int:
    """The unit at which the window starts, with `sections` before it and `behind` tokens after it."""
    view, policy = state.view, state.policy
    most = policy.max_messages or inf
    fresh = view.frozen is None or view.frozen.epoch != view.header.epoch
    old = max((view.frozen or Compaction()).start, state.base)
    if fresh and possible.units and possible.ranks[0] and possible.units[0].seq == old:
        kept = without_summary(sections) if possible.units[0].seq == state.base else sections
        if possible.fits(0, Bounds(state.mark(policy.high) - cost(kept) - behind, most)):
            return 0
    spent = cost(sections) + behind
    low = Bounds(state.mark(policy.low) - spent, max(1, policy.low * most))
    return choose_start(possible, last, low, Bounds(state.available - spent, most))


def _context(state: PlannerState, layout: Layout, fixed: dict[str, int]) -> Plan:
    view, compaction = state.view, layout.compaction
    pins = [pin for pin in state.pins if pin.seq < compaction.start]
    window = chain.from_iterable([unit.records for unit in layout.units])
    costs = {
        **fixed,
        "pinned": sum(pin.tokens for pin in pins),
        **{section.name: section.tokens for section in layout.sections},
        "recent": layout.recent,
        **{section.name: section.tokens for section in layout.behind},
    }
    budget = state.policy.budget_tokens
    stable = (*pins, *(section.record for section in layout.sections), *window)
    dropped = tuple(chain.from_iterable([unit.left_out for unit in layout.units]))
    return Plan(
        view.header,
        (*stable, *(section.record for section in layout.behind)),
        tuple(SectionCost(name, tokens, tokens / budget) for name, tokens in costs.items() if tokens),
        sum(costs.values()),
        budget,
        coverage(view.header.head, compaction.start, compaction.summary_to, tuple(pin.seq for pin in pins), dropped),
        compaction if layout.new else None,
        len(stable),
        shared(state, layout),
        Account(state, layout, pins, dropped),
        view.records[: max(compaction.start - view.first, 0)],
        view.memory,
    )
