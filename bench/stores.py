"""64 writers on 64 conversations of 1,000 messages on every store, beside raw drivers and peers on the same servers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from time import perf_counter, process_time
from typing import NamedTuple

import turnlog
from bench.bare import Bare
from bench.flat import grown
from bench.measure import Goal, Options, Table, median, percentile, ratios, thousands
from bench.peers import remote
from bench.raw import RawPostgres, RawRedis, together
from bench.servers import Servers, servers

WRITERS = 64
LENGTH = 1_000
TEXT = "x" * 200
_BURST = 20
_OURS = "turnlog"

Spent = tuple[int, float, float]
"""Messages, seconds, seconds of CPU."""


class Contestant(NamedTuple):
    """Someone who writes with all writers, and calls once, and over and over, as a lone writer."""

    name: str
    write: Callable[[float], Awaitable[Spent]]
    lone: Callable[[int], Awaitable[list[float]]] | None


class Found(NamedTuple):
    """Of one contestant: messages per second and CPU microseconds of each, by round; milliseconds of a lone writer."""

    rates: list[float]
    costs: list[float]
    lone: list[float]


Result = dict[str, dict[str, Found]]
"""By engine and contestant."""


def run(options: Options) -> Table:
    with servers(options) as places:
        return _table(asyncio.run(_run(options, places)), peers_length=_peers_length(options))


def _peers_length(options: Options) -> int:
    """Messages in each conversation of a peer at first; some take minutes to write a thousand in each."""
    return options.pick(LENGTH, 200)


async def _run(options: Options, places: Servers) -> Result:
    async with AsyncExitStack() as stack:
        fields = {engine: await _field(engine, options, places, stack) for engine in ("ram", "sqlite", "postgres", "redis")}
        found = {engine: {each.name: Found([], [], []) for each in field} for engine, field in fields.items()}
        seconds = 2.0 if not options.quick else 0.7
        for turn in range(-1, options.pick(9, 3)):
            for engine, field in fields.items():
                at = turn % len(field)
                kept = found[engine] if turn >= 0 else None
                await _round(field[at:] + field[:at], seconds if kept else 0.3, kept)
        return found


async def _round(field: list[Contestant], seconds: float, found: dict[str, Found] | None) -> None:
    """A turn of every crowd, then one of every lone writer; without `found`, to warm up."""
    for each in field:
        count, took, cpu = await each.write(seconds)
        if found:
            found[each.name].rates.append(count / took)
            found[each.name].costs.append(cpu / count * 1e6)
    for each in field:
        times = await each.lone(_BURST) if each.lone else []
        if found:
            found[each.name].lone.extend(times)


async def _field(engine: str, options: Options, places: Servers, stack: AsyncExitStack) -> list[Contestant]:
    """The raw driver, the store and the peers on one engine, with their conversations filled."""
    makers = {"ram": None, "sqlite": _raw_sqlite, "postgres": _raw_postgres, "redis": _raw_redis}
    maker = makers[engine]
    field = await maker(places, stack) if maker else []
    field.append(await _store(places.store(engine), stack))
    if options.peers:
        field += [await _peer(peer, options, places, stack) for peer in remote.PEERS if peer.engine == engine]
    return field


async def _store(url: str, stack: AsyncExitStack) -> Contestant:
    log = await stack.enter_async_context(turnlog.connect(url))
    crowd = [await grown(log, f"c{at}", LENGTH) for at in range(WRITERS)]

    def writer(conversation: turnlog.Conversation) -> Callable[[], Awaitable[int]]:
        async def append() -> int:
            await conversation.append(turnlog.user(TEXT))
            return 1

        return append

    writers = [writer(conversation) for conversation in crowd]
    return Contestant(_OURS, _here(lambda seconds: together(writers, seconds)), _alone(writers[0]))


async def _raw_sqlite(places: Servers, stack: AsyncExitStack) -> list[Contestant]:
    bare = Bare(places.path("raw.db"), writers=WRITERS)
    stack.callback(bare.close)
    for _ in range(LENGTH):
        bare.insert_many(TEXT, WRITERS)

    async def one() -> int:
        bare.insert(TEXT)
        return 1

    async def many() -> int:
        bare.insert_many(TEXT, WRITERS)
        return WRITERS

    return [
        Contestant("driver: one insert a commit", _here(lambda seconds: together([one], seconds)), _alone(one)),
        Contestant("driver: 64 inserts a commit", _here(lambda seconds: together([many], seconds)), None),
    ]


async def _raw_postgres(places: Servers, stack: AsyncExitStack) -> list[Contestant]:
    raw = RawPostgres()
    await raw.open(places.place("postgres"), writers=WRITERS, length=LENGTH, text=TEXT)
    stack.push_async_callback(raw.close)
    return [
        Contestant("driver: one row a commit, 16 connections", _here(raw.single_rows), _alone(raw.lone)),
        Contestant("driver: 64 conversations a commit, one connection", _here(raw.turns), _alone(raw.lone_turn)),
        Contestant("driver: 64 rows a commit, one connection", _here(raw.batches), None),
    ]


async def _raw_redis(places: Servers, stack: AsyncExitStack) -> list[Contestant]:
    raw = RawRedis()
    await raw.open(places.place("redis"), writers=WRITERS, length=LENGTH, text=TEXT)
    stack.push_async_callback(raw.close)
    return [
        Contestant("driver: one RPUSH, 64 connections", _here(raw.single_pushes), _alone(raw.lone)),
        Contestant("driver: 64 RPUSH in a pipeline, one connection", _here(raw.pipelines), None),
    ]


async def _peer(peer: remote.Peer, options: Options, places: Servers, stack: AsyncExitStack) -> Contestant:
    program = await stack.enter_async_context(remote.running(peer, places.place(peer.engine), options.scratch))
    names = [f"c{at}" for at in range(WRITERS)]
    await program.fill(names, _peers_length(options))

    async def write(seconds: float) -> Spent:
        return await program.write(names, seconds)

    async def lone(calls: int) -> list[float]:
        return await program.time("append", names[0], calls)

    return Contestant(peer.name, write, lone)


def _here(write: Callable[[float], Awaitable[int]]) -> Callable[[float], Awaitable[Spent]]:
    """What it spends, in this process."""

    async def measured(seconds: float) -> Spent:
        began, cpu = perf_counter(), process_time()
        count = await write(seconds)
        return count, perf_counter() - began, process_time() - cpu

    return measured


def _alone(call: Callable[[], Awaitable[object]]) -> Callable[[int], Awaitable[list[float]]]:
    async def measured(calls: int) -> list[float]:
        found = []
        for _ in range(calls):
            began = perf_counter()
            await call()
            found.append((perf_counter() - began) * 1e3)
        return found

    return measured


def _table(found: Result, *, peers_length: int) -> Table:
    rows = [_row(engine, name, field) for engine, field in found.items() for name in field]
    goals = [*_server_goals("postgres", found, (1.1, 0.35), 8, 400), *_server_goals("redis", found, (1.7,), 2, 200)]
    note = (
        f"Messages of {len(TEXT)} characters, {WRITERS} conversations of {LENGTH:,} messages at first ({peers_length:,} for "
        "peers), one writer each in a closed loop, one process. SQLite `synchronous=FULL`; PostgreSQL `fsync` and "
        "`synchronous_commit` on; Valkey `appendfsync everysec`. All take turns, engine by engine. Times: against the first "
        "line of the engine."
    )
    columns = ("", "messages/s: p50 (p10)", "client CPU µs each: p50 (p10)", "times", "lone writer: p10 / p50 / p99 ms")
    return Table("All stores: 64 writers", note, columns, rows, goals, _samples(found))


def _row(engine: str, name: str, field: dict[str, Found]) -> tuple[str, ...]:
    first, mine = next(iter(field.values())), field[name]
    rate = f"{thousands(median(mine.rates))} ({thousands(percentile(mine.rates, 10))})"
    cost = f"{median(mine.costs):.0f} ({percentile(mine.costs, 10):.0f})"
    lone = " / ".join(f"{percentile(mine.lone, percent):.3f}" for percent in (10, 50, 99)) if mine.lone else ""
    return f"{engine}, {name}", rate, cost, f"{median(ratios(mine.rates, first.rates)):.3g}", lone


def _server_goals(engine: str, found: Result, bounds: Sequence[float], peer_bound: float, cpu_us: float) -> list[Goal]:
    field = found[engine]
    ours = field[_OURS]
    raw = [name for name in field if name.startswith("driver")]
    goals = [
        Goal(f"{engine}: turnlog / {name}", median(ratios(ours.rates, field[name].rates)), bound, at_least=True)
        for name, bound in zip(raw, bounds, strict=False)
    ]
    if peers := _peers(field):
        fastest = max(peers, key=lambda name: median(field[name].rates))
        share = median(ratios(ours.rates, field[fastest].rates))
        goals.append(Goal(f"{engine}: turnlog / fastest peer ({fastest})", share, peer_bound, at_least=True))
    lone = percentile(ours.lone, 10) / percentile(field[raw[0]].lone, 10)
    goals.append(Goal(f"{engine}: lone writer, p10 / driver's p10", lone, 2.0))
    return [*goals, Goal(f"{engine}: client CPU µs an append, p50 of rounds", median(ours.costs), cpu_us)]


def _peers(field: dict[str, Found]) -> list[str]:
    return [name for name in field if name != _OURS and not name.startswith("driver")]


def _samples(found: Result) -> dict[str, list[float]]:
    return {
        f"{engine}, {name}, {what}": values
        for engine, field in found.items()
        for name, each in field.items()
        for what, values in (("messages/s", each.rates), ("CPU µs", each.costs), ("lone ms", each.lone))
    }
