"""Rebuilds the state of a fold from the first message of each conversation, while the old state serves (decision 045).

The new state is computed beside the old one and replaces it, by compare-and-set, when it has seen the whole log. Progress is
stored with the conversation as a snapshot, `<fold>.rebuild`, from which a killed rebuild continues; an erasure drops it like
everything derived. A rebuild of many conversations is a run: finished conversations are marked with the run and skipped when
it continues. Lost or late progress costs repeated work, never a wrong state.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from turnlog.errors import ConversationExists, ConversationNotFound, SnapshotMoved, StoreUnavailable
from turnlog.fold import Fold, Shared, SharedAnew, check_fold, is_readable, look_on, newest, snapshots, stepped, stored
from turnlog.ids import uuid7
from turnlog.memory.defaults import readable
from turnlog.store import Header, Key, Snapshot, Store
from turnlog.worker.diff import Difference, diff

CONCURRENCY = 8
"""How many conversations are rebuilt at once."""

logger = logging.getLogger(__name__)


class Rebuilt(msgspec.Struct, frozen=True):
    """A rebuilt conversation: its state covers the messages up to `watermark`, of which `folded` were folded now.

    `difference` compares it with the state that served before; `earlier` means that the same run had finished it earlier.
    """

    conversation_id: str
    watermark: int
    folded: int = 0
    difference: Difference = Difference()
    earlier: bool = False


class Failed(msgspec.Struct, frozen=True):
    """A conversation that keeps its old state, since the fold raised `error` or the log cannot be read."""

    conversation_id: str
    error: str


class Run(NamedTuple):
    """A rebuild of many conversations; `resumed` means that it was begun earlier and not finished."""

    id: str
    resumed: bool
    key: Key
    written: int


class _Scratch(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far `run` has come: the `state` after `watermark`; or that it is `done`, and the counts of its difference."""

    run: str = ""
    watermark: int = 0
    state: bytes = b""
    done: bool = False
    counts: tuple[int, int, int] = (0, 0, 0)
    written: int = 0


async def rebuild(
    store: Store,
    key: Key,
    fold: Fold[Any],
    *,
    run: str = "",
    dry_run: bool = False,
    step: Callable[[int], None] | None = None,
) -> Rebuilt:
    """Make the state of `fold` anew from the first message on, and put it in the place of the one that serves.

    One that was begun in the same `run` and not finished goes on; in a run with a name, one that was finished is not done
    again. With `dry_run` nothing is stored. `step` is told of each step how many messages it folded. Raises
    `ConversationNotFound`, what the fold raises, `CorruptRecord` and `InvalidInput` as `catch_up` does.
    """
    check_fold(fold)
    work = _Work(store, key, fold, run, dry_run, step)
    while True:
        try:
            return await work.attempt()
        except SnapshotMoved:  # something was erased, or a worker saved meanwhile
            continue


class _Work:
    """A rebuild of one conversation."""

    def __init__(
        self, store: Store, key: Key, fold: Fold[Any], run: str, dry_run: bool, step: Callable[[int], None] | None
    ) -> None:
        self.store = store
        self.key = key
        self.fold = fold
        self.run = run
        self.dry_run = dry_run
        self.step = step
        self.name = f"{fold.name}.rebuild"
        self.folded = 0
        self.scratch: _Scratch | None = None

    async def attempt(self) -> Rebuilt:
        """Continue from the stored progress to the end of the log. Raises `SnapshotMoved` if it must be tried again."""
        epoch = (await self.store.get(self.key)).epoch
        found = _Scratch() if self.dry_run else await self._load(epoch)
        if found.state and not is_readable(self.fold, found.state):
            found = msgspec.structs.replace(found, watermark=0, state=b"")
        if found.done:
            return Rebuilt(self.key.conversation_id, found.watermark, difference=Difference(*found.counts), earlier=True)
        self.scratch = found
        made = Snapshot(found.watermark, epoch, found.state or stored(self.fold, self.fold.initial()))
        changed = None
        while changed is None:
            made, header = await self._to_the_end(made)
            changed = await self._swap(made, header)
        await self._done(made, changed)
        return Rebuilt(self.key.conversation_id, made.watermark, self.folded, changed)

    async def _to_the_end(self, made: Snapshot) -> tuple[Snapshot, Header]:
        """Return the state after all messages, and the header at that moment."""
        while True:
            ahead = await look_on(self.store, self.key, self.fold, made)
            if ahead.since.epoch != made.epoch:
                raise SnapshotMoved(watermark=0, epoch=ahead.since.epoch)
            if ahead.records:
                made = await stepped(self.fold, ahead)
                self._tell(len(ahead.records))
            if not ahead.more:
                return made, ahead.header
            await self._keep(_Scratch(self.run, made.watermark, made.state), made.epoch)

    def _tell(self, messages: int) -> None:
        self.folded += messages
        if self.step is not None:
            self.step(messages)

    async def _swap(self, made: Snapshot, header: Header) -> Difference | None:
        """Put the new state in the old one's place; how they differ, None if the old one has seen more meanwhile."""
        versions = readable([self.fold])
        now, found = await snapshots(self.store, self.key, versions)
        if now.epoch != made.epoch:
            raise SnapshotMoved(watermark=0, epoch=now.epoch)
        serving = newest(versions, found, made.epoch)
        own = found[0] if found[0] and found[0].epoch == made.epoch else None
        # decision 045: a worker saved meanwhile; a state that has seen less must not take its place
        if own is not None and own.watermark > made.watermark:
            return None
        if not self.dry_run and own != made and made.watermark:
            # decision 044: shared before it is stored, so that a crash in between repeats it
            await self._share(header, made)
            watermark = own.watermark if own else 0
            await self.store.save_snapshot(self.key, *versions[0], made, expect_watermark=watermark)
        return diff(next((old.state for old in serving.values()), None), made.state)

    async def _share(self, header: Header, made: Snapshot) -> None:
        if isinstance(self.fold, SharedAnew):
            await self.fold.share_anew(self.store, self.key, header, made)
        elif isinstance(self.fold, Shared):
            await self.fold.share(self.store, self.key, header, made)

    async def _load(self, epoch: int) -> _Scratch:
        """Return the progress of this run; of another run, only the count of its writes."""
        snapshot = await self.store.load_snapshot(self.key, self.name, self.fold.version)
        if snapshot is None or snapshot.epoch != epoch:
            return _Scratch()
        try:
            found = _decode(snapshot.state)
        except msgspec.MsgspecError:  # of another version of turnlog
            found = _Scratch("?")
        found = found if found.run == self.run else _Scratch()
        return msgspec.structs.replace(found, written=snapshot.watermark)

    async def _keep(self, scratch: _Scratch, epoch: int) -> None:
        """Store the progress. If another run writes to the same conversation, this one continues without storing any."""
        if self.dry_run or self.scratch is None:
            return
        written = self.scratch.written
        snapshot = Snapshot(written + 1, epoch, _encode(scratch))
        try:
            await self.store.save_snapshot(self.key, self.name, self.fold.version, snapshot, expect_watermark=written)
        except SnapshotMoved:
            self.scratch = None
        else:
            self.scratch = _Scratch(written=written + 1)

    async def _done(self, made: Snapshot, changed: Difference) -> None:
        """Drop the progress; in a named run, mark this conversation as finished."""
        if self.run:
            counts = changed.added, changed.removed, changed.changed
            await self._keep(_Scratch(self.run, made.watermark, done=True, counts=counts), made.epoch)
        elif self.scratch is not None and self.scratch.written:
            await self._keep(_Scratch(), made.epoch)


