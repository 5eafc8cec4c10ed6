"""Candidates: what may go into a digest is kept conversation by conversation, and is what all conversations would give."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.user_memories import CONTRIBUTIONS, fact, facts, home, known, profile
from turnlog.memory.profile import Preference, Profile, Task
from turnlog.memory.user import candidates, digest
from turnlog.memory.user.candidates import Candidates, DigestBounds, candidates_of
from turnlog.memory.user.digest import digest_of_candidates
from turnlog.memory.user.model import Contribution

CHANGES = st.lists(st.tuples(st.sampled_from("abcdef"), CONTRIBUTIONS | st.just(Contribution())), max_size=12)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> DigestBounds:
    bounds = DigestBounds(names=1, preferences=2, tasks=1, facts=2)
    monkeypatch.setattr(candidates, "BOUNDS", bounds)
    monkeypatch.setattr(digest, "BOUNDS", bounds)
    return bounds


def firsts(found: Candidates, bounds: DigestBounds) -> list[tuple[object, ...]]:
    return [getattr(found, kind)[:most] for kind, most in bounds._asdict().items()]


def test_after_any_change_the_first_are_those_of_all_conversations(few: DigestBounds) -> None:
    anew = 0

    @settings(max_examples=300)
    @given(changes=CHANGES)
    def check(changes: list[tuple[str, Contribution]]) -> None:
        nonlocal anew
        contributions: dict[str, Contribution] = {}
        found = candidates_of(contributions)
        for id_, told in changes:
            contributions[id_] = told
            changed = found.with_({id_: told})
            anew += changed is None
            found = candidates_of(contributions) if changed is None else changed
            assert firsts(found, few) == firsts(candidates_of(contributions), few)
            assert all(len(getattr(found, kind)) <= 2 * most for kind, most in few._asdict().items())

    check()
    assert anew > 0


def test_a_conversation_that_goes_takes_its_items_along() -> None:
    found = candidates_of({"a": facts(home("Lisbon", 1)), "b": facts(home("Porto", 2))})
    gone = found.with_({"b": Contribution()})
    assert gone is not None
    assert [it.value for it in gone.facts] == ["Lisbon"]
    assert gone == candidates_of({"a": facts(home("Lisbon", 1))})


def test_an_old_fact_that_ended_lately_still_ends_it_for_others(few: DigestBounds) -> None:
    contributions = {
        "a": facts(home("Lisbon", 1, until=8)),
        "b": facts(home("Lisbon", 2, seq=2)),
        "c": facts(*(fact(f"owns item{n}", n) for n in (3, 4, 5))),
    }
    found = candidates_of(contributions)
    assert found.facts[0].valid_to == 8
    assert digest_of_candidates(found, {}).facts == ("owns item5",)


def test_what_a_user_said_in_five_hundred_conversations_is_bounded() -> None:
    contributions = {}
    for n in range(500):
        preferences = tuple(
            Preference("like", f"thing{n} number{i} kind{i * n}", (i,), i, at=n * 50 + i) for i in range(1, 30)
        )
        tasks = tuple(Task(f"request{n} number {i}", (i,), i, at=n * 50 + i) for i in range(1, 20))
        contributions[f"c{n}"] = profile(Profile(preferences=preferences, tasks=tasks), at=n)
    found = candidates_of(contributions)
    bounds = candidates.BOUNDS
    assert (len(found.preferences), len(found.tasks)) == (2 * bounds.preferences, 2 * bounds.tasks)
    assert found.cut == ("preferences", "tasks")
    whole = known(**contributions)
    assert digest_of_candidates(found, {}).preferences == tuple((it.polarity, it.text) for it in whole.user_preferences[:30])


def test_what_is_said_again_and_again_does_not_crowd_out_the_rest(few: DigestBounds) -> None:
    def preferring(text: str, at: int) -> Contribution:
        return profile(Profile(preferences=(Preference("like", text, (1,), 1, at=at),)))

    contributions = {f"c{n}": preferring("short answers", n) for n in range(1, 50)}
    found = candidates_of({"first": preferring("jazz", 0)})
    for id_, told in contributions.items():
        changed = found.with_({id_: told})
        assert changed is not None
        found = changed
    assert [it.text for it in found.preferences] == ["short answers", "jazz"]
    assert found.preferences[0].sources[0].conversation_id == "c49"
    again = found.with_({"c49": preferring("short answers", 60)})
    assert again is not None
    assert again.preferences[0].at == 60
    assert found.with_({"c49": Contribution()}) is None, "an older conversation says so too"
