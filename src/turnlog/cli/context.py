"""`turnlog context`: what the next model call is to see, and why, with a bar that shows how the budget is spent."""

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple, TextIO

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from turnlog import codec
from turnlog.cli.options import CONVERSATION_ID, command, on_tenant, run
from turnlog.cli.output import print_records, say, write, write_json
from turnlog.context.result import Entry
from turnlog.log.assembly import Context
from turnlog.log.turnlog import Turnlog
from turnlog.memory.user.as_json import digest_fields

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


Policy = dict[str, Any]


def _policy(ctx: click.Context, param: click.Parameter, text: str | None) -> Policy | None:
    """The policy in an option: a preset's name, or a JSON object."""
    if text is None:
        return None
    if not text.lstrip().startswith("{"):
        return {"preset": text}
    try:
        return msgspec.json.decode(text, type=Policy)
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"must be a preset's name or a JSON object: {error}") from None


@command("context")
@CONVERSATION_ID
@click.option("--budget", type=click.IntRange(min=1), show_default="8000", help="Budget of the context, in tokens.")
@click.option("--model", help="Count tokens as this model does.")
@click.option("--format", "form", help="Print the arguments of an SDK: openai, openai-responses, anthropic, gemini, plain.")
@click.option("--policy", metavar="NAME|JSON", callback=_policy, help="A preset, or fields of the policy as JSON.")
@click.option("--max-messages", type=click.IntRange(min=1), help="Most messages in the window.")
@click.option("--explain", is_flag=True, help="Show what is included, what is left out, and why.")
@on_tenant
def context(
    conversation_id: str,
    budget: int | None,
    model: str | None,
    form: str | None,
    policy: Policy | None,
    max_messages: int | None,
    explain: bool,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Show the context for the next model call."""

    async def work(log: Turnlog) -> tuple[Context, dict[str, Any] | None]:
        found = await log.conversation(conversation_id).context(
            budget=budget, model=model, format=form or "openai", policy=policy, max_messages=max_messages
        )
        return found, found.render(form) if form else None

    found, rendered = run(work, store, tenant, as_json)
    if as_json:
        write_json(_fields(found, rendered, explain))
    elif rendered is not None:
        write(msgspec.json.format(msgspec.json.encode(rendered)) + b"\n")
        if explain:
            _explain(found, sys.stderr)
    elif explain:
        _explain(found, sys.stdout)
    else:
        print_records(found.records)
        say(_summary(found))


def _explain(found: Context, file: TextIO) -> None:
    from turnlog.cli.context import print_account  # which imports rich

    print_account(found, file)


def _summary(found: Context) -> str:
    return (
        f"{len(found.records)} messages, {found.tokens} of {found.budget_tokens} tokens; {found.omitted} messages left out"
    )


def _fields(found: Context, rendered: dict[str, Any] | None, explain: bool) -> dict[str, Any]:
    """A context as JSON shows it: the names of the HTTP service."""
    fields: dict[str, Any] = {
        "messages": [msgspec.Raw(codec.said(record)) for record in found.records],
        "memory": digest_fields(found.known),
        "tokens": found.tokens,
        "budget": found.budget_tokens,
        "sections": found.sections,
        "coverage": found.coverage,
        "prefix_hash": found.prefix_hash,
        "shared_tokens": found.shared_tokens,
    }
    if rendered is not None:
        fields["rendered"] = rendered
    if explain:
        fields["explain"] = found.explain
    return fields
