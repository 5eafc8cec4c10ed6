"""`MemoryConfig`: four numbers come to a policy, and contexts keep to them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnlog import InvalidInput, MemoryConfig, Turnlog, assistant, user
from turnlog.context.policy import PRESETS
from turnlog.context.request import PRESET_OF
from turnlog.stores.ram import RamStore

STRATEGIES = sorted(PRESET_OF)
NUMBERS = st.one_of(st.integers(1, 60), st.integers(1, 1_000_000))


@given(st.sampled_from(STRATEGIES), NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_all_valid_numbers_come_to_a_valid_policy(strategy: Any, one: int, tokens: int, after: int, other: int) -> None:
    window, most = sorted((one, other))
    policy = MemoryConfig(strategy, most, tokens, after, window).policy
    assert policy.budget_tokens == tokens
    assert policy.max_messages == (min(most, after) if "summary" in policy.sections else most)
    assert set(policy.sections) == set(PRESETS[PRESET_OF[strategy]].sections)
    assert sum(policy.sections.values()) < policy.low < policy.high


@pytest.mark.parametrize("window", [1, 2, 3, 7])
@pytest.mark.parametrize("most", [10_000, 99_999, 1_000_000])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_window_that_is_cut_very_hard_leaves_memory_a_share_that_fits(strategy: Any, most: int, window: int) -> None:
    policy = MemoryConfig(strategy, most, summarize_after=most, context_window=window).policy
    assert sum(policy.sections.values()) < policy.low


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("strategy", {"strategy": "all"}),
        ("strategy", {"strategy": ["summary"]}),
        ("strategy", {"strategy": None}),
        ("max_messages", {"max_messages": 0}),
        ("max_messages", {"max_messages": 1_000_001}),
        ("max_messages", {"max_messages": True}),
        ("max_tokens", {"max_tokens": -1}),
        ("max_tokens", {"max_tokens": 1.5}),
        ("summarize_after", {"summarize_after": "20"}),
        ("context_window", {"context_window": 0}),
        ("context_window", {"context_window": 51}),
    ],
)
def test_what_cannot_be_is_refused_by_name(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as error:
        MemoryConfig(**values)
    assert error.value.field == field


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_contexts_keep_to_the_numbers(strategy: Any) -> None:
    config = MemoryConfig(strategy, max_messages=12, max_tokens=400, summarize_after=10, context_window=4)
    most = 10 if "summary" in config.policy.sections else 12
    log = Turnlog(RamStore())
    conversation = await log.create(user_id="ada")
    compacted = []
    for n in range(30):
        turn = await conversation.turn(user(f"I love thing{n}."), assistant("Noted."), policy=config)
        await conversation.catch_up()
        assert turn.context.tokens <= 400
        shown = [record.seq for record in turn.context.records if record.seq]
        assert len(shown) <= most
        if turn.context.compaction is not None and n:
            compacted.append(len(shown))
    assert compacted
    assert all(count <= 4 for count in compacted)


def test_the_presets_stand_for_themselves() -> None:
    config = MemoryConfig("sliding_window", max_messages=20, context_window=10)
    assert (config.policy.low, config.policy.sections) == (0.5, {})
