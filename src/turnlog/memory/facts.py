"""Facts: what is true of the user, since when, until when, from which messages, and when it was learned.

A newer value of a slot closes the older one, which stays in history; so does its denial. A fact that is stated twice is one
fact with two sources.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from turnlog.extraction.facts import Statement
from turnlog.extraction.preferences import Polarity
from turnlog.memory.extraction import ExtractedPreference, Extraction, Utterance
from turnlog.memory.profile import chosen
from turnlog.memory.similarity import overlap

FACTS_MAX = 1000
"""Facts that are kept; the closed ones go first, then the oldest."""
SEQS_MAX = 50
"""Messages that are kept as the sources of one fact: the first and the newest."""
SAME = 0.5
"""Word overlap (F1) from which two preferences are about one thing."""
SAME_TEXT = 0.8
"""Word overlap (F1) from which two facts without a slot say the same."""
VERBS: dict[Polarity, str] = {"like": "likes", "prefer": "prefers", "dislike": "dislikes"}
"""How a fact begins that tells a preference."""


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is or was true of the user: `text` in the third person without its subject ("lives in Lisbon").

    `slot` names what has one value at a time ("home"), or is empty; `value` is that value ("Lisbon"), or what is liked.
    `seqs` are the messages that say so, the one that opened it first. `confidence` is over 0 and at most 1.
    Times are in microseconds since 1970 UTC: it was learned at `recorded_at`, and holds from `valid_from` until
    `valid_to`, None while it holds.
    """

    text: str
    slot: str
    value: str
    seqs: tuple[int, ...]
    confidence: float
    recorded_at: int
    valid_from: int
    valid_to: int | None = None


def reduced(facts: tuple[Fact, ...], utterances: Iterable[Utterance]) -> tuple[Fact, ...]:
    """The facts after `utterances`."""
    after = list(facts)
    for utterance in utterances:
        if utterance.extraction is not None:
            for statement, seqs in _statements(utterance.extraction, utterance):
                _take(after, statement, seqs, utterance.at)
    return _within(after)


def _statements(found: Extraction, utterance: Utterance) -> list[tuple[Statement, tuple[int, ...]]]:
    """What the message states, names and preferences among it, and the sources of each statement."""
    alone: tuple[int, ...] = (utterance.seq,)
    stated = [(Statement(f"is called {it.text}", "name", it.text, denied=True), alone) for it in found.names if it.denied]
    given = chosen(found.names)
    if given is not None:
        named = Statement(f"is called {given.text}", "name", given.text, 0.9 if given.asked else 0.8)
        stated.append((named, utterance.sources(replies=given.replies)))
    stated += ((statement, alone) for statement in found.statements)
    stated += ((_preference(it), utterance.sources(replies=it.replies)) for it in found.preferences)
    return stated


def _preference(preference: ExtractedPreference) -> Statement:
    verb = VERBS[preference.polarity]
    return Statement(f"{verb} {preference.text}", "", preference.text, ended=preference.ended)


def _take(facts: list[Fact], statement: Statement, seqs: tuple[int, ...], at: int) -> None:
    """Put `statement`, made at the time `at`, among the `facts`: as a new one, a further source, or an end of others."""
    known = [place for place, fact in enumerate(facts) if fact.valid_to is None and _touches(fact, statement)]
    same = [place for place in known if _says(facts[place], statement)]
    if statement.denied or (statement.ended and same):
        for place in same:
            facts[place] = replace(facts[place], valid_to=_ended_at(statement, facts[place], at))
        return
    if same:
        facts[same[0]] = _again(facts[same[0]], statement, seqs)
        return
    fact = _fact(statement, seqs, at)
    if not statement.ended:
        for place in known:
            facts[place] = replace(facts[place], valid_to=max(facts[place].valid_from, min(fact.valid_from, at)))
    if fact not in facts:
        facts.append(fact)


def _touches(fact: Fact, statement: Statement) -> bool:
    """Whether the fact and the statement cannot both hold, or are the same."""
    if statement.slot or fact.slot:
        return fact.slot == statement.slot
    verbs = _verb(fact.text), _verb(statement.text)
    if all(verb in VERBS.values() for verb in verbs):
        apart = (verbs[0] == "dislikes") != (verbs[1] == "dislikes")
        return overlap(fact.value, statement.value) >= SAME and (apart or verbs[0] == verbs[1] or _says(fact, statement))
    return _says(fact, statement)


def _says(fact: Fact, statement: Statement) -> bool:
    """Whether both say the same."""
    if fact.slot:
        return fact.value.casefold() == statement.value.casefold()
    if _verb(fact.text) in VERBS.values():
        positive = _verb(fact.text) != "dislikes", _verb(statement.text) != "dislikes"
        return (
            _verb(statement.text) in VERBS.values()
            and positive[0] == positive[1]
            and overlap(fact.value, statement.value) >= SAME
        )
    return overlap(fact.text, statement.text) >= SAME_TEXT


def _verb(text: str) -> str:
    return text.split(" ", 1)[0]


def _again(fact: Fact, statement: Statement, seqs: tuple[int, ...]) -> Fact:
    told = (*fact.seqs, *(seq for seq in seqs if seq not in fact.seqs))
    kept = told if len(told) <= SEQS_MAX else (*told[:1], *told[1 - SEQS_MAX :])
    since = _micros(statement.since)
    return replace(
        fact,
        seqs=kept,
        confidence=max(fact.confidence, statement.confidence),
        valid_from=fact.valid_from if since is None else min(fact.valid_from, since),
    )


def _fact(statement: Statement, seqs: tuple[int, ...], at: int) -> Fact:
    since = _micros(statement.since)
    fact = Fact(
        statement.text,
        statement.slot,
        statement.value,
        seqs,
        statement.confidence,
        at,
        at if since is None else min(since, at),
    )
    return replace(fact, valid_to=_ended_at(statement, fact, at)) if statement.ended else fact


def _ended_at(statement: Statement, fact: Fact, at: int) -> int:
    until = _micros(statement.until)
    return max(fact.valid_from, at if until is None else min(until, at))


def _micros(date: str) -> int | None:
    """The beginning of a year, month or day written as "2019", "2019-05" or "2019-05-03", None for anything else."""
    if not date:
        return None
    parts = date.split("-")
    try:
        year, month, day = (*map(int, parts), *(1, 1, 1)[len(parts) :])
        return round(datetime(year, month, day, tzinfo=UTC).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        return None


def _within(facts: list[Fact]) -> tuple[Fact, ...]:
    over = len(facts) - FACTS_MAX
    if over <= 0:
        return tuple(facts)
    drop = set(sorted(range(len(facts)), key=lambda place: (facts[place].valid_to is None, place))[:over])
    return tuple(fact for place, fact in enumerate(facts) if place not in drop)
