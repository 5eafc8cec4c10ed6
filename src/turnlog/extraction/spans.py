"""Words with their places, and what can be told of one word."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, overload

from turnlog.extraction.vocabulary.english import LENGTH_MAX, is_english
from turnlog.extraction.vocabulary.listed import alternatives
from turnlog.extraction.vocabulary.listed import words as listed
from turnlog.extraction.vocabulary.people import GIVEN, GIVEN_AND_WORDS
from turnlog.extraction.vocabulary.words import ACRONYMS, COMMON, DEMONYMS, TITLES

_TOKEN = re.compile(r"[^\W_](?:[\w&']|[.-](?=\w))*")
_JOINS_NAMES = listed("de da di du del della la le van von der den ter ten bin ibn al el ben st")
_AND = frozenset(("y", "e", "et", "und", "and", "i"))
_CONTRACTED = ("'m", "'s", "'re", "'ve", "'ll", "'d", "'t")
_STROKES = str.maketrans("łøđı", "lodi")
NAME_WORDS_MAX = 6


class Word(NamedTuple):
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


class WordsOf(Sequence[Word]):
    """The words of a text, each made when it is looked at; `tokens` are they as they stand, `'s` and all."""

    def __init__(self, text: str) -> None:
        self._found = list(_TOKEN.finditer(text))
        self._made: list[Word | None] = [None] * len(self._found)
        self.tokens = [match[0] for match in self._found]

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Word: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Word]: ...

    def __getitem__(self, index: int | slice) -> Word | Sequence[Word]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self._found)))]
        made = self._made[index]
        if made is None:
            made = self._made[index] = _word(self._found[index])
        return made


def split(text: str, start: int = 0, end: int | None = None) -> list[Word]:
    """The words of `text` between the places `start` and `end`."""
    found = _TOKEN.finditer(text, start) if end is None else _TOKEN.finditer(text, start, end)
    return [_word(match) for match in found]


def _word(match: re.Match[str]) -> Word:
    text, start = match[0], match.start()
    if text.isalnum():
        return Word(text, text.lower(), start, match.end(), False)
    text = text.rstrip("'&")
    possessive = len(text) > 2 and text[-2:] in ("'s", "'S")
    if possessive:
        text = text[:-2]
    return Word(text, text.lower(), start, start + len(text), possessive)


def is_given(lower: str) -> bool:
    """Whether `lower`, a word in lower case, is a given name and no everyday word, accents or not."""
    return len(lower) <= LENGTH_MAX and _is_given(lower)


@lru_cache(maxsize=4096)
def _is_given(lower: str) -> bool:
    if lower in GIVEN:
        return True
    if "-" in lower:
        return lower.split("-", maxsplit=1)[0] in GIVEN
    return not lower.isascii() and plain(lower) in GIVEN


def may_be_given(lower: str) -> bool:
    """Whether `lower` is a given name, everyday word or not."""
    return lower in GIVEN_AND_WORDS or is_given(lower)


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


def can_name(word: Word) -> bool:
    """Whether `word` may be (part of) a person's name, by what it is not."""
    lower = word.lower
    if may_be_given(lower):
        return True
    return not (lower in COMMON or lower in DEMONYMS or lower in ACRONYMS or lower.endswith(_CONTRACTED))


def name_at(text: str, place: int, *, lower: bool = False, wish: bool = False) -> Name | None:
    """The person's name that begins at `place`, titles left out; with `lower`, it may be in lower case.

    With `wish`, an everyday word may begin it: "Big Tone".
    A word with 's names an owner, not the person: it gives None.
    """
    first = _TOKEN.search(text, place, place + 60)
    if first is None or not (lower or capitalised(first[0]) or first[0].lower() in TITLES):
        return None
    if not wish and first[0].lower() not in TITLES and not can_name(_word(first)):
        return None
    words = split(text, place, place + 120)
    while words and words[0].lower in TITLES and words[0].start - place < 12:
        words = words[1:]
    if not words or text[place : words[0].start].strip(" .\t\"'*_") not in TITLES_SAID:
        return None
    taken = _capitals(text, words, wish) if capitalised(words[0].text) else _small(text, words) if lower else []
    if not taken or taken[-1].possessive:
        return None
    return Name(text[taken[0].start : taken[-1].end], taken[0].start, taken[-1].end)


