"""Words and names with their places in a text, and what is known of one word or name."""

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple, overload

from turnlog.extraction.lexicon import LENGTH_MAX, LEXICON, is_everyday
from turnlog.extraction.rules import rules

_TOKEN = re.compile(r"[^\W_](?:[\w&']|[.-](?=\w))*")
_CONTRACTED = ("'m", "'s", "'re", "'ve", "'ll", "'d", "'t")
_STROKES = str.maketrans("łøđı", "lodi")
NAME_WORDS_MAX = 6
CAPITALS_MAX = 30
"""Words with a capital letter with which a name is compared, at most."""
SIMILAR = 0.7
"""Share of letters (difflib's ratio) from which one name is taken for a correction of another."""
_RULES = rules("names")
_pattern = _RULES.pattern
_words = _RULES.words


class TextWord(NamedTuple):
    """A word of a text: as it stands without a closing 's, in lower case, its place, and whether it had that 's."""

    text: str
    lower: str
    start: int
    end: int
    possessive: bool


class Name(NamedTuple):
    """A name in a text, and its place."""

    text: str
    start: int
    end: int


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


class WordsOf(Sequence[TextWord]):
    """The words of a text, each made when it is looked at; `tokens` are they as they stand, `'s` and all."""

    def __init__(self, text: str) -> None:
        self._found = list(_TOKEN.finditer(text))
        self._made: list[TextWord | None] = [None] * len(self._found)
        self.tokens = [match[0] for match in self._found]

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> TextWord: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[TextWord]: ...

    def __getitem__(self, index: int | slice) -> TextWord | Sequence[TextWord]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self._found)))]
        return self._made[index] or self._make(index)

    def _make(self, index: int) -> TextWord:
        made = self._made[index] = _word(self._found[index])
        return made


def split(text: str, start: int = 0, end: int | None = None) -> list[TextWord]:
    """The words of `text` between the places `start` and `end`."""
    found = _TOKEN.finditer(text, start) if end is None else _TOKEN.finditer(text, start, end)
    return [_word(match) for match in found]


def _word(match: re.Match[str]) -> TextWord:
    text, start = match[0], match.start()
    if text.isalnum():
        return TextWord(text, text.lower(), start, match.end(), False)
    text = text.rstrip("'&")
    possessive = len(text) > 2 and text[-2:] in ("'s", "'S")
    if possessive:
        text = text[:-2]
    return TextWord(text, text.lower(), start, start + len(text), possessive)


def is_given(lower: str) -> bool:
    """Whether `lower`, a word in lower case, is a given name and no everyday word, accents or not."""
    return len(lower) <= LENGTH_MAX and _is_given(lower)


@lru_cache(maxsize=4096)
def _is_given(lower: str) -> bool:
    if lower in LEXICON.given:
        return True
    if "-" in lower:
        return lower.split("-", maxsplit=1)[0] in LEXICON.given
    return not lower.isascii() and plain(lower) in LEXICON.given


def may_be_given(lower: str) -> bool:
    """Whether `lower` is a given name, everyday word or not."""
    return lower in LEXICON.given_or_words or is_given(lower)


def plain(text: str) -> str:
    """`text` in lower case without accents."""
    if text.isascii():
        return text.lower()
    return (
        "".join(
            c for c in unicodedata.normalize("NFKD", text.casefold().translate(_STROKES)) if not unicodedata.combining(c)
        )
        or text
    )


def capitalised(word: str) -> bool:
    """Whether `word` begins with a capital letter, or is written in letters that know none."""
    first = word[2] if len(word) > 2 and word[1] == "'" else word[0]
    return first.isupper() or (first.isalpha() and not first.islower())


def can_name(word: TextWord) -> bool:
    """Whether `word` may be (part of) a person's name, by what it is not."""
    lower = word.lower
    if may_be_given(lower):
        return True
    return not (
        lower in LEXICON.common or lower in LEXICON.demonyms or lower in LEXICON.acronyms or lower.endswith(_CONTRACTED)
    )


