"""What the talk is about, modestly: what the user says it is about, else the words that come back."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from turnlog.extraction.document import Reading
from turnlog.extraction.lexicon import LEXICON
from turnlog.extraction.rules import rules

WORDS_MAX = 24
"""Words of one message that are weighed, at most."""
TOPIC_WORDS = 3
"""Words of a topic that nobody named, at most."""
FADES = 0.6
"""What a word's weight is worth one message later."""

_WORD = re.compile(r"[^\W\d_][\w'-]{3,}")
_RULES = rules("topic")
_words = _RULES.words
WORD_LENGTH = 40
"""Letters of a word that tells a topic, at most."""


class Words(NamedTuple):
    """The words of the message at `seq` that may tell its topic."""

    seq: int
    words: tuple[str, ...]


def named_topic(reading: Reading) -> str | None:
    """What the message says that it is about."""
    found = next(iter(reading.places(_RULES.tables["named"])), None)
    return found[1].strip() if found else None


def topic_words(reading: Reading) -> tuple[str, ...]:
    """The telling words of a message, each once, in lower case, in their order."""
    words = dict.fromkeys(_WORD.findall(reading.low))
    no_noun = tuple(_words("no_noun"))
    telling = (
        word for word in words if len(word) <= WORD_LENGTH and word not in LEXICON.common and not word.endswith(no_noun)
    )
    return tuple(islice(telling, WORDS_MAX))


def topic_of(recent: Sequence[Words]) -> Words | None:
    """The words that weigh most in the `recent` messages, oldest first, and the seq of the newest with one of them."""
    weights: dict[str, float] = {}
    for age, said in enumerate(reversed(recent)):
        weight = FADES**age
        for word in said.words:
            weights[word] = weights.get(word, 0.0) + weight
    if not weights:
        return None
    best = sorted(weights, key=weights.__getitem__, reverse=True)[:TOPIC_WORDS]
    return Words(max(said.seq for said in recent if not set(best).isdisjoint(said.words)), tuple(best))
