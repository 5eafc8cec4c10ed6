"""Law 8 from the log to what is sent: contexts are rendered, and counted by the rules of OpenAI's cookbook once more.

The count is its own: three tokens a message, its role, its content, its name and one more, and three for the reply.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversations import conversations
from turnlog import BudgetTooSmall, Message, Turnlog, user
from turnlog.context.result import Plan
from turnlog.ids import uuid7
from turnlog.stores.ram import RamStore
from turnlog.tokens import counter

quicktok = pytest.importorskip("quicktok", reason="quicktok-v1 is not installed: NOTHING COUNTS TOKENS INDEPENDENTLY")
encoding = quicktok.get_encoding("o200k_base")
NAMES = st.sampled_from(
    [None, "Ann", "Jürgen Groß", "李小龍", "Zoë 🙂 the 3rd", "Maria de la Cruz", "a" * 80, "naïve.façade@example.com"]
)
WORDS = st.lists(
    st.sampled_from(["hello", "日本語", "🙂", "naïve", "\n\n", "12345", " the", "  x", "<system>"]), min_size=1, max_size=30
)
SAID = st.builds(lambda words, name: user("".join(words), name=name, id="m"), WORDS, NAMES)
TALKS = st.lists(conversations() | st.lists(SAID, min_size=1, max_size=3), min_size=1, max_size=4)
BUDGETS = st.integers(30, 600)


def tokens(text: str) -> int:
    return len(encoding.encode(text, disallowed_special=()))


def cookbook(items: Sequence[dict[str, Any]]) -> int:
    """The tokens of a prompt in the form of Chat Completions."""
    total = 3
    for item in items:
        total += 3 + tokens(item["role"]) + sum(map(tokens, written(item.get("content"))))
        total += 1 + tokens(item["name"]) if "name" in item else 0
        for call in item.get("tool_calls", ()):
            total += tokens(call["function"]["name"]) + tokens(call["function"]["arguments"])
    return total


def written(content: Any) -> Iterator[str]:
    """The words in a content, however deep."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for part in content:
            yield from written(part)
    elif isinstance(content, dict):
        for key in ("text", "refusal", "content", "parts", "name", "response", "output", "error"):
            yield from written(content.get(key))
        for key in ("functionCall", "functionResponse", "function_call", "function_response"):
            yield from written(content.get(key))


async def context_of(messages: Sequence[Message], budget: int, format: str) -> Plan | None:
    async with Turnlog(RamStore(), count_tokens=counter("o200k_base")) as log:
        named = [msgspec.structs.replace(message, id=uuid7()) for message in messages]
        conversation = await log.create(*named)
        try:
            return await conversation.context(policy="window", budget=budget, format=format)
        except BudgetTooSmall:
            return None


@given(TALKS, BUDGETS, st.integers(0, 100))
def test_law_8_by_the_cookbook_no_prompt_is_over_its_budget(talks: list[list[Message]], budget: int, reserve: int) -> None:
    messages = [message for talk in talks for message in talk]
    context = asyncio.run(context_of(messages, budget + reserve, "openai"))
    if context is not None:
        assert cookbook(context.render("openai")["messages"]) <= context.tokens <= budget + reserve


@given(TALKS, BUDGETS, st.sampled_from(["anthropic", "gemini", "openai-responses", "plain"]))
def test_law_8_what_a_format_adds_is_in_the_count(talks: list[list[Message]], budget: int, format: str) -> None:
    messages = [message for talk in talks for message in talk]
    context = asyncio.run(context_of(messages, budget, format))
    if context is not None:
        words = sum(tokens(text) for value in context.render(format).values() for text in written(value))
        assert words <= context.tokens <= budget
