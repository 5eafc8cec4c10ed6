"""What commands print: JSON for programs, tables and text for people."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from turnlog import codec
from turnlog.codec import Record
from turnlog.log.info import ConversationInfo
from turnlog.message import Message, Reasoning, Refusal, Text, ToolCall, ToolResult
from turnlog.store import Finding, Header
from turnlog.timestamps import format_moment, format_time


def write(text: bytes) -> None:
    """Put bytes on stdout as they are."""
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def write_json(value: Any) -> None:
    """Print one line of JSON."""
    write(msgspec.json.encode(value) + b"\n")


def say(text: str) -> None:
    """Print a line."""
    _console().print(text, markup=False, highlight=False, soft_wrap=True)


def header_fields(header: Header | ConversationInfo) -> dict[str, Any]:
    """A header as JSON shows it: the names and times of the HTTP service."""
    info = ConversationInfo.of(header) if isinstance(header, Header) else header
    fields: dict[str, Any] = msgspec.to_builtins(info)
    times = {name: format_moment(getattr(info, name)) for name in ("created_at", "updated_at")}
    return {"conversation_id": fields.pop("id")} | fields | times


def raw(text: bytes) -> msgspec.Raw:
    """JSON text to be put into other JSON as it is."""
    return msgspec.Raw(text)


def print_headers(headers: Iterable[ConversationInfo]) -> None:
    """A table, one conversation a line."""
    table = _table("conversation", "user", "title", "tags", "messages", "updated")
    for header in headers:
        cells = (header.id, header.user_id or "", header.title or "", " ".join(header.tags), str(header.head))
        table.add_row(*map(escape, cells), format_moment(header.updated_at)[:19])
    _print_table(table)


def print_findings(findings: Sequence[Finding]) -> None:
    """A table, one finding a line."""
    table = _table("", "what", "value", "meaning")
    for finding in findings:
        table.add_row(*map(escape, (finding.verdict, finding.name, finding.value, finding.meaning)))
    _print_table(table)


def print_header(header: Header) -> None:
    """What is known of a conversation, a field a line."""
    for name, value in header_fields(header).items():
        if value not in (None, [], {}):
            say(f"{name}: {value if isinstance(value, str | int) else msgspec.json.encode(value).decode()}")


def print_records(records: Iterable[Record]) -> None:
    """Messages as text, each under a line with its seq, role and time."""
    console = _console()
    for record in records:
        message = codec.decode(record)
        name = f" {message.name}" if message.name else ""
        head = f"[{message.seq}] {message.role}{name} {format_time(record.created_at)[:19]}"
        console.print(head, style="bold", markup=False, highlight=False, soft_wrap=True)
        console.print(_words(message), markup=False, highlight=False, soft_wrap=True)


def _words(message: Message) -> str:
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
            words = part.content if isinstance(part.content, str) else "\n".join(map(_part, part.content))
            return f"<- #{part.call_id}: {words}"
        case Reasoning():
            return "(reasoning)"
        case _:
            return f"({type(part).__name__.lower()} {part.url or part.media_type})"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table of whatever."""
    table = _table(*columns)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    _print_table(table)


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False)


def _print_table(table: Table) -> None:
    console = _console()
    if not console.is_terminal:
        console.width = 200
    console.print(table)


def _console() -> Console:
    return Console(file=sys.stdout)
