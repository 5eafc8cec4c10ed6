"""Runs one fold on one conversation for one turn, as a runner is configured."""

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import Annotated, Any, NamedTuple

import msgspec

from turnlog import fold as folding
from turnlog.errors import ConversationNotFound, CorruptRecord, SnapshotMoved
from turnlog.fold import Ahead, Fold, Leased
from turnlog.store import Key, Snapshot, Store
from turnlog.worker.lease import Note, load_note, name_of, read_note, write_note

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class WorkerConfig(msgspec.Struct, frozen=True):
    """Configures a `Runner`. All times are in seconds."""

    concurrency: Count = 8
    """Conversations that are folded at once."""
    batch: Count = 200
    """Most messages in one step."""
    pause_s: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """How long a conversation must be untouched before it is folded, unless `backlog_min` messages wait."""
    backlog_min: Count = 50
    """How many messages of a busy conversation are folded without waiting for its pause."""
    turn_s: Positive = 1.0
    """How long a turn lasts; the step that runs at its end is finished, then another conversation has its turn."""
    step_s: Positive = 300.0
    """How long a step may take before it counts as failed."""
    poll_s: Positive = 1.0
    """How often the store is asked for conversations that are behind."""
    backoff_s: Positive = 1.0
    """How long a conversation rests after its first failure; twice as long after each further one."""
    backoff_max_s: Positive = 3600.0
    """Longest rest after a failure."""
    stop_s: Positive = 8.0
    """How long running steps may go on after `stop`; then they are cancelled, and another worker repeats them."""
    recheck_s: Positive = 30.0
    """How long a resting conversation is ignored; a retry from another process takes effect within this time."""

    def rest(self, failures: int, random: Random) -> int:
        """Return the rest after so many failures in a row, in microseconds: a random half to all of the doubled time."""
        longest = min(self.backoff_max_s, self.backoff_s * 2.0 ** min(failures - 1, 60))
        return micros(longest * random.uniform(0.5, 1.0))


def micros(seconds: float) -> int:
    """Convert seconds to microseconds."""
    return round(seconds * 1_000_000)


logger = logging.getLogger(__name__)


class StepOutcome(NamedTuple):
    """How many messages were folded, and until when to leave the conversation alone (0: not at all).

    With `pausing` the only reason is that the conversation may not have paused; with `idle` there is nothing to do now; with
    `more` messages are left after the turn.
    """

    folded: int
    rest_until: int = 0
    pausing: bool = False
    idle: bool = False
    more: bool = False


