"""Reports how far folds are behind their logs, and on which conversations they fail."""

from collections.abc import Sequence
from typing import Any

import msgspec

from turnlog.errors import ConversationNotFound, InvalidInput, SnapshotMoved
from turnlog.fold import Fold
from turnlog.store import Key, Store
from turnlog.worker.lease import Failure, failures, retry

LOOKED_AT = 1000
"""Conversations that are examined for each fold."""


class FoldStatus(msgspec.Struct, frozen=True):
    """The lag of a fold in a tenant: `behind` conversations, `messages` in total, `longest` in one conversation.

    With `more`, conversations that were touched later are behind, too, and were not examined; `failures` do not cover them.
    """

    fold: str
    version: int
    behind: int
    more: bool
    messages: int
    longest: int
    failures: tuple[Failure, ...]


async def status(store: Store, tenant: str, folds: Sequence[Fold[Any]], *, limit: int = LOOKED_AT) -> list[FoldStatus]:
    """Return the lag of each fold, from the `limit` conversations that are behind and untouched the longest."""
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
    """End the rest of failed conversations, of one or of all; return the ids and folds that had failed.

    Raises `ConversationNotFound` if the conversation does not exist.
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
    """Return the fold of this name. Raises `InvalidInput` if there is none."""
    for fold in folds:
        if fold.name == name:
            return fold
    raise InvalidInput("fold", f"must be one of {', '.join(fold.name for fold in folds)}")
