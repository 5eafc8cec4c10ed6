"""The fold `knowledge` keeps the contract of folds, with either extractor."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from support.extraction import spoken
from turnlog.extraction.facts import Statement
from turnlog.fold import Leased
from turnlog.memory.extraction import ExtractedMention, ExtractedName, Extraction
from turnlog.memory.knowledge import Knowledge, KnowledgeState
from turnlog.message import Message
from turnlog.testing import DeterministicFoldContract


class TestKnowledge(DeterministicFoldContract):
    @pytest.fixture
    def factory(self) -> Callable[[], Knowledge]:
        return Knowledge


class Always:
    """An extractor that finds the same in every message of the user, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[int], str]] = []

    async def extract(self, messages: Sequence[Message], question: str) -> Mapping[int, Extraction]:
        self.asked.append(([message.seq or 0 for message in messages], question))
        found = Extraction(
            names=(ExtractedName("Egon"),),
            mentions=(ExtractedMention("Egon", "PERSON"),),
            statements=(Statement("lives in Graz", "home", "Graz", since="2019"),),
        )
        return {message.seq or 0: found for message in messages if message.role == "user"}


async def folded(fold: Knowledge, *lines: str) -> KnowledgeState:
    return await fold.step(fold.initial(), spoken(*lines))


async def test_what_a_model_extracts_is_reduced_as_what_rules_extract() -> None:
    extractor = Always()
    state = await folded(Knowledge(extractor), "A: And you?", "mumble")
    assert state.profile.name is not None
    assert state.profile.name.text == "Egon"
    assert [entity.text for entity in state.entities] == ["Egon"]
    (_, fact) = state.facts
    assert (fact.text, fact.slot, fact.seqs) == ("lives in Graz", "home", (2,))
    assert extractor.asked == [([1, 2], "")], "one call for profile, entities and facts"


async def test_a_model_is_told_what_the_assistant_asked_before() -> None:
    extractor = Always()
    fold = Knowledge(extractor)
    messages = spoken("hello", "A: And you?", "mumble")
    state = await fold.step(fold.initial(), messages[:2])
    await fold.step(state, messages[2:])
    assert extractor.asked == [([1, 2], ""), ([3], "And you?")]


async def test_no_model_is_asked_where_the_user_says_nothing() -> None:
    extractor = Always()
    await folded(Knowledge(extractor), "A: And you?")
    assert extractor.asked == []


def test_a_model_makes_another_version_that_one_worker_makes_at_a_time() -> None:
    rules, model = Knowledge(), Knowledge(Always())
    assert (rules.version, model.version) == (1, 101)
    assert not isinstance(rules, Leased)
    assert isinstance(model, Leased)


def test_the_fold_is_pure_enough_to_run_at_once() -> None:
    async def both() -> list[Any]:
        fold = Knowledge()
        return await asyncio.gather(folded(fold, "I live in Graz"), folded(fold, "I live in Linz"))

    assert [[fact.value for fact in state.facts] for state in asyncio.run(both())] == [["Graz"], ["Linz"]]
