"""Notes that workers share about one fold of one conversation: who has leased it, and how it failed.

A note is stored as a snapshot beside the fold's own; its "watermark" counts its writes. It is therefore read in the same
round trip as the state, compare-and-set lets one of two writers win, and an erasure drops it (decision 041).
"""

from typing import Any

import msgspec

from turnlog.errors import ConversationNotFound
from turnlog.fold import Fold
from turnlog.fold import snapshots as snapshots_of
from turnlog.store import Key, Snapshot, Store

_LENGTH_MAX = 2000


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """`owner` holds the lease until `until`. The last `failures` steps after `watermark` failed, and the conversation rests
    until `retry_at`. Times are in microseconds since 1970 UTC.
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
        """Return how often the step after `watermark` failed; 0 if the fold has advanced since."""
        return self.failures if watermark == self.watermark else 0

    def free_at(self, watermark: int, worker: str) -> int:
        """Return when `worker` may take the step after `watermark`."""
        leased = 0 if self.owner in ("", worker) else self.until
        # decision 041: a failure counts at its watermark only, so that getting on needs no write to forget it
        return max(leased, self.retry_at if self.failures_at(watermark) else 0)


class Failure(msgspec.Struct, frozen=True):
    """A conversation on which a fold fails. Times are in microseconds since 1970 UTC."""

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
    """Return the name and version under which notes about a fold are stored; no fold can have such a name."""
    return f"{fold.name}.note", fold.version


def read_note(snapshot: Snapshot | None) -> Note:
    """Return the note in a snapshot, or an empty one if another version of turnlog wrote it."""
    if snapshot is None:
        return Note()
    try:
        return msgspec.structs.replace(_decode(snapshot.state), written=snapshot.watermark)
    except msgspec.MsgspecError:
        return Note(written=snapshot.watermark)


async def load_note(store: Store, key: Key, fold: Fold[Any], *, epoch: int) -> Note:
    """Return the stored note of this erase epoch, or an empty one."""
    snapshot = await store.load_snapshot(key, *name_of(fold))
    return read_note(snapshot if snapshot and snapshot.epoch == epoch else None)


async def write_note(store: Store, key: Key, fold: Fold[Any], note: Note, *, epoch: int) -> Note:
    """Replace the note that `note` was derived from. Raises `SnapshotMoved` if another writer was first."""
    name, version = name_of(fold)
    # decision 041: it lies in a snapshot: an error may quote what was said, and an erasure has to reach it
    state = _encode(msgspec.structs.replace(note, error=note.error[:_LENGTH_MAX], written=0))
    await store.save_snapshot(key, name, version, Snapshot(note.written + 1, epoch, state), expect_watermark=note.written)
    return msgspec.structs.replace(note, written=note.written + 1)


async def failures(store: Store, tenant: str, fold: Fold[Any], *, limit: int = 1000) -> list[Failure]:
    """Return the failed conversations among the `limit` that are behind and untouched the longest."""
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
    """Return how the fold fails on this conversation, or None. Raises `ConversationNotFound`."""
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
    """End the rest of a failed conversation; return whether it had failed. Raises `SnapshotMoved` in a race."""
    epoch = (await store.get(key)).epoch
    note = await load_note(store, key, fold, epoch=epoch)
    if not note.failures:
        return False
    await write_note(store, key, fold, msgspec.structs.replace(note, retry_at=0), epoch=epoch)
    return True


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Note).decode
