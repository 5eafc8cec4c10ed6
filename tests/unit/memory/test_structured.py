"""A model is asked for a value until its reply will do."""

from typing import Any, Literal

import msgspec
import pytest

from turnlog import LLMReplyInvalid, LLMUnavailable
from turnlog.llm.port import Completion, Prompt
from turnlog.memory.llm.structured import Unfit, ask, schema_of
from turnlog.testing import ScriptedLLM


class Item(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["a", "b"]
    count: int


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    items: list[Item]


PROMPT = Prompt("things-1", "You count.", ("three apples",), 100)
GOOD = '{"items":[{"kind":"a","count":3}]}'


def positive(reply: Reply) -> None:
    if any(item.count < 1 for item in reply.items):
        raise Unfit("count must be over 0")


async def test_a_reply_that_fits_is_the_value() -> None:
    llm = ScriptedLLM([GOOD], model="tiny")
    assert await ask(llm, PROMPT, Reply) == (Reply([Item("a", 3)]), "tiny")
    assert llm.prompts[0].schema == schema_of(Reply)


def test_a_schema_is_an_object_that_names_all_its_fields() -> None:
    schema = schema_of(Reply)
    assert (schema["type"], schema["required"], schema["additionalProperties"]) == ("object", ["items"], False)
    assert schema["properties"]["items"]["items"] == {"$ref": "#/$defs/Item"}
    assert set(schema["$defs"]) == {"Item"}
    assert schema["$defs"]["Item"]["properties"]["kind"] == {"type": "string", "enum": ["a", "b"]}
    assert "$defs" not in schema_of(Item)


@pytest.mark.parametrize(
    ("reply", "wrong"),
    [
        ('{"items":[{"kind":"a"', "truncated"),
        ("I cannot do that.", "malformed"),
        ('{"items":[{"kind":"c","count":1}]}', "Invalid enum value 'c'"),
        ('{"items":[{"kind":"a","count":"1"}]}', "Expected `int`"),
        ('{"items":[],"more":1}', "unknown field `more`"),
        ('{"items":[{"kind":"a","count":0}]}', "count must be over 0"),
        ('{"items":[{"kind":"\\ud800","count":0}]}', ""),
        (Completion(GOOD, "m", cut=True), "cut short"),
    ],
)
async def test_a_reply_that_does_not_is_asked_for_again_with_the_error(reply: Any, wrong: str) -> None:
    llm = ScriptedLLM([reply, GOOD])
    value, _ = await ask(llm, PROMPT, Reply, check=positive)
    assert value == Reply([Item("a", 3)])
    first, second = llm.prompts
    shown = reply.text if isinstance(reply, Completion) else reply
    assert second.turns[:2] == (*first.turns, shown)
    assert wrong in second.turns[2]


async def test_an_empty_reply_is_just_asked_for_again() -> None:
    llm = ScriptedLLM([" ", LLMReplyInvalid("it is no chat completion"), GOOD])
    await ask(llm, PROMPT, Reply)
    assert llm.prompts[0] == llm.prompts[1] == llm.prompts[2]


async def test_each_try_shows_only_the_last_error() -> None:
    llm = ScriptedLLM(["no", "x" * 100_000, GOOD])
    await ask(llm, PROMPT, Reply)
    assert [len(prompt.turns) for prompt in llm.prompts] == [1, 3, 3]
    assert sum(map(len, llm.prompts[2].turns)) < 3000


async def test_after_so_many_tries_it_is_an_error_that_tells_the_last_reason() -> None:
    llm = ScriptedLLM(["no"])
    with pytest.raises(LLMReplyInvalid) as failed:
        await ask(llm, PROMPT, Reply, tries=2)
    assert failed.value.tries == 2
    assert failed.value.reason == "Input data was truncated"
    assert len(llm.prompts) == 2


async def test_a_model_that_is_away_is_not_asked_again_here() -> None:
    llm = ScriptedLLM([LLMUnavailable("it restarts"), GOOD])
    with pytest.raises(LLMUnavailable):
        await ask(llm, PROMPT, Reply)


@pytest.mark.parametrize("fence", ["```json\n%s\n```", "```\n%s\n```\n", "\n%s "])
async def test_a_fence_around_a_reply_does_no_harm(fence: str) -> None:
    assert (await ask(ScriptedLLM([fence % GOOD]), PROMPT, Reply))[0] == Reply([Item("a", 3)])
