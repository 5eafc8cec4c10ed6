"""The kinds of memory that turnlog keeps, and what each remembers of one conversation."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from turnlog.fold import Fold, StateUnreadable, state_of
from turnlog.llm.port import LLM
from turnlog.memory.hearing import BY_RULES
from turnlog.memory.llm.extractor import ModelHearing
from turnlog.memory.summary.fold import Summary
from turnlog.memory.user.sharing import SharedEntities, SharedFacts, SharedProfile, Sharing
from turnlog.store import Header, Snapshot

TOLD = ("summary", "profile", "entities", "facts")
"""The folds that have something to tell in contexts."""


class Remembered(msgspec.Struct, frozen=True):
    """What a fold remembers: its state after the messages up to `watermark`, which is `lag` messages behind the head.

    `version` is that of the state, which while another version is being made is the older one; None, with no state, when
    nothing was folded yet.
    """

    fold: str
    version: int | None
    watermark: int
    lag: int
    state: Any


def default_folds(llm: LLM | None = None) -> tuple[Fold[Any], ...]:
    """The folds: by rules, or with a language model that takes notes and understands messages."""
    hearing = ModelHearing(llm) if llm is not None else None
    sharing = Sharing()
    gathered = (kind(hearing, sharing=sharing) for kind in (SharedProfile, SharedEntities, SharedFacts))
    return (Summary(llm), *gathered)


def readable(folds: Sequence[Fold[Any]]) -> tuple[tuple[str, int], ...]:
    """The names and versions of states that may be there, of each name the fold's own version first."""
    found: list[tuple[str, int]] = []
    for fold in folds:
        found += dict.fromkeys([(fold.name, fold.version), (fold.name, BY_RULES)])
    return tuple(found)


def remembered(fold: Fold[Any], stored: Mapping[tuple[str, int], Snapshot], header: Header) -> Remembered:
    """What `fold` remembers of the conversation, from the snapshots that are to be read; nothing of one that cannot be."""
    for (name, version), snapshot in stored.items():
        if name == fold.name:
            with suppress(StateUnreadable):
                state = state_of(fold, snapshot.state)
                return Remembered(name, version, snapshot.watermark, header.head - snapshot.watermark, state)
    return Remembered(fold.name, None, 0, header.head, None)
