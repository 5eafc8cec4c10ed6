"""The folds of memory that turnlog ships, and what each holds of one conversation."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from turnlog.fold import Fold, StateUnreadable, Still, state_of
from turnlog.llm.port import LLM
from turnlog.memory.extraction import Extractor
from turnlog.memory.knowledge import Knowledge
from turnlog.memory.llm.extractor import LLMExtractor
from turnlog.memory.memory_fold import BY_RULES
from turnlog.memory.summary.fold import Summary
from turnlog.memory.user import repository
from turnlog.memory.user.contributions import contribution
from turnlog.store import Header, Key, Snapshot, Store


class SharedKnowledge(Knowledge):
    """`Knowledge`, gathered for the user (`fold.Shared`, `fold.SharedAnew`)."""

    def __init__(self, extractor: Extractor | None = None) -> None:
        super().__init__(extractor)
        # Several conversations of one user are folded at once: each writes the book in its turn, since those that race for
        # it read and write it again and again. Workers of other processes race (decision 046).
        self._turns: WeakValueDictionary[tuple[int, str, str], asyncio.Lock] = WeakValueDictionary()

    async def share(self, store: Store, key: Key, header: Header, after: Snapshot) -> Still | None:
        return await self._share(store, key, header, after, rebuilt=False)

    async def share_anew(self, store: Store, key: Key, header: Header, after: Snapshot) -> Still | None:
        return await self._share(store, key, header, after, rebuilt=True)

    async def _share(self, store: Store, key: Key, header: Header, after: Snapshot, *, rebuilt: bool) -> Still | None:
        if header.user_id is None:
            return None
        fresh = contribution(self.version, after, header.updated_at)
        async with self._turns.setdefault((id(store), key.tenant, header.user_id), asyncio.Lock()):
            place = await repository.put(store, key, header.user_id, fresh, rebuilt=rebuilt)
        return partial(repository.stays, store, key, place)


CONTEXT_FOLDS = ("summary", "knowledge")
"""The folds that contexts read."""


class Remembered(msgspec.Struct, frozen=True):
    """What a fold holds: its state after the messages up to `watermark`, which is `lag` messages behind the head.

    `version` is that of the state, which while another version is being made is the older one; None, with no state, when
    nothing was folded yet.
    """

    fold: str
    version: int | None
    watermark: int
    lag: int
    state: Any


def default_folds(llm: LLM | None = None) -> tuple[Fold[Any], ...]:
    """The folds: by rules, or with a language model."""
    return Summary(llm), SharedKnowledge(None if llm is None else LLMExtractor(llm))


def readable(folds: Sequence[Fold[Any]]) -> tuple[tuple[str, int], ...]:
    """The names and versions of states that may be there, of each name the fold's own version first."""
    found: list[tuple[str, int]] = []
    for fold in folds:
        found += dict.fromkeys([(fold.name, fold.version), (fold.name, BY_RULES)])
    return tuple(found)


def remembered(fold: Fold[Any], stored: Mapping[tuple[str, int], Snapshot], header: Header) -> Remembered:
    """What `fold` holds of the conversation, from the snapshots that are to be read; no state where it cannot be read."""
    for (name, version), snapshot in stored.items():
        if name == fold.name:
            with suppress(StateUnreadable):
                state = state_of(fold, snapshot.state)
                return Remembered(name, version, snapshot.watermark, header.head - snapshot.watermark, state)
    return Remembered(fold.name, None, 0, header.head, None)
