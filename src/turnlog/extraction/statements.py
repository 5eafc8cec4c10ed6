"""What the user says of themselves: where they live, what they do, whom they have, what they may not eat.

Modest and honest: a statement is a clause with "I" or "my" whose verb tells one kind of thing. Questions, what is supposed
or wished, and quoted speech state nothing; a negation states nothing, or the end of what held.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from turnlog.extraction import statementcues as cues
from turnlog.extraction.dates import dates
from turnlog.extraction.document import Reading
from turnlog.extraction.phrases import PLACES_MAX
from turnlog.extraction.statementcues import Rule

STATEMENTS_MAX = 50
"""Statements of one message, at most."""
CLAUSES_MAX = 200
"""Sentences of a message that are read, at most."""
WORDS_MAX = 12
"""Words of a value, at most."""
VALUE_LENGTH = 240
"""Characters behind a cue in which its value, its day and since when it holds are looked for, at most."""


class Statement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that the user says of themselves: a sentence in the third person without its subject ("lives in Lisbon").

    `slot` names what can have one value at a time ("home"), or is empty; `value` is that value ("Lisbon").
    `confidence` is over 0 and at most 1. `since` and `until` are dates as "2019", "2019-05" or "2019-05-03", if told.
    `ended`: it held, and does no more. `denied`: it does not hold, and nothing is told of before.
    """

    text: str
    slot: str = ""
    value: str = ""
    confidence: float = 0.8
    since: str = ""
    until: str = ""
    ended: bool = False
    denied: bool = False


def statements(reading: Reading, asked: str = "") -> list[Statement]:
    """What the message states, in the order of the text; `asked` is what the assistant said just before."""
    if cues.FIRST_PERSON.isdisjoint(reading.words):
        return []
    rules = [cues.RULES[place] for place in cues.RULES_BY_WORDS.fitting(reading.parts)]
    dated = [cues.DATED[place] for place in cues.DATED_BY_WORDS.fitting(reading.parts)]
    if not rules and not dated:
        return []
    return list(islice(_once(_stated(reading.own, rules, dated)), STATEMENTS_MAX))


def _stated(own: str, rules: list[Rule], dated: list[Rule]) -> Iterator[Statement]:
    """The statements of each clause. Of each rule the first `PLACES_MAX` places of the message count."""
    left = dict.fromkeys(map(id, (*rules, *dated)), PLACES_MAX)
    for clause in _clauses(own):
        yield from _undated(clause, rules, left)
        yield from _dated(clause, dated, left)


def _clauses(own: str) -> Iterator[str]:
    """The sentences of `own` that state something: no questions, nothing supposed."""
    for match in islice(cues.SENTENCE.finditer(own), CLAUSES_MAX):
        sentence = match[0]
        if not sentence.rstrip().endswith("?") and cues.SUPPOSED.search(sentence) is None:
            yield sentence


def _places(rule: Rule, clause: str, left: dict[int, int]) -> Iterator[re.Match[str]]:
    """The places of `rule` in `clause`, as far as there are some `left` to it."""
    for match in islice(rule.pattern.finditer(clause), left[id(rule)]):
        left[id(rule)] -= 1
        yield match


def _undated(clause: str, rules: list[Rule], left: dict[int, int]) -> Iterator[Statement]:
    for rule in rules:
        for match in _places(rule, clause, left):
            value = match["value"] if "value" in rule.pattern.groupindex else _value(clause, match.end())
            first = value.lower().split(" ", 1)[0]
            if first and first not in cues.NO_VALUE and rule.only(value):
                yield _filled(rule, match, value)


def _filled(rule: Rule, match: re.Match[str], value: str) -> Statement:
    groups = {**match.groupdict(default=""), "value": value}
    slot = rule.slots.get(groups.get("kind", "").lower(), rule.slot)
    since = cues.SINCE.search(match.string, match.end(), match.end() + VALUE_LENGTH)
    told = since[1] if since and not rule.ended else ""
    text = rule.text.format_map(groups)
    return Statement(text, slot, value, rule.confidence, told, ended=rule.ended, denied=rule.denied)


def _value(clause: str, start: int) -> str:
    """What is told, from `start` to the end of the clause."""
    end = cues.ENDS.search(clause, start, start + VALUE_LENGTH)
    words = clause[start : end.start() if end else start + VALUE_LENGTH].split()[:WORDS_MAX]
    return " ".join(words).strip("*_~ '-–—,")


def _dated(clause: str, rules: list[Rule], left: dict[int, int]) -> Iterator[Statement]:
    """Plans and days to come: what has a named day in its clause."""
    named = dates(clause) if rules else []
    if not named:
        return
    for rule in rules:
        for match in _places(rule, clause, left):
            end = cues.ENDS_PLAN.search(clause, match.end(), match.end() + VALUE_LENGTH)
            stop = end.start() if end else min(len(clause), match.end() + VALUE_LENGTH)
            day = next((date for date in named if match.end() <= date.start <= stop), None)
            if day is not None:
                value = clause[match.end() : max(stop, day.end)].strip(" ,")
                text = rule.text.format_map({**match.groupdict(default=""), "value": value})
                yield Statement(" ".join(text.split()[: 2 * WORDS_MAX]), "", "", rule.confidence)


def _once(found: Iterable[Statement]) -> Iterator[Statement]:
    """Each once; of those that say the same in more or fewer words, the first."""
    known: set[tuple[str, str]] = set()
    for statement in found:
        key = statement.slot, (statement.value or statement.text).casefold()
        if key not in known:
            known.add(key)
            yield statement
