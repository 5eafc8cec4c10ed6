"""Patterns that are searched for only where the text holds what they cannot do without.

A table of a hundred phrases is slow as one alternation, which is tried at every character. Here each phrase is a pattern of
its own, and knows strings one of which is in every text that it fits. To look for those first is fifty times as fast.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain, islice
from typing import Any, NamedTuple

from turnlog.memory.extract.vocabulary.listed import alternatives, parts

PLACES_MAX = 50
"""Places of one phrase that are looked at in a text, at most."""
GRAM = 3
ALWAYS = frozenset(("",))
COMMON_LETTERS = " etaoinshrdlu'mcwyfgpbvkjxqz"
"""The most common first."""
CLAUSES_MAX = 3
LENGTH_ENOUGH = 5
"""Characters from which a longer string does not tell more."""


class Phrases:
    """Phrases that are searched for together, each by its own pattern of `sources`."""

    def __init__(self, sources: Iterable[str], flags: int) -> None:
        self._cues = [_cue(source, flags) for source in sources]
        self._index()

    def __or__(self, other: "Phrases") -> "Phrases":
        """These phrases and the `other` ones."""
        both = Phrases((), 0)
        both._cues = [*self._cues, *other._cues]
        both._index()
        return both

    def _index(self) -> None:
        self._by_gram: dict[str, list[int]] = {}
        for place, (_, clauses) in enumerate(self._cues):
            for gram in clauses[0].grams if clauses else ALWAYS:
                self._by_gram.setdefault(gram, []).append(place)
        self._grams = frozenset(self._by_gram)

    def find(self, text: str, low: str, grams: Set[str]) -> Iterator[re.Match[str]]:
        """The first `PLACES_MAX` places of each phrase in `text`; `low` is it in lower case, `grams` are those of `low`."""
        here = self._grams & grams
        if not here:
            return iter(())
        places = sorted({place for gram in here for place in self._by_gram[gram]})
        return self._found(places, text, low, grams)

    def _found(self, places: Sequence[int], text: str, low: str, grams: Set[str]) -> Iterator[re.Match[str]]:
        for place in places:
            pattern, clauses = self._cues[place]
            for clause in clauses:
                if not clause.holds(low, grams):
                    break
            else:
                yield from _places(pattern, text)


class Clause(NamedTuple):
    """Strings one of which is in every text that a phrase fits, by a piece of each, of `GRAM` characters."""

    grams: frozenset[str]
    strings: Mapping[str, tuple[str, ...]]

    def holds(self, low: str, grams: Set[str]) -> bool:
        """Whether one of the strings is in `low`, whose pieces are `grams`."""
        for gram in self.grams & grams:
            for string in self.strings[gram]:
                if string in low:
                    return True
        return False


def _places(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    if pattern.pattern.startswith("^"):  # a search would go on through the text
        first = pattern.match(text)
        return iter(() if first is None else (first,))
    return islice(pattern.finditer(text), PLACES_MAX)


def _cue(source: str, flags: int) -> tuple[re.Pattern[str], tuple[Clause, ...]]:
    return re.compile(source, flags), tuple(map(_clause, needed(source, flags)))


def _clause(strings: frozenset[str]) -> Clause:
    if any(len(string) < GRAM for string in strings):
        return Clause(ALWAYS, {"": tuple(strings)})
    grams = frozenset(map(_rarest, strings))
    return Clause(grams, {gram: tuple(string for string in strings if _rarest(string) == gram) for gram in grams})


def grams_of(low: str) -> set[str]:
    """All that stands in `low` in `GRAM` characters and in one more, and what is in `ALWAYS`."""
    ends = range(GRAM, len(low) + 1)
    grams = {low[end - GRAM : end] for end in ends}
    grams.update([low[end - GRAM : end + 1] for end in ends])
    grams.add("")
    return grams


def _rarest(string: str) -> str:
    """The piece of `string` that the fewest texts have, by how common its letters are."""
    length = min(GRAM + 1, len(string))
    pieces = [string[place : place + length] for place in range(len(string) - length + 1)]
    return max(pieces, key=lambda piece: sum(COMMON_LETTERS.find(letter) % 30 for letter in piece))


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


def needed(source: str, flags: int = 0) -> list[frozenset[str]]:
    """Sets of strings in lower case, of each of which one is in every text that the pattern `source` fits."""
    parsed = list(re._parser.parse(source, flags))  # type: ignore[attr-defined]
    required = {strings for strings in _required(parsed) if _tells(strings)}
    return sorted(required, key=_worth, reverse=True)[:CLAUSES_MAX]


def _required(sequence: Sequence[tuple[Any, Any]]) -> Iterator[frozenset[str]]:
    """Sets of strings, of each of which one is in what the parsed `sequence` fits."""
    literal = ""
    for kind, what in sequence:
        name = str(kind)
        if name == "LITERAL" or (name == "IN" and _is_letter(what)):
            literal += chr(what if name == "LITERAL" else what[0][1]).lower()
        elif name not in ("AT", "ASSERT_NOT"):
            yield frozenset((literal,))
            literal = ""
            yield from _inside(name, what)
    yield frozenset((literal,))


def _is_letter(choice: Sequence[tuple[Any, Any]]) -> bool:
    """Whether the set `choice` is a letter, small or capital."""
    return all(str(kind) == "LITERAL" for kind, _ in choice) and len({chr(what).lower() for _, what in choice}) == 1


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
    return max(filter(_tells, sets), key=_worth, default=frozenset())


def _tells(strings: frozenset[str]) -> bool:
    return all(len(string) > 1 or (string and not string.isalnum() and string not in " ,.") for string in strings) and bool(
        strings
    )


def _worth(strings: frozenset[str]) -> tuple[int, int, list[str]]:
    """How much it tells that one of `strings` is there: long ones, and few."""
    return min(LENGTH_ENOUGH, *map(len, strings)), -len(strings), sorted(strings)
