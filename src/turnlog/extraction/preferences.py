"""What the user likes, prefers and dislikes, in their own words."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, NamedTuple

from turnlog.extraction.document import Reading
from turnlog.extraction.rules import Rule, rules
from turnlog.extraction.spans import is_given

Polarity = Literal["like", "dislike", "prefer"]
_RULES = rules("preferences")
_pattern = _RULES.pattern
_words = _RULES.words
_CLAUSE_END = re.compile(r"[.!?\n:]")
_ITEM = re.compile(r"[ \t]{0,20}(?:[-*•+]|\d{1,2}[.)])[ \t]{1,8}([^\n]{1,120})(?:\n|$)")
"""An item of a list."""
WORDS_MAX = 10
"""Words of what is liked, at most."""
SUBJECT_LENGTH = 70
"""Characters before a judgement in which the thing that is judged is looked for."""
LIKINGS_MAX = 50
"""Likings of one message, at most."""
ANSWER_LENGTH = 100
"""Characters of an answer that may tell tastes in bare words, at most."""


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
    found = [*_verbs(reading), *_judged(reading), *_captured(reading), *_styled(reading), *_past(reading)]
    if not _words("pleased").isdisjoint(reading.words):
        found += _styles(reading)
    if "\n" in reading.own:
        found += islice(_listed(reading), LIKINGS_MAX)
    if ":" in reading.own or "=" in reading.own:
        found += _fields(reading)
    if "?" in asked or " or " in asked:
        found += _replies(reading, asked)
    return _once(found)


def _each(table: str, reading: Reading) -> Iterable[re.Match[str]]:
    return reading.places(_RULES.tables[table])


def _ruled(table: str, reading: Reading) -> Iterator[tuple[Rule, re.Match[str]]]:
    return reading.find(_RULES.tables[table])


def _once(found: list[Liking]) -> list[Liking]:
    kept: list[tuple[Liking, set[str]]] = []
    for liking in sorted(found, key=lambda item: (item.start, item.text.count(" "))):
        words = set(liking.text.lower().split())
        if words and not any(
            (words <= others and other.ended == liking.ended) or other.start == liking.start for other, others in kept
        ):
            kept.append((liking, words))
            if len(kept) == LIKINGS_MAX:
                break
    return [liking for liking, _ in kept]


def _verbs(reading: Reading) -> Iterator[Liking]:
    own = reading.own
    tables = ("verbs",) if _words("first_person").isdisjoint(reading.words) else ("of_me", "verbs")
    for table in tables:
        for rule, cue in _ruled(table, reading):
            polarity = rule.yields["polarity"]
            if _pattern("hypothetic").search(own[max(0, cue.start() - 14) : cue.start()]):
                continue
            negative = polarity == "prefer" and own[cue.end() : cue.end() + 4].lower() == "not "
            text = _object(own, cue.end() + (4 if negative else 0), choice=polarity == "prefer")
            if text:
                yield Liking("dislike" if negative else polarity, text, cue.start())


def _object(own: str, start: int, *, choice: bool = False) -> str:
    """What is liked, from `start` to the end of the clause; empty where it is only pointed at."""
    if _pattern("no_object").match(own, start):
        return ""
    end = _pattern("ends").search(own, start, start + 120)
    text = own[start : end.start() if end else start + 120]
    if choice:
        text = _chosen(text)
    return _trimmed(text)


def _chosen(text: str) -> str:
    """`text` without what is not chosen ("trains to planes") and without its occasion ("trains for long trips")."""
    versus = _pattern("versus").search(text, 2)
    text = text[: versus.start()] if versus else text
    occasion = _pattern("ends_choice").search(text, 2)
    if occasion is None or (_pattern("daytime").match(text, occasion.end()) and len(text.split()) < 6):
        return text
    return text[: occasion.start()]


def _trimmed(text: str) -> str:
    text = text.strip()
    if (leading := _pattern("leading").match(text)) is not None:
        text = text[leading.end() :]
    words = text.split()[:WORDS_MAX]
    while words and not any(c.isalnum() for c in words[-1]):
        words.pop()
    return " ".join(words).strip("*_~ '")


def _judged(reading: Reading) -> Iterator[Liking]:
    """What stands before its cue: "pools give me a rash"."""
    own = reading.own
    for rule, match in _ruled("verdicts", reading):
        polarity = rule.yields["polarity"]
        start = max(0, match.start() - SUBJECT_LENGTH)
        named = _pattern("subject").search(own[start : match.start()])
        if named is None or _pattern("not_subject").match(named[1]):
            continue
        text = named[1] + " first" if match[0].lstrip().startswith("first,") else named[1]
        yield Liking(polarity, _trimmed(text), start + named.start(1))


def _captured(reading: Reading) -> Iterator[Liking]:
    for rule, match in _ruled("captures", reading):
        polarity = rule.yields["polarity"]
        if not _pattern("not_subject").match(match[1]):
            yield Liking(polarity, _trimmed(match[1]), match.start(1))


def _styled(reading: Reading) -> Iterator[Liking]:
    """How the user wants to be told things, and what is to be left out."""
    for rule, match in _ruled("styles", reading):
        polarity = rule.yields["polarity"]
        start = next((place for place in range(1, match.re.groups + 1) if match[place]), 0)
        text = (
            _trimmed(match[start])
            if match[start][:3].lower() == "be "
            else _object(_pattern("so_many").sub("", match[start]), 0)
        )
        before = reading.own[max(0, match.start() - 14) : match.start()]
        if start and text and (_pattern("hypothetic").search(before) is None or before.endswith("it if ")):
            yield Liking(polarity, text, match.start(start))


def _past(reading: Reading) -> Iterator[Liking]:
    own = reading.own
    for cue in _each("past", reading):
        text = _object(own, cue.end())
        if text:
            yield Liking("dislike" if cue["hate"] else "like", text, cue.start(), ended=True)
        if text and cue["hate"] and _pattern("liked_now").search(own, cue.end() + len(text), cue.end() + len(text) + 60):
            yield Liking("like", text, cue.start() + 1)
        if (
            text
            and not cue["hate"]
            and _pattern("disliked_now").search(own, cue.end() + len(text), cue.end() + len(text) + 60)
        ):
            yield Liking("dislike", text, cue.start() + 1)


def _styles(reading: Reading) -> Iterator[Liking]:
    for match in (*_each("just", reading), *_each("only", reading)):
        if not _pattern("not_subject").match(match[1]) or match[1][:4].lower() in ("just", "only"):
            yield Liking("prefer", match[1], match.start(1))
    for match in _each("please_not", reading):
        yield Liking("prefer", _trimmed(match[1]), match.start(1))
        yield Liking("dislike", _trimmed(match[2]), match.start(2))
    for match in _each("please", reading):
        text = match[1].lower()
        if not _words("style").isdisjoint(text.split()) and not text.startswith(("yes", "no ", "make", "use", "in ", "to ")):
            yield Liking("prefer", _trimmed(match[1]), match.start(1))


def _fields(reading: Reading) -> Iterator[Liking]:
    for field in _each("field", reading):
        for item in re.split(r",| and | & |;", field[2])[:5]:
            if item.strip():
                yield Liking("dislike" if field["hate"] else "like", _trimmed(item), field.start(2))


def _listed(reading: Reading) -> Iterator[Liking]:
    own = reading.own
    for head in _each("list_head", reading):
        place = head.end()
        while (item := _ITEM.match(own, place)) is not None:
            yield Liking("dislike" if head["hate"] else "like", _trimmed(re.split(r"[,.;(]", item[1])[0]), item.start(1))
            place = item.end()


def _replies(reading: Reading, asked: str) -> Iterator[Liking]:
    """What answers the assistant's choice or offer: "A or B?" "B, always"."""
    own = reading.own
    question = asked[-240:]
    options = _options(question)
    first = _pattern("first").match(own)
    told = [] if options else list(_told_tastes(own, question))
    yield from told
    if options and first is not None and first.end() < 60 and _offered(first[1], options):
        yield Liking("prefer", first[1], first.start(1), replies=True)
    elif not (options or told) and first is not None and _pattern("favourite").search(question) and _names_one(first[1]):
        yield Liking("like", first[1], first.start(1), replies=True)
    if "?" not in question:
        return
    yield from _of_question(own, question)
    if _pattern("offer").search(question) is None:
        return
    asked_of = _stems(question)
    for match in _each("refuses", reading):
        if _stem(match[1].lower().split()[-1]) in asked_of:
            yield Liking("dislike", _trimmed(match[1]), match.start(1), replies=True)
    for match in _each("lovely", reading):
        if not _pattern("not_subject").match(match[1]):
            yield Liking("like", _trimmed(match[1]), match.start(1), replies=True)


