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
        if isinstance(value, dict) and "text" not in value:
            print_fields(value)
            continue
        if not isinstance(value, list):
            say(f"  {name}: {line(value)}")
            continue
        say(f"  {name}:")
        _print_items(value, "  ")


def _print_items(items: list[Any], indent: str) -> None:
    """A line for each, and under it its own items, if it has any."""
    for item in items:
        own = [name for name, value in item.items() if _holds_items(value)] if isinstance(item, dict) else []
        say(f"{indent}- {line({name: value for name, value in item.items() if name not in own} if own else item)}")
        for name in own:
            _print_items(item[name], f"{indent}  ")


def _holds_items(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) and "text" in item for item in value)


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
