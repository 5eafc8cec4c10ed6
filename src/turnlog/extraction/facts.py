"""What the user says of themselves: where they live, what they do, whom they have, what they may not eat.

Modest and honest: a statement is a clause with "I" or "my" whose verb tells one kind of thing. Questions, what is supposed
or wished, and quoted speech state nothing; a negation states nothing, or the end of what held.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec

from turnlog.extraction.dates import dates
from turnlog.extraction.document import Reading
from turnlog.extraction.lexicon import LEXICON
from turnlog.extraction.rules import PLACES_MAX, Rule, rules

_RULES = rules("facts")
_pattern = _RULES.pattern
_words = _RULES.words
_SENTENCE = re.compile(r"[^.!?;\n]+(?:\.(?=\S)[^.!?;\n]*)*[.!?;]*")
STATEMENTS_MAX = 50
"""Statements of one message, at most."""
CLAUSES_MAX = 200
"""Sentences of a message that are read, at most."""
CONFIDENCE = 0.8
"""How sure a statement is whose rule says nothing of it."""
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
    confidence: float = CONFIDENCE
    since: str = ""
    until: str = ""
    ended: bool = False
    denied: bool = False


def statements(reading: Reading, asked: str = "") -> list[Statement]:
    """What the message states, in the order of the text; `asked` is what the assistant said just before."""
    if _words("first_person").isdisjoint(reading.words):
        return []
    holding = reading.fitting.get(_RULES.tables["holds"], [])
    dated = reading.fitting.get(_RULES.tables["dated"], [])
    if not holding and not dated:
        return []
    return list(islice(_once(_stated(reading.own, holding, dated)), STATEMENTS_MAX))


def _stated(own: str, holding: list[Rule], dated: list[Rule]) -> Iterator[Statement]:
    """The statements of each clause. Of each rule the first `PLACES_MAX` places of the message count."""
    left = dict.fromkeys(map(id, (*holding, *dated)), PLACES_MAX)
    for clause in _clauses(own):
        yield from _undated(clause, holding, left)
        yield from _dated(clause, dated, left)


def _clauses(own: str) -> Iterator[str]:
    """The sentences of `own` that state something: no questions, nothing supposed."""
    for match in islice(_SENTENCE.finditer(own), CLAUSES_MAX):
        sentence = match[0]
        if not sentence.rstrip().endswith("?") and _pattern("supposed").search(sentence) is None:
            yield sentence


def _places(rule: Rule, clause: str, left: dict[int, int]) -> Iterator[re.Match[str]]:
    """The places of `rule` in `clause`, as far as there are some `left` to it."""
    for match in islice(rule.pattern.finditer(clause), left[id(rule)]):
        left[id(rule)] -= 1
        yield match


def _undated(clause: str, holding: list[Rule], left: dict[int, int]) -> Iterator[Statement]:
    for rule in holding:
        for match in _places(rule, clause, left):
            value = match["value"] if "value" in rule.pattern.groupindex else _value(clause, match.end())
            first = value.lower().split(" ", 1)[0]
            if first and first not in _words("no_value") and _FITS[rule.yields.get("value_is", "")](value):
                yield _filled(rule, match, value)


def _filled(rule: Rule, match: re.Match[str], value: str) -> Statement:
    yields, groups = rule.yields, {**match.groupdict(default=""), "value": value}
    slot = yields.get("slot", "")
    if yields.get("slot_by_kind"):
        slot = _RULES.values("slots").get(groups["kind"].lower(), slot)
    ended = yields.get("ended", False)
    since = _pattern("since").search(match.string, match.end(), match.end() + VALUE_LENGTH)
    return Statement(
        yields["states"].format_map(groups),
        slot,
        value,
        yields.get("confidence", CONFIDENCE),
        since[1] if since and not ended else "",
        ended=ended,
        denied=yields.get("denied", False),
    )


def _value(clause: str, start: int) -> str:
    """What is told, from `start` to the end of the clause."""
    end = _pattern("ends").search(clause, start, start + VALUE_LENGTH)
    words = clause[start : end.start() if end else start + VALUE_LENGTH].split()[:WORDS_MAX]
    return " ".join(words).strip("*_~ '-–—,")


def _dated(clause: str, dated: list[Rule], left: dict[int, int]) -> Iterator[Statement]:
    """Plans and days to come: what has a named day in its clause."""
    named = dates(clause) if dated else []
    if not named:
        return
    for rule in dated:
        for match in _places(rule, clause, left):
            end = _pattern("ends_plan").search(clause, match.end(), match.end() + VALUE_LENGTH)
            stop = end.start() if end else min(len(clause), match.end() + VALUE_LENGTH)
            day = next((date for date in named if match.end() <= date.start <= stop), None)
            if day is not None:
                value = clause[match.end() : max(stop, day.end)].strip(" ,")
                text = rule.yields["states"].format_map({**match.groupdict(default=""), "value": value})
                yield Statement(" ".join(text.split()[: 2 * WORDS_MAX]), "", "", rule.yields.get("confidence", CONFIDENCE))


def _once(found: Iterable[Statement]) -> Iterator[Statement]:
    """Each once; of those that say the same in more or fewer words, the first."""
    known: set[tuple[str, str]] = set()
    for statement in found:
        key = statement.slot, (statement.value or statement.text).casefold()
        if key not in known:
            known.add(key)
            yield statement


def _is_place(value: str) -> bool:
    return value[0].isupper() or (value.islower() and value.split(maxsplit=1)[0] not in LEXICON.common)


def _is_trade(value: str) -> bool:
    return (
        value.rsplit(maxsplit=1)[-1].lower() in LEXICON.occupations
        or value.split(" at ", maxsplit=1)[0].rsplit(maxsplit=1)[-1].lower() in LEXICON.occupations
    )


def _is_employer(value: str) -> bool:
    first = value.split(maxsplit=1)[0].lower()
    return first not in _words("no_employer") and not first[0].isdigit()


def _is_people(value: str) -> bool:
    return value.split(maxsplit=1)[0].lower() in LEXICON.demonyms or value.rsplit(maxsplit=1)[-1].lower() in LEXICON.demonyms


def _is_name(value: str) -> bool:
    first = value.split(maxsplit=1)[0].lower()
    return first in LEXICON.given or first in LEXICON.given_or_words or first not in LEXICON.common


def _is_vehicle(value: str) -> bool:
    return not _words("vehicles").isdisjoint(value.lower().split())


def _is_day(value: str) -> bool:
    return any(c.isdigit() for c in value) or bool(dates(value))


def _is_capital(value: str) -> bool:
    return value[0].isupper()


def _is_a_people(value: str) -> bool:
    return value.lower() in LEXICON.demonyms


def _is_age(value: str) -> bool:
    return 5 < int(value) < 111


_FITS: dict[str, Callable[[str], bool]] = {
    "": bool,
    "place": _is_place,
    "trade": _is_trade,
    "employer": _is_employer,
    "people": _is_people,
    "name": _is_name,
    "vehicle": _is_vehicle,
    "day": _is_day,
    "capital": _is_capital,
    "a_people": _is_a_people,
    "age": _is_age,
}
"""Whether a value is what the rule says that it is, `value_is`."""
