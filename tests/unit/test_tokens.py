"""What a message costs: the published rules, and nothing that a model reads counted as nothing."""

import subprocess
import sys
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnlog import (
    Audio,
    File,
    Image,
    InvalidInput,
    Message,
    MissingExtra,
    Reasoning,
    Refusal,
    Settings,
    Text,
    ToolCall,
    ToolResult,
    assistant,
    connect,
    system,
    tool,
    user,
)
from turnlog.tokens import MESSAGE_OVERHEAD, REPLY_PRIMING, Counter, counter, counter_of_model, estimate
from turnlog.tokens.tokenizers import CLAUDE_FACTOR

COUNTERS = ["estimate", "claude", "o200k_base", "cl100k_base"]

JARGON = [
    system("You are a helpful, pattern-following assistant that translates corporate jargon into plain English."),
    system("New synergies will help drive top-line growth.", name="example_user"),
    system("Things working well together will increase revenue.", name="example_assistant"),
    system(
        "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
        name="example_user",
    ),
    system("Let's talk later when we're less busy about how to do better.", name="example_assistant"),
    user("This late pivot means we don't have time to boil the ocean for the client deliverable."),
]
"""The example of OpenAI's cookbook, for which it tells what its service counts."""

WEATHER = {
    "name": "get_current_weather",
    "description": "Get the current weather in a given location",
    "parameters": {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
            "unit": {
                "type": "string",
                "description": "The unit of temperature to return",
                "enum": ["celsius", "fahrenheit"],
            },
        },
        "required": ["location"],
    },
}
ABOUT_WEATHER = [
    system("You are a helpful assistant that can answer to questions about the weather."),
    user("What's the weather like in San Francisco?"),
]


def prompt(count: Counter, messages: list[Message]) -> int:
    return REPLY_PRIMING + sum(map(count, messages))


@pytest.mark.parametrize(("model", "tokens"), [("gpt-3.5-turbo", 129), ("gpt-4-0613", 129), ("gpt-4o", 124)])
def test_messages_cost_what_the_service_counts(model: str, tokens: int) -> None:
    assert prompt(counter(model), JARGON) == tokens


@pytest.mark.parametrize(("model", "tokens"), [("gpt-3.5-turbo", 105), ("gpt-4", 105), ("gpt-4o", 101)])
def test_tools_cost_what_the_service_counts(model: str, tokens: int) -> None:
    count = counter(model)
    assert prompt(count, ABOUT_WEATHER) + count.tools([{"type": "function", "function": WEATHER}]) == tokens


def test_no_tools_cost_nothing() -> None:
    assert [counter(name).tools([]) for name in COUNTERS] == [0, 0, 0, 0]


def test_a_schema_costs_the_same_in_every_format() -> None:
    count = counter("o200k_base")
    flat = {"type": "function", **WEATHER}
    named_otherwise = {"name": WEATHER["name"], "description": WEATHER["description"], "input_schema": WEATHER["parameters"]}
    costs = {count.tools([schema]) for schema in ({"function": WEATHER}, flat, WEATHER, named_otherwise)}
    assert len(costs) == 1


@pytest.mark.parametrize("name", COUNTERS)
def test_nothing_in_a_schema_is_free(name: str) -> None:
    count = counter(name)
    deep: Any = {"type": "object", "properties": {"street": {"type": "string", "description": "tokenizers " * 500}}}
    odd: Any = {"type": ["string", "null"], "enum": ["a", None, 3], "default": "a"}
    for properties in ({"address": deep}, {"list": {"type": "array", "items": deep}}, {"choice": {"anyOf": [deep, odd]}}):
        assert count.tools([{"name": "f", "parameters": {"type": "object", "properties": properties}}]) > 500
    assert count.tools([{"name": "f", "parameters": {"$defs": {"address": deep}}}]) > 500
    assert count.tools([{"type": "web_search", "user_location": "tokenizers " * 500}]) > 500
    assert count.tools([{"name": "f", "parameters": {"properties": {"a": odd, "b": True}}}]) > 20
    assert count.tools([{"name": "f"}, {"name": "g"}]) > count.tools([{"name": "f"}])


@pytest.mark.parametrize("name", COUNTERS)
def test_a_tool_call_with_5000_words_of_arguments_is_not_counted_as_nothing(name: str) -> None:
    count = counter(name)
    arguments = '{"text": "' + "tokenizers " * 5000 + '"}'
    said = count(user(arguments))
    assert said >= 5000
    assert count(assistant([ToolCall("1", "write", arguments)])) > said
    assert count(tool("1", arguments)) > said


