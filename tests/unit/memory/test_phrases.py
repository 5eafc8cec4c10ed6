import json
import re
from pathlib import Path

import pytest

from turnlog.extraction import namecues, preferencecues, taskcues, verdictcues
from turnlog.extraction.needed import needed
from turnlog.extraction.phrases import Phrases, words_of
from turnlog.extraction.preferencecues import Cue
from turnlog.extraction.vocabulary.listed import alternatives

SNIPPETS = Path(__file__).parents[2] / "data/extraction.jsonl"


@pytest.mark.parametrize(
    ("pattern", "sets"),
    [
        (r"\bcall(?:s|ed)? me (?:just )?", ["call me", "calls me", "called me"]),
        (r"\bi'm (?:really |very )*fond of\b", ["i m fond of"]),
        (r"(?<![\w'])i (?=need)", ["i"]),
        (r"no", [""]),
        (r"\bno(?! one)\b", ["no"]),
        (r"\b(?:\w+ing|\d+) days$", ["days"]),
        (r"^likes?[ \t]*:\s", ["like :", "likes :"]),
        (r"\b(?:one|the one|the other one)\b", ["one"]),
        (r"\b(?:mm|mmm{1,2}),", ["mm", "mmm", "mmmm"]),
        (r"\b(?:a|b+) dog(?<=g)s?\b", ["dog", "dogs"]),
    ],
)
def test_the_words_that_a_pattern_cannot_do_without(pattern: str, sets: list[str]) -> None:
    assert needed(pattern) == {frozenset(words.split()) for words in sets}


def test_more_words_than_can_be_told_are_told_in_part() -> None:
    many = "|".join(f"word{letter}{digit}" for letter in "abcdefghij" for digit in range(100))
    assert needed(rf"\b(?:{many}) (?:{many})\b") == {frozenset()}
    assert needed(rf"\bthis very (?:{many}) here\b") == {frozenset(("this", "very", "here"))}
    assert frozenset(("this", "worda1", "here")) in needed(rf"\bthis (?:{many[:1600]}) here\b")


def tables() -> list[Phrases]:
    found: list[Phrases] = []
    for module in (namecues, preferencecues, taskcues, verdictcues):
        for table in vars(module).values():
            if isinstance(table, Phrases):
                found.append(table)
            elif isinstance(table, tuple) and table and isinstance(table[0], Cue):
                found += (cue.phrases for cue in table)
    return found


def test_each_place_of_a_phrase_is_found_through_its_words() -> None:
    said = "\n".join(m["content"] for line in SNIPPETS.read_text().splitlines() for m in json.loads(line)["messages"])
    for text in re.split(r"(?<=[.!?]) ", said):
        words = words_of(text.lower())
        for table in tables():
            found = [(match.re.pattern, match.span()) for match in table.find(text, words)]
            for pattern in table.patterns:
                missed = [match for match in pattern.finditer(text) if (pattern.pattern, match.span()) not in found]
                assert not missed or pattern.pattern.startswith("^")


def test_alternatives_of_one_letter_stand_together_in_their_order() -> None:
    assert alternatives("app | bee | apple | (?:x|y) | ant") == "(?:a(?:p(?:p(?:|le)))|bee|(?:x|y)|ant)"
    assert alternatives("a?b | ab | a|c") == "(?:a?b|ab|a|c)"
