"""What each vendor takes: its own published Python types, unknown keys refused, and the rules that its service checks."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Literal

from anthropic.types import Base64ImageSourceParam, Base64PDFSourceParam, ContentBlockParam, MessageParam, TextBlockParam
from google.genai.types import Content
from openai.types.chat import ChatCompletionMessageParam
from openai.types.responses import ResponseInputItemParam
from pydantic import ConfigDict, TypeAdapter
from typing_extensions import TypedDict

STRICT = ConfigDict(extra="forbid", strict=True)
for source in (Base64ImageSourceParam, Base64PDFSourceParam):
    source.__pydantic_config__ = ConfigDict(extra="forbid", arbitrary_types_allowed=True)  # theirs hides STRICT


class Turn(TypedDict):
    """`MessageParam` without the classes of responses, which would take unknown keys."""

    role: Literal["user", "assistant"]
    content: list[ContentBlockParam]


CHAT: TypeAdapter[Any] = TypeAdapter(list[ChatCompletionMessageParam], config=STRICT)
RESPONSES: TypeAdapter[Any] = TypeAdapter(list[ResponseInputItemParam], config=STRICT)
TURNS: TypeAdapter[Any] = TypeAdapter(list[Turn], config=STRICT)
MESSAGES: TypeAdapter[Any] = TypeAdapter(list[MessageParam], config=STRICT)
SYSTEM: TypeAdapter[Any] = TypeAdapter(list[TextBlockParam], config=STRICT)


def check(format: str, rendered: dict[str, Any]) -> None:
    """Raise what the vendor would refuse `rendered` with."""
    CHECKS[format](**rendered)


def openai(messages: list[dict[str, Any]]) -> None:
    exhaust(CHAT.validate_python(messages))
    waiting: set[str] = set()
    seen: set[str] = set()
    for item in messages:
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", item.get("name", "n"))
        if item["role"] == "tool":
            waiting.remove(item["tool_call_id"])
        elif item["role"] in ("user", "assistant"):
            assert not waiting
        for call in item.get("tool_calls", ()):
            assert call["id"] not in seen
            assert 1 <= len(call["id"]) <= 40
            seen.add(call["id"])
            waiting.add(call["id"])


def openai_responses(input: list[dict[str, Any]]) -> None:
    exhaust(RESPONSES.validate_python(input))
    waiting: set[str] = set()
    seen: set[str] = set()
    for item, after in zip(input, [*input[1:], {}], strict=False):
        if item.get("type") == "function_call":
            assert item["call_id"] not in seen
            assert 1 <= len(item["call_id"]) <= 64
            seen.add(item["call_id"])
            waiting.add(item["call_id"])
        elif item.get("type") == "function_call_output":
            waiting.remove(item["call_id"])
        elif item.get("type") == "reasoning":
            assert after.get("type") in ("function_call", "reasoning") or after.get("role") == "assistant"
        elif item["role"] == "user":
            assert not waiting


def anthropic(messages: list[dict[str, Any]], system: list[dict[str, Any]] | None = None) -> None:
    exhaust(TURNS.validate_python(messages))
    exhaust(MESSAGES.validate_python(messages))
    exhaust(SYSTEM.validate_python(system or []))
    assert [turn["role"] for turn in messages] == (["user", "assistant"] * len(messages))[: len(messages)]
    assert all(text.strip() for text in texts([messages, system or []]))
    made = [block["id"] for turn in messages for block in turn["content"] if block["type"] == "tool_use"]
    assert len(made) == len(set(made))
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", made_id) for made_id in made)
    for turn, after in pairwise(messages):
        check_blocks(turn, after)


def check_blocks(turn: dict[str, Any], after: dict[str, Any]) -> None:
    last = turn["content"][-1]
    if turn["role"] == "assistant":
        assert last["type"] not in ("thinking", "redacted_thinking")
        assert last["type"] != "text" or last["text"] == last["text"].rstrip()
    calls = {block["id"] for block in turn["content"] if block["type"] == "tool_use"}
    kinds = [block["type"] for block in after["content"]]
    results = [block["tool_use_id"] for block in after["content"] if block["type"] == "tool_result"]
    assert kinds[: len(results)] == ["tool_result"] * len(results)
    assert len(results) == len(set(results))
    assert set(results) <= calls
    if any(block["type"] == "text" and not block["text"].startswith("<system>") for block in after["content"]):
        assert set(results) == calls


def gemini(contents: list[dict[str, Any]], system_instruction: dict[str, Any] | None = None) -> None:
    for content in [*contents, *([system_instruction] if system_instruction else [])]:
        Content.model_validate(content)
        assert content["parts"]
        assert all(len(part.keys() - {"thought", "thought_signature", "thoughtSignature"}) == 1 for part in content["parts"])
    assert all(text.strip() for text in texts(contents))
    assert not contents or contents[0]["role"] == "user"
    for content, after in pairwise(contents):
        made = [part["function_call"] for part in content["parts"] if "function_call" in part]
        answers = [part["function_response"] for part in after["parts"] if "function_response" in part]
        assert answers == [] or len(answers) == len(after["parts"])
        if made and answers:
            assert {(call["id"], call["name"]) for call in made} >= {(answer["id"], answer["name"]) for answer in answers}
        if made:
            first = next(part for part in content["parts"] if "function_call" in part)
            assert first["thought_signature"]
        assert content["role"] != after["role"] or content["role"] == "user"


def plain(text: str) -> None:
    assert isinstance(text, str)


CHECKS: dict[str, Callable[..., None]] = {
    "openai": openai,
    "openai-responses": openai_responses,
    "anthropic": anthropic,
    "gemini": gemini,
    "plain": plain,
}


def exhaust(value: Any) -> None:
    """Look at every value: what a type names an `Iterable` is checked when it is read, not before."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, str | bytes | int | float | None):
        for item in value:
            exhaust(item)


def texts(value: Any) -> Iterator[str]:
    """The texts of blocks and parts, however deep, but not in what a tool is asked or answers."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        value = [item for key, item in value.items() if key not in ("input", "args", "response")]
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
