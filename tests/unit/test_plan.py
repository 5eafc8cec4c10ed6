"""The planner, by example; `tests/laws/test_context.py` has the laws."""

from typing import Any

import msgspec
import pytest

from turnlog import (
    BudgetTooSmall,
    InvalidInput,
    Limits,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    assistant,
    codec,
    system,
    tool,
    user,
)
from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.exchanges import NO_RESULT
from turnlog.context.planner import plan
from turnlog.context.planner_state import View
from turnlog.context.policy import ContextPolicy
from turnlog.context.result import Plan
from turnlog.context.sections import Memory, Recalled, SectionText
from turnlog.store import Header
from turnlog.tokens import Counter, estimate

COUNT = Counter("characters", True, len, image=lambda size: 10, schemas=lambda schemas, text: 0)
"""One token a character, and four a message."""


def stored(*messages: Message, erased: frozenset[int] = frozenset()) -> list[Record]:
    records = []
    for seq, message in enumerate(messages, 1):
        record = msgspec.structs.replace(codec.encode(message, tokens=COUNT(message), limits=Limits()), seq=seq)
        records.append(codec.tombstone(record) if seq in erased else record)
    return records


def planned(*messages: Message, **given: Any) -> Plan:
    """The context of a log; `given` are fields of the view, and `policy`, `fixed`, `erased` and `skipped`."""
    records = stored(*messages, erased=given.pop("erased", frozenset()))
    policy = given.pop("policy", ContextPolicy())
    overhead = given.pop("fixed", 0)
    header = Header("c1", 0, 0, head=len(records), epoch=given.pop("epoch", 0))
    view = View(header, records[given.pop("skipped", 0) :], **given)
    return plan(view, policy, COUNT, overhead_tokens=overhead)


def policy(budget: int, **fields: Any) -> ContextPolicy:
    return ContextPolicy(budget_tokens=budget, **{"sections": {}, "low": 0.5, **fields})


def call(*ids: str) -> Message:
    return assistant([ToolCall(id_, "f") for id_ in ids])


def seqs(context: Plan) -> list[int]:
    return [record.seq for record in context.records]


def texts(context: Plan) -> list[str]:
    return [message.text for message in context.messages]


TEN = [user("u" * 6) if n % 2 else assistant("a" * 6) for n in range(1, 11)]
"""Ten messages of ten tokens each, the user's first."""


# What people hit elsewhere


def test_trimming_never_begins_with_a_tool_result() -> None:
    talk = [user("q" * 40), call("a"), tool("a", "x" * 20), tool("b", "y"), assistant("so"), user("and?")]
    for budget in range(8, 200):
        try:
            context = planned(*talk, policy=policy(budget))
        except BudgetTooSmall:
            continue
        assert context.messages[0].role != "tool"
        shown = {record.seq for record in context.records}
        assert 3 not in shown or 2 in shown
        assert 4 not in shown


def test_a_call_with_five_thousand_words_of_arguments_is_counted() -> None:
    arguments = "word " * 5_000
    message = assistant([ToolCall("a", "f", arguments)])
    assert estimate(message) > 4_000
    record = msgspec.structs.replace(codec.encode(message, tokens=estimate(message), limits=Limits()), seq=2)
    asked = msgspec.structs.replace(codec.encode(user("do it"), tokens=6, limits=Limits()), seq=1)
    view = View(Header("c1", 0, 0, head=2), [asked, record])
    with pytest.raises(BudgetTooSmall) as error:
        plan(view, policy(4_000), estimate)
    assert error.value.needed == estimate(message)
    assert plan(view, policy(20_000), estimate).tokens > 4_000


