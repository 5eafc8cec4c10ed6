"""The rules of the formats, one by one."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from turnlog import (
    Audio,
    File,
    Image,
    InvalidInput,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    assistant,
    developer,
    system,
    tool,
    user,
)
from turnlog.formats import FORMATS, render
from turnlog.message_input import decode_message
from turnlog.tokens import MESSAGE_OVERHEAD, counter

EVERY = pytest.mark.parametrize("format", list(FORMATS))
TURNS = pytest.mark.parametrize(
    ("format", "field", "parts"), [("anthropic", "messages", "content"), ("gemini", "contents", "parts")]
)
CALL = assistant([ToolCall("k", "find", '{"q": 1}')])


def texts(turn: dict[str, Any]) -> list[str]:
    return [part["text"] for part in turn.get("content") or turn["parts"]]


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"format: must be one of openai, .*gemini, plain"):
        render([], "gpt")


@EVERY
@pytest.mark.parametrize(
    "messages",
    [
        [tool("k", "r")],
        [CALL, tool("other", "r")],
        [CALL, tool("k", "r"), tool("k", "again")],
        [CALL, system("s"), tool("k", "r")],
        [CALL, tool("k", "r"), user("u"), tool("k", "r")],
    ],
)
def test_a_result_without_its_call_right_before_it_is_refused(format: str, messages: list[Message]) -> None:
    with pytest.raises(InvalidInput, match=r"messages\[\d\]: has a result for"):
        render(messages, format)


@EVERY
@pytest.mark.parametrize(
    "left", [[user("u")], [assistant("a")], [system("s"), user("u")], [user("", redacted=True), user("u")]]
)
def test_a_call_that_the_conversation_left_behind_is_refused(format: str, left: list[Message]) -> None:
    with pytest.raises(InvalidInput, match=r"messages\[\d\]: comes before the result of the tool call 'k'"):
        render([CALL, *left], format)


@EVERY
def test_pending_calls_may_end_a_conversation_with_instructions_behind_them(format: str) -> None:
    assert render([user("u"), CALL, system("It is noon.", derived=True)], format)


@EVERY
def test_two_calls_of_one_id_take_a_result_each(format: str) -> None:
    both = assistant([ToolCall("k", "a"), ToolCall("k", "b")])
    assert render([both, tool("k", "1"), tool("k", "2")], format)


def chat_ids(messages: list[Message]) -> list[str]:
    items = render(messages, "openai")["messages"]
    return [call["id"] for item in items for call in item.get("tool_calls", ())]


def test_an_id_that_comes_again_becomes_another_each_time() -> None:
    ids = chat_ids([CALL, tool("k", "1"), CALL, tool("k", "2"), CALL, tool("k", "3")])
    assert ids[0] == "k"
    assert len(set(ids)) == 3


def test_ids_that_differ_in_what_a_provider_refuses_stay_different() -> None:
    calls = assistant([ToolCall(call_id, "find") for call_id in ("a.b", "a:b", "a_b", "x" * 65, "x" * 66)])
    blocks = render([calls], "anthropic")["messages"][1]["content"]
    ids = [block["id"] for block in blocks]
    assert len(set(ids)) == 5
    assert ids[2] == "a_b"
    assert max(map(len, ids)) == 64


def test_a_made_id_gives_way_to_none_that_was_there_before() -> None:
    made = chat_ids([CALL, tool("k", "1"), CALL, tool("k", "2")])[1]
    taken = assistant([ToolCall(made, "find")])
    ids = chat_ids([taken, tool(made, "0"), CALL, tool("k", "1"), CALL, tool("k", "2")])
    assert ids[0] == made
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ('{"q": 1}', {"q": 1}),
        ("", {}),
        ("  ", {}),
        ('{"q": ', {"_raw": '{"q": '}),
        ("[1]", {"_raw": "[1]"}),
        ("null", {"_raw": "null"}),
        ('{"q": NaN}', {"_raw": '{"q": NaN}'}),
        ('{"q": 1e999}', {"_raw": '{"q": 1e999}'}),
        ('{"q": 99999999999999999999}', {"_raw": '{"q": 99999999999999999999}'}),
        ('{"q": "\\ud800"}', {"_raw": '{"q": "\\ud800"}'}),
        ("[" * 5000, {"_raw": "[" * 5000}),
    ],
)
def test_arguments_that_are_no_object_are_wrapped_word_for_word(arguments: str, given: dict[str, Any]) -> None:
    call = assistant([ToolCall("k", "find", arguments)])
    assert render([call], "anthropic")["messages"][1]["content"][0]["input"] == given
    assert render([call], "gemini")["contents"][1]["parts"][0]["function_call"]["args"] == given
    assert render([call], "openai")["messages"][0]["tool_calls"][0]["function"]["arguments"] == arguments


@TURNS
def test_an_instruction_in_the_middle_is_marked_words_of_the_user(format: str, field: str, parts: str) -> None:
    rendered = render([system("a"), developer("b"), user("u"), system("c"), assistant("x"), developer("d")], format)
    assert [texts(turn) for turn in rendered[field]] == [["u", "<system>c</system>"], ["x"], ["<system>d</system>"]]
    assert json.dumps(rendered).count("<system>") == 2


@TURNS
def test_messages_of_one_side_are_one_turn(format: str, field: str, parts: str) -> None:
    rendered = render([user("a"), user("b"), assistant("c"), assistant("d"), user("e")], format)
    assert [texts(turn) for turn in rendered[field]] == [["a", "b"], ["c", "d"], ["e"]]


@TURNS
def test_the_user_begins(format: str, field: str, parts: str) -> None:
    first, second = render([assistant("a")], format)[field]
    assert first == {"role": "user", parts: [first[parts][0]]}
    assert texts(first) == ["…"]
    assert texts(second) == ["a"]


@TURNS
def test_a_blank_message_of_the_user_keeps_its_turn_and_one_of_the_assistant_does_not(
    format: str, field: str, parts: str
) -> None:
    said = [user("a"), assistant(" \n"), assistant([Text(" ")]), user([Text(" "), Text("b")]), assistant("c"), user("\t")]
    assert [texts(turn) for turn in render(said, format)[field]] == [["a", "b"], ["c"], ["…"]]


@EVERY
def test_erased_and_unbegun_messages_say_nothing(format: str) -> None:
    unsaid = [user("", redacted=True), assistant("", status="partial"), tool("k", "x")]
    unsaid[2] = Message("tool", "", redacted=True)
    assert render([user("a"), *unsaid, user("b")], format) == render([user("a"), user("b")], format)


def test_an_answer_to_anthropic_ends_without_whitespace() -> None:
    turns = render([user("a"), assistant("b \n"), user("c"), assistant([Text("d "), Text("e\t")])], "anthropic")["messages"]
    assert [texts(turn) for turn in turns] == [["a"], ["b"], ["c"], ["d ", "e"]]


OPENAI = {"type": "reasoning", "id": "rs_1", "summary": []}
ANTHROPIC = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
GEMINI = {"text": "hm", "thought": True}


@pytest.mark.parametrize(
    ("provider", "item", "format", "field"),
    [
        ("openai", OPENAI, "openai-responses", "input"),
        ("Anthropic", ANTHROPIC, "anthropic", "messages"),
        ("google", GEMINI, "gemini", "contents"),
        ("gemini", GEMINI, "gemini", "contents"),
    ],
)
def test_reasoning_goes_back_to_the_provider_it_came_from_and_to_no_other(
    provider: str, item: dict[str, Any], format: str, field: str
) -> None:
    said = assistant([Reasoning(json.dumps(item)), Text("so")], provider=provider)
    for each in FORMATS:
        assert (json.dumps(item) in json.dumps(render([said], each))) == (each == format)
    foreign = assistant([Reasoning(json.dumps(item)), Text("so")], provider="mistral")
    assert render([foreign], format)[field] == render([assistant([Text("so")])], format)[field]


@pytest.mark.parametrize("payload", ["", "x", "[]", "{}", '{"type":"thinking"}', '{"type":"thinking","thinking":1}'])
def test_reasoning_in_no_form_of_its_provider_is_left_out(payload: str) -> None:
    for provider, each in [("openai", "openai-responses"), ("anthropic", "anthropic"), ("google", "gemini")]:
        said = assistant([Reasoning(payload), Text("so")], provider=provider)
        assert render([said], each) == render([assistant([Text("so")])], each)


def test_reasoning_that_led_to_nothing_is_left_out() -> None:
    thinking = [Reasoning(json.dumps(OPENAI))]
    assert render([assistant(thinking, provider="openai")], "openai-responses") == {"input": []}
    thinking = [Text("so"), Reasoning(json.dumps(ANTHROPIC))]
    assert texts(render([assistant(thinking, provider="anthropic")], "anthropic")["messages"][1]) == ["so"]


def test_a_signature_of_gemini_goes_to_the_part_that_it_signed() -> None:
    signed = Reasoning('{"thoughtSignature":"c2ln"}')
    parts = [Text("a"), signed, ToolCall("k", "f"), ToolCall("l", "g")]
    told = render([assistant(parts, provider="google")], "gemini")["contents"][1]["parts"]
    assert [part.get("thought_signature") for part in told] == [None, "c2ln", None]


PNG = base64.b64encode(b"png").decode()


@pytest.mark.parametrize(
    ("part", "chat", "responses", "anthropic", "gemini"),
    [
        (Image(url="https://x.org/a.png"), "image_url", "input_image", "image", "file_data"),
        (Image(data=PNG, media_type="image/jpg"), "image_url", "input_image", "image", "inline_data"),
        (Image(url=f"data:image/png;base64,{PNG}"), "image_url", "input_image", "image", "inline_data"),
        (Image(data=PNG, media_type="image/tiff"), "image_url", "input_image", "text", "inline_data"),
        (Image(url="https://x.org/picture"), "image_url", "input_image", "image", "text"),
        (Image(url="file:///etc/passwd"), "text", "input_text", "text", "text"),
        (Image(url="data:nonsense"), "text", "input_text", "text", "text"),
        (Image(data="", media_type="image/png"), "text", "input_text", "text", "text"),
        (Audio(data=PNG, media_type="audio/mp3"), "input_audio", "input_text", "text", "inline_data"),
        (Audio(url="gs://bucket/a.mp3"), "text", "input_text", "text", "file_data"),
        (File(data=PNG, media_type="application/pdf"), "file", "input_file", "document", "inline_data"),
        (File(data=PNG, media_type="text/plain", filename="a.txt"), "file", "input_file", "document", "inline_data"),
        (File(data="/w==", media_type="text/plain"), "file", "input_file", "text", "inline_data"),
        (File(url="https://x.org/a.pdf?v=1"), "text", "input_file", "document", "file_data"),
        (File(data=PNG, media_type="application/zip"), "file", "input_file", "text", "text"),
    ],
)
def test_media_go_where_the_provider_takes_them_else_words_stand_for_them(
    part: Image | Audio | File, chat: str, responses: str, anthropic: str, gemini: str
) -> None:
    said = [user([part])]
    assert render(said, "openai")["messages"][0]["content"][0]["type"] == chat
    assert render(said, "openai-responses")["input"][0]["content"][0]["type"] == responses
    assert render(said, "anthropic")["messages"][0]["content"][0]["type"] == anthropic
    assert gemini in render(said, "gemini")["contents"][0]["parts"][0]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Image(url="https://x.org/a.png"), "[image: https://x.org/a.png]"),
        (Image(url="https://x.org/" + "a" * 200), "[image]"),
        (Image(url=f"data:image/png;base64,{PNG}"), "[image]"),
        (File(data=PNG, media_type="application/pdf", filename="a.pdf"), "[file: a.pdf]"),
        (Audio(data=PNG, media_type="audio/wav"), "[audio]"),
    ],
)
def test_words_that_stand_for_media_are_short_and_hold_no_data(part: Image | Audio | File, words: str) -> None:
    for each, field in [("openai", "messages"), ("anthropic", "messages"), ("gemini", "contents")]:
        assert words in json.dumps(render([assistant([part])], each)[field])
    assert render([user([part])], "plain") == {"text": f"user: {words}"}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ana", "ana"),
        ("Ana Müller", "Ana_Muller"),
        ("Zoë·ß", "Zoe"),
        ("李雷", None),
        ("a" * 80, "a" * 64),
        ("_", None),
    ],
)
def test_a_name_is_one_that_openai_takes_or_none(name: str, given: str | None) -> None:
    assert render([user("hi", name=name)], "openai")["messages"][0].get("name") == given


def test_a_name_goes_before_the_words_where_there_is_no_field_for_it() -> None:
    said = [user("hi", name="Ana Müller"), user([Image(url="https://x.org/a.png"), Text("this")], name="bo")]
    told = render(said, "anthropic")["messages"][0]["content"]
    assert [block.get("text") for block in told] == ["Ana Müller: hi", None, "bo: this"]
    assert render(said, "openai-responses")["input"][0]["content"] == "Ana Müller: hi"
    assert render([assistant("hi", name="ana")], "openai-responses")["input"][0]["content"] == "hi"


def test_a_refusal_alone_is_one_and_beside_words_it_is_words() -> None:
    alone, beside = assistant([Refusal("no")]), assistant([Text("well"), Refusal("no")])
    content = [item["content"] for item in render([alone, beside], "openai")["messages"]]
    assert content[0] == [{"type": "refusal", "refusal": "no"}]
    assert content[1] == [{"type": "text", "text": "well"}, {"type": "text", "text": "no"}]
    assert render([alone], "openai-responses")["input"][0]["content"] == "no"


@pytest.mark.parametrize(
    ("content", "chat", "block"),
    [
        ("no such file", "Error: no such file", "no such file"),
        ("ERROR 5", "ERROR 5", "ERROR 5"),
        ("", "Error: ", "error"),
        (" ", "Error:  ", "error"),
    ],
)
def test_a_failed_result_says_so(content: str, chat: str, block: str) -> None:
    said = [CALL, tool("k", content, is_error=True)]
    assert render(said, "openai")["messages"][1]["content"] == chat
    result = render(said, "anthropic")["messages"][2]["content"][0]
    assert result == {"type": "tool_result", "tool_use_id": "k", "content": block, "is_error": True}
    assert render(said, "gemini")["contents"][2]["parts"][0]["function_response"]["response"] == {"error": content}
    assert render(said, "plain")["text"].endswith(f"find fails: {content}")


def test_an_empty_result_has_no_content_for_anthropic() -> None:
    for content in ("", " ", [Text(" ")]):
        result = render([CALL, tool("k", content)], "anthropic")["messages"][2]["content"][0]
        assert result == {"type": "tool_result", "tool_use_id": "k"}


def test_results_in_one_message_or_many_are_one_turn_before_what_the_user_says() -> None:
    calls = assistant([ToolCall("a", "find"), ToolCall("b", "look")])
    many = [calls, tool("b", "2"), tool("a", "1"), user("so?")]
    one = [calls, Message("tool", (ToolResult("b", "2"), ToolResult("a", "1"))), user("so?")]
    for each in ("anthropic", "gemini", "openai"):
        assert render(many, each) == render(one, each)
    kinds = [block["type"] for block in render(many, "anthropic")["messages"][2]["content"]]
    assert kinds == ["tool_result", "tool_result", "text"]


def test_gemini_gets_results_by_name_and_apart_from_other_words() -> None:
    calls = assistant([ToolCall("a", "find it"), ToolCall("b", "2nd")])
    contents = render([calls, tool("b", "2"), tool("a", "1"), user("so?")], "gemini")["contents"]
    results = [part["function_response"] for part in contents[2]["parts"]]
    assert [(result["id"], result["name"]) for result in results] == [("b", "_2nd"), ("a", "find_it")]
    assert contents[3] == {"role": "user", "parts": [{"text": "so?"}]}


CHAT: list[dict[str, Any]] = [
    {"role": "system", "content": "s"},
    {"role": "developer", "content": [{"type": "text", "text": "d"}]},
    {"role": "user", "content": " u\n", "name": "ana"},
    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    {
        "role": "assistant",
        "content": "a",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{"}},
            {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": ""}},
        ],
    },
    {"role": "tool", "tool_call_id": "call_2", "content": ""},
    {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "r"}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_3", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "call_3", "content": "r"},
    {"role": "assistant", "content": "done "},
]


def test_what_came_in_as_chat_goes_out_as_it_came() -> None:
    assert render([decode_message(item) for item in CHAT], "openai") == {"messages": CHAT}


def test_plain_is_a_transcript() -> None:
    said = [system("s"), user("u", name="ana"), assistant([Text("a"), *CALL.tool_calls]), tool("k", "r")]
    assert (
        render(said, "plain")["text"]
        == 'system: s\n\nuser (ana): u\n\nassistant: a\nassistant calls find: {"q": 1}\n\nfind returns: r'
    )


def test_marks_and_a_first_turn_cost_the_tokens_that_the_reference_tells() -> None:
    count = counter("o200k_base")
    said = [assistant("Where to?"), system("The user moved to Bonn."), assistant("Oh."), developer("Be brief: “so”.")]
    turns = render(said, "anthropic")["messages"]
    rendered = sum(MESSAGE_OVERHEAD + sum(map(count.text, texts(turn))) for turn in turns)
    assert sum(map(count, said)) < rendered <= sum(map(count, said)) + 5 + 2 * 6


def test_every_format_is_in_the_reference_and_no_other() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/formats.md").read_text()
    table = page.partition("```python")[0]
    assert re.findall(r"^\| `([^`]+)`", table, re.MULTILINE) == list(FORMATS)
