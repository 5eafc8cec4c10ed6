"""The shipped folds keep the contract of folds, and hear with a model's ears if they are given some."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from support.extraction import spoken
from turnlog.extraction.facts import Statement
from turnlog.fold import Fold, Leased
from turnlog.memory.entities import Entities
from turnlog.memory.facts import Facts
from turnlog.memory.heard import Heard, HeardMention, HeardName
from turnlog.memory.profile import Profile
from turnlog.message import Message
from turnlog.testing import DeterministicFoldContract


class TestProfile(DeterministicFoldContract):
    @pytest.fixture
    def factory(self) -> Callable[[], Profile]:
        return Profile


class TestEntities(DeterministicFoldContract):
    @pytest.fixture
    def factory(self) -> Callable[[], Entities]:
        return Entities


class TestFacts(DeterministicFoldContract):
    @pytest.fixture
    def factory(self) -> Callable[[], Facts]:
        return Facts


class Understanding:
    """Understands every message of the user in the same way, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[int], str]] = []

    async def hear(self, messages: Sequence[Message], asked: str) -> Mapping[int, Heard]:
        self.asked.append(([message.seq or 0 for message in messages], asked))
        heard = Heard(
            names=(HeardName("Egon"),),
            mentions=(HeardMention("Egon", "PERSON"),),
            statements=(Statement("lives in Graz", "home", "Graz", since="2019"),),
        )
        return {message.seq or 0: heard for message in messages if message.role == "user"}


async def folded(fold: Fold[Any], *lines: str) -> Any:
    return await fold.step(fold.initial(), spoken(*lines))


async def test_what_a_model_hears_is_kept_as_what_rules_hear() -> None:
    hearing = Understanding()
    assert (await folded(Profile(hearing), "A: And you?", "mumble")).name.text == "Egon"
    assert [entity.text for entity in (await folded(Entities(hearing), "mumble")).entities] == ["Egon"]
    (_, fact) = (await folded(Facts(hearing), "mumble")).facts
    assert (fact.text, fact.slot, fact.seqs) == ("lives in Graz", "home", (1,))
    assert hearing.asked[0] == ([1, 2], "")


async def test_a_model_is_told_what_the_assistant_asked_before() -> None:
    hearing = Understanding()
    fold = Profile(hearing)
    messages = spoken("hello", "A: And you?", "mumble")
    state = await fold.step(fold.initial(), messages[:2])
    await fold.step(state, messages[2:])
    assert hearing.asked == [([1, 2], ""), ([3], "And you?")]


async def test_no_model_is_asked_where_the_user_says_nothing() -> None:
    hearing = Understanding()
    await folded(Facts(hearing), "A: And you?")
    assert hearing.asked == []


@pytest.mark.parametrize("kind", [Profile, Entities, Facts])
def test_a_model_makes_another_version_that_one_worker_makes_at_a_time(kind: Any) -> None:
    rules, model = kind(), kind(Understanding())
    assert (rules.version, model.version) == (1, 101)
    assert not isinstance(rules, Leased)
    assert isinstance(model, Leased)


def test_the_folds_are_pure_enough_to_run_at_once() -> None:
    async def both() -> list[Any]:
        fold = Facts()
        return await asyncio.gather(folded(fold, "I live in Graz"), folded(fold, "I live in Linz"))

    assert [[fact.value for fact in state.facts] for state in asyncio.run(both())] == [["Graz"], ["Linz"]]
