"""How much two short texts have in common."""

import re
from functools import lru_cache

from turnlog.memory.extract.vocabulary.listed import words as listed

_WORD = re.compile(r"[\w'@./+-]+")
_EMPTY = listed("a an the some any my me to of in on for and or with at it its is are be that this your i you please")


def overlap(one: str, other: str) -> float:
    """F1 of the sets of words of two texts, from 0 to 1, plurals as singulars, without articles and prepositions."""
    a, b = _words(one), _words(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    words = frozenset(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in _WORD.findall(text.casefold()))
    return words - _EMPTY or words