TITLES_SAID = frozenset({""} | TITLES | {title.capitalize() for title in TITLES})


def _capitals(text: str, words: Sequence[Word], wish: bool) -> list[Word]:
    named = can_name(words[0]) or (
        wish and len(words) > 1 and words[1].text[0].isupper() and can_name(words[1]) and words[1].start == words[0].end + 1
    )
    if not named or words[0].text[0].isdigit():
        return []
    taken = [words[0]]
    for index, word in enumerate(words[1:], 1):
        if text[taken[-1].end : word.start] not in (" ", "-", ". ") or len(taken) >= NAME_WORDS_MAX or taken[-1].possessive:
            break
        if word.lower in _AND:
            break
        if (capitalised(word.text) and (text[taken[-1].end] != "." or len(taken[-1].text) == 1) and can_name(word)) or (
            word.lower in _JOINS_NAMES and _joins(words, index)
        ):
            taken.append(word)
        else:
            break
    return taken


def _joins(words: Sequence[Word], index: int) -> bool:
    """Whether a name goes on after the particle at `index`, or after two: "van der Meulen"."""
    after = [word for word in words[index + 1 : index + 3] if word.lower not in _JOINS_NAMES]
    return bool(after) and capitalised(after[0].text)


def _small(text: str, words: Sequence[Word]) -> list[Word]:
    if words[0].lower in _JOINS_NAMES:
        end = next((place for place, word in enumerate(words[:4]) if word.lower not in _JOINS_NAMES), 0)
        if end and capitalised(words[end].text):
            return list(words[: end + 1])
    if not can_name(words[0]) or words[0].text[0].isdigit():
        return []
    taken = [words[0]]
    for word in words[1:4]:
        if text[taken[-1].end : word.start] != " " or not is_given(words[0].lower) or not _is_surname(word):
            break
        taken.append(word)
    while len(taken) > 1 and taken[-1].lower in _JOINS_NAMES:
        taken.pop()
    return taken if len(taken) == 1 or ends(text, taken[-1].end) else taken[:1]


def _is_surname(word: Word) -> bool:
    """Whether `word`, in lower case, may go on a name in lower case."""
    return word.lower in _JOINS_NAMES or (can_name(word) and len(word.text) > 2 and not is_english(word.lower))


def ends(text: str, place: int) -> bool:
    """Whether a clause ends at `place`: by punctuation, the end of the line, or a word that begins another."""
    return _END.match(text, place) is not None


_END = re.compile(
    r"\s*(?:$|[.,;:!?()\n—–\"”]|[-/] |\b"
    + alternatives(
        """
        and | but | from | by | here | please | pls | plz | not | or | thanks | instead | if | so | because | btw | with
        at | since | everyone
        everybody | for | now | again | too | haha | lol | then | when | as | unless | ok | okay | while | until
        actually | really | like | in | on | though | however | who | which | that | speaking | calling | writing | is | will
        would | works | it | spelled | spelt | pronounced | capital | obviously | probably | anyway | tbh | yeah
        any ?more | these | nowadays | today | your | my | me | he | she | they | where | after | before
        """
    )
    + r"\b)|\s*[^\w\s]"
)


def opens(text: str, place: int) -> bool:
    """Whether a sentence, a line or a quotation begins at `place`, so that a capital letter there says nothing."""
    before = text[max(0, place - 12) : place]
    stripped = before.rstrip(" \t")
    if not stripped:
        return place <= 12 or len(before) == 12
    last = stripped[-1]
    if last == ".":
        return _ABBREVIATED.search(stripped) is None
    return not (last.isalnum() or last in ",'&/()-+—–%$€£@#<[")


_ABBREVIATED = re.compile(r"\b(?:mr|mrs|ms|dr|prof|mme|st|sr|sra|jr|vs|e\.g|i\.e|capt|sgt|rev|[A-Z])\.$", re.IGNORECASE)
