"""Named days: weekdays, months, calendar days, years. Not clock times, durations or "tomorrow"."""

import re
from collections.abc import Iterator, Set
from itertools import islice

from turnlog.extraction.spans import Name
from turnlog.extraction.vocabulary.listed import alternatives
from turnlog.extraction.vocabulary.listed import words as listed

_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_SHORT_DAY = r"(?:Mon|Tues?|Weds?|Thur?s?|Fri|Sat|Sun)\b\.?"
_MONTH = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_SHORT_MONTH = r"(?:jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"
_NAMED = rf"(?:{_MONTH}|{_SHORT_MONTH})\b\.?"
DATES_MAX = 100
"""Dates of a message, at most."""
_FULL = re.compile(
    rf"\b(?:(?:{_WEEKDAY}|mon|tue|wed|thu|fri|sat|sun)\b,? (?:the )?)?"
    rf"(?:{_DAY} (?:of )?{_NAMED}(?:,? {_YEAR}\b)?|{_NAMED} {_DAY}\b(?:,? {_YEAR}\b)?"
    rf"|{_MONTH},? {_YEAR}\b|{_SHORT_MONTH}\.? {_YEAR}\b)",
    re.IGNORECASE,
)
_NUMBERS = re.compile(
    r"(?<![\w/.:-])(?:(?:19|20)\d\d([-/.])(?:1[0-2]|0?[1-9])\1(?:3[01]|[12]\d|0?[1-9])"
    r"|(?:3[01]|[12]\d|0?[1-9])([/.-])(?:3[01]|[12]\d|0?[1-9])\2(?:(?:19|20)\d\d|\d\d))(?![\w/-]|\.\d)"
)
_DAY_NAME = re.compile(rf"\b(?:(?i:{_WEEKDAY})\b|{_SHORT_DAY}(?=[\s,:;)!?/-]|$))")
_ORDINAL_DAY = re.compile(r"\bthe ((?:3[01]|[12]\d|[1-9])(?:st|nd|rd|th))\b(?= of (?:this|next) month)", re.IGNORECASE)
_MONTH_NAME = re.compile(rf"\b{_MONTH}\b", re.IGNORECASE)
_BEFORE_MONTH = re.compile(
    r"\b"
    + alternatives(
        """
        in | by | since | until | till | from | next | last | this | early | late | mid | during | every | of | through
        before | after | end of | for
        and | to | or | the | our | my | your
        """
    )
    + r"[ -]$",
    re.IGNORECASE,
)
_YEAR_ALONE = re.compile(rf"(?<![\w.,:/#$€£@-]){_YEAR}s?(?![\w%/@:-]|[.,]\d)")
_BEFORE_YEAR = re.compile(
    r"\b"
    + alternatives(
        """
        in | by | since | until | till | from | of | before | after | around | circa | year | spring | summer | autumn
        fall | winter | early | late
        mid | the | and | to | for | class of | born | during | back
        """
    )
    + r"[ -]$",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_WORDS = re.compile(r"[a-z]+|\d+")
_MONTHS = listed("january february march april may june july august september october november december")
_ANY_MONTHS = _MONTHS | listed("jan feb mar apr jun jul aug sep sept oct nov dec")
_DAYS = listed(
    """
    monday mondays tuesday tuesdays wednesday wednesdays thursday thursdays friday fridays saturday saturdays sunday sundays
    mon tue tues wed weds thu thur thus thurs fri sat sun
    """
)
_NAMES = listed(
    """
    mon monday mondays tue tues tuesday tuesdays wed weds wednesday wednesdays thu thur thurs thursday thursdays fri friday
    fridays sat saturday saturdays sun sunday sundays january february march april may june july august september october
    november december jan feb mar apr jun jul aug sep sept oct nov dec
    """
)


def may_name_days(text: str, words: Set[str]) -> bool:
    """Whether `text`, whose words in lower case are `words`, can name a day: quickly told, and often wrong."""
    return not _NAMES.isdisjoint(words) or _DIGIT.search(text) is not None


def dates(text: str) -> list[Name]:
    """The dates named in `text`, longest first where two overlap, in no order."""
    words = frozenset(_WORDS.findall(text.lower()))
    found = _full(text) if not _ANY_MONTHS.isdisjoint(words) else []
    if any(map(str.isdigit, words)):
        found += [Name(match[0], *match.span()) for match in islice(_NUMBERS.finditer(text), DATES_MAX)]
    if not _DAYS.isdisjoint(words):
        found += [Name(match[0].rstrip("."), *match.span()) for match in _more(_DAY_NAME, text, found)]
    if "month" in words:
        found += [Name(match[1], *match.span(1)) for match in _more(_ORDINAL_DAY, text, found)]
    if not _MONTHS.isdisjoint(words):
        found += [Name(match[0], *match.span()) for match in _more(_MONTH_NAME, text, found) if _month(match, text)]
    if any(len(word) == 4 and word[:2] in ("19", "20") for word in words):
        for match in _more(_YEAR_ALONE, text, found):
            if _BEFORE_YEAR.search(text[max(0, match.start() - 12) : match.start()]):
                found.append(Name(match[0].rstrip("s"), *match.span()))
    return found


def _full(text: str) -> list[Name]:
    found = [Name(match[0].rstrip(" ,."), *match.span()) for match in islice(_FULL.finditer(text), DATES_MAX)]
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
    if word in ("may", "march", "august"):
        return _BEFORE_MONTH.search(before) is not None and not after.startswith(("be", "i ", "we ", "not"))
    return True
