"""What is behind and what failed, as a person asks for it."""

from collections.abc import AsyncIterator, Sequence

import pytest

from support.kinds import ALL
from support.sample_folds import Ids, Watched
from turnlog import ConversationNotFound, InvalidInput, Message, Settings, Turnlog, connect, user
from turnlog.fold import catch_up
from turnlog.store import Key
from turnlog.worker import FoldStatus, Runner, WorkerConfig, status
from turnlog.worker.status import named, retry_failed


async def fail(messages: Sequence[Message]) -> None:
    if messages[0].text == "bad":
        raise ValueError("cannot")


@pytest.fixture
async def log(store_url: str, tenant: str) -> AsyncIterator[Turnlog]:
    async with connect(store_url, settings=Settings(tenant=tenant)) as opened:
        yield opened


@pytest.mark.parametrize("store", ALL)
async def test_it_tells_how_many_are_behind_and_how_far_as_far_as_it_looks(log: Turnlog) -> None:
    for n in range(1, 6):
        await log.create(*(user("a") for _ in range(n)), id=f"c{n}")
    await catch_up(log.store, Key(log.tenant, "c5"), Ids())
    [seen] = await status(log.store, log.tenant, [Ids()])
    assert seen == FoldStatus("ids", 1, behind=4, more=False, messages=10, longest=4, failures=())
    [cut] = await status(log.store, log.tenant, [Ids()], limit=3)
    assert (cut.behind, cut.more) == (3, True)
    [other] = await status(log.store, log.tenant, [Ids(version=2)])
    assert (other.version, other.behind, other.messages) == (2, 5, 15)


@pytest.mark.parametrize("store", ALL)
async def test_failures_are_told_and_retried_alone_or_together(log: Turnlog) -> None:
    fold, other = Watched(fail), Ids(name="other")
    for n in range(3):
        await log.create(user("bad" if n else "good"), id=f"c{n}")
    config = WorkerConfig(pause_s=0, backoff_s=600.0)
    await Runner(log.store, [fold], tenants=[log.tenant], config=config).run(until_idle=True)
    failing, behind = await status(log.store, log.tenant, [fold, other])
    assert (failing.behind, behind.behind, behind.failures) == (2, 3, ())
    told = {failure.conversation_id: (failure.failures, failure.error) for failure in failing.failures}
    assert told == {"c1": (1, "ValueError: cannot"), "c2": (1, "ValueError: cannot")}
    assert await retry_failed(log.store, log.tenant, [fold, other], conversation_id="c1") == [("c1", "ids")]
    assert await retry_failed(log.store, log.tenant, [fold, other], conversation_id="c0") == []
    [failing] = await status(log.store, log.tenant, [fold])
    assert {each.conversation_id: each.retry_at > 0 for each in failing.failures} == {"c1": False, "c2": True}
    assert sorted(await retry_failed(log.store, log.tenant, [fold, other])) == [("c1", "ids"), ("c2", "ids")]
    with pytest.raises(ConversationNotFound):
        await retry_failed(log.store, log.tenant, [fold], conversation_id="nobody")


def test_a_fold_is_found_by_its_name_and_one_that_is_not_kept_is_refused() -> None:
    folds = [Ids(), Ids(name="other")]
    assert named(folds, "other") is folds[1]
    with pytest.raises(InvalidInput, match="fold: must be one of ids, other"):
        named(folds, "moods")
