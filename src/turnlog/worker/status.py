"""How far the folds are behind their logs, and what they do not get on with."""

from collections.abc import Sequence
from typing import Any

import msgspec

from turnlog.errors import ConversationNotFound, InvalidInput, SnapshotMoved
from turnlog.fold import Fold
from turnlog.store import Key, Store
from turnlog.worker.lease import Failure, failures, retry

LOOKED_AT = 1000
"""Conversations behind that are looked at, for each fold."""


class FoldStatus(msgspec.Struct, frozen=True):
    """How a fold does in a tenant: `behind` conversations, by `messages` together and `longest` at most.

    With `more`, others are behind that were not looked at: those that were touched last. `failures` are of those that were
    looked at.
    """

    fold: str
    version: int
    behind: int
    more: bool
    messages: int
    longest: int
    failures: tuple[Failure, ...]


async def status(store: Store, tenant: str, folds: Sequence[Fold[Any]], *, limit: int = LOOKED_AT) -> list[FoldStatus]:
    """How each of `folds` does, as far as the `limit` conversations that are behind and untouched the longest tell."""
    found = []
    for fold in folds:
        stale = await store.stale(tenant, fold.name, fold.version, limit=limit + 1)
        lags = [each.head - each.watermark for each in stale[:limit]]
        failed = await failures(store, tenant, fold, limit=limit) if stale else []
        about = len(lags), len(stale) > limit, sum(lags), max(lags, default=0)
        found.append(FoldStatus(fold.name, fold.version, *about, tuple(failed)))
    return found


async def retry_failed(
    store: Store, tenant: str, folds: Sequence[Fold[Any]], *, conversation_id: str | None = None, limit: int = LOOKED_AT
) -> list[tuple[str, str]]:
    """Let what failed be tried at once, of one conversation or of all; the ids and folds that had failed.

    Raises `ConversationNotFound` for one that is not there.
    """
    if conversation_id is not None:
        return [(conversation_id, fold.name) for fold in folds if await _retry(store, Key(tenant, conversation_id), fold)]
    return [
        (failed.conversation_id, fold.name)
        for fold in folds
        for failed in await failures(store, tenant, fold, limit=limit)
        if await _retry_listed(store, Key(tenant, failed.conversation_id), fold)
    ]


async def _retry(store: Store, key: Key, fold: Fold[Any]) -> bool:
    try:
        return await retry(store, key, fold)
    except SnapshotMoved:  # a worker has it under its hands
        return False


async def _retry_listed(store: Store, key: Key, fold: Fold[Any]) -> bool:
    try:
        return await _retry(store, key, fold)
    except ConversationNotFound:  # deleted since it was listed
        return False


def named(folds: Sequence[Fold[Any]], name: str) -> Fold[Any]:
    """The fold of this name. Raises `InvalidInput`."""
    for fold in folds:
        if fold.name == name:
            return fold
    raise InvalidInput("fold", f"must be one of {', '.join(fold.name for fold in folds)}")
