"""What the user asks to have done, takes back or has done themselves, and what the assistant's reply does to it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from turnlog.extraction.document import Reading
from turnlog.extraction.rules import rules

_RULES = rules("tasks")
_pattern = _RULES.pattern
_ITEM = re.compile(r"[ \t]{0,20}(?:[-*•+]|\d{1,2}[.)]|\[ \])[ \t]{1,8}(?:\[ \] )?([^\n]{2,160})(?:\n|$)")
"""An item of a list."""
Outcome = Literal["cancelled", "done", "fulfilled"]
Answer = Literal["brings", "asks", "puts off"]
TEXT_MAX = 240
"""Characters of a task."""
CUES_MAX = 50
"""Places of one kind that are looked at in a message, at most."""
REQUESTS_MAX = 50
"""Requests of one message, at most."""
SENTENCE_LENGTH = 400
"""Characters at the beginning of a sentence, and before a verb in it, that tell what the verb goes on, at most."""
LONG_REPLY = 200
"""Characters from which a reply is more than a question or a promise."""


class TaskRequest(NamedTuple):
    """Something that the user asks to have done, from a place in the text."""

    text: str
    start: int


class Closing(NamedTuple):
    """A place in the text where the user takes a request back, or says that it is done, and the words around it."""

    outcome: Outcome
    start: int
    about: str


def requests(reading: Reading, closed: Sequence[Closing] = (), asked: str = "") -> list[TaskRequest]:
    """What the message asks to have done, in the order of the text, without what is taken back after it.

    `closed` are the `closings` of the message; `asked` is what the assistant said just before, perhaps an offer.
    """
    own = reading.own
    found = list(islice(_listed(own), REQUESTS_MAX)) if ":" in own and "\n" in own else []
    found += _accepted(own, asked)
    for request in sorted(_spoken(reading), key=lambda item: (item.start, -len(item.text))):
        if not any(other.start - 2 <= request.start <= other.start + len(other.text) for other in found):
            found.append(request)
    taken_back = max((closing.start for closing in closed if closing.outcome == "cancelled"), default=-1)
    left = (request for request in found if request.start > taken_back or (request.start < 0 and taken_back < 0))
    return [_explained(request, own) for request in islice(left, REQUESTS_MAX)]


def _each(table: str, reading: Reading) -> Iterable[re.Match[str]]:
    return reading.places(_RULES.tables[table])


def _spoken(reading: Reading) -> Iterator[TaskRequest]:
    own = reading.own
    for table in ("asked", "please"):
        for cue in _each(table, reading):
            if not _pattern("information").match(own, cue.end()):
                yield from _request(own, cue.end())
    yield from _needed(reading)
    for cue in _each("imperative", reading):
        if not _pattern("information").match(own, cue.end()) and not _is_told(own, cue):
            yield from _request(own, cue.end())


def _needed(reading: Reading) -> Iterator[TaskRequest]:
    own = reading.own
    for cue in _each("remind", reading):
        yield from _request(own, cue.start())
    for match in _each("forget", reading):
        for request in _request(own, match.end()):
            yield TaskRequest(f"remind me {match[1] or 'of'} {request.text}", match.start())
    for match in _each("needs_done", reading):
        yield TaskRequest(f"{_infinitive(match[2])} {match[1].strip()}{match[3]}", match.start())
    for cue in _each("needs", reading):
        if not _pattern("needs_less").match(own, cue.end()):
            yield from _request(own, cue.end())
    for match in _each("wants_done", reading):
        yield TaskRequest(f"{_infinitive(match[2])} {match[1].strip()}", match.start())


def _infinitive(form: str) -> str:
    """The verb of a participle or a gerund, as far as it is known."""
    return str(_RULES.values("infinitives").get(form.lower(), form))


def _is_told(own: str, cue: re.Match[str]) -> bool:
    """Whether the verb after "and" or a comma goes on a tale or a question, not a request."""
    lead = cue[0].strip(" ").lower()
    if cue.start() == 0 or lead[:1] in (".", "!", "?", "\n"):
        return False
    end = cue.start()
    start = max(own.rfind(mark, 0, end) for mark in ".!?\n") + 1
    beginning = own[start : min(end, start + SENTENCE_LENGTH)].strip()
    before = own[max(start, end - SENTENCE_LENGTH) : end].rpartition(",")[2]
    if not own[start:end].strip() or lead[:1] == ":" or lead in ("now", "so", "please", "pls", "plz", "-", "–", "—"):
        return False
    return _pattern("goes_on").match(beginning) is None and _pattern("condition").search(before) is None


def _request(own: str, start: int) -> Iterator[TaskRequest]:
    while start < len(own) and own[start] in " ,":
        start += 1
    if _pattern("idiom").match(own, start):
        return
    end = _pattern("ends").search(own, start + 1, start + TEXT_MAX)
    text = own[start : end.start() if end else start + TEXT_MAX].strip(" .,:*_")
    if len(text.split()) >= 2 and any(c.isalpha() for c in text):
        yield TaskRequest(text, start)


def _accepted(own: str, asked: str) -> Iterator[TaskRequest]:
    """What the assistant offered to do, if the message begins by accepting it."""
    offers = _pattern("offers").findall(asked[-300:]) if asked and _pattern("accepts").match(own) else []
    if offers and len(offers[-1].split()) > 1 and " or " not in offers[-1]:
        yield TaskRequest(offers[-1].strip(), -1)


def _explained(request: TaskRequest, own: str) -> TaskRequest:
    """`request` with the clause before it in brackets, where it only points at something: "fix it"."""
    if request.start < 0 or _pattern("points").match(request.text) is None:
        return request
    before = re.split(r"[.!?\n]\s", own[max(0, request.start - 200) : request.start].rstrip(" ,;:-–—"))[-1]
    before = re.sub(
        r"(?:,? (?:so|and|please|pls|can you|could you|would you|then))+$", "", before.strip(), flags=re.IGNORECASE
    ).strip(" ,;")
    return TaskRequest(f"{request.text} ({before})", request.start) if len(before.split()) > 2 else request


def _listed(own: str) -> Iterator[TaskRequest]:
    for head in islice(_pattern("list_head").finditer(own), CUES_MAX):
        place = head.end()
        while (item := _ITEM.match(own, place)) is not None:
            yield TaskRequest(item[1].strip(" .,;"), item.start(1))
            place = item.end()


def closings(reading: Reading) -> list[Closing]:
    """Where the message takes a request back, or says that it is done."""
    own = reading.own
    return [
        Closing(rule.yields["outcome"], match.start(), own[match.start() : match.end() + 60])
        for table in ("cancels", "done")
        for rule, match in reading.find(_RULES.tables[table])
    ]


def answers(reply: str) -> Answer:
    """What the assistant's `reply` is to a request: it brings the thing, asks for more, or puts it off."""
    if _pattern("fails").search(reply, 0, 400):
        return "puts off"
    if len(reply) >= LONG_REPLY:
        return "brings"
    if reply.rstrip().endswith("?"):
        return "asks"
    return "puts off" if _pattern("delivers").search(reply) is None and _pattern("promises").search(reply) else "brings"
