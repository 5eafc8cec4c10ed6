"""The folds of memory that turnlog ships, and what each holds of one conversation."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from turnlog.fold import Fold, StateUnreadable, state_of
from turnlog.llm.port import LLM
from turnlog.memory.llm.extractor import LLMExtractor
from turnlog.memory.memory_fold import BY_RULES
from turnlog.memory.summary.fold import Summary
from turnlog.memory.user.sharing import SharedKnowledge
from turnlog.store import Header, Snapshot

TOLD = ("summary", "knowledge")
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
