"""What is known of a user, item by item, each with the messages that it was learned from."""

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
