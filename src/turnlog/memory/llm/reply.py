"""What a language model says that messages teach, and what of it is believed.

Laws: an item counts only if it cites a message of the user that was shown; names, mentions and likings stand in that
message, word for word but for case, and so do the values of statements; other texts have no name and no number that it
does not have, and at least half of their words from it. What does not hold is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeVar

import msgspec

from turnlog.extraction.document import Kind, read
from turnlog.extraction.facts import Statement
from turnlog.extraction.preferences import Polarity
from turnlog.extraction.topic import topic_words
from turnlog.memory.heard import Heard, HeardClosing, HeardLiking, HeardMention, HeardName
from turnlog.memory.llm.grounding import folded, from_half, invented, occurs
from turnlog.memory.llm.transcript import one_line

ITEMS_MAX = 50
"""Items of one kind that are kept of one message."""
NAME_MAX = 100
TEXT_MAX = 240
"""Characters of a name, and of any other text."""


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seq: int


class Named(_Item, frozen=True, forbid_unknown_fields=True):
    """As `HeardName`."""

    text: str
    asked: bool
    denied: bool
    replies: bool


class Liked(_Item, frozen=True, forbid_unknown_fields=True):
    """As `HeardLiking`."""

    polarity: Polarity
    text: str
    ended: bool
    replies: bool


class Phrase(_Item, frozen=True, forbid_unknown_fields=True):
    """A request or a topic."""

    text: str


class Closed(_Item, frozen=True, forbid_unknown_fields=True):
    """As `HeardClosing`."""

    outcome: Literal["cancelled", "done"]
    about: str


class Mentioned(_Item, frozen=True, forbid_unknown_fields=True):
    """As `HeardMention`."""

    text: str
    kind: Kind


class Stated(_Item, frozen=True, forbid_unknown_fields=True):
    """As `Statement`."""

    text: str
    slot: str
    value: str
    since: str
    until: str
    ended: bool
    denied: bool


class Understood(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the model replies."""

    names: list[Named]
    likings: list[Liked]
    requests: list[Phrase]
    closings: list[Closed]
    mentions: list[Mentioned]
    statements: list[Stated]
    topics: list[Phrase]


I = TypeVar("I", bound=_Item)  # noqa: E741


def believed(reply: Understood, texts: Mapping[int, str]) -> dict[int, Heard]:
    """What each message of the user teaches, by its seq; `texts` are those that were shown, as they are."""
    return {seq: _of_one(reply, seq, text) for seq, text in texts.items()}


def together(one: Heard, other: Heard) -> Heard:
    """What two pieces of one message teach."""
    return Heard(
        _both(one.names, other.names),
        _both(one.likings, other.likings),
        _both(one.requests, other.requests),
        _both(one.closings, other.closings),
        _both(one.mentions, other.mentions),
        one.topic or other.topic,
        one.words,
        _both(one.statements, other.statements),
    )


A = TypeVar("A")


def _both(one: tuple[A, ...], other: tuple[A, ...]) -> tuple[A, ...]:
    """All items of both, each once."""
    kept = list(one)
    for item in other:
        if item not in kept:
            kept.append(item)
    return tuple(kept)


def _of_one(reply: Understood, seq: int, text: str) -> Heard:
    source = folded(text)
    names = [_named(item) for item in _literal(reply.names, seq, source, NAME_MAX)]
    own = [HeardMention(name.text, "PERSON") for name in names]
    mentions = [HeardMention(_kept(item.text), item.kind) for item in _literal(reply.mentions, seq, source, TEXT_MAX)]
    topics = [_kept(item.text) for item in _about(reply.topics, seq) if from_half(item.text, source)]
    return Heard(
        names=tuple(names),
        likings=tuple(_liked(item) for item in _literal(reply.likings, seq, source, TEXT_MAX)),
        requests=tuple(_kept(item.text) for item in _about(reply.requests, seq) if from_half(item.text, source)),
        closings=tuple(_closed(item) for item in _about(reply.closings, seq) if from_half(item.about, source)),
        mentions=tuple(_in_order([*own, *(item for item in mentions if item not in own)], source)),
        topic=topics[-1] if topics else None,
        words=topic_words(read(text)),
        statements=tuple(_stated(item, source) for item in _about(reply.statements, seq) if _holds(item, source)),
    )


def _about(items: Iterable[I], seq: int) -> list[I]:
    """The first items that cite the message `seq`, each once."""
    return list(_both((), tuple(item for item in items if item.seq == seq)))[:ITEMS_MAX]


L = TypeVar("L", Named, Liked, Mentioned)


def _literal(items: Iterable[L], seq: int, source: str, length_max: int) -> list[L]:
    return [item for item in _about(items, seq) if len(item.text) <= length_max and occurs(item.text, source)]


def _kept(text: str) -> str:
    return one_line(text, TEXT_MAX)


def _named(item: Named) -> HeardName:
    return HeardName(_kept(item.text), item.asked, item.denied, item.replies)


def _liked(item: Liked) -> HeardLiking:
    return HeardLiking(item.polarity, _kept(item.text), item.ended, item.replies)


def _closed(item: Closed) -> HeardClosing:
    return HeardClosing(item.outcome, _kept(item.about))


def _stated(item: Stated, source: str) -> Statement:
    return Statement(
        _kept(item.text),
        _kept(item.slot).lower(),
        _kept(item.value),
        since=_date(item.since, source),
        until=_date(item.until, source),
        ended=item.ended,
        denied=item.denied,
    )


def _holds(item: Stated, source: str) -> bool:
    if item.slot == "name" or invented(item.text, source, first=True):  # names are for `names` to say
        return False
    words = item.value.split()
    return all(occurs(word, source) for word in words) if words else from_half(item.text, source)


def _date(date: str, source: str) -> str:
    """The date, if it has a form that is known and the message its year; else none."""
    year = date[:4]
    return date if len(date) in (4, 7, 10) and date.replace("-", "").isdigit() and occurs(year, source) else ""


def _in_order(mentions: Sequence[HeardMention], source: str) -> list[HeardMention]:
    return sorted(mentions, key=lambda mention: source.find(folded(mention.text)))