async def begin_run(store: Store, tenant: str, fold: Fold[Any], of: str, *, now: int, restart: bool = False) -> Run:
    """The run that rebuilds `fold` for the conversations that `of` describes: the one that was not finished, or with
    `restart` or if there is none a new one. `now` is in microseconds since 1970 UTC.
    """
    key = Key(f"{tenant}!rebuilds", blake2b(of.encode(), digest_size=16).hexdigest())
    while True:
        try:
            found = await store.load_snapshot(key, fold.name, fold.version)
            if found and found.state and not restart:
                return Run(found.state.decode(), True, key, found.watermark)
            run = Run(uuid7(), False, key, found.watermark + 1 if found else 1)
            await _record(store, fold, run, run.id.encode())
            return run
        except ConversationNotFound:
            await _begin(store, key, now)
        except SnapshotMoved:  # somebody began the same
            continue


async def end_run(store: Store, fold: Fold[Any], run: Run) -> None:
    """Mark the run as finished: the same rebuild starts from the beginning next time."""
    try:
        await _record(store, fold, run._replace(written=run.written + 1), b"")
    except SnapshotMoved:  # somebody else has ended it, or begun another
        return


async def rebuild_each(
    store: Store,
    tenant: str,
    fold: Fold[Any],
    ids: AsyncIterator[str],
    *,
    tell: Callable[[Rebuilt | Failed], None],
    run: str = "",
    dry_run: bool = False,
    concurrency: int = CONCURRENCY,
    step: Callable[[int], None] | None = None,
) -> None:
    """`rebuild` the conversations `ids`, some at once, and `tell` what became of each; one that is gone is left out.

    One that fails does not stop the others. Raises `StoreUnavailable`, and what `ids` raises.
    """
    turn = asyncio.Lock()

    async def work() -> None:
        while True:
            # an asynchronous generator cannot be advanced by two tasks at once
            async with turn:
                id_ = await anext(ids, None)
            if id_ is None:
                return
            done = await _one(store, Key(tenant, id_), fold, run, dry_run, step)
            if done is not None:
                tell(done)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _one(
    store: Store, key: Key, fold: Fold[Any], run: str, dry_run: bool, step: Callable[[int], None] | None
) -> Rebuilt | Failed | None:
    try:
        return await rebuild(store, key, fold, run=run, dry_run=dry_run, step=step)
    except ConversationNotFound:
        return None
    except StoreUnavailable:
        raise
    except Exception as error:
        logger.warning("fold %s cannot be rebuilt for %s", fold.name, key.conversation_id)
        return Failed(key.conversation_id, f"{type(error).__name__}: {error}")


async def _begin(store: Store, key: Key, now: int) -> None:
    try:
        await store.create(key.tenant, Header(key.conversation_id, now, now))
    except ConversationExists:
        return


async def _record(store: Store, fold: Fold[Any], run: Run, state: bytes) -> None:
    snapshot = Snapshot(run.written, 0, state)
    await store.save_snapshot(run.key, fold.name, fold.version, snapshot, expect_watermark=run.written - 1)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Scratch).decode
