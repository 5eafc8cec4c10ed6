"""The fold `facts`: what is true of the user, since when, until when, from which messages, and when it was learned.

A newer value of a slot closes the older, which stays in history; so does its denial. What is said twice is one fact of two
sources. To fold in one go or message by message gives the same.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from turnlog.extraction.facts import Statement
from turnlog.extraction.preferences import Polarity
from turnlog.memory.heard import Heard, HeardLiking
from turnlog.memory.hearing import Heeding, Question, Talk, Turn
from turnlog.memory.profile import chosen
from turnlog.memory.similarity import overlap
from turnlog.message import Message

FACTS_MAX = 1000
"""Facts that are kept: of more, those that hold no longer go first, then the oldest."""
SEQS_MAX = 50
"""Messages that are kept as the sources of one fact: the first and the newest."""
SAME = 0.5
"""Word overlap (F1) from which two likings are about one thing."""
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


class FactsState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The facts in the order in which they were learned; `question` is what the assistant said last."""

    facts: tuple[Fact, ...] = ()
    question: Question | None = None

    @property
    def current(self) -> tuple[Fact, ...]:
        """The facts that hold."""
        return tuple(fact for fact in self.facts if fact.valid_to is None)


class Facts(Heeding):
    """The fold."""

    name = "facts"

    def initial(self) -> FactsState:
        return FactsState()

    async def step(self, state: FactsState, messages: Sequence[Message]) -> FactsState:
        return await self._taught(stated, state, state.question, messages)


def stated(state: FactsState, talk: Talk) -> FactsState:
    """The state after `talk`, which goes on from `state`."""
    facts = list(state.facts)
    for turn in talk.turns:
        if turn.heard is not None:
            for statement, seqs in _statements(turn.heard, turn):
                _take(facts, statement, seqs, turn.at)
    return FactsState(_within(facts), talk.question)


def _statements(heard: Heard, turn: Turn) -> list[tuple[Statement, tuple[int, ...]]]:
    """What the message states, with what it says of names and likings, and the sources of each."""
    alone: tuple[int, ...] = (turn.seq,)
    replied = (*turn.before, turn.seq)
    found = [
        (Statement(f"is called {name.text}", "name", name.text, denied=True), alone) for name in heard.names if name.denied
    ]
    given = chosen(heard.names)
    if given is not None:
        named = Statement(f"is called {given.text}", "name", given.text, 0.9 if given.asked else 0.8)
        found.append((named, replied if given.replies else alone))
    found += ((statement, alone) for statement in heard.statements)
    found += ((_liking(liking), replied if liking.replies else alone) for liking in heard.likings)
    return found


def _liking(liking: HeardLiking) -> Statement:
    verb = VERBS[liking.polarity]
    return Statement(f"{verb} {liking.text}", "", liking.text, ended=liking.ended)


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
