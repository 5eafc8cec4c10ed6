"""Hypothesis strategies for conversations that a planner hands to a format: each result right behind its call."""

import json
from typing import Any

import msgspec
from hypothesis import strategies as st

from support.messages import COUNT, JSON, NAME, SOME_TEXT, SPOKEN, TEXT, messages
from turnlog import Message, Reasoning, Text, ToolCall, ToolResult

IDS = st.sampled_from(["call_0", "call_1", "toolu_1", "call_0:find", "x" * 90, "x" * 91, "søk", " "]) | SOME_TEXT
"""Few of them, so that they come again, and some that a provider would not take."""
PROVIDERS = st.sampled_from([None, "openai", "OpenAI", "anthropic", "google", "gemini", "mistral"])
SIGNATURE = st.sampled_from(["c2ln", "Zm9ybWF0"])
PAYLOADS: st.SearchStrategy[str] = (
    st.one_of(
        st.builds(lambda n: {"type": "reasoning", "id": f"rs_{n}", "summary": [], "encrypted_content": "e"}, COUNT),
        st.builds(lambda text: {"type": "thinking", "thinking": text, "signature": "s"}, TEXT),
        st.just({"type": "redacted_thinking", "data": "d"}),
        st.builds(lambda text, signature: {"text": text, "thought": True, "thoughtSignature": signature}, TEXT, SIGNATURE),
        st.builds(lambda signature: {"thought_signature": signature}, SIGNATURE),
        st.just({"type": "thinking"}),
        st.just([1]),
    ).map(json.dumps)
    | TEXT
)


def say(role: Any, content: Any, **fields: Any) -> Message:
    """A message with an id that is not random."""
    return Message(role, content, id="m", **fields)


CALL = st.builds(ToolCall, IDS, SOME_TEXT, TEXT | JSON.map(json.dumps) | st.dictionaries(TEXT, JSON).map(json.dumps))
REASONING = st.builds(Reasoning, PAYLOADS)


def spoken(message: Message) -> Message:
    """The message without calls; a tool's becomes a user's."""
    if message.role == "tool":
        return msgspec.structs.replace(message, role="user", content="and then?")
    if isinstance(message.content, str):
        return message
    kept = tuple(part for part in message.content if not isinstance(part, ToolCall))
    return msgspec.structs.replace(message, content=kept or (Text("so"),))


PLAIN = messages().map(spoken)
SILENT = st.sampled_from(
    [
        say("assistant", "", status="partial"),
        say("user", "", redacted=True),
        say("assistant", "", redacted=True),
    ]
)
BLANK = st.builds(say, st.sampled_from(["user", "assistant", "system"]), st.sampled_from([" ", "\n\t", " a ", "\u2028"]))
THOUGHTFUL = st.builds(
    lambda content, provider: say("assistant", tuple(content), provider=provider),
    st.lists(REASONING | SOME_TEXT.map(Text), min_size=1, max_size=4),
    PROVIDERS,
)


@st.composite
def exchanges(draw: st.DrawFn, *, pending: bool = False) -> list[Message]:
    """An assistant's calls and their results in any order, one or more to a message; some left out if `pending`."""
    calls = draw(st.lists(CALL, min_size=1, max_size=3))
    content = draw(st.permutations([*calls, *draw(st.lists(REASONING | SOME_TEXT.map(Text), max_size=3))]))
    said = say("assistant", tuple(content), provider=draw(PROVIDERS))
    order = draw(st.permutations([call.id for call in calls]))
    answered = order[: draw(st.integers(0, len(order)))] if pending else order
    results = [draw(results_of(call_id)) for call_id in answered]
    if results and draw(st.booleans()):
        return [said, say("tool", tuple(results))]
    return [said, *(say("tool", (result,)) for result in results)]


def results_of(id: str) -> st.SearchStrategy[ToolResult]:
    content: Any = TEXT | st.sampled_from([" ", "Error: no"]) | st.lists(SPOKEN, min_size=1, max_size=3).map(tuple)
    return st.builds(ToolResult, st.just(id), content, st.booleans())


INSTRUCTION = st.builds(say, st.sampled_from(["system", "developer"]), SOME_TEXT, name=st.none() | NAME)


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Anything that may be rendered, pending calls and derived instructions at the end included."""
    alone = (PLAIN | SILENT | BLANK | THOUGHTFUL).map(lambda message: [message])
    said = draw(st.lists(alone | exchanges(), max_size=8))
    if draw(st.booleans()):
        said.append(draw(exchanges(pending=True)))
    leading, trailing = draw(st.lists(INSTRUCTION, max_size=2)), draw(st.lists(INSTRUCTION, max_size=2))
    return [*leading, *(message for exchange in said for message in exchange), *trailing]
