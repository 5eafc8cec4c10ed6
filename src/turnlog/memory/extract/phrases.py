"""Patterns that are searched for only where the text holds what they cannot do without.

A table of a hundred phrases is slow as one alternation, which is tried at every character. Here each phrase is a pattern of
its own, and knows strings one of which is in every text that it fits. To look for those first is fifty times as fast.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from turnlog.memory.extract.vocabulary.listed import parts

PLACES_MAX = 50
"""Places of one phrase that are looked at in a text, at most."""
LENGTH_ENOUGH = 5
"""Characters from which a longer string does not tell more."""


class Phrases:
    """Phrases that are searched for together, each by its own pattern of `sources`."""

    def __init__(self, sources: Iterable[str], flags: int) -> None:
        self._cues = [(factors(source, flags), re.compile(source, flags)) for source in sources]

    def find(self, text: str, low: str) -> Iterator[re.Match[str]]:
        """The first `PLACES_MAX` places of each phrase in `text`; `low` is `text` in lower case."""
        for needed, pattern in self._cues:
            if not needed or any(part in low for part in needed):
                yield from islice(pattern.finditer(text), PLACES_MAX)


def phrases(text: str, flags: int = re.IGNORECASE, *, before: str = "", after: str = "") -> Phrases:
    """The phrases of a table: patterns that stand on lines of their own or between spaced bars in `text`."""
    return Phrases([f"{before}{part}{after}" for part in parts(text)], flags)


def phrase(source: str, flags: int = re.IGNORECASE) -> Phrases:
    """One phrase, whatever bars its pattern has."""
    return Phrases([source], flags)


def factors(source: str, flags: int = 0) -> tuple[str, ...]:
    """Strings in lower case one of which is in every text that the pattern `source` fits; none if that is not known."""
    return tuple(sorted(_best(_required(list(re._parser.parse(source, flags))))))  # type: ignore[attr-defined]


def _required(sequence: Sequence[tuple[Any, Any]]) -> Iterator[frozenset[str]]:
    """Sets of strings, of each of which one is in what the parsed `sequence` fits."""
    literal = ""
    for kind, what in sequence:
        name = str(kind)
        if name == "LITERAL":
            literal += chr(what).lower()
        elif name not in ("AT", "ASSERT_NOT"):
            yield frozenset((literal,))
            literal = ""
            yield from _inside(name, what)
    yield frozenset((literal,))


def _inside(name: str, what: Any) -> Iterator[frozenset[str]]:
    if name == "BRANCH":
        best = [_best(_required(list(branch))) for branch in what[1]]
        if all(best):
            yield frozenset(chain(*best))
    elif name == "SUBPATTERN" or (name == "ASSERT" and what[0] > 0):
        yield from _required(list(what[-1]))
    elif name.endswith("_REPEAT") and what[0] > 0:
        yield from _required(list(what[2]))


def _best(sets: Iterator[frozenset[str]]) -> frozenset[str]:
    """The set that tells most: long strings, and few."""
    usable = [strings for strings in sets if strings and min(map(len, strings)) > 1]
    return max(usable, key=lambda strings: (min(LENGTH_ENOUGH, *map(len, strings)), -len(strings)), default=frozenset())
