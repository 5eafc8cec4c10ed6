"""What the user likes, prefers and dislikes, in their own words."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from turnlog.memory.extract import preferencecues as cues
from turnlog.memory.extract import verdictcues as verdicts
from turnlog.memory.extract.preferencecues import Cue, Polarity
from turnlog.memory.extract.reading import Reading

WORDS_MAX = 10
"""Words of what is liked, at most."""
SUBJECT_LENGTH = 70
"""Characters before a judgement in which the thing that is judged is looked for."""
CUES_MAX = 50
"""Places of one kind that are looked at in a message, at most."""


class Liking(NamedTuple):
    """Something that the user likes, prefers or dislikes; `ended` tells that they say so of the past.

    One that `replies` is understood from the assistant's question.
    """

    polarity: Polarity
    text: str
    start: int
    ended: bool = False
    replies: bool = False


def preferences(reading: Reading, asked: str = "") -> list[Liking]:
    """The user's likes and dislikes in the order of the text; `asked` is what the assistant said just before."""
    own, spoken = reading.own, reading.words
    found = [*_verbs(own, spoken), *_judged(own, spoken), *_captured(own, spoken)]
    if "used" in spoken or "longer" in spoken:
        found += _past(own)
    if not cues.PLEASED.isdisjoint(spoken):
        found += _styles(own)
    if "\n" in own:
        found += _listed(own)
    if ":" in own or "=" in own:
        found += _fields(own)
    if "?" in asked or " or " in asked:
        found += _replies(own, asked)
    return _once(found)


def _each(pattern: re.Pattern[str], own: str) -> Iterator[re.Match[str]]:
    return islice(pattern.finditer(own), CUES_MAX)


def _once(found: list[Liking]) -> list[Liking]:
    kept: list[Liking] = []
    for liking in sorted(found, key=lambda item: item.start):
        words = set(liking.text.lower().split())
        if words and not any(words <= set(other.text.lower().split()) and other.ended == liking.ended for other in kept):
            kept.append(liking)
    return kept


def _heard(table: tuple[Cue, ...], spoken: frozenset[str]) -> Iterator[Cue]:
    """The cues of `table` that may fit a text of the words `spoken`."""
    return (cue for cue in table if not cue.needed.isdisjoint(spoken))


def _verbs(own: str, spoken: frozenset[str]) -> Iterator[Liking]:
    table = cues.VERBS if cues.FIRST_PERSON.isdisjoint(spoken) else cues.SPOKEN
    for pattern, polarity, _ in _heard(table, spoken):
        for cue in _each(pattern, own):
            if cues.HYPOTHETIC.search(own[max(0, cue.start() - 14) : cue.start()]):
                continue
            negative = polarity == "prefer" and own[cue.end() : cue.end() + 4].lower() == "not "
            text = _object(own, cue.end() + (4 if negative else 0), choice=polarity == "prefer")
            if text:
                yield Liking("dislike" if negative else polarity, text, cue.start())


def _object(own: str, start: int, *, choice: bool = False) -> str:
    """What is liked, from `start` to the end of the clause; empty where it is only pointed at."""
    if cues.NO_OBJECT.match(own, start):
        return ""
    end = cues.ENDS.search(own, start, start + 120)
    text = own[start : end.start() if end else start + 120]
    if choice:
        text = _chosen(text)
    return _trimmed(text)


def _chosen(text: str) -> str:
    """`text` without what is not chosen ("trains to planes") and without its occasion ("trains for long trips")."""
    versus = cues.VERSUS.search(text, 2)
    text = text[: versus.start()] if versus else text
    occasion = cues.ENDS_CHOICE.search(text, 2)
    if occasion is None or (cues.DAYTIME.match(text, occasion.end()) and len(text.split()) < 6):
        return text
    return text[: occasion.start()]


def _trimmed(text: str) -> str:
    text = text.strip()
    if (leading := cues.LEADING.match(text)) is not None:
        text = text[leading.end() :]
    words = text.split()[:WORDS_MAX]
    while words and not any(c.isalnum() for c in words[-1]):
        words.pop()
    return " ".join(words).strip("*_~ '")


def _judged(own: str, spoken: frozenset[str]) -> Iterator[Liking]:
    """What stands before its cue: "pools give me a rash"."""
    for pattern, polarity, _ in _heard(verdicts.VERDICTS, spoken):
        for match in _each(pattern, own):
            start = max(0, match.start() - SUBJECT_LENGTH)
            named = verdicts.SUBJECT.search(own[start : match.start()])
            if named is None or cues.NOT_SUBJECT.match(named[1]):
                continue
            text = named[1] + " first" if match[0].lstrip().startswith("first,") else named[1]
            yield Liking(polarity, _trimmed(text), start + named.start(1))


