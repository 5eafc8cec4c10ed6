"""Named days: weekdays, months, calendar days, years. Not clock times, durations or "tomorrow"."""

import re
from collections.abc import Iterator, Set
from itertools import islice

from turnlog.extraction.rules import rules
from turnlog.extraction.spans import Name

_RULES = rules("dates")
_pattern = _RULES.pattern
_words = _RULES.words
DATES_MAX = 100
"""Dates of a message, at most."""
_NUMBERS = re.compile(
    r"(?<![\w/.:-])(?:(?:19|20)\d\d([-/.])(?:1[0-2]|0?[1-9])\1(?:3[01]|[12]\d|0?[1-9])"
    r"|(?:3[01]|[12]\d|0?[1-9])([/.-])(?:3[01]|[12]\d|0?[1-9])\2(?:(?:19|20)\d\d|\d\d))(?![\w/-]|\.\d)"
)
_DIGIT = re.compile(r"\d")
_NUMBERED = re.compile(r"\d[-/.]\d")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_WORDS = re.compile(r"[a-z]+|\d+")


def may_name_days(text: str, words: Set[str]) -> bool:
    """Whether `text`, whose words in lower case are `words`, can name a day: quickly told, and often wrong."""
    return not _words("names").isdisjoint(words) or _DIGIT.search(text) is not None


def dates(text: str) -> list[Name]:
    """The dates named in `text`, longest first where two overlap, in no order."""
    words = frozenset(_WORDS.findall(text.lower()))
    found = _full(text) if not _words("any_months").isdisjoint(words) else []
    if _NUMBERED.search(text) is not None:
        found += [Name(match[0], *match.span()) for match in islice(_NUMBERS.finditer(text), DATES_MAX)]
    if not _words("days").isdisjoint(words):
        found += [Name(match[0].rstrip("."), *match.span()) for match in _more(_pattern("day_name"), text, found)]
    if "month" in words:
        found += [Name(match[1], *match.span(1)) for match in _more(_pattern("ordinal_day"), text, found)]
    if not _words("months").isdisjoint(words):
        found += [
            Name(match[0], *match.span()) for match in _more(_pattern("month_name"), text, found) if _month(match, text)
        ]
    if _YEAR.search(text) is not None:
        for match in _more(_pattern("year_alone"), text, found):
            if _pattern("before_year").search(text[max(0, match.start() - 12) : match.start()]):
                found.append(Name(match[0].rstrip("s"), *match.span()))
    return found


def _full(text: str) -> list[Name]:
    found = [Name(match[0].rstrip(" ,."), *match.span()) for match in islice(_pattern("full").finditer(text), DATES_MAX)]
    return [date for date in found if not _is_verb(date, text)]


def _more(pattern: re.Pattern[str], text: str, found: list[Name]) -> Iterator[re.Match[str]]:
    """The places of `pattern` that no date in `found` takes."""
    return (match for match in islice(pattern.finditer(text), DATES_MAX) if _free(match, found))


def _free(match: re.Match[str], found: list[Name]) -> bool:
    return not any(name.start < match.end() and match.start() < name.end for name in found)


def _is_verb(date: Name, text: str) -> bool:
    return date.text[:5] in ("may 1", "mar 1") and text[date.start - 2 : date.start] == "i "


def _month(match: re.Match[str], text: str) -> bool:
    """Whether a month's name stands for the month: "may" and "march" are verbs too."""
    word, before = match[0].lower(), text[max(0, match.start() - 12) : match.start()]
    after = text[match.end() : match.end() + 4].lstrip().lower()
    if word in _words("verbs_too"):
        return _pattern("before_month").search(before) is not None and not after.startswith(("be", "i ", "we ", "not"))
    return True
