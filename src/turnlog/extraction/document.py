"""A message as the extractors read it: who speaks, and which words are the speaker's own."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from turnlog.extraction.rules import Fitting, Rule, Table, index, rules, tokens_of

Kind = Literal["PERSON", "PLACE", "ORG", "PRODUCT", "EMAIL", "URL", "DATE"]

URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'`«»“”]+", re.IGNORECASE)
EMAIL = re.compile(r"(?<![\w.+-])(?:[\w.+-]{1,40}')?[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![\w@-])")
LENGTH_MAX = 8_000
"""Characters of a message that are read; of a longer one its beginning and its end, half each."""

_CODE = re.compile(r"```|`[^`\n]{1,300}`")
_QUOTED = re.compile(
    r"[“„][^”“„\n]{1,400}[”“]|«[^«»\n]{1,400}»|\"[^\"\n]{1,400}\""
    r"|(?<![\w'])'[^'\n]{1,200}(?:'\w{1,2}\b[^'\n]{0,200})?'(?!\w)"
)
_QUOTED_LINE = re.compile(r"^[ \t]{0,3}>.*$", re.MULTILINE)
_RULES = rules("names")
_pattern = _RULES.pattern
NAME_LENGTH = 24
"""Characters of a name in quotes, at most."""
_WORD = re.compile(r"[^\W_][\w'-]*")
_STRAIGHT = str.maketrans({"’": "'", "‘": "'", "\u00a0": " ", "\u202f": " "})


class Mention(NamedTuple):
    """An entity as a message names it: its words, what it is, and its place in the text."""

    text: str
    kind: Kind
    start: int
    end: int


class Reading(NamedTuple):
    """The words of a message, thrice, at the same places: hidden words are spaces.

    `text` is all of it, `plain` hides code, URLs and e-mail addresses, `own` hides quoted speech and quoted lines too.
    `low` is `own` in lower case, `words` are its words, and `fitting` are the rules to try on it.
    """

    text: str
    plain: str
    own: str
    low: str
    words: frozenset[str]
    fitting: Fitting

    def find(self, table: Table) -> Iterator[tuple[Rule, re.Match[str]]]:
        """The rules of `table` with their matches in `own`."""
        return table.find(self.fitting, self.own, self.low)

    def may_match(self, *tables: Table) -> bool:
        """Whether rules of any of the `tables` are to be tried."""
        return any([table in self.fitting for table in tables])  # noqa: C419 - a list of two is faster

    def places(self, table: Table) -> Iterable[re.Match[str]]:
        """The matches of the rules of `table` in `own`."""
        return (match for _, match in self.find(table)) if table in self.fitting else ()


def read(text: str) -> Reading:
    """The reading of `text`, whose curly apostrophes are made straight."""
    text = beginning_and_end(text).translate(_STRAIGHT)
    plain = _without_code(text) if "`" in text else text
    if "://" in plain or "www." in plain:
        plain = URL.sub(_blank, plain)
    if "@" in plain:
        plain = EMAIL.sub(_blank, plain)
    own = _QUOTED_LINE.sub(_blank, plain) if ">" in plain else plain
    own = _QUOTED.sub(_unquoted, own)
    low = own.lower()
    return Reading(text, plain, own, low, frozenset(_WORD.findall(low)), index().fitting(tokens_of(low)))


def beginning_and_end(text: str) -> str:
    """What is read of `text`: all of it, unless it is longer than `LENGTH_MAX`."""
    half = LENGTH_MAX // 2
    return text if len(text) <= LENGTH_MAX else f"{text[:half]}\n{text[1 - half :]}"


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _unquoted(found: re.Match[str]) -> str:
    """Quoted speech as spaces; of a name in quotes only the quotes: call me "Bo"."""
    if len(found[0]) < NAME_LENGTH and _pattern("quoted_name_follows").search(
        found.string[max(0, found.start() - 24) : found.start()]
    ):
        return f" {found[0][1:-1]} "
    return " " * len(found[0])


def _without_code(text: str) -> str:
    """`text` with fenced blocks, closed or not, and inline code as spaces, line ends kept."""
    kept: list[str] = []
    place = 0
    while (found := _CODE.search(text, place)) is not None:
        start, end = found.span()
        if found[0] == "```":
            closing = text.find("```", end)
            end = len(text) if closing < 0 else closing + 3
        kept += text[place:start], "".join("\n" if c == "\n" else " " for c in text[start:end])
        place = end
    return "".join(kept) + text[place:]
