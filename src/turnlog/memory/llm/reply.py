"""What a language model replies about messages, and what of it is accepted.

Laws: an item counts only if it cites a message of the user that the model was shown; names, mentions and preferences stand
in that message, word for word but for case, and so do the values of statements; other texts have no name and no number that
the message does not have, and at least half of their words from it. What does not hold is left out.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Literal, TypeVar

import msgspec

from turnlog.extraction.document import Kind, read
from turnlog.extraction.facts import Statement
from turnlog.extraction.preferences import Polarity
from turnlog.extraction.topic import topic_words
from turnlog.memory.extraction import ExtractedClosing, ExtractedMention, ExtractedName, ExtractedPreference, Extraction
from turnlog.memory.llm.transcript import one_line

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


ITEMS_MAX = 50
"""Items of one kind that are kept of one message."""
NAME_MAX = 100
TEXT_MAX = 240
"""Characters of a name, and of any other text."""


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seq: int


class NameItem(_Item, frozen=True, forbid_unknown_fields=True):
    """As `ExtractedName`."""

    text: str
    asked: bool
    denied: bool
    replies: bool


class PreferenceItem(_Item, frozen=True, forbid_unknown_fields=True):
    """As `ExtractedPreference`."""

    polarity: Polarity
    text: str
    ended: bool
    replies: bool


class TextItem(_Item, frozen=True, forbid_unknown_fields=True):
    """A request or a topic."""

    text: str


class ClosingItem(_Item, frozen=True, forbid_unknown_fields=True):
    """As `ExtractedClosing`."""

    outcome: Literal["cancelled", "done"]
    about: str


class MentionItem(_Item, frozen=True, forbid_unknown_fields=True):
    """As `ExtractedMention`."""

    text: str
    kind: Kind


class StatementItem(_Item, frozen=True, forbid_unknown_fields=True):
    """As `Statement`."""

    text: str
    slot: str
    value: str
    since: str
    until: str
    ended: bool
    denied: bool


class ExtractionReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model replies."""

    names: list[NameItem]
    preferences: list[PreferenceItem]
    requests: list[TextItem]
    closings: list[ClosingItem]
    mentions: list[MentionItem]
    statements: list[StatementItem]
    topics: list[TextItem]


I = TypeVar("I", bound=_Item)  # noqa: E741
Q = TypeVar("Q", NameItem, PreferenceItem, MentionItem)
T = TypeVar("T")


def accepted(reply: ExtractionReply, texts: Mapping[int, str]) -> dict[int, Extraction]:
    """What each message of the user states, by its seq; `texts` are those that the model was shown, as they are."""
    return {seq: _of_one(reply, seq, text) for seq, text in texts.items()}


def merged(one: Extraction, other: Extraction) -> Extraction:
    """What two pieces of one message state."""
    return Extraction(
        _union(one.names, other.names),
        _union(one.preferences, other.preferences),
        _union(one.requests, other.requests),
        _union(one.closings, other.closings),
        _union(one.mentions, other.mentions),
        one.topic or other.topic,
        one.words,
        _union(one.statements, other.statements),
    )


def _union(*items: Iterable[T]) -> tuple[T, ...]:
    """All items, each once. They need not be hashable."""
    kept: list[T] = []
    for item in chain(*items):
        if item not in kept:
            kept.append(item)
    return tuple(kept)


def _of_one(reply: ExtractionReply, seq: int, text: str) -> Extraction:
    source = folded(text)
    names = [
        ExtractedName(_clean(it.text), it.asked, it.denied, it.replies) for it in _quoted(reply.names, seq, source, NAME_MAX)
    ]
    mentions = [ExtractedMention(name.text, "PERSON") for name in names]
    mentions += [ExtractedMention(_clean(it.text), it.kind) for it in _quoted(reply.mentions, seq, source, TEXT_MAX)]
    topics = [_clean(it.text) for it in _citing(reply.topics, seq) if from_half(it.text, source)]
    return Extraction(
        names=tuple(names),
        preferences=tuple(
            ExtractedPreference(it.polarity, _clean(it.text), it.ended, it.replies)
            for it in _quoted(reply.preferences, seq, source, TEXT_MAX)
        ),
        requests=tuple(_clean(it.text) for it in _citing(reply.requests, seq) if from_half(it.text, source)),
        closings=tuple(
            ExtractedClosing(it.outcome, _clean(it.about))
            for it in _citing(reply.closings, seq)
            if from_half(it.about, source)
        ),
        mentions=tuple(sorted(_union(mentions), key=lambda mention: source.find(folded(mention.text)))),
        topic=topics[-1] if topics else None,
        words=topic_words(read(text)),
        statements=tuple(_statement(it, source) for it in _citing(reply.statements, seq) if _holds(it, source)),
    )


def _citing(items: Iterable[I], seq: int) -> tuple[I, ...]:
    """The first items that cite the message `seq`, each once."""
    return _union(item for item in items if item.seq == seq)[:ITEMS_MAX]


def _quoted(items: Iterable[Q], seq: int, source: str, length_max: int) -> list[Q]:
    return [item for item in _citing(items, seq) if len(item.text) <= length_max and occurs(item.text, source)]


def _clean(text: str) -> str:
    return one_line(text, TEXT_MAX)


def _statement(item: StatementItem, source: str) -> Statement:
    return Statement(
        _clean(item.text),
        _clean(item.slot).lower(),
        _clean(item.value),
        since=_date(item.since, source),
        until=_date(item.until, source),
        ended=item.ended,
        denied=item.denied,
    )


def _holds(item: StatementItem, source: str) -> bool:
    if item.slot == "name" or invented(item.text, source, first=True):  # names come from `names` alone
        return False
    words = item.value.split()
    return all(occurs(word, source) for word in words) if words else from_half(item.text, source)


def _date(date: str, source: str) -> str:
    """The date, if it has a known form and the message has its year; else none."""
    year = date[:4]
    return date if len(date) in (4, 7, 10) and date.replace("-", "").isdigit() and occurs(year, source) else ""
