"""Patterns that are searched for only where the text has the words that they cannot do without.

A table of a hundred phrases is slow as one alternation, which is tried at every character. Here each phrase is a pattern of
its own, and each table knows by which word of a text which of its phrases are tried: most texts need a handful of them.
"""

import re
from collections.abc import Iterable, Iterator, Set
from functools import cached_property
from itertools import chain, islice

from turnlog.extraction.needed import needed
from turnlog.extraction.vocabulary.listed import alternatives, parts
from turnlog.extraction.vocabulary.listed import words as listed

PLACES_MAX = 50
"""Places of one phrase that are looked at in a text, at most."""
FOUND_MAX = 200
"""Places of all phrases of a table, at most: of more, those of its first phrases."""
_PARTS = re.compile(r"\w+|[^\w ]")
_USUAL = listed(
    """
    a about after all also am an and any are as at back be because been but by can come could day did do does don even
    first for from get give go good had has have he her here him his how i if in into is it its just know like ll look
    m make me more most my need new no not now of off on one only or other our out over people please re really s say
    see she should so some such t take than that the their them then there these they thing things think this time to
    two up us use ve very want was way we well were what when which who why will with work would year you your , . ! ?
    ' - :
    """
)
"""Words that many texts have: a phrase is told by another of its words if it can be."""
_Row = tuple[re.Pattern[str], frozenset[frozenset[str]]]


class Phrases:
    """Phrases that are searched for together, each by its own pattern of `sources`."""

    def __init__(self, sources: Iterable[str], flags: int) -> None:
        self._sources = [(source, flags) for source in sources]

    def __or__(self, other: "Phrases") -> "Phrases":
        """These phrases and the `other` ones."""
        both = Phrases((), 0)
        both._sources = [*self._sources, *other._sources]
        return both

    @property
    def patterns(self) -> list[re.Pattern[str]]:
        """The pattern of each phrase."""
        return [pattern for pattern, _ in self._rows]

    @cached_property
    def _rows(self) -> list[_Row]:
        """Made when they are needed: all tables together take half a second."""
        return [(re.compile(source, flags), needed(source, flags)) for source, flags in self._sources]

    @cached_property
    def _by_word(self) -> dict[str, list[tuple[int, frozenset[str]]]]:
        found: dict[str, list[tuple[int, frozenset[str]]]] = {}
        for place, (_, sets) in enumerate(self._rows):
            for words in sets:
                rarest = max(words, key=lambda word: (word not in _USUAL, len(word), word), default="")
                found.setdefault(rarest, []).append((place, words - {rarest}))
        return found

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(self._by_word)

    def find(self, text: str, words: Set[str]) -> Iterator[re.Match[str]]:
        """The first `PLACES_MAX` places of each phrase in `text`, whose `words_of` it in lower case are `words`."""
        if self._words.isdisjoint(words):
            return iter(())
        found = chain.from_iterable(_places(self._rows[place][0], text) for place in self.fitting(words))
        return islice(found, FOUND_MAX)

    def fitting(self, words: Set[str]) -> list[int]:
        """The places in the table of the phrases that a text can have whose `words_of` are `words`."""
        here = self._words & words
        return sorted({place for word in here for place, needed in self._by_word[word] if needed <= words})


def _places(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    if pattern.pattern.startswith("^"):  # a search would go on through the text
        first = pattern.match(text)
        return iter(() if first is None else (first,))
    return islice(pattern.finditer(text), PLACES_MAX)


def words_of(low: str) -> frozenset[str]:
    """The words of `low`, a text in lower case, the marks between them, and "": what phrases are found by."""
    return frozenset(("", *_PARTS.findall(low)))


def phrases(text: str, flags: int = re.IGNORECASE, *, before: str = "", after: str = "") -> Phrases:
    """The phrases of a table: patterns that stand on lines of their own or between spaced bars in `text`."""
    return Phrases([f"{before}{part}{after}" for part in parts(text)], flags)


def phrase(source: str, flags: int = re.IGNORECASE) -> Phrases:
    """One phrase, whatever bars its pattern has."""
    return Phrases([source], flags)


def clause_starts(words: str, then: str) -> list[str]:
    """Patterns of `then` where a clause begins: with the text, behind a mark or the end of a line, after one of `words`.

    Each begins with what is found fast: its place, a set of characters, or a space.
    """
    words = alternatives(words)
    return [rf"^(?:{words}\b ?,? ?)?{then}", rf"[.!?;:,\n(*•–—-] ?{then}", rf" {words}\b ?,? {then}"]
