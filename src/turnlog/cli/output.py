"""What commands print: JSON for programs, text and tables for people."""

import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from turnlog import codec
from turnlog.codec import Record
from turnlog.jsonl import conversation_fields
from turnlog.log.info import ConversationInfo
from turnlog.message import Message, Reasoning, Refusal, Text, ToolCall, ToolResult
from turnlog.store import Header
from turnlog.timestamps import format_moment, format_time

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

_UNSEEN = ("recent_words", "question", "exchange")
"""Parts of a state that only help a fold to understand the next message."""
_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{6}Z$")
_WIDTH_PIPED = 200


def write(text: bytes) -> None:
    """Write bytes to stdout as they are."""
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def write_json(value: Any) -> None:
    """Print one line of JSON."""
    write(msgspec.json.encode(value) + b"\n")


def say(text: str) -> None:
    """Print a line."""
    write(text.encode(errors="replace") + b"\n")


def note(text: str) -> None:
    """Print a line to stderr."""
    sys.stderr.write(f"{text}\n")


def print_headers(headers: Iterable[ConversationInfo]) -> None:
    """Print a table, one conversation a line."""
    print_table(
        ("conversation", "user", "title", "tags", "messages", "tokens", "updated"),
        (
            (
                each.id,
                each.user_id or "",
                each.title or "",
                " ".join(each.tags),
                each.head,
                each.tokens,
                format_moment(each.updated_at)[:19],
            )
            for each in headers
        ),
    )


def print_header(header: Header) -> None:
    """Print the fields of a conversation that hold something, one a line."""
    for name, value in conversation_fields(header).items():
        if value not in (None, [], (), {}, False):
            say(f"{name}: {value if isinstance(value, str | int) else msgspec.json.encode(value).decode()}")


def print_records(records: Iterable[Record]) -> None:
    """Print messages as text, each under a line with its seq, role and time."""
    bold, plain = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    for record in records:
        message = codec.decode(record)
        name = f" {message.name}" if message.name else ""
        say(f"{bold}[{message.seq}] {message.role}{name} {format_time(record.created_at)[:19]}{plain}")
        say(_text(message))


def _text(message: Message) -> str:
    if message.redacted:
        return "(redacted)"
    if isinstance(message.content, str):
        return message.content
    return "\n".join(map(_part, message.content))


def _part(part: Any) -> str:
    match part:
        case Text() | Refusal():
            return part.text
        case ToolCall():
            return f"-> {part.name}({part.arguments}) #{part.id}"
        case ToolResult():
            text = part.content if isinstance(part.content, str) else "\n".join(map(_part, part.content))
            return f"<- #{part.call_id}: {text}"
        case Reasoning():
            return "(reasoning)"
        case _:
            return f"({type(part).__name__.lower()} {part.url or part.media_type})"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table. rich is imported here: no other output of most commands needs it."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console.width = _WIDTH_PIPED
    console.print(table)


def progress(*counts: "ProgressColumn") -> "Progress":
    """A bar on stderr with these columns, shown on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), *counts, TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def print_fields(fields: dict[str, Any]) -> None:
    """Print the parts of a state or of a user's memory, an item a line; empty parts are left out."""
    for name, value in fields.items():
        if name in _UNSEEN or value in (None, "", [], {}):
            continue
        if isinstance(value, dict) and "text" not in value:
            print_fields(value)
            continue
        if not isinstance(value, list):
            say(f"  {name}: {item_line(value)}")
            continue
        say(f"  {name}:")
        _print_items(value, "  ")


def _print_items(items: list[Any], indent: str) -> None:
    """A line for each item, and under it its own items, if it has any."""
    for item in items:
        own = [name for name, value in item.items() if _holds_items(value)] if isinstance(item, dict) else []
        shown = {name: value for name, value in item.items() if name not in own} if own else item
        say(f"{indent}- {item_line(shown)}")
        for name in own:
            _print_items(item[name], f"{indent}  ")


def _holds_items(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) and "text" in item for item in value)


def item_line(item: Any) -> str:
    """An item in one line: its text, the other fields in parentheses, its messages in brackets."""
    if isinstance(item, str):
        return _TIME.sub(r"\1", item)
    if not isinstance(item, dict):
        return msgspec.json.encode(item).decode()
    fields = {name: value for name, value in item.items() if value not in (None, "", [], {}, False)}
    text, seqs, sources = str(fields.pop("text", "")), fields.pop("seqs", []), fields.pop("sources", [])
    messages = [str(seq) for seq in seqs] + [f"{source['conversation_id']} {source['seq']}" for source in sources]
    rest = ", ".join(f"{name} {item_line(_readable(name, value))}" for name, value in fields.items())
    return " ".join(filter(None, [text, f"({rest})" if rest else "", f"[{', '.join(messages)}]" if messages else ""]))


def _readable(name: str, value: Any) -> Any:
    """`value` of a stored state, in which times are microseconds since 1970 UTC."""
    is_time = isinstance(value, int) and (name == "at" or name.endswith("_at") or name in ("valid_from", "valid_to"))
    return format_time(value) if is_time else value


def is_shown(path: str) -> bool:
    """Whether the part of a state at the dotted `path` is shown to people."""
    return not any(part.partition("[")[0] in _UNSEEN for part in path.split("."))
