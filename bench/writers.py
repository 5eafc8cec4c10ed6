"""64 writers on 64 conversations through the library, beside bare loops of the driver on the same disk."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time

import turnlog
from bench.bare import Bare
from bench.measure import Goal, Options, Table, median, percentile, ratios, spread, thousands

WRITERS = 64
MANY = 150
"""Conversations that a lone writer appends to in turn."""
TEXT = "x" * 200
_BURST = 25

Contest = Callable[[float], Awaitable[int]]


def run(options: Options) -> Table:
    return asyncio.run(_run(options))


async def _run(options: Options) -> Table:
    bare = Bare(options.scratch / "bare.db", writers=WRITERS)
    async with turnlog.connect(f"sqlite:///{options.scratch}/ours.db") as log:
        crowd = [await log.create() for _ in range(WRITERS)]
        contests: dict[str, Contest] = {
            "bare, one insert a commit": lambda seconds: _bare(bare, seconds, rows=1),
            "turnlog, 64 writers": lambda seconds: _ours(crowd, seconds),
            "bare, 64 inserts a commit": lambda seconds: _bare(bare, seconds, rows=WRITERS),
        }
        rates, costs = await _rounds(contests, rounds=options.pick(15, 5), seconds=2.0 if not options.quick else 0.7)
        rounds = options.pick(40, 8)
        lone = await _lone(bare, crowd[0], rounds=rounds)
        many = await _over_many(log, rounds=rounds)
    bare.close()
    return _table(rates, costs, lone, many)


async def _rounds(
    contests: dict[str, Contest], *, rounds: int, seconds: float
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Rates per second and CPU microseconds per message; each round begins with another contest."""
    names = list(contests)
    rates: dict[str, list[float]] = {name: [] for name in names}
    costs: dict[str, list[float]] = {name: [] for name in names}
    for contest in contests.values():
        await contest(0.2)
    for turn in range(rounds):
        for name in names[turn % 3 :] + names[: turn % 3]:
            began, cpu = perf_counter(), process_time()
            count = await contests[name](seconds)
            rates[name].append(count / (perf_counter() - began))
            costs[name].append((process_time() - cpu) / count * 1e6)
    return rates, costs


async def _bare(bare: Bare, seconds: float, *, rows: int) -> int:
    count, until = 0, perf_counter() + seconds
    while perf_counter() < until:
        if rows == 1:
            bare.insert(TEXT)
        else:
            bare.insert_many(TEXT, rows)
        count += rows
    return count


async def _ours(crowd: list[turnlog.Conversation], seconds: float) -> int:
    until = perf_counter() + seconds

    async def write(conversation: turnlog.Conversation) -> int:
        count = 0
        while perf_counter() < until:
            await conversation.append(turnlog.user(TEXT))
            count += 1
        return count

    return sum(await asyncio.gather(*map(write, crowd)))


async def _lone(bare: Bare, conversation: turnlog.Conversation, *, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of single calls, in alternating bursts."""
    found: dict[str, list[float]] = {"bare": [], "turnlog": []}
    for _ in range(rounds):
        for _ in range(_BURST):
            began = perf_counter()
            bare.insert(TEXT)
            found["bare"].append((perf_counter() - began) * 1e3)
        for _ in range(_BURST):
            began = perf_counter()
            await conversation.append(turnlog.user(TEXT))
            found["turnlog"].append((perf_counter() - began) * 1e3)
    return found


async def _over_many(log: turnlog.Turnlog, *, rounds: int) -> dict[str, list[float]]:
    """Processor time of lone appends, in microseconds: to one conversation, and to each of many in turn, in bursts that take
    turns. Waiting for the disk is no part of it.
    """
    one, many = [await log.create()], [await log.create() for _ in range(MANY)]
    found: dict[str, list[float]] = {"one conversation": [], f"{MANY} conversations": []}
    for turn in range(rounds + 1):
        for name, conversations in zip(found, (one * MANY, many), strict=True):
            began = process_time()
            for conversation in conversations:
                await conversation.append(turnlog.user(TEXT))
            if turn:
                found[name].append((process_time() - began) / MANY * 1e6)
    return found


def _table(
    rates: dict[str, list[float]], costs: dict[str, list[float]], lone: dict[str, list[float]], turns: dict[str, list[float]]
) -> Table:
    single, ours, many = rates
    times = ratios(rates[ours], rates[single])
    rows: list[tuple[str, ...]] = [
        (name, thousands(median(rates[name])), f"{median(costs[name]):.1f}", spread(ratios(rates[name], rates[single])))
        for name in rates
    ]
    for name, values in lone.items():
        rows.append((f"lone writer, {name}: p50 / p99 ms", f"{median(values):.3f} / {percentile(values, 99):.3f}", "", ""))
    for name, values in turns.items():
        rows.append((f"lone appends to {name} in turn", "", f"{median(values):.1f}", ""))
    note = (
        f"Messages of {len(TEXT)} bytes, {WRITERS} conversations, `synchronous=FULL`, {len(times)} interleaved rounds. "
        f"turnlog is at {median(ratios(rates[ours], rates[many])):.2f} of the far limit, the loop of {WRITERS} a commit."
    )
    one, each = turns.values()
    goals = [
        Goal("64 writers / bare single inserts, median of rounds", median(times), 3.0, at_least=True),
        Goal(f"lone appends: CPU over {MANY} conversations / CPU on one", median(ratios(each, one)), 1.25),
    ]
    samples = {
        **rates,
        **{f"CPU µs: lone, {name}": values for name, values in turns.items()},
        **{f"CPU µs: {name}": values for name, values in costs.items()},
        "ratio by round": times,
    }
    columns = ("", "messages/s", "CPU µs each", "times the single inserts: median (range)")
    return Table("SQLite: 64 writers", note, columns, rows, goals, samples)
