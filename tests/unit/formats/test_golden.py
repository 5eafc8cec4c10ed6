"""Golden files: what each format makes of two conversations, as the vendor takes it.

`golden/NAME.json` is the conversation, `golden/NAME.FORMAT.json` what was looked over by eye.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from support.vendors import CHECKS, check
from turnlog import Message
from turnlog.formats import FORMATS, render
from turnlog.message_input import decode_message

GOLDEN = Path(__file__).parent / "golden"
NAMES = ("agent", "assistant")


def conversation(name: str) -> list[Message]:
    return [decode_message(fields) for fields in json.loads((GOLDEN / f"{name}.json").read_text())]


def golden(name: str, format: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.{format}.json").read_text())
    return found


@pytest.mark.parametrize("format", list(FORMATS))
@pytest.mark.parametrize("name", NAMES)
def test_the_conversation_is_rendered_as_it_was(name: str, format: str) -> None:
    rendered = render(conversation(name), format)
    assert rendered == golden(name, format)
    check(format, rendered)


def test_every_format_has_a_check_of_its_vendor() -> None:
    assert list(CHECKS) == list(FORMATS)


def fields(value: Any) -> list[dict[str, Any]]:
    """Every object in a JSON value except what is free: arguments, responses and a vendor's own reasoning."""
    if isinstance(value, list):
        return [found for item in value for found in fields(item)]
    if not isinstance(value, dict):
        return []
    inner = [found for key, item in value.items() if key not in ("input", "args", "response") for found in fields(item)]
    return [value, *inner]


@pytest.mark.parametrize("format", ["openai", "openai-responses", "anthropic", "gemini"])
@pytest.mark.parametrize("name", NAMES)
def test_the_check_refuses_an_unknown_key_anywhere(name: str, format: str) -> None:
    count = len([found for items in golden(name, format).values() for found in fields(items)])
    assert count > 10
    for place in range(count):
        rendered = golden(name, format)
        [found for items in rendered.values() for found in fields(items)][place]["bogus"] = 1
        with pytest.raises((ValidationError, AssertionError)):
            check(format, rendered)
