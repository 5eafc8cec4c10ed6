"""What holds for each context (laws 7, 8 and 9), told from the log and the context without the planner's help."""

from collections import Counter as Bag
from collections.abc import Sequence

import msgspec

from support.random_logs import cost
from turnlog import codec
from turnlog.codec import Record
from turnlog.context.planner_state import View
from turnlog.context.policy import ContextPolicy
from turnlog.context.result import Plan


def check_budget(context: Plan, policy: ContextPolicy, fixed: int) -> None:
    tokens = fixed + sum(4 + cost(msgspec.to_builtins(message.content)) for message in context.messages)
    assert tokens == context.tokens == sum(section.tokens for section in context.sections)
    assert tokens <= policy.budget_tokens - policy.reserve_tokens, "over the budget"


def check_tools(context: Plan, seen: View) -> None:
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


def check_coverage(context: Plan, seen: View) -> None:
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


def check_dropped(context: Plan, seen: View) -> None:
    """Words are shown as they were said, and what is dropped says nothing or has no call."""
    records = {record.seq: record for record in seen.records}
    for left in context.coverage.dropped:
        message = codec.decode(records[left.seq])
        assert left.reason
        assert message.redacted or message.content == "" or message.role == "tool"
    for record in context.records:
        if record.seq in records and codec.role(record) != "tool":
            assert record == records[record.seq]


def check_start(context: Plan, seen: View) -> None:
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
        since = seen.frozen.start if seen.frozen else 1
        later = (record for record in seen.records if record.seq >= since)
        spoken = [record for record in later if codec.text_role(record) in ("user", "assistant")]
        assert not spoken or spoken[0].seq > first.seq
