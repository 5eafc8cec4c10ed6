"""Messages as clients write them."""

from typing import Any

import pytest

from turnlog import InvalidInput, InvalidJson, Message, Text, ToolCall, ToolResult, codec
from turnlog.message_input import decode_message

CALL = {"id": "k", "type": "function", "function": {"name": "find", "arguments": "not json"}}


def test_text_and_what_was_decoded_from_it_mean_the_same() -> None:
    text = b'{"role":"user","content":"hi","id":"m","created_at":"2026-01-01T00:00:00Z"}'
    fields = {"role": "user", "content": "hi", "id": "m", "created_at": "2026-01-01T00:00:00Z"}
    assert decode_message(text) == decode_message(fields)


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"role": "assistant", "tool_calls": [CALL]}, (ToolCall("k", "find", "not json"),)),
        ({"role": "assistant", "content": "a", "tool_calls": [CALL]}, (Text("a"), ToolCall("k", "find", "not json"))),
        ({"role": "assistant", "content": "a", "tool_calls": []}, "a"),
        ({"role": "tool", "tool_call_id": "k", "content": "r"}, (ToolResult("k", "r"),)),
        (
            {"role": "tool", "tool_call_id": "k", "content": [{"type": "text", "text": "r"}]},
            (ToolResult("k", (Text("r"),)),),
        ),
        ({"role": "tool", "content": [{"type": "tool_result", "call_id": "k", "content": "r"}]}, (ToolResult("k", "r"),)),
    ],
)
def test_chat_habits_become_parts(fields: dict[str, Any], content: Any) -> None:
    assert decode_message(fields).content == content


def test_a_stored_message_comes_in_as_it_went_out() -> None:
    message = Message("user", "hi", name="ana", metadata={"k": [1]}, status="partial", derived=True)
    record = codec.encode(message, tokens=7, limits=codec.Limits())
    assert decode_message(codec.to_json(record)) == message


def test_a_tombstone_comes_in_as_it_went_out() -> None:
    record = codec.tombstone(codec.encode(Message("tool", (ToolResult("k", "r"),)), tokens=7, limits=codec.Limits()))
    assert decode_message(codec.to_json(record)).redacted


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="surprise"):
        decode_message({"role": "user", "content": "hi", "surprise": 1})


@pytest.mark.parametrize("text", [b"", b"{", b'{"role":"\xff"}', b'{"role":"user","content":"hi"} {}'])
def test_what_is_no_json_is_refused_as_such(text: bytes) -> None:
    with pytest.raises(InvalidJson):
        decode_message(text)
