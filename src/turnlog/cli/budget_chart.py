"""How a budget is spent, as a bar with a legend, and the table of what is in a context and what is out."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from turnlog.context.explain import Entry
from turnlog.log.assembly import Context

PAINTS = {
    "overhead": ("o", "bright_black"),
    "tools": ("t", "magenta"),
    "pinned": ("!", "red"),
    "profile": ("p", "yellow"),
    "facts": ("f", "bright_yellow"),
    "entities": ("e", "bright_cyan"),
    "summary": ("s", "cyan"),
    "recent": ("r", "green"),
    "changes": ("c", "bright_red"),
    "recalled": ("a", "blue"),
    "time": ("n", "bright_magenta"),
    "free": (".", "bright_black"),
}
"""For each section a letter, and the colour that stands for it where there are colours."""
_DECLARED = ("m", "bright_blue")
"""The same for the sections that folds declare."""
_WIDTH_MIN = 20


class Span(NamedTuple):
    """A part of the bar, `cells` wide."""

    name: str
    tokens: int
    cells: int


def spans(found: Context, width: int) -> list[Span]:
    """The sections and what is free, each as wide as its share; what costs anything is seen, and all fill `width`."""
    costs = [(section.name, section.tokens) for section in found.sections]
    free = found.budget_tokens - found.tokens
    cells = [max(1, tokens * width // found.budget_tokens) for _, tokens in costs]
    left = width - sum(cells)
    if left < 0 or not free:
        cells[cells.index(max(cells))] += left
        left = 0
    told = [Span(name, tokens, size) for (name, tokens), size in zip(costs, cells, strict=True)]
    return [*told, Span("free", free, left)]


def print_account(found: Context, file: TextIO) -> None:
    """The bar, its legend, where the messages of the log are, and the table."""
    console = Console(file=file, highlight=False)
    coloured = console.is_terminal and not console.no_color
    bar = spans(found, max(console.width, _WIDTH_MIN))
    line, legend = Text(no_wrap=True), Text()
    for span in bar:
        letter, colour = PAINTS.get(span.name, _DECLARED)
        mark = letter if not coloured else "░" if span.name == "free" else "█"
        line.append(mark * span.cells, colour)
        legend.append(f"{mark} ", colour)
        legend.append(f"{span.name} {span.tokens} ({span.tokens / found.budget_tokens:.1%})   ")
    console.print(line, overflow="crop", crop=True)
    console.print(legend, soft_wrap=not coloured)
    console.print(_where(found), soft_wrap=True)
    if not console.is_terminal:
        console.width = 200
    console.print(_table(found, coloured))


def _where(found: Context) -> str:
    where = found.coverage
    told = f"{found.tokens} of {found.budget_tokens} tokens; {where.head} messages: the window begins at {where.window_from}"
    told += f", the summary tells of 1 to {where.summary_to}" if where.summary_to else ""
    told += f", {where.omitted} left out ({where.omitted_from} to {where.omitted_to})" if where.omitted else ""
    return f"{told}; {found.shared_tokens} tokens shared with the context before the newest turn"


class Row(NamedTuple):
    """Candidates that follow one another and have one fate."""

    section: str
    first: int
    last: int
    tokens: int
    included: bool
    reason: str


def rows(found: Context) -> Iterator[Row]:
    """The account, with neighbours of one fate in one row, and what was not even read."""
    entries = found.explain
    read = min((entry.seq for entry in entries if entry.section == "recent" and entry.seq), default=found.coverage.head + 1)
    if read > 1 and (found.coverage.omitted or found.coverage.summary_to):
        yield Row("recent", 1, read - 1, 0, False, "older than what was read")
    for _, group in groupby(enumerate(entries), lambda at: _fate(at[0], at[1])):
        run = [entry for _, entry in group]
        tokens = sum(entry.tokens for entry in run)
        yield Row(run[0].section, run[0].seq, run[-1].seq, tokens, run[0].included, run[0].reason or "in the window")


def _fate(at: int, entry: Entry) -> tuple[str, bool, str, int]:
    return entry.section, entry.included, entry.reason, entry.seq - at if entry.seq else -at


def _table(found: Context, coloured: bool) -> Table:
    table = Table("", "section", "messages", "tokens", "why", box=None, pad_edge=False)
    table.columns[3].justify = "right"
    for row in rows(found):
        seqs = "" if not row.first else f"{row.first}" if row.first == row.last else f"{row.first}-{row.last}"
        verdict = "in" if row.included else "out"
        style = ("green" if row.included else "red") if coloured else ""
        cells = (row.section, seqs, str(row.tokens or ""), row.reason)
        table.add_row(Text(verdict, style), *map(escape, cells))
    return table