def test_what_is_neither_summarised_nor_kept_is_counted_as_omitted() -> None:
    memory = Memory({"summary": ["they spoke"]}, summary_to=3)
    context = planned(*LONG, policy=policy(500, sections={"summary": 0.12}), memory=memory)
    told = context.coverage
    assert (told.summary_to, told.window_from) == (3, 9)
    assert [told.place(seq) for seq in (1, 2, 3)] == ["summary"] * 3
    gap = list(range(4, told.window_from))
    assert (told.omitted, told.omitted_from, told.omitted_to) == (len(gap), gap[0], gap[-1])
    assert [entry.seq for entry in context.explain if entry.section == "recent" and not entry.included] == [1, 2, 3, *gap]


# The window


def test_a_conversation_within_the_budget_is_shown_whole_and_nothing_is_to_be_stored() -> None:
    context = planned(*TEN, policy=policy(100))
    assert seqs(context) == list(range(1, 11))
    assert (context.tokens, context.omitted, context.compaction) == (100, 0, None)


def test_over_the_high_mark_the_window_shrinks_to_the_low_mark_and_starts_at_a_user() -> None:
    context = planned(*TEN, policy=policy(99))
    assert seqs(context) == [7, 8, 9, 10]
    assert context.compaction is not None
    assert context.compaction.start == 7


def test_the_start_stays_until_the_high_mark_is_reached_again() -> None:
    frozen = Compaction(start=3, head=9)
    assert seqs(planned(*TEN, policy=policy(80), frozen=frozen)) == [3, 4, 5, 6, 7, 8, 9, 10]
    moved = planned(*TEN, policy=policy(79), frozen=frozen)
    assert moved.compaction is not None
    assert seqs(moved) == [9, 10]


def test_an_agent_loop_longer_than_the_budget_starts_at_one_of_its_exchanges() -> None:
    loop = [message for n in range(8) for message in (call(f"c{n}"), tool(f"c{n}", "x" * 20))]
    context = planned(user("go"), *loop, policy=policy(200))
    assert context.messages[0].role == "assistant"
    assert context.tokens <= 100


def test_a_turn_that_fits_the_budget_is_not_cut_for_the_low_mark() -> None:
    loop = [message for n in range(2) for message in (call(f"c{n}"), tool(f"c{n}", "x" * 20))]
    context = planned(user("old"), assistant("old"), user("go"), *loop, policy=policy(122))
    assert seqs(context) == [3, 4, 5, 6, 7]


def test_as_many_turns_as_are_asked_for_are_whole() -> None:
    assert seqs(planned(*TEN, policy=policy(90, min_turns=4))) == [3, 4, 5, 6, 7, 8, 9, 10]
    with pytest.raises(BudgetTooSmall) as error:
        planned(*TEN, policy=policy(75, min_turns=4))
    assert (error.value.budget, error.value.needed, error.value.missing) == (75, 80, 5)


def test_the_number_of_messages_is_bounded_by_the_same_two_marks() -> None:
    assert len(planned(*TEN, policy=policy(900, max_messages=10)).records) == 10
    assert seqs(planned(*TEN, policy=policy(900, max_messages=9))) == [7, 8, 9, 10]


def test_reserve_overhead_and_tools_are_taken_from_the_budget() -> None:
    assert len(planned(*TEN, policy=policy(110, reserve_tokens=7), fixed=3).records) == 10
    assert len(planned(*TEN, policy=policy(110, reserve_tokens=8), fixed=3).records) < 10
    context = planned(*TEN, policy=policy(200), fixed=3)
    assert context.tokens == 103
    assert [(section.name, section.tokens) for section in context.sections] == [("overhead", 3), ("recent", 100)]


def test_instructions_at_the_beginning_are_always_shown() -> None:
    talk = [system("be kind"), *TEN]
    context = planned(*talk, policy=policy(80))
    assert context.messages[0].text == "be kind"
    assert context.coverage.pinned == (1,)
    assert planned(*talk, policy=policy(80), skipped=2, pinned=stored(*talk)[:2]).records == context.records


def test_a_pinned_message_is_shown_once_wherever_the_window_starts() -> None:
    assert seqs(planned(*TEN, policy=policy(100, pinned=(3,)))) == list(range(1, 11))
    assert seqs(planned(*TEN, policy=policy(98, pinned=(3,)))) == [3, 9, 10]


