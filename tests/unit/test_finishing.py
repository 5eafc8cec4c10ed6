"""`finished`: what was begun comes to its end, whatever happens to who waits for it."""

import asyncio
import gc

import pytest

from turnlog.shielding import shielded


async def test_the_outcome_is_that_of_the_work() -> None:
    async def work() -> int:
        return 7

    async def failing() -> int:
        raise ValueError("no")

    assert await shielded(work()) == 7
    with pytest.raises(ValueError, match="no"):
        await shielded(failing())


@pytest.mark.parametrize("fails", [False, True], ids=["ends", "fails"])
async def test_work_goes_on_to_its_end_when_its_caller_is_cancelled_again_and_again(fails: bool) -> None:
    steps = []
    going = asyncio.Event()

    async def work() -> None:
        steps.append("begun")
        await going.wait()
        steps.append("done")
        if fails:
            raise ValueError

    task = asyncio.ensure_future(shielded(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert (steps, task.done()) == (["begun"], False)
    going.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["begun", "done"]


async def test_a_time_limit_around_it_ends_when_the_work_does() -> None:
    done = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append(1)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await shielded(work())
    assert done == [1]


async def test_a_failure_leaves_nothing_behind() -> None:
    class Mine(Exception):
        pass

    async def failing() -> None:
        raise Mine

    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            with pytest.raises(Mine):
                await shielded(failing())
        await asyncio.sleep(0)
        assert len([it for it in gc.get_objects() if isinstance(it, Mine)]) <= 1
    finally:
        gc.enable()
