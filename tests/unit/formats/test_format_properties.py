"""What holds for every conversation in every format."""

import msgspec
from hypothesis import given

from support.conversations import conversations
from support.vendors import check
from turnlog import Message
from turnlog.formats import FORMATS, render


@given(messages=conversations())
def test_the_vendor_takes_every_conversation(messages: list[Message]) -> None:
    for each in FORMATS:
        check(each, render(messages, each))


@given(messages=conversations())
def test_a_longer_conversation_begins_as_the_shorter_one_did(messages: list[Message]) -> None:
    for each in FORMATS:
        before = render([], each)
        for end in range(len(messages)):
            now = render(messages[: end + 1], each)
            for field, items in before.items():
                check_grown(items, now[field])
            before = now


def check_grown(before: object, now: object) -> None:
    """Each item is what it was, but the last one may have more in its list of parts."""
    if isinstance(before, str):
        assert str(now).startswith(before)
        return
    if isinstance(before, dict):
        before, now = before["parts"], now["parts"]  # type: ignore[index]
    assert isinstance(before, list) and isinstance(now, list)
    if not before:
        return
    assert now[: len(before) - 1] == before[:-1]
    was, has = before[-1], now[len(before) - 1]
    if was != has:
        field = "parts" if "parts" in was else "content"
        assert was["role"] == has["role"]
        assert has[field][: len(was[field])] == was[field]


@given(messages=conversations())
def test_rendering_is_json_and_the_same_every_time(messages: list[Message]) -> None:
    for each in FORMATS:
        first = msgspec.json.encode(render(messages, each))
        assert first == msgspec.json.encode(render(messages, each))
        first.decode()
