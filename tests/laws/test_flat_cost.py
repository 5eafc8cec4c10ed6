"""Law 12: what an append and a recent window cost does not grow with the conversation.

In this process it is counted in work done; on a server in processor time, of which the best of several rounds is taken.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import apsw
import pytest

from support.postgres import USER, PostgresServer
from support.valkey import ValkeyServer
from turnlog import Conversation, Settings, Turnlog, connect, user

SHORT = 200
LONG = 20_000
BUDGET = 1000
"""Less than the short conversation has, so that the first context reads as much of either."""
SAMPLES = 64
OWN = 200
"""Messages of a fork's own."""
ROUNDS = {"ram": 1, "sqlite": 1, "postgres": 4, "valkey": 4}
GROWTH = {"ram": 1.05, "sqlite": 1.05, "postgres": 6.0, "valkey": 6.0}
"""Processor time triples on a busy machine; a cost that grew with the length would show as a hundredfold."""


class Steps:
    """Counts the steps of SQLite's machine on every connection that is opened."""

    def __init__(self) -> None:
        self.done = 0
        self._last: dict[int, tuple[int, int]] = {}

    def watch(self, connection: apsw.Connection) -> None:
        connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, self._count)

    def _count(self, event: dict[str, Any]) -> None:
        """A statement's count goes on from run to run, and begins anew when another takes its place."""
        steps, runs = (event["stmt_status"][f"SQLITE_STMTSTATUS_{name}"] for name in ("VM_STEP", "RUN"))
        last_steps, last_runs = self._last.get(event["id"], (0, 0))
        self.done += steps - last_steps if runs > last_runs else steps
        self._last[event["id"]] = steps, runs


class Calls:
    """Counts the calls of Python functions in this thread."""

    done = 0

    def count(self, frame: FrameType, event: str, argument: object) -> None:
        self.done += event in ("call", "c_call")


@contextmanager
def steps_of_sqlite() -> Iterator[Callable[[], int]]:
    steps = Steps()
    apsw.connection_hooks.append(steps.watch)
    try:
        yield lambda: steps.done
    finally:
        apsw.connection_hooks.remove(steps.watch)


@contextmanager
def calls_of_python() -> Iterator[Callable[[], int]]:
    calls = Calls()
    sys.setprofile(calls.count)
    try:
        yield lambda: calls.done
    finally:
        sys.setprofile(None)


def busy_ns(pid: int) -> int:
    """The processor time that a process's first thread has had."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])


@contextmanager
def time_of_valkey(server: ValkeyServer) -> Iterator[Callable[[], int]]:
    yield lambda: busy_ns(server.pid)


@contextmanager
def time_of_postgres(server: PostgresServer) -> Iterator[Callable[[], int]]:
    """Of the sessions; they stay as long as the store is open."""

    def count() -> int:
        spent = 0
        for child in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split():
            with suppress(FileNotFoundError, ProcessLookupError):  # others, of autovacuum, come and go
                spent += busy_ns(int(child)) if USER in Path(f"/proc/{child}/cmdline").read_text() else 0
        return spent

    yield count


async def fill(log: Turnlog, id: str, length: int) -> Conversation:
    conversation = await log.create(id=id)
    for start in range(0, length, 1000):
        await conversation.append(*(user(f"message {n}") for n in range(start, min(start + 1000, length))))
    return conversation


async def branch(conversation: Conversation, length: int) -> Conversation:
    """A fork at the end, with more messages of its own than lie between two marks."""
    fork = await conversation.fork(at=length, id=f"f{length}")
    await fork.append(*(user(f"own {n}") for n in range(OWN)))
    return fork


def calls_on(
    conversation: Conversation, fork: Conversation, length: int, samples: int
) -> dict[str, Callable[[int], Awaitable[Any]]]:
    """What is to be measured on a conversation of that length and a fork of it, in this order, each `samples` times."""
    store, key = fork.engine.store, fork.key
    return {
        "page that a fork shares": lambda n: fork.read(after=length // 2 + n % SAMPLES, limit=20),
        "first page of a fork": lambda n: fork.read(limit=20),
        "context of a fork": lambda n: fork.context(budget=BUDGET, max_messages=20),
        "end of a fork, with a pinned message": lambda n: store.recent(key, tokens=99, limit=9, pinned=[1 + n % SAMPLES]),
        "append to a fork": lambda n: fork.append(user("one more", id=f"a{n}")),
        "replay on a fork": lambda n: fork.append(user("one more", id=f"a{n}")),
        "context": lambda n: conversation.context(budget=BUDGET, max_messages=20),
        "page": lambda n: conversation.read(after=length // 2 + n % SAMPLES, limit=20),
        "append": lambda n: conversation.append(user("one more", id=f"a{n}")),
        "replay": lambda n: conversation.append(user("one more", id=f"a{n}")),
        "conditional append": lambda n: conversation.append(user("one more", id=f"b{n}"), expect_head=length + samples + n),
    }


async def costs(log: Turnlog, count: Callable[[], int], rounds: int) -> dict[str, dict[int, float]]:
    """What each call costs by the length of the conversation, as a mean: every 64th append keeps a mark."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for length in (SHORT, LONG):
        conversation = await fill(log, f"c{length}", length)
        fork = await branch(conversation, length)
        for name, call in calls_on(conversation, fork, length, rounds * SAMPLES).items():
            spent = []
            for first in range(0, rounds * SAMPLES, SAMPLES):
                before = count()
                for n in range(first, first + SAMPLES):
                    await call(n)
                spent.append((count() - before) / SAMPLES)
            found[name][length] = min(spent)
    return found


def compare(store: str, url: str, tenant: str, counting: AbstractContextManager[Callable[[], int]]) -> None:
    async def measure() -> dict[str, dict[int, float]]:
        with counting as count:
            async with connect(url, settings=Settings(tenant=tenant)) as log:
                return await costs(log, count, ROUNDS[store])

    for name, cost in asyncio.run(measure()).items():
        assert cost[SHORT] > 0
        assert cost[LONG] <= cost[SHORT] * GROWTH[store], f"{name}: {cost}"


@pytest.mark.parametrize(("store", "counting"), [("ram", calls_of_python), ("sqlite", steps_of_sqlite)])
def test_law_12_a_long_conversation_costs_no_more_than_a_short_one(
    store: str, store_url: str, tenant: str, counting: Callable[[], AbstractContextManager[Callable[[], int]]]
) -> None:
    compare(store, store_url, tenant, counting())


def test_law_12_on_postgresql(postgres_server: PostgresServer, tenant: str) -> None:
    compare("postgres", postgres_server.url(), tenant, time_of_postgres(postgres_server))


def test_law_12_on_valkey(valkey_server: ValkeyServer, tenant: str) -> None:
    compare("valkey", valkey_server.url, tenant, time_of_valkey(valkey_server))