def test_a_tool_call_cannot_be_pinned_out_of_its_place() -> None:
    context = planned(call("a"), tool("a", "1"), *TEN, policy=policy(90, pinned=(1, 2)))
    assert context.coverage.pinned == ()
    assert [entry.seq for entry in context.explain if entry.section == "pinned" and not entry.included] == [1, 2]


def test_an_empty_conversation_has_an_empty_context() -> None:
    context = planned(policy=policy(10))
    assert (context.records, context.tokens, context.omitted, context.explain) == ((), 0, 0, ())


def test_a_view_with_a_gap_is_refused() -> None:
    records = stored(*TEN)
    for wrong in (records[:-1], records[:3] + records[4:], []):
        with pytest.raises(InvalidInput):
            plan(View(Header("c1", 0, 0, head=10), wrong), policy(100), COUNT)


# Tools


def test_an_unanswered_call_gets_a_marked_result_when_the_talk_went_on() -> None:
    context = planned(user("q"), call("a", "b"), tool("b", "2"), user("never mind"))
    answer = context.messages[3]
    assert seqs(context) == [1, 2, 3, 0, 4]
    assert (answer.role, answer.derived, answer.metadata) == ("tool", True, {"synthetic": True})
    assert answer.content == (ToolResult("a", NO_RESULT, is_error=True),)


def test_a_pending_last_call_is_shown_as_it_is() -> None:
    assert seqs(planned(user("q"), call("a", "b"))) == [1, 2]
    assert seqs(planned(user("q"), call("a", "b"), tool("b", "2"))) == [1, 2, 3]


def test_a_result_without_its_call_right_before_it_is_dropped_with_a_reason() -> None:
    context = planned(call("a"), user("wait"), tool("a", "1"), user("go on"))
    assert seqs(context) == [1, 0, 2, 4]
    assert [(left.seq, left.reason[:6]) for left in context.coverage.dropped] == [(3, "orphan")]


def test_each_call_takes_one_result_even_if_two_have_the_same_id() -> None:
    twice = planned(user("q"), call("a", "a"), tool("a", "1"), tool("a", "2"), tool("a", "3"), user("x"))
    assert seqs(twice) == [1, 2, 3, 4, 6]
    once = planned(user("q"), call("a", "a"), tool("a", "1"), user("x"))
    assert seqs(once) == [1, 2, 3, 0, 4]


def test_of_a_message_with_several_results_those_without_a_call_are_taken_out() -> None:
    both = Message("tool", (ToolResult("a", "1"), ToolResult("z", "2")))
    context = planned(user("q"), call("a"), both, user("x"))
    assert context.messages[2].content == (ToolResult("a", "1"),)
    assert context.records[2].tokens == COUNT(context.messages[2])


def test_erased_and_empty_messages_are_dropped_and_what_hangs_on_them() -> None:
    talk = [user("secret"), call("a"), tool("a", "1"), assistant("", status="partial"), user("b")]
    context = planned(*talk, erased=frozenset({1, 2}))
    assert seqs(context) == [5]
    assert [left.seq for left in context.coverage.dropped] == [1, 2, 3, 4]


def test_words_and_reasoning_beside_a_call_are_shown_as_they_are() -> None:
    talking = assistant([Text("let me see"), Reasoning("r"), ToolCall("a", "f")])
    context = planned(user("q"), talking, user("y"))
    assert context.messages[1].content == talking.content


# Memory


KNOWN_SECTIONS = {"profile": ["name: Ann"], "facts": ["likes tea"], "summary": ["they spoke"], "time": ["noon"]}
KNOWN = Memory(KNOWN_SECTIONS, 6, [Recalled("a hike", 2)])
FULL = {"profile": 0.08, "facts": 0.08, "summary": 0.12, "changes": 0.13, "recalled": 0.08, "time": 0.05}
LONG = [user("u" * 56) if n % 2 else assistant("a" * 56) for n in range(1, 11)]


