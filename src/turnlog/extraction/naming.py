"""A name that is said, and what can be told of it whoever says it."""

from difflib import SequenceMatcher
from typing import NamedTuple

from turnlog.extraction.spans import Name, may_be_given, name_at, plain, split
from turnlog.extraction.vocabulary.english import LENGTH_MAX
from turnlog.extraction.vocabulary.organisations import ORGANISATIONS
from turnlog.extraction.vocabulary.places import PLACES
from turnlog.extraction.vocabulary.products import PRODUCTS
from turnlog.extraction.vocabulary.words import COMMON

CAPITALS_MAX = 30
"""Words with a capital letter with which a name is compared, at most."""
SIMILAR = 0.7
"""Share of letters (difflib's ratio) from which one name is taken for a correction of another."""


class Said(NamedTuple):
    """A name with which the user was, or was not, to be called.

    `asked` tells a wish ("call me") from a mere introduction ("I'm"). A name that `replies` is understood from the
    assistant's question; `start` is -1 where only the question says it.
    """

    name: str
    start: int
    end: int
    asked: bool = True
    denied: bool = False
    replies: bool = False


def given(name: Name, *, asked: bool = True) -> Said:
    """`name` as the user's: by a wish, or not `asked`."""
    return Said(name.text, name.start, name.end, asked)


def in_full(own: str, name: Name) -> Name:
    """`name`, or the full name right after it: "Bond, James Bond"."""
    if own[name.end : name.end + 2] not in (", ", ". "):
        return name
    full = name_at(own, name.end + 2)
    return full if full is not None and full.text.endswith(f" {name.text}") else name


def is_thing(name: Name) -> bool:
    """Whether `name` is that of a place, an organisation or a product, and of no person."""
    lower = name.text.lower()
    known = lower in PLACES or lower in ORGANISATIONS or lower in PRODUCTS
    return known and not may_be_given(lower)


def capitals(text: str) -> set[str]:
    """The last words with a capital letter, `CAPITALS_MAX` at most, in the last 400 characters of `text`."""
    words = [word.text for word in split(text[-400:]) if word.text[0].isupper() and word.lower not in COMMON]
    return set(words[-CAPITALS_MAX:])


def similar(one: str, other: str) -> bool:
    """Whether the names `one` and `other` are nearly the same letters, or begin alike."""
    a, b = plain(one), plain(other)
    if a == b or (len(a) > 2 and a[:3] == b[:3]):
        return True
    least = SIMILAR + (0.0 if a[:2] == b[:2] else 0.05)
    # decision 047: difflib takes the product of both lengths, and most names are told apart by their letters alone
    if not 2 < len(b) <= LENGTH_MAX or len(a) > LENGTH_MAX or _in_common(a, b) < least * (len(a) + len(b)) / 2:
        return False
    return SequenceMatcher(None, a, b).ratio() >= least


def _in_common(a: str, b: str) -> int:
    """How many letters two words have in common, in any order: no fewer than any matching of them has."""
    return sum(min(a.count(letter), b.count(letter)) for letter in set(a))
