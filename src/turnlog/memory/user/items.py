"""What is remembered of a user, item by item, each with its source messages, and what a person says of these items."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from turnlog.extraction.document import Kind
from turnlog.extraction.preferences import Polarity
from turnlog.memory.facts import VERBS

POLARITIES = {verb: polarity for polarity, verb in VERBS.items()}


class Source(NamedTuple):
    """A message that something was learned from."""

    conversation_id: str
    seq: int


class KnownName(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name that the user gave at `at`; `asked` tells a wish from an introduction."""

    text: str
    asked: bool
    sources: tuple[Source, ...]
    at: int


class KnownPreference(msgspec.Struct, frozen=True):
    """What the user likes, dislikes or prefers now."""

    polarity: Polarity
    text: str
    sources: tuple[Source, ...]
    at: int


class KnownTask(msgspec.Struct, frozen=True):
    """What the user asked for and nobody has done or taken back."""

    text: str
    sources: tuple[Source, ...]
    at: int


class KnownEntity(msgspec.Struct, frozen=True):
    """Someone or something that the user named in `count` messages, the last time at `at`."""

    text: str
    kind: Kind
    count: int
    aliases: tuple[str, ...]
    sources: tuple[Source, ...]
    at: int


class KnownFact(msgspec.Struct, frozen=True):
    """A statement about the user, true from `valid_from` until `valid_to` (None: still), learned at `recorded_at`.

    Times in microseconds since 1970 UTC. `confidence` is from 0 to 1; `corrected` tells that a person said so. The `id`
    follows from what is stated, so that it is the same after a rebuild.
    """

    id: str
    text: str
    slot: str
    value: str
    confidence: float
    valid_from: int | None
    valid_to: int | None
    recorded_at: int
    sources: tuple[Source, ...] = ()
    corrected: bool = False


def fact_id(slot: str, value: str, text: str) -> str:
    """The id of a fact: 16 hexadecimal digits that follow from what it states."""
    stated = (slot, value) if slot and value else (text,)
    return blake2b("\0".join(" ".join(it.casefold().split()) for it in stated).encode(), digest_size=8).hexdigest()


def is_preference(text: str) -> bool:
    """Whether a fact tells what the user likes or dislikes."""
    return text.split(" ", 1)[0] in POLARITIES


_encode = msgspec.json.Encoder(order="deterministic").encode


class Correction(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person says of the fact `id` at `at` (microseconds since 1970 UTC): that it is so, or without text not.

    `seq` is its place in the log of corrections.
    """

    id: str
    seq: int
    at: int
    text: str | None = None
    slot: str = ""
    value: str = ""
    valid_from: int | None = None
    valid_to: int | None = None

    @property
    def holds(self) -> bool:
        """Whether it says something that is so now."""
        return self.text is not None and self.valid_to is None


def corrected(known: Mapping[str, Correction], more: Iterable[Correction]) -> dict[str, Correction]:
    """The last correction of each fact."""
    found = dict(known)
    for correction in more:
        existing = found.get(correction.id)
        if existing is None or _rank(existing) < _rank(correction):
            found[correction.id] = correction
    return found


def stands(correction: Correction | None, at: int) -> bool:
    """Whether what the user said at a moment stands beside a correction of it: one that they said otherwise after it."""
    return correction is None or (correction.text is not None and correction.at < at)


def as_fact(correction: Correction) -> KnownFact:
    """The fact that a correction with a text states."""
    return KnownFact(
        correction.id,
        correction.text or "",
        correction.slot,
        correction.value,
        1.0,
        correction.valid_from,
        correction.valid_to,
        correction.at,
        corrected=True,
    )


def _rank(correction: Correction) -> tuple[int, bytes]:
    return correction.seq, _encode(correction)