def name_at(text: str, place: int, *, lower: bool = False, wish: bool = False) -> Name | None:
    """The person's name that begins at `place`, titles left out; with `lower`, it may be in lower case.

    With `wish`, an everyday word may begin it: "Big Tone".
    A word with 's names an owner, not the person: it gives None.
    """
    first = _TOKEN.search(text, place, place + 60)
    if first is None or not (lower or capitalised(first[0]) or first[0].lower() in LEXICON.titles):
        return None
    if not wish and first[0].lower() not in LEXICON.titles and not can_name(_word(first)):
        return None
    words = split(text, place, place + 120)
    while words and words[0].lower in LEXICON.titles and words[0].start - place < 12:
        words = words[1:]
    if not words or not _is_title(text[place : words[0].start].strip(" .\t\"'*_")):
        return None
    taken = _capitals(text, words, wish) if capitalised(words[0].text) else _small(text, words) if lower else []
    if not taken or taken[-1].possessive:
        return None
    return Name(text[taken[0].start : taken[-1].end], taken[0].start, taken[-1].end)


def _is_title(said: str) -> bool:
    """Whether `said`, which stands before a name, is a title or nothing."""
    lower = said.lower()
    return not said or (lower in LEXICON.titles and said in (lower, said.capitalize()))


def _capitals(text: str, words: Sequence[TextWord], wish: bool) -> list[TextWord]:
    named = can_name(words[0]) or (
        wish and len(words) > 1 and words[1].text[0].isupper() and can_name(words[1]) and words[1].start == words[0].end + 1
    )
    if not named or words[0].text[0].isdigit():
        return []
    taken = [words[0]]
    for index, word in enumerate(words[1:], 1):
        if text[taken[-1].end : word.start] not in (" ", "-", ". ") or len(taken) >= NAME_WORDS_MAX or taken[-1].possessive:
            break
        if word.lower in _words("and"):
            break
        if (capitalised(word.text) and (text[taken[-1].end] != "." or len(taken[-1].text) == 1) and can_name(word)) or (
            word.lower in _words("joins") and _joins(words, index)
        ):
            taken.append(word)
        else:
            break
    return taken


def _joins(words: Sequence[TextWord], index: int) -> bool:
    """Whether a name goes on after the particle at `index`, or after two: "van der Meulen"."""
    after = [word for word in words[index + 1 : index + 3] if word.lower not in _words("joins")]
    return bool(after) and capitalised(after[0].text)


def _small(text: str, words: Sequence[TextWord]) -> list[TextWord]:
    if words[0].lower in _words("joins"):
        end = next((place for place, word in enumerate(words[:4]) if word.lower not in _words("joins")), 0)
        if end and capitalised(words[end].text):
            return list(words[: end + 1])
    if not can_name(words[0]) or words[0].text[0].isdigit():
        return []
    taken = [words[0]]
    for word in words[1:4]:
        if text[taken[-1].end : word.start] != " " or not is_given(words[0].lower) or not _is_surname(word):
            break
        taken.append(word)
    while len(taken) > 1 and taken[-1].lower in _words("joins"):
        taken.pop()
    return taken if len(taken) == 1 or ends(text, taken[-1].end) else taken[:1]


def _is_surname(word: TextWord) -> bool:
    """Whether `word`, in lower case, may go on a name in lower case."""
    return word.lower in _words("joins") or (can_name(word) and len(word.text) > 2 and not is_everyday(word.lower))


def ends(text: str, place: int) -> bool:
    """Whether a clause ends at `place`: by punctuation, the end of the line, or a word that begins another."""
    return _pattern("ends").match(text, place) is not None


def opens(text: str, place: int) -> bool:
    """Whether a sentence, a line or a quotation begins at `place`, so that a capital letter there says nothing."""
    before = text[max(0, place - 12) : place]
    stripped = before.rstrip(" \t")
    if not stripped:
        return place <= 12 or len(before) == 12
    last = stripped[-1]
    if last == ".":
        return _pattern("abbreviated").search(stripped) is None
    return not (last.isalnum() or last in ",'&/()-+—–%$€£@#<[")


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
    known = lower in LEXICON.places or lower in LEXICON.organisations or lower in LEXICON.products
    return known and not may_be_given(lower)


def capitals(text: str) -> set[str]:
    """The last words with a capital letter, `CAPITALS_MAX` at most, in the last 400 characters of `text`."""
    words = [word.text for word in split(text[-400:]) if word.text[0].isupper() and word.lower not in LEXICON.common]
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
