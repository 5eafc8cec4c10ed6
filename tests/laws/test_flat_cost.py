"""Law 12: what an append and a recent window cost does not grow with the conversation. Counted in work done, not in time."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import apsw
import pytest

from turnlog import Conversation, Turnlog, connect, user

SHORT = 200
LONG = 20_000
GROWTH = 1.05
SAMPLES = 64


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


COUNTERS = {"sqlite": steps_of_sqlite, "ram": calls_of_python}


async def fill(log: Turnlog, id: str, length: int) -> Conversation:
    conversation = await log.create(conversation_id=id)
    for start in range(0, length, 1000):
        await conversation.append(*(user(f"message {n}") for n in range(start, min(start + 1000, length))))
    return conversation


async def costs(store: str, url: str) -> dict[str, dict[int, float]]:
    """What each call costs by the length of the conversation, as a mean: every 64th append keeps a mark."""
    found: dict[str, dict[int, float]] = {"append": {}, "context": {}, "page": {}, "conditional append": {}, "replay": {}}
    with COUNTERS[store]() as count:
        async with connect(url) as log:
            for length in (SHORT, LONG):
                conversation = await fill(log, f"c{length}", length)
                calls: dict[str, Callable[[int], Awaitable[Any]]] = {
                    "context": lambda n, c=conversation: c.context(max_messages=20),
                    "page": lambda n, c=conversation, at=length // 2: c.read(after=at + n, limit=20),
                    "append": lambda n, c=conversation: c.append(user("one more", id=f"a{n}")),
                    "replay": lambda n, c=conversation: c.append(user("one more", id=f"a{n}")),
                    "conditional append": lambda n, c=conversation, at=length + SAMPLES: c.append(
                        user("one more", id=f"b{n}"), expect_head=at + n
                    ),
                }
                for name, call in calls.items():
                    before = count()
                    for n in range(SAMPLES):
                        await call(n)
                    found[name][length] = (count() - before) / SAMPLES
    return found


@pytest.mark.parametrize("store", ["ram", "sqlite"])
def test_law_12_a_long_conversation_costs_no_more_than_a_short_one(store: str, store_url: str) -> None:
    for name, cost in asyncio.run(costs(store, store_url)).items():
        assert cost[SHORT] > 0
        assert cost[LONG] <= cost[SHORT] * GROWTH, f"{name}: {cost}"
