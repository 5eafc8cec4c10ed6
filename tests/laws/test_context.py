"""Laws 7, 8, 9 and 13: whatever was logged, and whatever the policy, a context keeps them.

2,000 cases in all; with TURNLOG_FUZZ at least fifty times as many.
"""

import os
from collections import Counter as Bag
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnlog import (
    BudgetTooSmall,
    Image,
    Limits,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    assistant,
    codec,
    developer,
    system,
    tool,
    user,
)
from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.ground import View
from turnlog.context.outcome import Context
from turnlog.context.parts import Memory, Recalled
from turnlog.context.plan import plan
from turnlog.context.policy import STABLE, VOLATILE, ContextPolicy
from turnlog.context.tokens import Counter
from turnlog.ports import Header

_FUZZ = int(os.environ.get("TURNLOG_FUZZ", "1"))


def cases(number: int) -> settings:
    """So many examples; in the long run fifty times as many at least."""
    return settings(max_examples=number if _FUZZ == 1 else number * max(_FUZZ, 50))


COUNT = Counter("characters", True, len, image=lambda size: 10, schemas=lambda schemas, text: 0)


def cost(content: Any) -> int:
    """Tokens of a message's content from its JSON, one a character: another sum than the planner's to check it by."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, list | tuple):
        return sum(map(cost, content)) + len(content) - 1
    told = sum(len(content.get(key, "")) for key in ("text", "name", "arguments", "payload"))
    around = {"tool_call": 12, "tool_result": 12, "image": 10}.get(content["type"], 0)
    return told + around + cost(content.get("content", ""))


WORDS = [
    "a",
    "ok",
    "hello there",
    "日本語のテキスト",
    "🙂" * 7,
    "\u202eright to left",
    "line\nbreak " * 5,
    "x" * 60,
    "long " * 90,
]
TEXTS = [*WORDS, "huge " * 5_000]


def calls(*ids: str, arguments: str = "{}") -> tuple[ToolCall, ...]:
    return tuple(ToolCall(id_, "f", arguments) for id_ in ids)


POOL: list[Message] = [
    *[user(text) for text in TEXTS],
    *[assistant(text) for text in TEXTS],
    *[system(text) for text in WORDS[:4]],
    developer("be brief"),
    developer([Text("in"), Text("parts")]),
    user([Text("look"), Image(url="https://example.com/a.png")]),
    assistant([Text("well"), Reasoning("r"), *calls("a")]),
    assistant([Reasoning("thinking")]),
    assistant([Refusal("no")]),
    assistant("", status="partial"),
    user("", status="incomplete"),
    assistant("cut o", status="partial"),
    *[assistant(calls(*ids)) for ids in ("a", "b", "ab", "ba", "aa", "abc", "aab")],
    assistant(calls("a", arguments="w " * 300)),
    *[tool(id_, text) for id_ in "abc" for text in ("", "result", "r" * 200)],
    Message("tool", (ToolResult("a", "1"), ToolResult("b", "2"))),
    Message("tool", (ToolResult("a", "1"), ToolResult("a", "again"))),
    Message("tool", (ToolResult("c", (Text("t"), Image(url="https://example.com/b.png"))), ToolResult("z", "?"))),
]
"""Anything that a careless client may log; conversations are drawn from it, in any order."""
for _message in POOL:
    msgspec.structs.force_setattr(_message, "created_at", POOL[0].created_at)
_ENCODED = [codec.encode(message, tokens=COUNT(message), limits=Limits()) for message in POOL]
_ERASED = [codec.tombstone(record) for record in _ENCODED]
_TOOLS = [place for place, message in enumerate(POOL) if message.role == "tool" or message.tool_calls]


def stored(places: Sequence[int], erased: frozenset[int] = frozenset()) -> list[Record]:
    """The log of the messages at `places` of the pool; those at the seqs in `erased` as tombstones."""
    found = []
    for seq, place in enumerate(places, 1):
        record = (_ERASED if seq in erased else _ENCODED)[place]
        id_ = f"m{seq}"
        check = codec.checksum(id_, record.created_at, record.body)
        found.append(msgspec.structs.replace(record, id=id_, checksum=check, seq=seq))
    return found


PLACES = st.lists(st.integers(0, len(POOL) - 1) | st.sampled_from(_TOOLS), max_size=24)
ITEMS = ["name: Ann", "likes tea", "日本", "y" * 30, "z" * 120, "born in 1990"]
SEED = st.integers(0, 2**32)
"""Policies and memories follow from a seed: drawing them piece by piece would take most of the time."""


def a_policy(seed: int) -> ContextPolicy:
    rng = Random(seed)
    low = rng.choice([0.2, 0.4, 0.6])
    names = rng.sample((*STABLE, *VOLATILE), rng.randrange(7))
    budget = rng.choice([rng.randint(10, 300), rng.randint(10, 900), rng.randint(900, 60_000)])
    return ContextPolicy(
        budget_tokens=budget,
        reserve_tokens=rng.choice([0, rng.randint(0, budget // 4)]),
        sections={name: low * rng.randint(0, 10) / 61 for name in names},
        min_turns=rng.choice([0, 0, 0, 1, 2, 3]),
        max_messages=rng.choice([None, rng.randint(1, 12)]),
        pinned=tuple(rng.randint(1, 26) for _ in range(rng.choice([0, 0, 1, 3]))),
        high=rng.choice([0.7, 0.9, 1.0]),
        low=low,
    )


def a_memory(seed: int) -> Memory:
    rng = Random(seed)
    return Memory(
        tuple(rng.sample(ITEMS, rng.randrange(5))),
        tuple(rng.sample(ITEMS, rng.randrange(5))),
        rng.choice(["", "they spoke", "s" * 80]),
        rng.randint(0, 24),
        tuple(Recalled(rng.choice(WORDS), rng.randint(0, 24)) for _ in range(rng.randrange(3))),
        rng.choice(["", "2026-11-23T01:00:00Z"]),
    )


POLICIES = SEED.map(a_policy)
MEMORIES = SEED.map(a_memory)
FIXED = st.tuples(st.integers(0, 12), st.integers(0, 30))


def view(records: Sequence[Record], **known: Any) -> View:
    epoch = known.pop("epoch", 0)
    return View(Header("c1", 0, 0, head=len(records), epoch=epoch), records, **known)


def planned(seen: View, policy: ContextPolicy, fixed: tuple[int, int]) -> Context | None:
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


def check_budget(context: Context, policy: ContextPolicy, fixed: int) -> None:
    tokens = fixed + sum(4 + cost(msgspec.to_builtins(message.content)) for message in context.messages)
    assert tokens == context.tokens == sum(section.tokens for section in context.sections)
    assert tokens <= policy.budget_tokens - policy.reserve_tokens, "over the budget"


def check_tools(context: Context, seen: View) -> None:
    waiting: Bag[str] = Bag()
    for message in context.messages[: context.stable]:
        assert not message.redacted
        if message.role == "tool":
            for result in message.tool_results:
                assert waiting[result.call_id] > 0, "a result without its call"
                waiting[result.call_id] -= 1
        else:
            assert not +waiting, "a call went unanswered although the conversation went on"
            waiting = Bag(call.id for call in message.tool_calls)
    if +waiting:
        assert pending(seen.records), "a call went unanswered although the conversation went on"
    assert all(message.role == "system" and message.derived for message in context.messages[context.stable :])


def pending(records: Sequence[Record]) -> bool:
    messages = [codec.decode(record) for record in records]
    while messages and messages[-1].role == "tool":
        messages.pop()
    return bool(messages and messages[-1].tool_calls)


def check_coverage(context: Context, seen: View) -> None:
    told, head = context.coverage, seen.header.head
    shown = [record.seq for record in context.records if record.seq]
    window = [seq for seq in shown if seq >= told.window_from]
    pinned = [seq for seq in shown if seq < told.window_from]
    dropped = [left.seq for left in told.dropped]
    rest = set(range(1, told.window_from)) - set(pinned)
    omitted = {seq for seq in rest if seq > told.summary_to}
    assert sorted(window + dropped) == list(range(told.window_from, head + 1))
    assert window == sorted(window)
    assert pinned == list(told.pinned) == sorted(pinned)
    assert (told.omitted, told.omitted_from, told.omitted_to) == (
        (len(omitted), min(omitted), max(omitted)) if omitted else (0, 0, 0)
    )
    assert 0 <= told.summary_to < told.window_from
    assert bool(told.summary_to) == any(record.id == "part-summary" for record in context.records)
    sets = {
        "window": set(window),
        "pinned": set(pinned),
        "dropped": set(dropped),
        "omitted": omitted,
        "summary": rest - omitted,
    }
    for seq in range(1, head + 1, max(head // 50, 1)):
        assert [name for name, members in sets.items() if seq in members] == [told.place(seq)]
    check_dropped(context, seen)


def check_dropped(context: Context, seen: View) -> None:
    """Words are shown as they were said, and what is dropped says nothing or has no call."""
    records = {record.seq: record for record in seen.records}
    for left in context.coverage.dropped:
        message = codec.decode(records[left.seq])
        assert left.reason
        assert message.redacted or message.content == "" or message.role == "tool"
    for record in context.records:
        if record.seq in records and codec.role(record) != "tool":
            assert record == records[record.seq]


def check_start(context: Context, seen: View) -> None:
    told = context.coverage
    leading = 0
    known = {record.seq: record for record in (*seen.pinned, *seen.records)}
    while leading < 2 and leading + 1 in known and codec.role(known[leading + 1]) in ("system", "developer"):
        leading += 1
    assert told.window_from > leading
    if told.window_from in (leading + 1, told.head + 1):
        return
    first = next(record for record in context.records if record.seq >= told.window_from)
    assert first.seq == told.window_from
    assert codec.role(first) != "tool", "the window begins with a tool's result"
    if codec.role(first) not in ("user", "assistant"):
        spoken = [record for record in seen.records if codec.is_text(record) and codec.role(record) in ("user", "assistant")]
        assert not spoken or spoken[0].seq > first.seq


def check_account(context: Context, seen: View) -> None:
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


def check_shared(before: Context, context: Context) -> None:
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
