"""A context of 8,000 tokens beside the store's own load of as many messages, at a thousand and at a million (law 12)."""

import asyncio
from contextlib import AsyncExitStack
from time import perf_counter
from typing import NamedTuple

import turnlog
from bench.flat import grown
from bench.measure import Goal, Options, Table, median, percentile
from bench.servers import Servers, servers
from turnlog.store import Key

ENGINES = ("ram", "sqlite", "postgres", "redis")
BUDGET = 8_000
SHORT = 1_000
_CALLS = 10
_FILLING = 100
"""Appends from one compaction to the next and further: so many of 54 tokens are more than low leaves below high."""


class Times(NamedTuple):
    """Milliseconds: of loads, of contexts that move nothing, and of contexts each behind a message more."""

    loads: list[float]
    steady: list[float]
    filling: list[float]


Found = dict[tuple[str, int], Times]
"""By engine and length."""


def run(options: Options) -> Table:
    with servers(options) as places:
        return _table(asyncio.run(_run(options, places)))


async def _run(options: Options, places: Servers) -> Found:
    lengths = [SHORT, options.pick(1_000_000, 100_000)]
    found = {(engine, length): Times([], [], []) for engine in ENGINES for length in lengths}
    async with AsyncExitStack() as stack:
        for engine in ENGINES:
            url = f"sqlite:///{options.cache}/flat-{lengths[-1]}.db" if engine == "sqlite" else places.store(engine)
            log = await stack.enter_async_context(turnlog.connect(url))
            talks = {length: await grown(log, f"context-of-{length}", length) for length in lengths}
            for turn in range(options.pick(60, 15)):
                for length in lengths if turn % 2 else lengths[::-1]:
                    await _round(talks[length], found[engine, length])
            for length in lengths:
                await _fill(talks[length], found[engine, length])
    return found


async def _round(conversation: turnlog.Conversation, times: Times) -> None:
    """Loads and contexts in turn; the first pair warms up, and compacts if there is to be a compaction."""
    store, key = conversation.engine.store, Key(conversation.engine.tenant, conversation.id)
    context = await conversation.context(budget=BUDGET)
    window = context.header.head - context.coverage.window_from + 1
    for _ in range(_CALLS):
        began = perf_counter()
        page = await store.read(key, newest=True, limit=window)
        between = perf_counter()
        context = await conversation.context(budget=BUDGET)
        ended = perf_counter()
        times.loads.append((between - began) * 1e3)
        times.steady.append((ended - between) * 1e3)
        assert len(page.records) == len(context.records) == window
        assert context.compaction is None


async def _fill(conversation: turnlog.Conversation, times: Times) -> None:
    """A context behind each of many messages: some of them compact."""
    for _ in range(_FILLING):
        await conversation.append(turnlog.user("x" * 200))
        began = perf_counter()
        await conversation.context(budget=BUDGET)
        times.filling.append((perf_counter() - began) * 1e3)


def _table(found: Found) -> Table:
    rows: list[tuple[str, ...]] = []
    goals, samples = [], {}
    for (engine, length), times in found.items():
        name = f"{engine}, {length:,}"
        share = median(times.steady) / median(times.loads)
        rows.append((name, _cell(times.loads), _cell(times.steady), f"{share:.2f}", f"{_mean(times.filling):.3f}"))
        goals.append(Goal(f"{name}: context p50 / load p50", share, 3.0))
        samples |= {f"{name}, {what} ms": values for what, values in times._asdict().items()}
    lengths = sorted({length for _, length in found})
    for engine in ENGINES:
        short, long = (median(found[engine, length].steady) for length in lengths)
        goals.append(Goal(f"{engine}: p50 at {lengths[-1]:,} / p50 at {lengths[0]:,}", long / short, 1.2))
    note = (
        f"`context(budget={BUDGET})` through the library, beside `store.read(newest=True)` of as many messages as it shows, "
        "in turn. The mean is that of contexts each behind one more message, compactions among them."
    )
    columns = ("messages", "load: p10 / p50 ms", "context: p10 / p50 ms", "times", "mean with compactions, ms")
    return Table("A context beside a load of its messages", note, columns, rows, goals, samples)


def _cell(values: list[float]) -> str:
    return f"{percentile(values, 10):.3f} / {median(values):.3f}"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