def test_memory_stands_before_the_window_and_what_changes_behind_it() -> None:
    context = planned(system("be kind"), *LONG, policy=policy(600, sections=FULL, low=0.6), memory=KNOWN)
    begins = [text.split(":")[0].split(" ")[0] for text in texts(context)]
    assert begins[:4] == ["be", "About", "Known", "Summary"]
    assert begins[-2:] == ["From", "Current"]
    assert all(message.derived for message in context.messages if message.seq is None)
    assert context.coverage.summary_to == 6


def test_memory_is_frozen_at_a_compaction_and_news_stand_behind_the_window() -> None:
    first = planned(*LONG, policy=policy(600, sections=FULL, low=0.6), memory=KNOWN)
    fresh = {"facts": ["likes coffee"], "summary": ["they spoke more"]}
    news = msgspec.structs.replace(KNOWN, sections=KNOWN_SECTIONS | fresh, summary_to=9)
    again = planned(*LONG, policy=policy(600, sections=FULL, low=0.6), memory=news, frozen=first.compaction)
    assert again.compaction is None
    assert again.records[: first.stable] == first.records[: first.stable]
    assert "likes coffee\nno longer: likes tea" in "\n".join(texts(again)[first.stable :])
    assert again.prefix_hash == first.prefix_hash


def test_after_an_erasure_memory_is_frozen_anew() -> None:
    frozen = Compaction(1, (SectionText("facts", "Known facts:", ("a secret",), 20),), head=9)
    context = planned(*TEN, policy=policy(300, sections=FULL, low=0.6), frozen=frozen, epoch=1)
    assert context.compaction == Compaction(1, (), 0, 10, 1, 0)
    assert "secret" not in "".join(texts(context))


def test_a_summary_is_not_told_beside_the_messages_that_it_tells_of() -> None:
    context = planned(*TEN, policy=policy(300, sections={"summary": 0.4}), memory=KNOWN)
    assert "summary" not in {section.name for section in context.sections}
    assert [entry.reason for entry in context.explain if entry.section == "summary"] == ["the window has everything"]


def test_what_was_recalled_is_not_told_beside_the_message_itself() -> None:
    memory = Memory(recalled=(Recalled("a hike", 2), Recalled("elsewhere", 0)))
    context = planned(*TEN, policy=policy(300, sections={"recalled": 0.4}), memory=memory)
    assert "a hike" not in texts(context)[-1]
    assert "elsewhere" in texts(context)[-1]


def test_a_section_keeps_to_its_share_and_takes_what_matters_most_first() -> None:
    facts = tuple(f"fact {n:02}" for n in range(40))
    context = planned(*TEN, policy=policy(1_000, sections={"facts": 0.1}), memory=Memory({"facts": facts}))
    told = context.messages[0].text.split("\n")[1:]
    assert 0 < len(told) < 40
    assert told == list(facts[: len(told)])
    assert next(section.tokens for section in context.sections if section.name == "facts") <= 100


def test_a_section_that_does_not_fit_says_so() -> None:
    context = planned(*TEN, policy=policy(300, sections={"facts": 0.05}), memory=KNOWN)
    reasons = {entry.section: entry.reason for entry in context.explain if not entry.included}
    assert reasons["facts"] == "does not fit in its share"
    assert reasons["profile"] == "off in the policy"


# What the next context shares


def test_between_compactions_everything_up_to_the_user_before_is_shared() -> None:
    context = planned(*TEN[:9], policy=policy(100))
    assert context.shared_tokens == 70


def test_after_a_compaction_only_what_comes_before_the_window_is_shared() -> None:
    context = planned(system("be kind"), *TEN[:9], policy=policy(90))
    assert context.compaction is not None
    assert context.shared_tokens == context.records[0].tokens == 11


def test_the_first_context_shares_nothing() -> None:
    assert planned(user("hi"), policy=policy(100)).shared_tokens == 0
