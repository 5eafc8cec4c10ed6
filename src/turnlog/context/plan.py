"""The planner: what a model gets to see of a conversation. Pure; whoever reads the store calls it.

It keeps these laws:
 7  Coverage: each message is told by the summary, or pinned, or in the window (shown, or dropped with a reason), or omitted.
 8  Budget: what is shown costs at most the budget less the reserve, or `BudgetTooSmall` says by how much it does not.
 9  Tool integrity: an exchange (see `exchanges`) is shown whole or not at all.
13  Stable prefix: the window's start and the memory before it stay as the last `Compaction` fixed them while everything
    fits under the high mark. What changes from turn to turn stands behind the window.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from math import floor, inf

import msgspec

from turnlog import codec
from turnlog.codec import Record
from turnlog.context.compaction import Compaction, Limits, Windows, choose_start, required, windows
from turnlog.context.exchanges import Exchange, LeftOut, exchanges, why_not_shown
from turnlog.context.outcome import Context, Entry, Section, coverage
from turnlog.context.parts import Memory, Part, changes, fit
from turnlog.context.policy import STABLE, VOLATILE, ContextPolicy
from turnlog.context.tokens import Counter
from turnlog.errors import BudgetTooSmall, InvalidInput
from turnlog.ports import Header

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


class _Ground(msgspec.Struct, frozen=True):
    """What is given, and what follows from it whatever the window is.

    The window starts at `base` or later; `fixed` tokens are spent before the first message, and `available` are left for
    messages; `pins` are shown wherever the window starts.
    """

    view: View
    policy: ContextPolicy
    count: Counter
    fixed: int
    available: int
    base: int
    pins: tuple[Record, ...]
    not_pinned: tuple[LeftOut, ...]

    def pinned_before(self, seq: int) -> int:
        """Tokens of the pinned messages before `seq`."""
        return sum(pin.tokens for pin in self.pins if pin.seq < seq)

    def mark(self, share: float) -> int:
        """A share of what is available, in tokens."""
        return floor(share * self.available)


class _Layout(msgspec.Struct, frozen=True):
    """A choice: the window and its tokens, the memory before and behind it, and the compaction that fixes it."""

    units: Sequence[Exchange]
    recent: int
    parts: tuple[Part, ...]
    behind: tuple[Part, ...]
    compaction: Compaction
    new: bool


def plan(view: View, policy: ContextPolicy, count: Counter, *, overhead_tokens: int = 0, tools_tokens: int = 0) -> Context:
    """The context of `view` by `policy`; equal input gives an equal context.

    Costs are those stored with the records; `count` must be the counter that they were counted with. `overhead_tokens` is
    what a prompt costs beside its messages, `tools_tokens` what the tools cost that go with it.
    Raises `BudgetTooSmall`.
    """
    ground = _ground(view, policy, count, overhead_tokens + tools_tokens)
    layout = _as_before(ground) or _compacted(ground)
    return _context(ground, layout, {"overhead": overhead_tokens, "tools": tools_tokens})


def _ground(view: View, policy: ContextPolicy, count: Counter, fixed: int) -> _Ground:
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
    return _Ground(view, policy, count, fixed, available, base, tuple(pins), tuple(refused))


def _check_contiguous(view: View) -> None:
    records, head = view.records, view.header.head
    if head and (not records or records[-1].seq != head or head - records[0].seq + 1 != len(records)):
        raise InvalidInput("records", f"must be the last of the log without a gap, up to its head {head}")


def _why_not_pinned(record: Record) -> str | None:
    if codec.text_role(record):
        return None
    message = codec.decode(record)
    return "a tool call cannot be shown out of its place" if message.tool_calls else why_not_shown(message)


def _as_before(ground: _Ground) -> _Layout | None:
    """The layout that the last compaction fixed, if that still holds and everything fits under the high mark."""
    view, policy = ground.view, ground.policy
    frozen = view.frozen or Compaction()
    start = max(frozen.start, ground.base)
    if not view.first <= start <= view.header.head + 1 or not _holds(ground, frozen):
        return None
    units = exchanges(view.records[start - view.first :], ground.count)
    if start > ground.base and units and units[0].role is None:
        return None
    turns = sum(unit.role == "user" for unit in units) if policy.min_turns else 0
    if start > ground.base and turns < policy.min_turns:
        return None
    behind = _behind(ground, start, frozen.parts, ground.available)
    recent = sum([unit.tokens for unit in units])
    tokens = ground.pinned_before(start) + _cost(frozen.parts) + recent + _cost(behind)
    if tokens > ground.mark(policy.high):
        return None
    if policy.max_messages and sum(len(unit.records) for unit in units) > policy.max_messages:
        return None
    return _Layout(units, recent, frozen.parts, behind, msgspec.structs.replace(frozen, start=start), new=False)


def _holds(ground: _Ground, frozen: Compaction) -> bool:
    """Whether what was frozen may still be shown: nothing was erased since, no instructions came before it, it is wanted."""
    view, policy = ground.view, ground.policy
    if view.frozen is None and any(view.memory.items(name) for name in policy.on(("profile", "facts"))):
        return False
    if frozen.parts and frozen.start < ground.base:
        return False
    return frozen.epoch == view.header.epoch and all(policy.share(part.name) for part in frozen.parts)


def _compacted(ground: _Ground) -> _Layout:
    """The layout with a new start of the window, or its first one, and memory as it is now."""
    view, policy = ground.view, ground.policy
    head, base = view.header.head, ground.base
    old = max((view.frozen or Compaction()).start, base)
    origin = _origin(ground, old)
    units = exchanges(view.records[origin - view.first :], ground.count)
    whole = origin == base
    found = windows(units, ground.pinned_before, end=head + 1, from_the_beginning=whole)
    last, needed = required(found, policy.min_turns, from_the_beginning=whole)
    if needed > ground.available:
        raise BudgetTooSmall(budget=policy.budget_tokens, needed=policy.reserve_tokens + ground.fixed + needed)
    parts = _before(ground, ground.available - needed)
    behind = _behind(ground, head + 1, parts, ground.available - needed - _cost(parts))
    at = _start(ground, found, last, parts, _cost(behind))
    start = units[at].seq if at < len(units) else head + 1
    if start == base:
        parts = _without_summary(parts)
    behind = _behind(ground, start, parts, ground.available - found.tokens[at] - _cost(parts))
    told = any(part.name == "summary" for part in parts)
    summary_to = min(view.memory.summary_to, start - 1) if told else 0
    fixed = Compaction(start, parts, summary_to, head, view.header.epoch, _unchanged(ground, start, parts))
    same = fixed.same(view.frozen or Compaction(base))
    recent = sum(unit.tokens for unit in units[at:])
    return _Layout(units[at:], recent, parts, behind, fixed, new=not same)


def _origin(ground: _Ground, old: int) -> int:
    """The oldest place where a new window may start: where the old one did, if that was read and has turns enough."""
    view, minimum = ground.view, ground.policy.min_turns
    oldest = max(ground.base, view.first)
    if not oldest <= old <= view.header.head + 1:
        return oldest
    turns = sum(codec.role(record) == "user" for record in view.records[old - view.first :]) if minimum else 0
    return oldest if turns < minimum else old


def _start(ground: _Ground, found: Windows, last: int, parts: tuple[Part, ...], behind: int) -> int:
    """The unit at which the window starts; `parts` stand before it, and `behind` tokens behind it."""
    view, policy = ground.view, ground.policy
    most = policy.max_messages or inf
    fresh = view.frozen is None or view.frozen.epoch != view.header.epoch
    old = max((view.frozen or Compaction()).start, ground.base)
    if fresh and found.units and found.ranks[0] and found.units[0].seq == old:
        kept = _without_summary(parts) if found.units[0].seq == ground.base else parts
        if found.fits(0, Limits(ground.mark(policy.high) - _cost(kept) - behind, most)):
            return 0
    spent = _cost(parts) + behind
    low = Limits(ground.mark(policy.low) - spent, max(1, policy.low * most))
    return choose_start(found, last, low, Limits(ground.available - spent, most))


def _before(ground: _Ground, room: int) -> tuple[Part, ...]:
    """What memory tells before the window, each section within its share and all within `room` tokens."""
    memory, parts = ground.view.memory, []
    for name in ground.policy.on(STABLE):
        part = fit(name, memory.items(name), min(ground.mark(ground.policy.share(name)), room), ground.count)
        if part:
            parts.append(part)
            room -= part.tokens
    return tuple(parts)


def _behind(ground: _Ground, start: int, frozen: Sequence[Part], room: int) -> tuple[Part, ...]:
    """What is told behind a window from `start` on, likewise."""
    parts = []
    for name in ground.policy.on(VOLATILE):
        limit = min(ground.mark(ground.policy.share(name)), room)
        part = fit(name, _told_behind(ground, name, start, frozen), limit, ground.count)
        if part:
            parts.append(part)
            room -= part.tokens
    return tuple(parts)


def _told_behind(ground: _Ground, name: str, start: int, frozen: Sequence[Part]) -> list[str]:
    memory = ground.view.memory
    if name == "recalled":
        return [found.text for found in memory.recalled if found.seq < start]
    if name == "time":
        return [memory.time] if memory.time else []
    told = {part.name: part.items for part in frozen}
    return [
        line
        for section in ground.policy.on(("profile", "facts"))
        for line in changes(
            section,
            told.get(section, ()),
            memory.items(section),
            ground.mark(ground.policy.share(section)),
            ground.count,
        )
    ]


def _without_summary(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(part for part in parts if part.name != "summary")


def _cost(parts: Sequence[Part]) -> int:
    return sum(part.tokens for part in parts)


def _unchanged(ground: _Ground, start: int, parts: Sequence[Part]) -> int:
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


def _spoke_before(ground: _Ground) -> bool:
    """Whether there was a turn before the newest, as far as what was read tells."""
    users = (record for record in ground.view.records if codec.role(record) == "user")
    return ground.view.first > ground.base or len(list(islice(users, 2))) > 1


def _shared(ground: _Ground, layout: _Layout) -> int:
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
    return ground.pinned_before(layout.compaction.start) + _cost(layout.parts) + layout.recent - newer


def _context(ground: _Ground, layout: _Layout, fixed: dict[str, int]) -> Context:
    view, compaction = ground.view, layout.compaction
    pins = [pin for pin in ground.pins if pin.seq < compaction.start]
    window = chain.from_iterable([unit.records for unit in layout.units])
    costs = {
        **fixed,
        "pinned": sum(pin.tokens for pin in pins),
        **{part.name: part.tokens for part in layout.parts},
        "recent": layout.recent,
        **{part.name: part.tokens for part in layout.behind},
    }
    budget = ground.policy.budget_tokens
    stable = (*pins, *(part.record for part in layout.parts), *window)
    dropped = tuple(chain.from_iterable([unit.left_out for unit in layout.units]))
    return Context(
        view.header,
        (*stable, *(part.record for part in layout.behind)),
        tuple(Section(name, tokens, tokens / budget) for name, tokens in costs.items() if tokens),
        sum(costs.values()),
        budget,
        coverage(view.header.head, compaction.start, compaction.summary_to, tuple(pin.seq for pin in pins), dropped),
        compaction if layout.new else None,
        len(stable),
        _shared(ground, layout),
        tuple(_notes(ground, layout, pins, dropped)),
        view.records[: max(compaction.start - view.first, 0)],
    )


def _notes(ground: _Ground, layout: _Layout, pins: Sequence[Record], dropped: Sequence[LeftOut]) -> Iterator[Entry]:
    """What became of all that is not simply recent."""
    for pin in pins:
        yield Entry("pinned", pin.seq, pin.tokens, True, "instructions" if pin.seq < ground.base else "pinned by the policy")
    for refused in ground.not_pinned:
        if refused.seq < layout.compaction.start:
            yield Entry("pinned", refused.seq, refused.tokens, False, refused.reason)
    shown = {part.name: part for part in (*layout.parts, *layout.behind)}
    for name in (*STABLE, *VOLATILE):
        if name in shown:
            yield Entry(name, 0, shown[name].tokens, True, _why_in(ground, layout, shown[name]))
        elif reason := _why_out(ground, layout, name):
            yield Entry(name, 0, 0, False, reason)
    for left in dropped:
        yield Entry("recent", left.seq, left.tokens, False, left.reason)


def _why_in(ground: _Ground, layout: _Layout, part: Part) -> str:
    if part.name not in STABLE:
        return "as of now"
    return f"as of message {layout.compaction.head}, the last compaction"


def _why_out(ground: _Ground, layout: _Layout, name: str) -> str | None:
    """Why memory's section is not shown; None when it has nothing to say."""
    if name in VOLATILE:
        there = bool(_told_behind(ground, name, layout.compaction.start, layout.parts))
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
