"""How much two short texts have in common."""

import re
from collections import Counter
from functools import lru_cache

_WORD = re.compile(r"[\w'@./+-]+")
_EMPTY = frozenset(
    [
        "a",
        "an",
        "the",
        "some",
        "any",
        "my",
        "me",
        "to",
        "of",
        "in",
        "on",
        "for",
        "and",
        "or",
        "with",
        "at",
        "it",
        "its",
        "is",
        "are",
        "be",
        "that",
        "this",
        "your",
        "i",
        "you",
        "please",
    ]
)


def overlap(one: str, other: str) -> float:
    """F1 of the sets of words of two texts, from 0 to 1, plurals as singulars, without articles and prepositions."""
    a, b = _words(one), _words(other)
    return _f1(len(a & b), len(a), len(b)) if a and b else 0.0


class Distinct:
    """Texts that are not alike: no two of them overlap by `least` or more, which is more than 0.

    Texts that share no word do not overlap. So a text is compared only with those that an index by words gives.
    """

    def __init__(self, least: float) -> None:
        self._least = least
        self._sizes: list[int] = []
        self._with: dict[str, list[int]] = {}

    def add(self, text: str) -> bool:
        """Put `text` among them unless one is like it; whether it was put there."""
        words = _words(text)
        if self._alike(words):
            return False
        for word in words:
            self._with.setdefault(word, []).append(len(self._sizes))
        self._sizes.append(len(words))
        return True

    def _alike(self, words: frozenset[str]) -> bool:
        shared = self._sharing(words)
        return any(_f1(count, len(words), self._sizes[place]) >= self._least for place, count in shared.items())

    def _sharing(self, words: frozenset[str]) -> Counter[int]:
        """How many of the words each text has that has any of them."""
        return Counter(place for word in words for place in self._with.get(word, ()))


def _f1(shared: int, one: int, other: int) -> float:
    return 2 * shared / (one + other)


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    words = frozenset(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in _WORD.findall(text.casefold()))
    return words - _EMPTY or words