@pytest.mark.parametrize("name", COUNTERS)
def test_every_part_that_a_model_reads_is_counted(name: str) -> None:
    count = counter(name)
    long = "a longer sentence, which nobody would send for free " * 10
    tokenizers = count.text(long)
    parts = [Text(long), ToolCall("1", "f", long), ToolCall("1", long, "{}"), Reasoning(long), Refusal(long)]
    assert [count(assistant([part])) >= tokenizers for part in parts] == [True] * 5
    assert count(assistant(parts)) > 5 * tokenizers
    assert count(Message("tool", (ToolResult("1", (Text(long), Text(long))),))) > 2 * tokenizers
    assert count(user("x", name="Ada")) > count(user("x"))


@pytest.mark.parametrize("name", COUNTERS)
def test_text_costs_the_same_as_a_string_and_as_the_only_part(name: str) -> None:
    count = counter(name)
    assert count(user("hello there")) == count(user([Text("hello there")])) == count.overhead + count.text("hello there")


def test_an_erased_or_unfinished_message_costs_its_frame() -> None:
    assert estimate(Message("tool", "", redacted=True)) == MESSAGE_OVERHEAD
    assert estimate(assistant("", status="partial")) == MESSAGE_OVERHEAD


@pytest.mark.parametrize("name", COUNTERS)
def test_what_looks_like_a_special_token_is_text(name: str) -> None:
    assert counter(name).text("<|endoftext|><|im_start|>") > 2


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o", "o200k_base"),
        ("gpt-4o-2024-08-06", "o200k_base"),
        ("chatgpt-4o-latest", "o200k_base"),
        ("openai/gpt-4o", "o200k_base"),
        ("openrouter/openai/GPT-5.1:beta", "o200k_base"),
        ("gpt-5", "o200k_base"),
        ("gpt-4.1-2025-04-14", "o200k_base"),
        ("o1-preview", "o200k_base"),
        ("o3", "o200k_base"),
        ("gpt-oss-120b", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4-turbo-2024-04-09", "cl100k_base"),
        ("gpt-3.5-turbo", "cl100k_base"),
        ("gpt-35-turbo", "cl100k_base"),
        ("ft:gpt-3.5-turbo-0125:gpt-4o-team::abc", "cl100k_base"),
        ("ft:gpt-4o-2024-08-06:team::abc", "o200k_base"),
        ("ft:gpt-4o-mini-2024-07-18:team::abc", "gpt-4o-mini"),
        ("gpt-4.1-mini", "gpt-4.1-mini"),
        ("gpt-5.4-nano", "gpt-5-nano"),
        ("o4-mini-2025-04-16", "o4-mini"),
        ("claude-sonnet-4-5", "claude"),
        ("us.anthropic.claude-3-5-haiku-20241022-v1:0", "claude"),
        ("o200k_base", "o200k_base"),
        ("cl100k_base", "cl100k_base"),
        ("estimate", "estimate"),
    ],
)
def test_a_model_has_the_counter_of_its_family(model: str, name: str) -> None:
    found = counter(model)
    assert (found.name, found.exact) == (name, name not in ("claude", "estimate"))
    assert counter(found.name) == found


def test_models_and_encodings_agree_with_the_table_of_the_reference() -> None:
    from tiktoken.model import MODEL_PREFIX_TO_ENCODING, MODEL_TO_ENCODING

    table = MODEL_TO_ENCODING | MODEL_PREFIX_TO_ENCODING
    told = {model.rstrip("-"): name for model, name in table.items() if name in ("o200k_base", "cl100k_base")}
    rule = {"o200k_base": counter("o200k_base").text, "cl100k_base": counter("cl100k_base").text}
    assert len(told) > 20
    assert [model for model, name in told.items() if counter(model).text != rule[name]] == []


def test_a_stranger_cannot_name_a_file() -> None:
    with pytest.raises(InvalidInput):
        counter_of_model("hf:/etc/hostname")
    with pytest.raises(InvalidInput):
        counter_of_model("")


def test_a_stranger_cannot_fill_the_memory_with_names() -> None:
    with pytest.raises(InvalidInput, match="255 characters"):
        counter_of_model("gpt-4o" + "x" * 250)


