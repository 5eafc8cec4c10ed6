"""Writers that append through a fault and try again until they are answered, and the rule that their log has to pass.

The rule: every acknowledged message is there exactly once at the seq that was told, batches are whole and contiguous, seqs
have no gap, what was sent after another's acknowledgement stands behind it, nothing is there that nobody sent.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count

from turnlog import Conversation, StoreUnavailable, Turnlog, user

CONVERSATIONS = 8
WRITERS = 16
BATCH = 2
_PAUSE_S = 0.05


@dataclass
class Taken:
    """An append that was acknowledged: when it was first sent, when it was answered, where its messages are."""

    conversation: str
    sent: float
    answered: float
    seqs: dict[str, int]


@dataclass
class Load:
    """What the writers did so far. `slowest_s` is the longest that one call took, however it ended."""

    log: Turnlog
    writers: int = WRITERS
    taken: list[Taken] = field(default_factory=list)
    sent: dict[str, set[str]] = field(default_factory=dict)
    refused: list[tuple[float, StoreUnavailable]] = field(default_factory=list)
    slowest_s: float = 0.0
    _over: bool = False

    async def run(self, meanwhile: Callable[["Load"], Awaitable[None]]) -> None:
        """Append from all writers while `meanwhile` goes on; every append under way is tried until it is answered."""
        for number in range(CONVERSATIONS):
            await self.log.create(id=f"c{number}")
        async with asyncio.TaskGroup() as running:
            for number in range(self.writers):
                running.create_task(self._write(number))
            await meanwhile(self)
            self._over = True

    async def acknowledged(self, more: int, *, within_s: float) -> float:
        """Wait for so many more acknowledgements of appends that are sent from now on; how long the first one took."""
        began = time.monotonic()
        async with asyncio.timeout(within_s):
            while len(fresh := [one.answered for one in self.taken if one.answered > began]) < more:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return min(fresh) - began

    async def _write(self, writer: int) -> None:
        conversation = f"c{writer % CONVERSATIONS}"
        for turn in count():
            if self._over:
                return
            ids = [f"w{writer}.{turn}.{n}" for n in range(BATCH)]
            self.sent.setdefault(conversation, set()).update(ids)
            await self._insist(conversation, ids)

    async def _insist(self, conversation: str, ids: list[str]) -> None:
        messages = [user(f"message {id_}", id=id_) for id_ in ids]
        first = time.monotonic()
        while True:
            began = time.monotonic()
            try:
                done = await self.log.conversation(conversation).append(*messages)
                self.taken.append(Taken(conversation, first, time.monotonic(), dict(zip(ids, done.seqs, strict=True))))
                return
            except StoreUnavailable as error:
                self.refused.append((time.monotonic(), error))
                await asyncio.sleep(_PAUSE_S)
            finally:
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    async def check(self, log: Turnlog) -> int:
        """Hold what `log` shows against the rule; how many messages there are."""
        found = 0
        for number in range(CONVERSATIONS):
            conversation = f"c{number}"
            told = [one for one in self.taken if one.conversation == conversation]
            found += await self._check(log.conversation(conversation), told)
        return found

    async def _check(self, handle: Conversation, told: list[Taken]) -> int:
        kept = [record async for page in handle.pages() for record in page.records]
        assert [record.seq for record in kept] == list(range(1, len(kept) + 1))
        places = {record.id: record.seq for record in kept}
        assert len(places) == len(kept), "a message is there twice"
        assert places.keys() <= self.sent[handle.id], "a message is there that nobody sent"
        for one in told:
            assert {id_: places.get(id_) for id_ in one.seqs} == one.seqs, "an acknowledged message is not where it was"
            first = min(one.seqs.values())
            assert list(one.seqs.values()) == list(range(first, first + BATCH)), "a batch is torn"
        assert {id_ for one in told for id_ in one.seqs} == places.keys(), (
            "an append that was refused for good left messages"
        )
        _assert_real_time(told)
        assert await handle.verify() == []
        return len(kept)


def _assert_real_time(told: list[Taken]) -> None:
    """What was sent after another append's answer stands behind it."""
    moments = sorted([(one.answered, 0, one) for one in told] + [(one.sent, 1, one) for one in told], key=lambda m: m[:2])
    highest = 0
    floor: dict[int, int] = {}
    for _, sending, one in moments:
        if sending:
            floor[id(one)] = highest
        else:
            assert min(one.seqs.values()) > floor[id(one)], (
                "an append stands before one that was answered before it was sent"
            )
            highest = max(highest, *one.seqs.values())
