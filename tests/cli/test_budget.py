"""The bar that shows how a budget is spent."""

import io

import pytest
from rich.console import Console

import turnlog
from turnlog.cli.context import print_account, spans


async def seen(budget: int) -> turnlog.Context:
    async with turnlog.connect("ram:") as log:
        talk = await log.create(turnlog.system("Be brief."), *[turnlog.user("words " * 20)] * 5)
        return await talk.context(budget=budget)


@pytest.mark.parametrize("width", [20, 80, 237])
@pytest.mark.parametrize("budget", [8_000, 200, 61, 1_000_000])
async def test_the_segments_fill_the_width_and_what_costs_anything_is_seen(budget: int, width: int) -> None:
    found = await seen(budget)
    bar = spans(found, width)
    assert sum(span.cells for span in bar) == width
    assert sum(span.tokens for span in bar) == budget
    assert [span.name for span in bar if not span.cells] in ([], ["free"])


async def test_a_terminal_gets_colours_and_a_file_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await seen(200)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = io.StringIO()
    print_account(found, plain)
    assert "\x1b" not in plain.getvalue()
    assert len(plain.getvalue().splitlines()[0]) == 40
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    painted = io.StringIO()
    print_account(found, painted)
    assert Console(file=io.StringIO()).is_terminal
    assert "\x1b[32m█" in painted.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    bare = io.StringIO()
    print_account(found, bare)
    assert bare.getvalue().splitlines()[0] == plain.getvalue().splitlines()[0]
