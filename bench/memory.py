"""Folds: how many messages they take in a second of processor time, and what a busy worker costs appends beside it."""

import asyncio
import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, process_time

import msgspec

import turnlog
from bench.extraction import SENTENCES
from bench.measure import Goal, Options, Table, median, ratios, spread, thousands
from bench.servers import servers
from turnlog.fold import catch_up
from turnlog.jsonl import import_lines
from turnlog.memory.defaults import default_folds
from turnlog.store import Key

ENGINES = ("sqlite", "postgres", "redis")
TENANT = "backlog"
FEW, MANY = 10, 500
"""Other conversations of a user."""
LENGTH = 200
"""Characters of a message."""
_APPENDS = 150
_UNMEASURED = 4


def run(options: Options) -> Table:
    rates = asyncio.run(_rates(options))
    many = asyncio.run(_many(options))
    beside = {}
    with servers(options) as places:
        for engine in ENGINES:
            url = f"sqlite:///{options.scratch}/beside.db" if engine == "sqlite" else places.store(engine)
            beside[engine] = asyncio.run(_beside(options, url))
    return _table(rates, many, beside)


def talks(count: int) -> Iterator[bytes]:
    """Conversations of 40 messages of `LENGTH` characters, the user's and the assistant's in turn, no two alike."""
    texts = [" ".join(pair) for pair in itertools.permutations(SENTENCES, 2)]
    for talk in range(count):
        messages = [
            {
                "role": ("user", "assistant")[turn % 2],
                "content": _exactly(texts[(7 * talk + turn) % len(texts)], f" ({talk}-{turn})"),
            }
            for turn in range(40)
        ]
        yield msgspec.json.encode({"conversation_id": f"talk-{talk}", "messages": messages})


def _exactly(text: str, end: str) -> str:
    return f"{text[: LENGTH - len(end)]}{end}"


async def _rates(options: Options) -> dict[str, float]:
    """Messages a second of processor time, folded from SQLite: by each fold, and by all.

    All messages count, of which every other one is the user's and is read by the rules. The first conversations are not
    measured: a process compiles each rule once, when a text first has its keywords.
    """
    async with turnlog.connect(f"sqlite:///{options.scratch}/rates.db") as log:
        await import_lines(log, talks(options.pick(250, 50)), lambda _: None)
        ids = [header.id for header in (await log.conversations(limit=1000)).data]
        for id_ in ids[:_UNMEASURED]:
            for fold in default_folds():
                await catch_up(log.store, Key(log.tenant, id_), fold)
        spent, count = dict.fromkeys([fold.name for fold in default_folds()], 0.0), 0
        for id_ in ids[_UNMEASURED:]:
            for fold in default_folds():
                began = process_time()
                after = await catch_up(log.store, Key(log.tenant, id_), fold)
                spent[fold.name] += process_time() - began
            count += after.watermark
    rates = {name: count / seconds for name, seconds in spent.items()}
    return rates | {"all of them": count / sum(spent.values())}


async def _many(options: Options) -> dict[int, list[float]]:
    """Milliseconds that it takes to catch up with a conversation whose user has so many others, all of which taught
    something else; side by side, from SQLite.
    """
    async with turnlog.connect(f"sqlite:///{options.scratch}/many.db") as log:
        latest = {}
        for others in (FEW, options.pick(MANY, 100)):
            for talk in range(others + 1):
                latest[others] = conversation = await log.create(*map(turnlog.user, _taught(talk)), user_id=f"user-{others}")
                await conversation.catch_up()
        times: dict[int, list[float]] = {others: [] for others in latest}
        for turn in range(options.pick(40, 10)):
            for others, conversation in latest.items():
                await conversation.append(turnlog.user(f"I love news{turn} of{turn}. I own a{turn} boat{turn}."))
                began = perf_counter()
                await conversation.catch_up()
                times[others].append((perf_counter() - began) * 1e3)
    return times


def _taught(talk: int) -> list[str]:
    """Twelve messages that no other conversation repeats."""
    said = ("I love thing{n} kind{n}.", "I dislike noise{n}.", "I own a boat{n}.", "I met Ada{n} Smith{n} yesterday.")
    return [said[n % len(said)].format(n=f"{talk}x{n}") for n in range(12)]


async def _beside(options: Options, url: str) -> tuple[list[float], list[float]]:
    """Medians of appends in milliseconds, round by round: with the worker idle, and busy."""
    async with turnlog.connect(url, settings=turnlog.Settings(tenant=TENANT)) as log:
        await import_lines(log, talks(options.pick(500, 150)), lambda _: None)
    idle: list[float] = []
    busy: list[float] = []
    async with turnlog.connect(url) as log:
        talk = await log.create()
        with _folder(url) as folder:
            for turn in range(options.pick(20, 6)):
                for working in (True, False) if turn % 2 else (False, True):
                    (busy if working else idle).append(await _appends(talk, folder if working else None))
    return idle, busy


async def _appends(talk: turnlog.Conversation, folder: "subprocess.Popen[str] | None") -> float:
    if folder is not None:
        _tell(folder, "go")
        await asyncio.sleep(0.3)
    times = []
    for _ in range(_APPENDS):
        began = perf_counter()
        await talk.append(turnlog.user("x" * 200))
        times.append((perf_counter() - began) * 1e3)
        await asyncio.sleep(0.002)
    if folder is not None:
        _tell(folder, "stop")
        assert folder.stdout is not None
        assert int(folder.stdout.readline()) > 0, "the worker had nothing to do"
    return median(times)


@contextmanager
def _folder(url: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "bench.folder", url, TENANT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _tell(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _middles(many: dict[int, list[float]]) -> tuple[str, str]:
    few, most = (f"{median(many[others]):.1f}" for others in sorted(many))
    return few, most


def _table(
    rates: dict[str, float], many: dict[int, list[float]], beside: dict[str, tuple[list[float], list[float]]]
) -> Table:
    rows = [(f"fold {name}, messages a CPU second", thousands(rate), "", "") for name, rate in rates.items()]
    goals = []
    samples: dict[str, list[float]] = {}
    for engine, (idle, busy) in beside.items():
        ratio = ratios(busy, idle)
        rows.append((f"append p50 on {engine}, ms", f"{median(idle):.2f}", f"{median(busy):.2f}", spread(ratio)))
        goals.append(Goal(f"append p50 on {engine}, worker busy / idle", median(ratio), 1.3))
        samples |= {f"{engine} idle": idle, f"{engine} busy": busy}
    few, most = sorted(many)
    ratio = ratios(many[most], many[few])
    rows.append((f"catch up beside {few} and {most} conversations of the user, ms", *_middles(many), spread(ratio)))
    goals.append(Goal(f"catch up beside {most} conversations of the user, ms on SQLite", median(many[most]), 40))
    goals.append(Goal(f"catch up beside {most} / beside {few}", median(ratio), 2.0))
    samples |= {f"beside {others}": times for others, times in many.items()}
    goals.append(Goal("knowledge by rules, messages a CPU second", rates["knowledge"], 4000, at_least=True))
    note = (
        f"Folds count all messages, of {LENGTH} characters each, half of them the user's. "
        "The worker is a process of its own, and folds a backlog without a pause; appends are lone ones."
    )
    return Table("Memory", note, ("", "idle", "busy", "busy / idle"), rows, goals, samples)
