"""Likeness: texts are compared only with those that share a word, and it comes to the same."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from turnlog.memory import similarity
from turnlog.memory.similarity import Distinct, overlap

WORDS = st.sampled_from(["jazz", "green", "tea", "teas", "the", "of", "chess", "blue", "a", "loud"])
TEXTS = st.lists(st.lists(WORDS, max_size=5).map(" ".join), max_size=12)


def distinct(texts: Iterable[str], least: float) -> list[str]:
    kept: list[str] = []
    for text in texts:
        if not any(overlap(text, other) >= least for other in kept):
            kept.append(text)
    return kept


@given(texts=TEXTS, least=st.sampled_from([0.3, 0.5, 0.75, 0.8, 1.0]))
def test_an_index_by_words_finds_what_comparing_all_finds(texts: list[str], least: float) -> None:
    index = Distinct(least)
    assert [text for text in texts if index.add(text)] == distinct(texts, least)


def test_texts_without_a_common_word_are_not_compared() -> None:
    compared = 0

    class Counting(Distinct):
        def _alike(self, words: frozenset[str]) -> bool:
            nonlocal compared
            compared += len(self._sharing(words))
            return super()._alike(words)

    index = Counting(0.5)
    assert all(index.add(f"thing{n} number{n}") for n in range(1000))
    assert not index.add("thing7 number7")
    assert compared == 1
    assert similarity.overlap("thing7", "number7") == 0
