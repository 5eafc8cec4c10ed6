"""What was just asked is not asked again, and nothing outlives its time."""

import asyncio

import pytest

from turnlog.memory.llm.structured import ReplyCache


class Asked:
    """Answers with how often it was asked, when it may."""

    def __init__(self, *, fails: int = 0) -> None:
        self.count = 0
        self.fails = fails
        self.cancelled = 0
        self.may = asyncio.Event()

    async def __call__(self) -> int:
        self.count += 1
        try:
            await self.may.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.count <= self.fails:
            raise ConnectionError
        return self.count


async def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    recent, asked = ReplyCache[int](limit=9, seconds=60), Asked()
    both = asyncio.gather(recent.get("a", asked), recent.get("a", asked))
    await asyncio.sleep(0)
    asked.may.set()
    assert await both == [1, 1]
    assert await recent.get("a", asked) == 1
    assert await recent.get("b", asked) == 2


async def test_an_answer_is_forgotten_in_time() -> None:
    recent, asked = ReplyCache[int](limit=9, seconds=0.01), Asked()
    asked.may.set()
    assert await recent.get("a", asked) == 1
    await asyncio.sleep(0.1)
    assert not recent._tasks
    assert await recent.get("a", asked) == 2


async def test_of_too_many_the_oldest_is_forgotten() -> None:
    recent, asked = ReplyCache[int](limit=2, seconds=60), Asked()
    asked.may.set()
    for key in "abc":
        await recent.get(key, asked)
    assert await recent.get("c", asked) == 3
    assert await recent.get("a", asked) == 4


async def test_a_failure_is_not_kept() -> None:
    recent, asked = ReplyCache[int](limit=9, seconds=60), Asked(fails=1)
    asked.may.set()
    with pytest.raises(ConnectionError):
        await recent.get("a", asked)
    assert await recent.get("a", asked) == 2


async def test_what_nobody_waits_for_is_given_up() -> None:
    recent, asked = ReplyCache[int](limit=9, seconds=60), Asked()
    one, other = (asyncio.create_task(recent.get("a", asked)) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    assert (asked.count, asked.cancelled) == (1, 0)
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
    await asyncio.sleep(0)
    assert asked.cancelled == 1
    asked.may.set()
    assert await recent.get("a", asked) == 2


def test_another_event_loop_asks_anew() -> None:
    recent = ReplyCache[int](limit=9, seconds=60)

    async def once() -> int:
        asked = Asked()
        asked.may.set()
        return await recent.get("a", asked)

    assert [asyncio.run(once()), asyncio.run(once())] == [1, 1]