@pytest.mark.parametrize(("name", "extra"), [("o200k_base", "tokens"), ("gpt-4o", "tokens"), ("hf:x.json", "hf")])
def test_a_missing_package_is_named_with_its_extra(name: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from turnlog.tokens import models, tokenizers

    for package in ("quicktok", "tokenizers"):
        monkeypatch.setitem(sys.modules, package, None)
    caches = (models.counter, models.counter_of_model, tokenizers.openai, tokenizers.hugging_face)
    try:
        for cached in caches:
            cached.cache_clear()
        with pytest.raises(MissingExtra, match=rf"pip install 'turnlog\[{extra}\]'"):
            counter(name)
    finally:
        for cached in caches:
            cached.cache_clear()


def test_the_core_loads_no_tokenizer() -> None:
    program = "import sys, turnlog; turnlog.connect('ram:'); print({'quicktok', 'tokenizers', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()", done.stderr


async def test_the_setting_decides_what_a_log_counts_with() -> None:
    message = user("antidisestablishmentarianism, 2 + 2 = 4")
    for name in ("estimate", "cl100k_base"):
        async with connect("ram:", settings=Settings(tokenizer=name)) as log:
            conversation = await log.create(message)
            assert (await conversation.record(1)).tokens == counter(name)(message)


def test_a_tokenizer_that_is_not_there_is_told_when_the_log_is_made() -> None:
    with pytest.raises(InvalidInput, match="tokenizer: cannot read"):
        connect("ram:", settings=Settings(tokenizer="hf:/nowhere/tokenizer.json"))


def test_an_estimate_of_english_is_a_little_above_the_truth() -> None:
    truth = counter("o200k_base")
    for message in JARGON:
        assert truth(message) <= estimate(message) <= 1.5 * truth(message)


@pytest.mark.parametrize(
    "text",
    [
        "Könnten Sie mir bitte sagen, wann der nächste Zug nach München fährt und ob ich umsteigen muss?",
        "Je voudrais réserver une table pour quatre personnes demain soir, près de la fenêtre si possible.",
        "Не могли бы вы сказать мне, когда отправляется следующий поезд и нужно ли мне пересаживаться?",
        "下一班去北京的火车什么时候开,我需要在上海换车吗?请告诉我最便宜的票价。",
        "次の電車はいつ出発しますか。乗り換えは必要ですか。一番安い切符を教えてください。",
        "다음 기차는 언제 출발하나요? 갈아타야 하나요? 가장 싼 표를 알려 주세요.",
        "متى يغادر القطار التالي وهل أحتاج إلى تغيير القطار؟ من فضلك أخبرني.",
        "अगली ट्रेन कब निकलती है और क्या मुझे बदलनी होगी? कृपया मुझे बताइए।",
        '{"id": 12345, "name": "Ada", "tags": ["a", "b"], "price": 12.5, "ok": true}',
        "Great job! 🎉🎉 See you tomorrow 👋",
    ],
)
def test_an_estimate_of_other_scripts_errs_on_the_safe_side(text: str) -> None:
    truth = counter("o200k_base").text(text)
    assert truth <= counter("estimate").text(text) <= 2.2 * truth
    assert counter("claude").text(text) == ceil(CLAUDE_FACTOR * counter("estimate").text(text))


def test_an_estimate_of_code_is_near() -> None:
    text = (
        "def f(items: list[int]) -> int:\n    total = 0\n    for item in items:\n        total += item\n    return total\n"
    )
    assert counter("estimate").text(text) == pytest.approx(counter("o200k_base").text(text), rel=0.15)


@given(st.text(), st.text())
def test_an_estimate_is_at_least_one_a_word_at_most_two_a_byte_and_grows_with_the_text(first: str, second: str) -> None:
    text = counter("estimate").text
    first, second = first.encode(errors="ignore").decode(), second.encode(errors="ignore").decode()
    assert (text(first) == 0) is (first == "")
    assert text(first) <= 1 + 2 * len(first.encode())
    assert text(first + second) >= max(text(first), text(second)) - 1


@pytest.mark.parametrize("name", COUNTERS)
def test_a_picture_by_reference_costs_the_most_that_one_can_cost(name: str) -> None:
    count = counter(name)
    by_url = count(user([Image(url="https://example.com/a.png")]))
    assert by_url >= count(user([Image(data="aGVsbG8h", media_type="image/png")])) > 1000


def test_sound_and_files_cost_by_their_bytes_and_a_file_of_text_by_its_text() -> None:
    count = counter("o200k_base")

    def cost(part: Audio | File) -> int:
        return count(user([part])) - MESSAGE_OVERHEAD

    second = "AAAA" * 1333
    assert cost(Audio(data=second * 60, media_type="audio/mpeg")) == pytest.approx(60 * 32, rel=0.05)
    assert cost(Audio(data=second * 60, media_type="audio/wav")) == pytest.approx(15 * 32, rel=0.05)
    assert cost(Audio(url="https://example.com/a.mp3")) == 60 * 32
    assert cost(File(data="aGVsbG8gd29ybGQ=", media_type="text/plain")) == count.text("hello world")
    page = cost(File(url="https://example.com/a.pdf"))
    assert cost(File(data=second, media_type="application/pdf")) == page
    assert cost(File(data=second * 26, media_type="application/pdf")) == 3 * page


@pytest.mark.parametrize("name", ["gemini-2.5-pro", "models/gemini-2.5-flash", "gpt-40k-of-somebody-else", "o300k_base"])
def test_the_model_of_a_request_may_be_of_any_vendor_but_a_tokenizer_must_be_known(name: str) -> None:
    assert counter_of_model(name).name == "estimate"
    with pytest.raises(InvalidInput, match=f"tokenizer: '{name}' is not known"):
        counter(name)
