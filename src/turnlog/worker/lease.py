"""What workers tell each other about one conversation and one fold: who has it, and how it failed.

A note lies in the store as a snapshot beside the fold's own, whose "watermark" counts how often it was written. So it
travels in the same round trip as the state, one of two writers wins, and an erasure takes it away with everything else.
"""

from typing import Any

import msgspec

from turnlog.errors import ConversationNotFound
from turnlog.fold import Fold
from turnlog.fold import snapshots as snapshots_of
from turnlog.store import Key, Snapshot, Store

_LENGTH_MAX = 2000


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """`owner` keeps others off until `until`; the last `failures` steps behind `watermark` failed, and it rests until
    `retry_at`. Times are in microseconds since 1970 UTC.
    """

    owner: str = ""
    until: int = 0
    watermark: int = 0
    failures: int = 0
    error: str = ""
    failed_at: int = 0
    retry_at: int = 0
    written: int = 0

    def failures_at(self, watermark: int) -> int:
        """How often the step behind `watermark` failed: a fold that got on has none."""
        return self.failures if watermark == self.watermark else 0

    def free_at(self, watermark: int, worker: str) -> int:
        """When `worker` may take the step behind `watermark`."""
        leased = 0 if self.owner in ("", worker) else self.until
        # decision 041: a failure counts at its watermark only, so that getting on needs no write to forget it
        return max(leased, self.retry_at if self.failures_at(watermark) else 0)


class Failure(msgspec.Struct, frozen=True):
    """A conversation that a fold does not get on with. Times are in microseconds since 1970 UTC."""

    conversation_id: str
    fold: str
    version: int
    watermark: int
    head: int
    failures: int
    error: str
    failed_at: int
    retry_at: int


def name_of(fold: Fold[Any]) -> tuple[str, int]:
    """Under what name and version the notes about a fold are kept; no fold can have such a name."""
    return f"{fold.name}.note", fold.version


def read_note(snapshot: Snapshot | None) -> Note:
    """The note that a snapshot is; an empty one for what another version of turnlog may have written otherwise."""
    if snapshot is None:
        return Note()
    try:
        return msgspec.structs.replace(_decode(snapshot.state), written=snapshot.watermark)
    except msgspec.MsgspecError:
        return Note(written=snapshot.watermark)


async def load_note(store: Store, key: Key, fold: Fold[Any], *, epoch: int) -> Note:
    """The note that is stored, if it is of this erase epoch."""
    snapshot = await store.load_snapshot(key, *name_of(fold))
    return read_note(snapshot if snapshot and snapshot.epoch == epoch else None)


async def write_note(store: Store, key: Key, fold: Fold[Any], note: Note, *, epoch: int) -> Note:
    """Store a note over the one that it was made from. Raises `SnapshotMoved` when somebody else wrote meanwhile."""
    name, version = name_of(fold)
    # decision 041: it lies in a snapshot: an error may quote what was said, and an erasure has to reach it
    state = _encode(msgspec.structs.replace(note, error=note.error[:_LENGTH_MAX], written=0))
    await store.save_snapshot(key, name, version, Snapshot(note.written + 1, epoch, state), expect_watermark=note.written)
    return msgspec.structs.replace(note, written=note.written + 1)


async def failures(store: Store, tenant: str, fold: Fold[Any], *, limit: int = 1000) -> list[Failure]:
    """The conversations that failed, among the `limit` that are behind and untouched the longest."""
    found = []
    for stale in await store.stale(tenant, fold.name, fold.version, limit=limit):
        try:
            note = await load_note(store, Key(tenant, stale.conversation_id), fold, epoch=stale.epoch)
        except ConversationNotFound:
            continue
        if note.failures_at(stale.watermark):
            found.append(_failure(stale.conversation_id, fold, note, stale.head))
    return found


async def failure(store: Store, key: Key, fold: Fold[Any]) -> Failure | None:
    """How the fold fails on this conversation; None if it does not. Raises `ConversationNotFound`."""
    header, snapshots = await snapshots_of(store, key, [(fold.name, fold.version), name_of(fold)])
    state, noted = (found if found and found.epoch == header.epoch else None for found in snapshots)
    note = read_note(noted)
    if not note.failures_at(state.watermark if state else 0):
        return None
    return _failure(key.conversation_id, fold, note, header.head)


def _failure(conversation_id: str, fold: Fold[Any], note: Note, head: int) -> Failure:
    about = (fold.name, fold.version, note.watermark, head)
    return Failure(conversation_id, *about, note.failures, note.error, note.failed_at, note.retry_at)


async def retry(store: Store, key: Key, fold: Fold[Any]) -> bool:
    """Let a conversation that failed be tried at once; whether it was resting. Raises `SnapshotMoved` in a race."""
    epoch = (await store.get(key)).epoch
    note = await load_note(store, key, fold, epoch=epoch)
    if not note.failures:
        return False
    await write_note(store, key, fold, msgspec.structs.replace(note, retry_at=0), epoch=epoch)
    return True


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Note).decode
