"""What is remembered, as a person reads it: an item a line, with the messages that it came from."""

import re
from typing import Any

import msgspec

from turnlog.cli.output import say

_UNSEEN = ("recent_words", "question", "exchange")
"""Parts of a state that only help to understand the next message."""

_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{6}Z$")


def print_fields(fields: dict[str, Any]) -> None:
    """The parts of a state or of what is known, those that are empty left out."""
    for name, value in fields.items():
        if name in _UNSEEN or value in (None, "", [], {}):
            continue
        if not isinstance(value, list):
            say(f"  {name}: {line(value)}")
            continue
        say(f"  {name}:")
        for item in value:
            say(f"  - {line(item)}")


def line(item: Any) -> str:
    """An item in one line: what it says, the rest in parentheses, and its messages in brackets."""
    if isinstance(item, str):
        return _TIME.sub(r"\1", item)
    if not isinstance(item, dict):
        return msgspec.json.encode(item).decode()
    told = {name: value for name, value in item.items() if value not in (None, "", [], {}, False)}
    text, seqs, sources = str(told.pop("text", "")), told.pop("seqs", []), told.pop("sources", [])
    places = [str(seq) for seq in seqs] + [f"{source['conversation_id']} {source['seq']}" for source in sources]
    rest = ", ".join(f"{name} {line(value)}" for name, value in told.items())
    return " ".join(filter(None, [text, f"({rest})" if rest else "", f"[{', '.join(places)}]" if places else ""]))