def _told_tastes(own: str, question: str) -> Iterator[Liking]:
    """The things in a bare answer to "anything you like?" or "anything you avoid?"."""
    if (
        len(own) > ANSWER_LENGTH
        or _pattern("tastes_asked").search(question) is None
        or _pattern("not_tastes").search(question)
    ):
        return
    told = _pattern("told").match(own)
    if told is None:
        return
    hate = _pattern("distastes_asked").search(question) is not None
    for item in re.split(r", (?:and )?| and | & ", told[1])[:5]:
        if item.strip() and _names_one(item) and not is_given(item.lower()):
            yield Liking("dislike" if hate else "like", _trimmed(item), own.find(item), replies=True)


def _options(question: str) -> str:
    """The last sentence of `question`, if it offers a choice; else nothing."""
    last = _CLAUSE_END.split(question.rstrip(" ?.\n"))[-1]
    return last if " or " in last else ""


def _of_question(own: str, question: str) -> Iterator[Liking]:
    """What the question is about, if the answer is that the user loves or hates it."""
    asked_of = _pattern("liked").search(question)
    if asked_of is not None:
        if _pattern("loves_it").match(own):
            yield Liking("like", _trimmed(asked_of[1]), 0, replies=True)
        elif _pattern("hates_it").match(own):
            yield Liking("dislike", _trimmed(asked_of[1]), 0, replies=True)


def _names_one(answer: str) -> bool:
    return (
        _pattern("no_object").match(answer) is None
        and _pattern("not_subject").match(answer) is None
        and len(answer.split()) < 5
    )


def _offered(answer: str, options: str) -> bool:
    stems = [_stem(word) for word in answer.lower().split() if word not in _words("articles")]
    return bool(stems) and stems[0] not in _words("no_answer") and _stems(options).issuperset(stems)


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in re.findall(r"[\w'-]{3,}", text.lower())}


def _stem(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 3 else word
