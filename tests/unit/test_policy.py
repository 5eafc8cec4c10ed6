"""Policies: data that is checked once, and changed in layers."""

from typing import Any

import msgspec
import pytest

from turnlog import InvalidInput
from turnlog.context.policy import PRESETS, ContextPolicy, override, preset


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("budget_tokens", {"budget_tokens": 0}),
        ("budget_tokens", {"budget_tokens": True}),
        ("reserve_tokens", {"budget_tokens": 10, "reserve_tokens": 10}),
        ("min_turns", {"min_turns": -1}),
        ("max_messages", {"max_messages": 0}),
        ("high", {"high": 1.1}),
        ("high", {"high": "much"}),
        ("low", {"low": 0}),
        ("low", {"high": 0.6, "low": 0.6}),
        ("sections", {"sections": ["facts"]}),
        ("sections", {"sections": {"facts": 0.3, "profile": 0.3}, "low": 0.5}),
        ("sections.gossip", {"sections": {"gossip": 0.1}}),
        ("sections.facts", {"sections": {"facts": -0.1}}),
        ("pinned", {"pinned": [0]}),
        ("pinned", {"pinned": 3}),
        ("pinned", {"pinned": range(1, 100)}),
        ("colour", {"colour": "red"}),
        ("preset", {"preset": "best"}),
    ],
)
def test_a_broken_rule_is_refused_with_its_field(field: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as error:
        override(ContextPolicy(), fields)
    assert error.value.field == field
    assert error.value.rule


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_policy_is_json_both_ways(name: str) -> None:
    policy = override(preset(name), {"pinned": [7, 3, 7], "max_messages": 20})
    assert policy.pinned == (3, 7)
    again = msgspec.json.decode(msgspec.json.encode(policy), type=ContextPolicy)
    assert again == policy
    assert again.digest == policy.digest


def test_the_later_layer_wins_and_says_only_what_it_changes() -> None:
    policy = override(
        preset("full"), {"budget_tokens": 4_000, "min_turns": 2}, {"budget_tokens": 6_000, "sections": {"summary": 0}}
    )
    assert (policy.budget_tokens, policy.min_turns) == (6_000, 2)
    assert policy.share("summary") == 0
    assert policy.share("facts") == preset("full").share("facts")


def test_a_layer_may_begin_anew_from_a_preset() -> None:
    policy = override(ContextPolicy(min_turns=3), {"preset": "window", "budget_tokens": 500})
    assert policy == ContextPolicy(budget_tokens=500, sections={})


def test_sections_come_in_the_order_in_which_they_are_named() -> None:
    policy = ContextPolicy(sections={"facts": 0.1, "time": 0.01, "profile": 0.1, "summary": 0.0})
    assert policy.stable == ["facts", "profile"]
    assert policy.volatile == ["time"]


def test_policies_that_differ_have_different_digests() -> None:
    assert len({policy.digest for policy in PRESETS.values()}) == len(PRESETS)
    assert (
        ContextPolicy(sections={"facts": 0.1, "profile": 0.1}).digest
        != ContextPolicy(sections={"profile": 0.1, "facts": 0.1}).digest
    )
