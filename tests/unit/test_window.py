"""Law 9: a window never holds a result without its call, or a call without its results unless it is the pending last one."""

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from turnlog import Limits, Message, Reasoning, Text, ToolCall, ToolResult, assistant, codec, tool, user
from turnlog.codec import Record
from turnlog.context.window import Context, window
from turnlog.ports import Header

CALL_IDS = st.sampled_from("abcd")


def stored(messages: Sequence[Message], *, erased: frozenset[int] = frozenset(), first: int = 1) -> list[Record]:
    """The messages as they lie in a log from seq `first` on; those at the places in `erased` as tombstones."""
    records = []
    for seq, message in enumerate(messages, first):
        record = msgspec.structs.replace(codec.encode(message, tokens=seq, limits=Limits()), seq=seq)
        records.append(codec.tombstone(record) if seq - first in erased else record)
    return records


def shown(*messages: Message, erased: frozenset[int] = frozenset(), head: int | None = None) -> Context:
    records = stored(messages, erased=erased)
    return window(Header("c1", 0, 0, head=len(messages) if head is None else head), records)


def call(*ids: str) -> Message:
    return assistant([ToolCall(id_, "f") for id_ in ids])


CALLS = st.lists(CALL_IDS, min_size=1, max_size=3, unique=True).map(lambda ids: [ToolCall(id_, "f") for id_ in ids])
RESULTS = st.lists(CALL_IDS, min_size=1, max_size=2).map(lambda ids: [ToolResult(id_, "x") for id_ in ids])
SAID = st.one_of(
    st.tuples(st.just("user"), st.sampled_from(["hello", [Text("a"), Text("b")]])),
    st.tuples(st.just("assistant"), CALLS | CALLS.map(lambda calls: [Text("well"), Reasoning("r"), *calls]) | st.just("ok")),
    st.tuples(st.just("tool"), RESULTS),
    st.tuples(st.just("tool"), RESULTS),
)
ARRANGEMENTS = st.lists(SAID, max_size=14)
"""Anything that a careless client may have logged: calls, results and words in any order."""


@given(ARRANGEMENTS, st.sets(st.integers(0, 13)), st.integers(0, 5))
def test_law_9_whatever_was_logged_every_call_has_its_results_and_every_result_its_call(
    said: list[tuple[Any, Any]], erased: set[int], omitted_before: int
) -> None:
    messages = [Message(role, content, id=f"m{n}") for n, (role, content) in enumerate(said)]
    records = stored(messages, erased=frozenset(erased), first=omitted_before + 1)
    head = omitted_before + len(messages)
    context = window(Header("c1", 0, 0, head=head), records)
    _check_tools(context.messages, pending_at_the_end=_ends_in_an_exchange(records))
    _check_view(context, records)


def _check_tools(messages: Sequence[Message], pending_at_the_end: bool) -> None:
    waiting: set[str] = set()
    answered: set[str] = set()
    for message in messages:
        assert not message.redacted
        if message.role != "tool":
            assert waiting <= answered, "a call went unanswered although the conversation went on"
            waiting, answered = {made.id for made in message.tool_calls}, set()
            continue
        for result in message.tool_results:
            assert result.call_id in waiting, "a result without its call"
            answered.add(result.call_id)
    if waiting - answered:
        assert pending_at_the_end, "a call went unanswered although the conversation went on"


def _ends_in_an_exchange(records: Sequence[Record]) -> bool:
    messages = [codec.decode(record) for record in records]
    while messages and messages[-1].role == "tool":
        messages.pop()
    return bool(messages and messages[-1].tool_calls)


def _check_view(context: Context, records: list[Record]) -> None:
    seqs = [record.seq for record in context.records]
    assert seqs == sorted(set(seqs))
    assert context.omitted == context.header.head - len(seqs)
    assert context.tokens == sum(record.tokens for record in context.records)
    there = {record.seq: record for record in records}
    for record in context.records:
        original = there[record.seq]
        assert (record.id, record.created_at, record.tokens) == (original.id, original.created_at, original.tokens)
    spoken = [record.seq for record in records if _is_plain(codec.decode(record))]
    assert [seq for seq in seqs if seq in set(spoken)] == spoken, "words were lost"


def _is_plain(message: Message) -> bool:
    return not message.redacted and not message.tool_calls and not message.tool_results


def test_a_text_conversation_is_shown_as_it_is() -> None:
    context = shown(user("a"), assistant("b"), user("c"), head=10)
    assert [message.content for message in context.messages] == ["a", "b", "c"]
    assert (context.tokens, context.omitted) == (6, 7)


def test_an_empty_conversation_shows_nothing() -> None:
    context = shown()
    assert (context.messages, context.tokens, context.omitted) == ((), 0, 0)


def test_an_answered_call_is_shown_with_its_results() -> None:
    context = shown(user("q"), call("a", "b"), tool("a", "1"), tool("b", "2"), assistant("so"))
    assert [message.seq for message in context.messages] == [1, 2, 3, 4, 5]


def test_a_pending_last_call_is_shown() -> None:
    assert [message.seq for message in shown(user("q"), call("a", "b")).messages] == [1, 2]
    assert [message.seq for message in shown(user("q"), call("a", "b"), tool("b", "2")).messages] == [1, 2, 3]


def test_a_call_that_was_never_answered_is_left_out_when_the_talk_went_on() -> None:
    context = shown(user("q"), call("a"), user("never mind"))
    assert [message.seq for message in context.messages] == [1, 3]
    assert context.omitted == 1


def test_of_several_calls_the_answered_ones_stay() -> None:
    context = shown(call("a", "b"), tool("a", "1"), user("never mind"))
    assert [made.id for made in context.messages[0].tool_calls] == ["a"]
    assert [message.seq for message in context.messages] == [1, 2, 3]


def test_a_window_that_begins_in_the_middle_of_an_exchange_leaves_its_rest_out() -> None:
    context = shown(tool("a", "1"), tool("b", "2"), assistant("so"), head=9)
    assert [message.seq for message in context.messages] == [3]
    assert context.omitted == 8


def test_a_result_behind_other_words_is_no_answer() -> None:
    context = shown(call("a"), user("wait"), tool("a", "1"), user("go on"))
    assert [message.seq for message in context.messages] == [2, 4]


def test_words_beside_a_dropped_call_stay_and_reasoning_alone_does_not() -> None:
    talking = assistant([Text("let me see"), ToolCall("a", "f")])
    thinking = assistant([Reasoning("r"), ToolCall("a", "f")])
    context = shown(talking, user("x"), thinking, user("y"))
    assert [message.text for message in context.messages] == ["let me see", "x", "y"]


def test_an_erased_message_is_not_shown_nor_what_hangs_on_it() -> None:
    context = shown(user("secret"), call("a"), tool("a", "1"), user("b"), erased=frozenset({0, 1}))
    assert [message.seq for message in context.messages] == [4]
    assert context.omitted == 3
