"""Append, load of the last 20 messages, and of 20 that a fork shares, at lengths from 10 to a million (law 12)."""

import asyncio
from time import perf_counter

from msgspec.structs import replace

import turnlog
from bench.measure import Goal, Options, Table, median, percentile
from turnlog.codec import Record, checksum, encode
from turnlog.ids import uuid7
from turnlog.store import Key
from turnlog.tokens import estimate
from turnlog.validation import Limits

_BATCH = 1000
CALLS = 10
SHORT = 10
OWN = 100
"""Messages of a fork's own: more than lie between two marks."""


Times = dict[int, list[float]]
"""Milliseconds of single calls, by length."""


def run(options: Options) -> Table:
    return asyncio.run(_run(options))


async def _run(options: Options) -> Table:
    lengths = [SHORT, 1_000, 10_000] if options.quick else [SHORT, 1_000, 100_000, 1_000_000]
    async with turnlog.connect(f"sqlite:///{options.cache}/flat-{lengths[-1]}.db") as log:
        turns = options.pick(100, 20)
        return _table(*await times(log, lengths, turns=turns), await shared_times(log, lengths, turns=turns))


async def shared_times(log: turnlog.Turnlog, lengths: list[int], *, turns: int) -> Times:
    """Loads of what forks share: from the first message on, and around the middle."""
    found: Times = {length: [] for length in lengths}
    forks = {length: await _forked(log, length) for length in lengths}
    for turn in range(turns):
        at = turn % len(lengths)
        for length in lengths[at:] + lengths[:at]:
            for after in (0, length // 2 - 10):
                found[length] += await _time_loads(forks[length], after=max(after, 0))
    return found


async def _forked(log: turnlog.Turnlog, length: int) -> turnlog.Conversation:
    """A fork at the end of a conversation of that length, which may have grown meanwhile."""
    parent = await grown(log, f"of-{length}", length)
    try:
        await log.conversation(f"fork-of-{length}").info()
    except turnlog.ConversationNotFound:
        fork = await parent.fork(at=length, id=f"fork-of-{length}")
        await fork.append(*(turnlog.user("x" * 200) for _ in range(OWN)))
    return log.conversation(f"fork-of-{length}")


async def times(log: turnlog.Turnlog, lengths: list[int], *, turns: int) -> tuple[Times, Times]:
    """Appends and loads at each length, which take turns."""
    appends: Times = {length: [] for length in lengths}
    loads: Times = {length: [] for length in lengths}
    kept = {length: await grown(log, f"of-{length}", length) for length in lengths[1:]}
    for turn in range(turns):
        of = {SHORT: await grown(log, uuid7(), SHORT), **kept}
        at = turn % len(lengths)
        for length in lengths[at:] + lengths[:at]:
            appends[length] += await _time_appends(of[length])
            loads[length] += await _time_loads(of[length])
    return appends, loads


async def grown(log: turnlog.Turnlog, name: str, length: int) -> turnlog.Conversation:
    """The conversation `name`, filled up to `length` messages."""
    conversation = log.conversation(name)
    try:
        head = (await conversation.info()).head
    except turnlog.ConversationNotFound:
        await log.create(id=name)
        head = 0
    message = turnlog.user("x" * 200)
    model = encode(message, tokens=estimate(message), limits=Limits())
    while head < length:
        records = [_copy(model) for _ in range(min(_BATCH, length - head))]
        head = (await log.store.append(Key(log.tenant, name), records, now=log.clock())).head
    return conversation


def _copy(model: Record) -> Record:
    copied = replace(model, id=uuid7())
    return replace(copied, checksum=checksum(copied))


async def _time_appends(conversation: turnlog.Conversation) -> list[float]:
    """Milliseconds of each call; the first one, which finds the head, is not counted at any length."""
    found = []
    for _ in range(CALLS + 1):
        began = perf_counter()
        await conversation.append(turnlog.user("x" * 200))
        found.append((perf_counter() - began) * 1e3)
    return found[1:]


async def _time_loads(conversation: turnlog.Conversation, *, after: int | None = None) -> list[float]:
    """Milliseconds of each load of the last 20 messages, or of those behind `after`."""
    found = []
    for _ in range(CALLS + 1):
        began = perf_counter()
        messages = await conversation.messages(limit=20, after=after or 0, newest=after is None)
        found.append((perf_counter() - began) * 1e3)
        assert len(messages) == 20
    return found[1:]


def _table(appends: Times, loads: Times, shared: Times) -> Table:
    rows = [(f"{length:,}", *map(_times, (appends[length], loads[length], shared[length]))) for length in appends]
    short, long = min(appends), max(appends)
    goals = [
        Goal(f"{what}: p50 at {long:,} / p50 at {short:,}", median(of[long]) / median(of[short]), 1.2)
        for what, of in (("append", appends), ("last 20", loads), ("20 that a fork shares", shared))
    ]
    note = (
        "One file holds them all; the lengths take turns. A load comes after 11 appends, so that the shortest has 20 "
        f"messages to give; it is a new conversation each round and so stays short. Forks have {OWN} messages of their own; "
        "half of the loads of what they share begin at the first message, half in the middle."
    )
    kinds = (("append ms", appends), ("last 20 ms", loads), ("shared 20 ms", shared))
    samples = {f"{what} at {n}": of[n] for what, of in kinds for n in of}
    columns = ("length", *(f"{what}: p50 / p99 ms" for what in ("append", "last 20, decoded", "20 that a fork shares")))
    return Table("SQLite: the cost of length", note, columns, rows, goals, samples)


def _times(values: list[float]) -> str:
    return f"{median(values):.3f} / {percentile(values, 99):.3f}"
