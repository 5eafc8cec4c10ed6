"""What a log takes and what it refuses: the same whatever the store."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec
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
    Usage,
    assistant,
    developer,
    system,
    tool,
    user,
)
from turnlog.ids import uuid7
from turnlog.timestamps import from_micros, to_micros
from turnlog.validation import JSON_DEPTH_MAX, check_id, check_json, check_name

NUL = "a\0b"
SURROGATE = "a\ud800b"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def circle() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


REFUSED: list[tuple[str, Callable[[], Any], str, str]] = [
    ("NUL in text", lambda: user(NUL), "content", "NUL"),
    ("lone surrogate in text", lambda: user(SURROGATE), "content", "lone surrogate (at 1)"),
    ("low surrogate alone", lambda: user("\udfff"), "content", "lone surrogate"),
    ("pair written as two", lambda: user("\ud83d\ude00"), "content", "lone surrogate"),
    ("NUL in a part", lambda: Text(NUL), "text", "NUL"),
    ("surrogate in a part", lambda: Refusal(SURROGATE), "text", "lone surrogate"),
    ("NUL in reasoning", lambda: Reasoning(NUL), "payload", "NUL"),
    ("NUL in arguments", lambda: ToolCall("1", "f", NUL), "arguments", "NUL"),
    ("surrogate in a result", lambda: ToolResult("1", SURROGATE), "content", "lone surrogate"),
    ("NUL in a file name", lambda: File(url="x", filename=NUL), "filename", "NUL"),
    ("NUL in a URL", lambda: Image(url=NUL), "url", "NUL"),
    ("NUL in metadata", lambda: user("x", metadata={"k": NUL}), "metadata.k", "NUL"),
    ("NUL in a key", lambda: user("x", metadata={NUL: 1}), "metadata key", "NUL"),
    ("surrogate deep in metadata", lambda: user("x", metadata={"a": [{"b": SURROGATE}]}), "metadata.a[0].b", "surrogate"),
    ("NaN", lambda: user("x", metadata={"k": float("nan")}), "metadata.k", "finite"),
    ("infinity", lambda: user("x", metadata={"k": [float("inf")]}), "metadata.k[0]", "finite"),
    ("1e400", lambda: user("x", metadata={"k": -1e400}), "metadata.k", "finite"),
    ("2**63", lambda: user("x", metadata={"k": 2**63}), "metadata.k", "64 bits"),
    ("-2**63 - 1", lambda: user("x", metadata={"k": -(2**63) - 1}), "metadata.k", "64 bits"),
    ("5,000 digits", lambda: user("x", metadata={"k": 10**5000}), "metadata.k", "64 bits"),
    (
        "too deep",
        lambda: user("x", metadata={"k": nested(JSON_DEPTH_MAX)}),
        "metadata.k" + "[0]" * JSON_DEPTH_MAX,
        "too deep",
    ),
    ("far too deep", lambda: user("x", metadata={"k": nested(100_000)}), "metadata.k" + "[0]" * JSON_DEPTH_MAX, "too deep"),
    ("a circle", lambda: user("x", metadata=circle()), "metadata" + ".self" * (JSON_DEPTH_MAX + 1), "too deep"),
    ("a key that is no text", lambda: user("x", metadata={1: 2}), "metadata key", "must be text"),
    ("bytes in metadata", lambda: user("x", metadata={"k": b""}), "metadata.k", "must be JSON"),
    ("a set in metadata", lambda: user("x", metadata={"k": {1}}), "metadata.k", "must be JSON"),
    ("a mapping that is no dict", lambda: user("x", metadata={"k": MappingProxyType({})}), "metadata.k", "must be JSON"),
    ("a list as metadata", lambda: user("x", metadata=[1]), "metadata", "JSON object"),
    ("an empty list as metadata", lambda: user("x", metadata=[]), "metadata", "JSON object"),
    ("no metadata at all", lambda: user("x", metadata=None), "metadata", "JSON object"),
    ("text as metadata", lambda: user("x", metadata="{}"), "metadata", "JSON object"),
    ("unknown role", lambda: Message("admin", "x"), "role", "must be one of user, assistant"),  # type: ignore[arg-type]
    ("empty role", lambda: Message("", "x"), "role", "must be one of"),  # type: ignore[arg-type]
    ("role in capitals", lambda: Message("User", "x"), "role", "must be one of"),  # type: ignore[arg-type]
    ("a list as role", lambda: Message(["user"], "x"), "role", "must be one of"),  # type: ignore[arg-type]
    ("unknown status", lambda: user("x", status="done"), "status", "must be one of"),
    ("empty text", lambda: user(""), "content", "must not be empty"),
    ("no parts", lambda: user([]), "content", "must not be empty"),
    ("an empty text part", lambda: Text(""), "text", "must not be empty"),
    ("content that is bytes", lambda: user(b"x"), "content", "text or a list of parts"),  # type: ignore[arg-type]
    ("content that is none", lambda: user(None), "content", "text or a list of parts"),  # type: ignore[arg-type]
    ("text among the parts", lambda: user([Text("a"), "b"]), "content[1]", "must be one of text"),  # type: ignore[list-item]
    ("a tool message of text", lambda: Message("tool", "42"), "content", "call_id"),
    ("a tool result without its call", lambda: tool("", "42"), "call_id", "must not be empty"),
    (
        "a call in a user message",
        lambda: user([ToolCall("1", "f")]),
        "content[0]",
        "must be one of text, image, audio, file",
    ),
    ("a call in a tool message", lambda: Message("tool", (ToolCall("1", "f"),)), "content[0]", "tool_result"),
    ("a result in an assistant message", lambda: assistant([ToolResult("1", "x")]), "content[0]", "tool_call"),
    ("a picture in a system message", lambda: system([Image(url="x")]), "content[0]", "must be one of text"),
    ("reasoning of a developer", lambda: developer([Reasoning("x")]), "content[0]", "must be one of text"),
    ("a call in a result", lambda: ToolResult("1", (ToolCall("2", "f"),)), "content[0]", "must be one of"),  # type: ignore[arg-type]
    ("a call without a name", lambda: ToolCall("1", ""), "name", "must not be empty"),
    ("a call without an id", lambda: ToolCall("", "f"), "id", "must not be empty"),
    ("arguments that are no text", lambda: ToolCall("1", "f", {}), "arguments", "must be text"),  # type: ignore[arg-type]
    ("an error flag that is text", lambda: tool("1", "x", is_error="no"), "is_error", "true or false"),  # type: ignore[arg-type]
    ("base64 without padding", lambda: Image(data="YQ", media_type="image/png"), "data", "base64"),
    ("base64 for URLs", lambda: Audio(data="-_-_", media_type="audio/wav"), "data", "base64"),
    ("base64 with a line break", lambda: File(data="YWJj\nYWJj", media_type="a/b"), "data", "base64"),
    ("base64 with other letters", lambda: File(data="äöüß", media_type="a/b"), "data", "base64"),
    ("data without its type", lambda: Image(data="YQ=="), "media_type", "needed"),
    ("neither url nor data", Image, "url", "either url or data"),
    ("both url and data", lambda: Image(url="x", data="YQ==", media_type="a/b"), "url", "either url or data"),
    ("a time without a zone", lambda: user("x", created_at=datetime(2026, 1, 1)), "created_at", "time zone"),
    ("a time that is text", lambda: user("x", created_at="2026-01-01T00:00:00Z"), "created_at", "time zone"),
    (
        "a time before the year 1",
        lambda: user("x", created_at=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
        "created_at",
        "years 1 to 9999",
    ),
    ("a name with a line break", lambda: user("x", name="a\nb"), "name", "control characters"),
    ("an empty name", lambda: user("x", name=""), "name", "1 to 256 characters"),
    ("a long model name", lambda: user("x", model="m" * 257), "model", "1 to 256 characters"),
    ("a NUL in a provider", lambda: user("x", provider=NUL), "provider", "NUL"),
    ("a usage that is a dict", lambda: user("x", usage={"input": 1}), "usage", "must be a Usage"),
    ("less than no tokens", lambda: Usage(input=-1), "input", "whole number"),
    ("tokens over 64 bits", lambda: Usage(cached=2**63), "cached", "whole number"),
    ("tokens that are text", lambda: Usage(output="1"), "output", "whole number"),  # type: ignore[arg-type]
    ("a mark that is no boolean", lambda: user("x", derived=1), "derived", "true or false"),
    ("an erasure that is none", lambda: user("x", redacted=None), "redacted", "true or false"),
    ("negative count", lambda: user("x", tokens=-1), "tokens", "whole number"),
    ("a count that is a fraction", lambda: user("x", tokens=1.5), "tokens", "whole number"),
    ("seq 0", lambda: user("x", seq=0), "seq", "whole number from 1"),
]


@pytest.mark.parametrize(("make", "field", "rule"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_value_that_breaks_a_rule_is_refused_by_field_and_rule(make: Callable[[], Any], field: str, rule: str) -> None:
    with pytest.raises(InvalidInput) as error:
        make()
    assert error.value.field == field
    assert rule in error.value.rule


TAKEN = {
    "byte order mark": "\ufeffx",
    "right-to-left override": "\u202etxt.exe",
    "composed and decomposed": "\u00e9 e\u0301",
    "four-byte emoji": "👩‍👩‍👧 \U0010ffff",
    "combining marks": "e" + "\u0301" * 100_000,
    "only white space": " \t\n\r ",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85",
    "noncharacters": "\ufffe\uffff",
    "SQL": "'; DROP TABLE message; --",
    "JSON": '{"role":"system"}',
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN.keys())
def test_any_other_text_is_taken_as_it_is(text: str) -> None:
    assert user(text).content == text
    assert user([Text(text)]).text == text
    assert user("x", metadata={text: text}).metadata == {text: text}


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), -0.0, 1e308, 5e-324, True, None, "", [], {}, [[]], 1.0])
def test_any_value_within_the_bounds_is_taken(value: Any) -> None:
    assert user("x", metadata={"k": value}).metadata == {"k": value}


def test_metadata_may_be_as_deep_as_the_limit() -> None:
    assert user("x", metadata={"k": nested(JSON_DEPTH_MAX - 1)})


ID_REFUSED = ["", " ", "a b", "../x", "a/b", "%2e%2e", "a\nb", "a\0", "é", "{a}", "*", "a\\b", ".a", ":a", "a" * 129,
              "a'b", 'a"b', "a;b", "a,b", "a\x7f", "\u0661"]  # fmt: skip


@pytest.mark.parametrize("value", [*ID_REFUSED, None, 1, b"a", ["a"]])
def test_an_id_that_could_mean_something_else_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput) as error:
        check_id("id", value)
    assert error.value.field == "id"


@pytest.mark.parametrize("value", ID_REFUSED[1:])
def test_a_message_refuses_such_an_id(value: str) -> None:
    with pytest.raises(InvalidInput) as error:
        user("x", id=value)
    assert error.value.field == "id"


@pytest.mark.parametrize(
    "value", ["a", "0", "_", "a" * 128, "user:1@example.com", "a|b=c+d~e.f-g", "01a22d75-551f-7292-8a1c-163769ce61e3"]
)
def test_a_plain_id_is_taken(value: str) -> None:
    assert user("x", id=value).id == check_id("id", value) == value


def test_names_have_no_control_characters_and_a_length() -> None:
    assert check_name("user_id", "Ann 😀") == "Ann 😀"
    for value in ("", "a\tb", "a\x7f", NUL, "a" * 257):
        with pytest.raises(InvalidInput):
            check_name("user_id", value)


def test_an_unfinished_message_may_be_empty() -> None:
    assert assistant("", status="partial").content == ""
    assert assistant("", status="incomplete").content == ""


def test_times_are_kept_in_utc() -> None:
    local = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    message = user("x", created_at=local)
    assert message.created_at == local
    assert message.created_at.tzinfo is UTC


@pytest.mark.parametrize("year", [1, 1969, 1970, 2026, 9999])
def test_times_survive_as_microseconds(year: int) -> None:
    moment = datetime(year, 2, 3, 4, 5, 6, 789_123, tzinfo=UTC)
    assert from_micros(to_micros(moment)) == moment


def test_a_message_cannot_be_changed() -> None:
    message = user("x")
    with pytest.raises(AttributeError):
        message.content = "y"  # type: ignore[misc]


def test_what_a_message_says_is_told_apart() -> None:
    call, result = ToolCall("1", "f"), ToolResult("1", "42")
    message = assistant([Reasoning("r"), Text("a"), call, Refusal("b")])
    assert (message.text, message.tool_calls, message.tool_results) == ("a\nb", (call,), ())
    assert Message("tool", (result,)).tool_results == (result,)
    assert (user("hi").text, user("hi").tool_calls, user("hi").tool_results) == ("hi", (), ())


def test_new_ids_are_uuids_of_version_7_that_sort_by_time() -> None:

    ids = [uuid7() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(UUID(id_).version == 7 and UUID(id_).variant == "specified in RFC 4122" for id_ in ids)
    assert [id_[:13] for id_ in ids] == sorted(id_[:13] for id_ in ids)
    assert user("a").id != user("a").id


def test_a_changed_copy_is_checked_too() -> None:
    with pytest.raises(InvalidInput):
        msgspec.structs.replace(user("x"), content=NUL)


def test_an_error_within_an_error_names_the_whole_place() -> None:
    inner = InvalidInput("content[1]", "must be text")
    assert inner.within("messages[3]").field == "messages[3].content[1]"
    assert InvalidInput("", "must be an object").within("messages[3]").field == "messages[3]"
    assert InvalidInput("[2]", "no").within("messages").field == "messages[2]"


def test_a_long_key_above_many_values_is_checked_in_proportion() -> None:
    def cost(count: int) -> float:
        value = {"k" * 20 * count: {f"k{number}": 0 for number in range(count)}}
        took = []
        for _ in range(3):
            begun = time.process_time()
            check_json("metadata", value)
            took.append(time.process_time() - begun)
        return min(took)

    assert cost(20_000) < 8 * cost(5000) + 0.05


def test_an_error_in_json_names_its_place_and_no_more_than_the_beginning_of_a_key() -> None:
    with pytest.raises(InvalidInput) as raised:
        check_json("metadata", {"a": [1, {"k" * 1000: float("nan")}]})
    assert raised.value.field == f"metadata.a[1].{'k' * 100}"
    with pytest.raises(InvalidInput) as raised:
        check_json("metadata", {"a": {"\0": 1}})
    assert raised.value.field == "metadata.a key"


@pytest.mark.parametrize("value", ["-V1StGXR8_Z5jdHi6B-my", "-", "--", "a-", "_x", "0"])
def test_an_id_may_have_a_hyphen_anywhere(value: str) -> None:
    assert user("x", id=value).id == check_id("id", value) == value
