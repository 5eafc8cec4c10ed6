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


def invented(claim: str, source: str) -> list[str]:
    """The words of `claim` that the `source`, a `folded` text, lacks: those with a digit, and but for the first those with
    a capital letter.
    """
    words = list(_WORD.finditer(claim))
    telling = [found[0] for place, found in enumerate(words) if _tells(found[0], first=place == 0)]
    return [word for word in telling if not occurs(word, source) and not occurs(word.removesuffix("'s"), source)]


def _tells(word: str, *, first: bool) -> bool:
    return any(c.isdigit() for c in word) or (not first and word != "I" and word[0].isupper())


def _joins(text: str, place: int) -> bool:
    """Whether the characters around a place are of one word."""
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()
