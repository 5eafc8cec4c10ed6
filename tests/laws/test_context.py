"""Laws 7, 8, 9 and 13: whatever was logged, and whatever the policy, a context keeps them.

2,000 cases in all; with TURNLOG_FUZZ at least fifty times as many.
"""

import os
from collections import Counter as Bag
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.context_checks import check_budget, check_coverage, check_start, check_tools
from support.random_logs import COUNT, FIXED, MEMORIES, PLACES, POLICIES, stored
from turnlog import BudgetTooSmall, codec
from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.planner import plan
from turnlog.context.planner_state import View
from turnlog.context.policy import ContextPolicy
from turnlog.context.result import Plan
from turnlog.context.sections import Memory
from turnlog.store import Header

_FUZZ = int(os.environ.get("TURNLOG_FUZZ", "1"))


def cases(number: int) -> settings:
    """So many examples; in the long run fifty times as many at least."""
    return settings(max_examples=number if _FUZZ == 1 else number * max(_FUZZ, 50))


def view(records: Sequence[Record], **known: Any) -> View:
    epoch = known.pop("epoch", 0)
    return View(Header("c1", 0, 0, head=len(records), epoch=epoch), records, **known)


def planned(seen: View, policy: ContextPolicy, fixed: tuple[int, int]) -> Plan | None:
    """The context if the budget is enough for one, with everything checked that holds for each; else None."""
    overhead, tools = fixed
    try:
        context = plan(seen, policy, COUNT, overhead_tokens=overhead, tools_tokens=tools)
    except BudgetTooSmall as error:
        check_missing(seen, policy, fixed, error)
        return None
    assert plan(seen, policy, COUNT, overhead_tokens=overhead, tools_tokens=tools) == context
    check_budget(context, policy, sum(fixed))
    check_tools(context, seen)
    check_coverage(context, seen)
    check_start(context, seen)
    check_account(context, seen)
    return context


def check_missing(seen: View, policy: ContextPolicy, fixed: tuple[int, int], error: BudgetTooSmall) -> None:
    assert error.needed == error.budget + error.missing
    assert error.missing > 0
    if seen.first > 1:
        return
    overhead, tools = fixed
    enough = msgspec.structs.replace(policy, budget_tokens=error.needed)
    plan(seen, enough, COUNT, overhead_tokens=overhead, tools_tokens=tools)
    if error.needed - 1 <= policy.reserve_tokens:
        return
    with pytest.raises(BudgetTooSmall) as again:
        plan(seen, msgspec.structs.replace(policy, budget_tokens=error.needed - 1), COUNT, overhead_tokens=sum(fixed))
    assert again.value.missing == 1


def check_account(context: Plan, seen: View) -> None:
    """Each message that was read has one entry, which says in or out as it is, and what is out says why."""
    shown = {record.seq for record in context.records}
    entries = Bag(entry.seq for entry in context.explain if entry.seq and entry.section == "recent")
    pinned = {entry.seq for entry in context.explain if entry.section == "pinned" and entry.included}
    assert all(number == 1 for number in entries.values())
    assert set(entries) | pinned >= {record.seq for record in seen.records}
    for entry in context.explain:
        assert entry.included or entry.reason
        if entry.seq and entry.section == "recent":
            assert entry.included == (entry.seq in shown)


@cases(860)
@given(PLACES, st.sets(st.integers(1, 24), max_size=2), POLICIES, MEMORIES, FIXED)
def test_laws_7_8_9_hold_for_whatever_was_logged(
    places: list[int], erased: set[int], policy: ContextPolicy, memory: Memory, fixed: tuple[int, int]
) -> None:
    planned(view(stored(places, frozenset(erased)), memory=memory), policy, fixed)


@cases(300)
@given(PLACES, st.integers(0, 24), POLICIES, MEMORIES, FIXED)
def test_laws_7_8_9_hold_for_the_end_of_a_log(
    places: list[int], skipped: int, policy: ContextPolicy, memory: Memory, fixed: tuple[int, int]
) -> None:
    records = stored(places)
    skipped = min(skipped, max(len(records) - 1, 0))
    pinned = [record for record in records if record.seq <= 2 or record.seq in policy.pinned]
    header = Header("c1", 0, 0, head=len(records))
    planned(View(header, records[skipped:], pinned, None, memory), policy, fixed)


@cases(40)
@given(PLACES.filter(bool), st.integers(1, 5_000), POLICIES, MEMORIES)
def test_laws_7_8_9_hold_for_thousands_of_messages(
    places: list[int], length: int, policy: ContextPolicy, memory: Memory
) -> None:
    records = stored((places * (length // len(places) + 1))[:length])
    planned(view(records, memory=memory), policy, (3, 0))


@cases(500)
@given(
    PLACES.filter(bool),
    POLICIES,
    st.lists(MEMORIES, min_size=1, max_size=3),
    st.none() | st.tuples(st.integers(1, 24), st.integers(1, 24)),
)
def test_law_13_a_context_begins_with_the_last_one_until_a_compaction(
    places: list[int], policy: ContextPolicy, told: list[Memory], erasure: tuple[int, int] | None
) -> None:
    frozen, before, epoch = None, None, 0
    logs = [stored(places), stored(places, frozenset({erasure[1]}) if erasure else frozenset())]
    for head in range(1, len(places) + 1):
        if erasure and erasure[0] == head:
            epoch = int(erasure[1] < head)
        records = logs[epoch][:head]
        seen = view(records, frozen=frozen, memory=told[head % len(told)], epoch=epoch)
        context = planned(seen, policy, (3, 0))
        if context is None:
            before = None
            continue
        if before is not None and context.compaction is None:
            assert before.records[: before.stable] == context.records[: before.stable]
            assert before.prefix_hash == msgspec.structs.replace(context, stable=before.stable).prefix_hash
        if before is not None and codec.role(records[-1]) == "user":
            check_shared(before, context)
        before, frozen = context, context.compaction or frozen


def check_shared(before: Plan, context: Plan) -> None:
    """What is said to be shared with the context before the newest turn is there byte for byte."""
    shared = 0
    for was, now in zip(before.records, context.records, strict=False):
        if was.body != now.body:
            break
        shared += now.tokens
    assert context.shared_tokens <= shared


@cases(200)
@given(PLACES.filter(bool), POLICIES, MEMORIES)
def test_law_13_planning_again_changes_nothing(places: list[int], policy: ContextPolicy, memory: Memory) -> None:
    records = stored(places)
    first = planned(view(records, memory=memory), policy, (3, 0))
    if first is not None and first.compaction is not None:
        again = planned(view(records, memory=memory, frozen=first.compaction), policy, (3, 0))
        assert again is not None
        assert again.compaction is None
        assert again.records == first.records


@cases(100)
@given(PLACES.filter(bool), POLICIES, MEMORIES, st.builds(Compaction, st.integers(1, 30), epoch=st.integers(0, 1)))
def test_laws_7_8_9_hold_whatever_compaction_is_given_back(
    places: list[int], policy: ContextPolicy, memory: Memory, frozen: Compaction
) -> None:
    planned(view(stored(places), memory=memory, frozen=frozen), policy, (3, 0))
