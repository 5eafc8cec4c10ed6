"""The word lists, and that nothing of the data is read before it is needed."""

import subprocess
import sys

import pytest

from turnlog.extraction.lexicon import LEXICON, is_everyday


@pytest.mark.parametrize(
    ("words", "some"),
    [
        (LEXICON.given, {"wilma", "søren"}),
        (LEXICON.given_or_words, {"rose", "may"}),
        (LEXICON.places, {"bergen", "new york", "heathrow"}),
        (LEXICON.organisations, {"siemens", "red cross"}),
        (LEXICON.products, {"zoom", "visual studio"}),
        (LEXICON.occupations, {"nurse", "plumber"}),
        (LEXICON.stems, {"abandon"}),
    ],
)
def test_the_lists_hold_lower_case_words(words: frozenset[str], some: set[str]) -> None:
    assert some <= words
    assert not any(word.startswith("#") or word != word.lower().strip() for word in words)


def test_no_given_name_is_a_common_word() -> None:
    assert LEXICON.given & LEXICON.common == {"nana"}
    assert LEXICON.given.isdisjoint(LEXICON.given_or_words)


def test_everyday_words_are_made_of_their_stems() -> None:
    assert all(map(is_everyday, ("abandoned", "unhappily", "stopped", "berries", "overcooked", "the")))
    assert not any(map(is_everyday, ("wilma", "bergen", "x" * 100)))


def test_a_start_reads_no_data_and_compiles_no_rule() -> None:
    program = (
        "import turnlog, turnlog.cli, turnlog.memory.knowledge\n"
        "from turnlog.extraction.rules import rules\nfrom turnlog.extraction.lexicon import LEXICON\n"
        "names = ('names', 'preferences', 'facts', 'tasks', 'entities', 'dates', 'topic', 'words')\n"
        "assert not any('contents' in vars(rules(name)) for name in names)\nassert vars(LEXICON) == {}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
