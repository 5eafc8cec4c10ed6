"""Append and load of the last 20 messages at growing lengths: turnlog on the servers, and the peers (law 12)."""

import asyncio

import turnlog
from bench import flat
from bench.flat import CALLS, SHORT, Times
from bench.measure import Goal, Options, Table, median, percentile
from bench.peers import remote
from bench.servers import Servers, servers

_ENGINES = ("postgres", "redis")
Calls = dict[str, tuple[Times, Times]]
"""By system: its appends and its loads."""


def run(options: Options) -> Table:
    with servers(options) as places:
        ours, theirs = asyncio.run(_run(options, places))
    return _table(ours, theirs)


async def _run(options: Options, places: Servers) -> tuple[Calls, Calls]:
    ours, theirs = {}, {}
    lengths = [SHORT, 1_000, options.pick(1_000_000, 100_000)]
    for engine in _ENGINES:
        async with turnlog.connect(places.place(engine)) as log:
            ours[f"{engine}, turnlog"] = await flat.times(log, lengths, turns=options.pick(60, 15))
    lengths = [SHORT, 1_000] if options.quick else [SHORT, 1_000, 5_000]
    for peer in remote.PEERS if options.peers else ():
        async with remote.running(peer, places.place(peer.engine), options.scratch) as program:
            theirs[f"{peer.engine}, {peer.name}"] = await _times(program, lengths, turns=options.pick(5, 2))
    return ours, theirs


async def _times(program: remote.Remote, lengths: list[int], *, turns: int) -> tuple[Times, Times]:
    appends: Times = {length: [] for length in lengths}
    loads: Times = {length: [] for length in lengths}
    for length in lengths[1:]:
        await program.fill([f"of-{length}"], length)
    for turn in range(turns):
        await program.fill([f"of-{SHORT}-{turn}"], SHORT)
        for length in lengths:
            name = f"of-{length}" if length != SHORT else f"of-{SHORT}-{turn}"
            appends[length] += (await program.time("append", name, CALLS + 1))[1:]
            loads[length] += (await program.time("last", name, CALLS + 1))[1:]
    return appends, loads


def _table(ours: Calls, theirs: Calls) -> Table:
    rows: list[tuple[str, ...]] = []
    goals, samples = [], {}
    for system, both in {**ours, **theirs}.items():
        rows.extend((f"{system}: {length:,}", *_cells(both[0], length), *_cells(both[1], length)) for length in both[0])
        for what, of in zip(("append", "last 20"), both, strict=True):
            samples.update({f"{system}, {what} ms at {length}": values for length, values in of.items()})
            if system in ours:
                goals.append(Goal(f"{system}, {what}: p50 at {max(of):,} / p50 at {SHORT}", _ratio(of, max(of), 50), 1.2))
    note = (
        "Lengths take turns. A load comes after 11 appends, so that the shortest has 20 messages to give; it is a new "
        "conversation each round and so stays short. Times: p50 (p10) against the shortest."
    )
    columns = ("messages before", "append: p10 / p50 ms", "times", "last 20, decoded: p10 / p50 ms", "times")
    return Table("The cost of length: servers and peers", note, columns, rows, goals, samples)


def _cells(of: Times, length: int) -> tuple[str, str]:
    growth = f"{_ratio(of, length, 50):.2f} ({_ratio(of, length, 10):.2f})"
    return f"{percentile(of[length], 10):.3f} / {median(of[length]):.3f}", growth


def _ratio(of: Times, length: int, percent: int) -> float:
    return percentile(of[length], percent) / percentile(of[min(of)], percent)