def _captured(own: str, spoken: frozenset[str]) -> Iterator[Liking]:
    for pattern, polarity, _ in _heard(verdicts.CAPTURES, spoken):
        for match in _each(pattern, own):
            if not cues.NOT_SUBJECT.match(match[1]):
                yield Liking(polarity, _trimmed(match[1]), match.start(1))


def _past(own: str) -> Iterator[Liking]:
    for cue in _each(cues.PAST, own):
        text = _object(own, cue.end())
        if text:
            yield Liking("dislike" if cue["hate"] else "like", text, cue.start(), ended=True)
        if text and not cue["hate"] and cues.DISLIKED_NOW.search(own, cue.end() + len(text), cue.end() + len(text) + 60):
            yield Liking("dislike", text, cue.start() + 1)


def _styles(own: str) -> Iterator[Liking]:
    for match in (*_each(cues.JUST, own), *_each(cues.ONLY, own)):
        if not cues.NOT_SUBJECT.match(match[1]) or match[1][:4].lower() in ("just", "only"):
            yield Liking("prefer", match[1], match.start(1))
    for match in _each(cues.PLEASE_NOT, own):
        yield Liking("prefer", _trimmed(match[1]), match.start(1))
        yield Liking("dislike", _trimmed(match[2]), match.start(2))
    for match in _each(cues.PLEASE, own):
        text = match[1].lower()
        if not cues.STYLE.isdisjoint(text.split()) and not text.startswith(("yes", "no ", "make", "use", "in ", "to ")):
            yield Liking("prefer", _trimmed(match[1]), match.start(1))


def _fields(own: str) -> Iterator[Liking]:
    for field in _each(cues.FIELD, own):
        for item in re.split(r",| and | & |;", field[2])[:5]:
            if item.strip():
                yield Liking("dislike" if field["hate"] else "like", _trimmed(item), field.start(2))


def _listed(own: str) -> Iterator[Liking]:
    for head in _each(cues.LIST_HEAD, own):
        place = head.end()
        while (item := cues.ITEM.match(own, place)) is not None:
            yield Liking("dislike" if head["hate"] else "like", _trimmed(re.split(r"[,.;(]", item[1])[0]), item.start(1))
            place = item.end()


def _replies(own: str, asked: str) -> Iterator[Liking]:
    """What answers the assistant's choice or offer: "A or B?" "B, always"."""
    question = asked[-300:]
    options = cues.OPTIONS.findall(question)
    first = cues.FIRST.match(own)
    if options and first is not None and first.end() < 60 and _offered(first[1], options[-1]):
        yield Liking("prefer", first[1], first.start(1), replies=True)
    elif not options and first is not None and cues.FAVOURITE.search(question) and _names_one(first[1]):
        yield Liking("like", first[1], first.start(1), replies=True)
    yield from _of_question(own, question)
    if cues.OFFER.search(question) is None:
        return
    asked_of = _stems(question)
    for match in _each(cues.REFUSES, own):
        if _stem(match[1].lower().split()[-1]) in asked_of:
            yield Liking("dislike", _trimmed(match[1]), match.start(1), replies=True)
    for match in _each(cues.LOVELY, own):
        if not cues.NOT_SUBJECT.match(match[1]):
            yield Liking("like", _trimmed(match[1]), match.start(1), replies=True)


def _of_question(own: str, question: str) -> Iterator[Liking]:
    """What the question is about, if the answer is that the user loves or hates it."""
    asked_of = cues.LIKED.search(question)
    if asked_of is not None:
        if cues.LOVES_IT.match(own):
            yield Liking("like", _trimmed(asked_of[1]), 0, replies=True)
        elif cues.HATES_IT.match(own):
            yield Liking("dislike", _trimmed(asked_of[1]), 0, replies=True)


def _names_one(answer: str) -> bool:
    return cues.NO_OBJECT.match(answer) is None and cues.NOT_SUBJECT.match(answer) is None and len(answer.split()) < 5


def _offered(answer: str, options: str) -> bool:
    stems = [_stem(word) for word in answer.lower().split() if word not in cues.ARTICLES]
    return bool(stems) and stems[0] not in cues.NO_ANSWER and _stems(options).issuperset(stems)


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in re.findall(r"[\w'-]{3,}", text.lower())}


def _stem(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 3 else word