class Job:
    """Folds the new messages of one conversation until its turn ends. Raises `StoreUnavailable`, and nothing else."""

    def __init__(
        self,
        store: Store,
        worker: str,
        config: WorkerConfig,
        clock: Callable[[], int],
        random: Random,
        stopping: Callable[[], bool],
    ) -> None:
        self.store = store
        self.worker = worker
        self.config = config
        self.clock = clock
        self.random = random
        self.stopping = stopping

    async def run(self, key: Key, fold: Fold[Any]) -> StepOutcome:
        """Take a turn, if the conversation has paused and no other worker has leased it."""
        begun = self.clock()
        try:
            ahead = await folding.look(self.store, key, fold, limit=self.config.batch, beside=[name_of(fold)])
            note = read_note(ahead.beside[0])
            free_at = note.free_at(ahead.since.watermark, self.worker)
            if free_at > begun:
                return StepOutcome(0, min(free_at, begun + micros(self.config.recheck_s)))
            if not ahead.records:
                return StepOutcome(0, begun + micros(self.config.poll_s), idle=True)
            paused_at = paused(ahead, begun, self.config)
            if paused_at > begun:
                return StepOutcome(0, paused_at, pausing=True)
            note = await self._lease(key, fold, ahead, note)
            try:
                return await self._work(key, fold, ahead, note, begun)
            # decision 041: a lease that is not given back keeps every other worker off until it ends
            except asyncio.CancelledError:
                await self._release(key, fold, note, ahead.header.epoch)
                raise
        except SnapshotMoved:
            # another worker has this conversation under its hands: let it go on alone
            return StepOutcome(0, self.clock() + micros(self.config.poll_s * self.random.uniform(1.0, 2.0)))
        except ConversationNotFound:
            return StepOutcome(0, self.clock() + micros(self.config.recheck_s), idle=True)
        except CorruptRecord as error:
            return StepOutcome(0, await self._unreadable(key, fold, error))

    async def _lease(self, key: Key, fold: Fold[Any], ahead: Ahead, note: Note) -> Note:
        if not isinstance(fold, Leased):
            return note
        lease = msgspec.structs.replace(note, owner=self.worker, until=self.clock() + micros(fold.lease_s))
        return await write_note(self.store, key, fold, lease, epoch=ahead.header.epoch)

    async def _work(self, key: Key, fold: Fold[Any], ahead: Ahead, note: Note, begun: int) -> StepOutcome:
        folded = 0
        while ahead.records:
            try:
                async with asyncio.timeout(self.config.step_s):
                    ahead, after = await folding.stepped_anew(self.store, key, fold, ahead, limit=self.config.batch)
            except Exception as error:
                return StepOutcome(folded, await self._failed(key, fold, ahead.since, note, error))
            await folding.save(self.store, key, fold, ahead, after)
            folded += len(ahead.records)
            if not ahead.more or self.stopping() or self.clock() >= begun + micros(self.config.turn_s):
                break
            ahead = await folding.look_on(self.store, key, fold, after, limit=self.config.batch)
        await self._release(key, fold, note, ahead.header.epoch)
        return StepOutcome(folded, more=ahead.more)

    async def _release(self, key: Key, fold: Fold[Any], note: Note, epoch: int) -> None:
        if note.owner == self.worker:
            await write_note(self.store, key, fold, Note(written=note.written), epoch=epoch)

    async def _failed(self, key: Key, fold: Fold[Any], since: Snapshot, note: Note, error: Exception) -> int:
        """Write a note of the failure after `since`; return until when to rest."""
        now, count = self.clock(), note.failures_at(since.watermark) + 1
        retry_at = now + self.config.rest(count, self.random)
        told = f"{type(error).__name__}: {error}"
        logger.warning("fold %s failed %d times behind seq %d of %s", fold.name, count, since.watermark, key.conversation_id)
        failed = Note("", 0, since.watermark, count, told, now, retry_at, note.written)
        await write_note(self.store, key, fold, failed, epoch=since.epoch)
        return min(retry_at, now + micros(self.config.recheck_s))

    async def _unreadable(self, key: Key, fold: Fold[Any], error: CorruptRecord) -> int:
        """As `_failed`, for a log that could not be read."""
        try:
            epoch = (await self.store.get(key)).epoch
            note = await load_note(self.store, key, fold, epoch=epoch)
            state = await self.store.load_snapshot(key, fold.name, fold.version)
            since = state if state and state.epoch == epoch else Snapshot(0, epoch, b"")
            now, free_at = self.clock(), note.free_at(since.watermark, self.worker)
            if free_at > now:
                return min(free_at, now + micros(self.config.recheck_s))
            return await self._failed(key, fold, since, note, error)
        except (SnapshotMoved, ConversationNotFound):
            return self.clock() + micros(self.config.recheck_s)


def paused(ahead: Ahead, now: int, config: WorkerConfig) -> int:
    """Return when the conversation will have paused if nobody touches it; 0 if enough messages wait to fold it anyway.

    A last touch further in the future than a pause comes from a wrong clock and is ignored (decision 041).
    """
    pause, touched_at = micros(config.pause_s), ahead.header.updated_at
    enough = ahead.header.head - ahead.since.watermark >= config.backlog_min
    return 0 if enough or touched_at > now + pause else touched_at + pause
