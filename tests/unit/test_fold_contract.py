"""The contract of folds holds for a good fold, and finds what is wrong with others."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from turnlog import InvalidInput, Message
from turnlog.fold import Fold
from turnlog.testing import DeterministicFoldContract, FoldContract


class Words:
    """How often each word was said."""

    name = "words"
    version = 1

    def initial(self) -> dict[str, int]:
        return {}

    async def step(self, state: dict[str, int], messages: Sequence[Message]) -> dict[str, int]:
        for message in messages:
            for word in message.text.split():
                state[word] = state.get(word, 0) + 1
        return state


class TestWords(DeterministicFoldContract):
    @pytest.fixture
    def factory(self) -> Callable[[], Fold[Any]]:
        return Words


class Forgetful(Words):
    """Keeps what it knows in itself."""

    def __init__(self) -> None:
        self.count = 0

    def initial(self) -> dict[str, int]:
        return {}

    async def step(self, state: dict[str, int], messages: Sequence[Message]) -> dict[str, int]:
        self.count += len(messages)
        return {"count": self.count}


class Sharing(Words):
    """Hands out one and the same first state."""

    first: dict[str, int] = {}

    def __init__(self) -> None:
        self.first = {}

    def initial(self) -> dict[str, int]:
        return self.first

    async def step(self, state: dict[str, int], messages: Sequence[Message]) -> dict[str, int]:
        self.first["seen"] = 1
        return state


class Batches(Words):
    """Counts steps."""

    def initial(self) -> dict[str, int]:
        return {}

    async def step(self, state: dict[str, int], messages: Sequence[Message]) -> dict[str, int]:
        return {"steps": state.get("steps", 0) + 1}


class Choosy(Words):
    """Takes every content for a text."""

    def initial(self) -> dict[str, int]:
        return {}

    async def step(self, state: dict[str, int], messages: Sequence[Message]) -> dict[str, int]:
        return {message.content.lower(): 1 for message in messages}  # type: ignore[union-attr]


class Nameless(Words):
    """Has a name that no state can be stored under."""

    name = "My words"

    def initial(self) -> dict[str, int]:
        return {}


@pytest.mark.parametrize(
    ("fold", "test"),
    [
        (Forgetful, DeterministicFoldContract.test_it_remembers_nothing_but_its_state),
        (Batches, DeterministicFoldContract.test_law_10_a_replay_gives_the_same_state),
        (Sharing, FoldContract.test_the_state_before_the_first_message_is_always_the_same),
        (Batches, DeterministicFoldContract.test_where_the_log_is_cut_into_steps_does_not_matter),
        (Choosy, FoldContract.test_every_kind_of_message_goes_through_alone_and_in_company),
        (Nameless, FoldContract.test_its_name_its_version_and_its_first_state_can_be_stored),
    ],
    ids=lambda value: value.__name__,
)
def test_the_contract_finds(fold: Callable[[], Fold[Any]], test: Callable[..., None]) -> None:
    with pytest.raises((AssertionError, AttributeError, InvalidInput)):
        test(DeterministicFoldContract(), fold)
