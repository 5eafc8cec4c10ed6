"""Whether what a language model says of a text can have come from it."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+(?:['’.,:-][^\W_]+)*")


def folded(text: str) -> str:
    """The text for comparing: no case, no accents, straight apostrophes, one space between words."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'")).casefold()
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def occurs(span: str, source: str) -> bool:
    """Whether `span` stands in the `source`, a `folded` text, as whole words."""
    wanted = folded(span)
    if not wanted:
        return False
    place = source.find(wanted)
    while place >= 0:
        end = place + len(wanted)
        if not _joins(source, place) and not _joins(source, end):
            return True
        place = source.find(wanted, place + 1)
    return False


def invented(claim: str, source: str, *, first: bool = False) -> list[str]:
    """The words of `claim` that the `source`, a `folded` text, lacks: those with a digit, and those with a capital letter,
    among which the first word counts only if `first`.
    """
    words = [found[0] for found in _WORD.finditer(claim)]
    telling = [word for place, word in enumerate(words) if _tells(word, may_open=place == 0 and not first)]
    return [word for word in telling if not _is_there(word, source)]


def from_half(claim: str, source: str) -> bool:
    """Whether nothing of `claim` is `invented`, and at least half of its words are in the `source`."""
    words = [found[0] for found in _WORD.finditer(claim)]
    return 0 < len(words) <= 2 * sum(_is_there(word, source) for word in words) and not invented(claim, source)


def _is_there(word: str, source: str) -> bool:
    return occurs(word, source) or occurs(word.removesuffix("'s").removesuffix("’s"), source)


def _tells(word: str, *, may_open: bool) -> bool:
    return any(c.isdigit() for c in word) or (not may_open and word != "I" and word[0].isupper())


def _joins(text: str, place: int) -> bool:
    """Whether the characters around a place are of one word."""
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()
