"""What is known of a user: the merge of what conversations taught, the facts in time, and what a person put right."""

from functools import reduce
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.user_memories import LISBON, PORTO, TIMES, contexts, fact, facts, held, home, known, profile, told
from turnlog.memory.entities import Entity
from turnlog.memory.knowledge import KnowledgeState
from turnlog.memory.profile import Preference, Profile, Task, Topic, UserName
from turnlog.memory.user.items import Correction, Source, corrected, fact_id
from turnlog.memory.user.model import Contribution, UserMemory


@given(one=contexts(), other=contexts())
def test_a_merge_is_commutative(one: UserMemory, other: UserMemory) -> None:
    assert one.merge(other) == other.merge(one)
    assert msgspec.json.encode(one.merge(other)) == msgspec.json.encode(other.merge(one))


@given(one=contexts(), other=contexts(), third=contexts())
def test_a_merge_is_associative(one: UserMemory, other: UserMemory, third: UserMemory) -> None:
    assert one.merge(other).merge(third) == one.merge(other.merge(third))


@given(one=contexts(), other=contexts())
def test_a_merge_is_idempotent(one: UserMemory, other: UserMemory) -> None:
    assert one.merge(one) == one
    assert one.merge(other).merge(other) == one.merge(other)
    assert one.merge(UserMemory()) == one


@given(parts=st.lists(contexts(), min_size=2, max_size=4))
def test_workers_that_merge_in_any_order_come_to_the_same(parts: list[UserMemory]) -> None:
    merged = [reduce(UserMemory.merge, order) for order in permutations(parts)]
    first = merged[0]
    assert all(other == first for other in merged)
    assert all(other.history() == first.history() for other in merged)
    assert len({(other.user_name, other.user_preferences, other.entities, other.pending_tasks) for other in merged}) == 1


@given(context=contexts(), moment=TIMES)
def test_of_each_slot_one_fact_holds_at_a_time(context: UserMemory, moment: int) -> None:
    slots = [it.slot for it in context.facts if it.slot and not it.corrected]
    assert len(slots) == len(set(slots))
    for it in context.history():
        assert it.valid_to is None or it.corrected or (it.valid_from or 0) <= it.valid_to
    assert {it.id for it in context.facts_at(moment, known_at=moment)} <= {it.id for it in context.history(known_at=moment)}


@given(context=contexts())
def test_each_item_names_messages_or_a_person_said_it(context: UserMemory) -> None:
    for it in (*context.history(), *context.entities, *context.pending_tasks):
        assert it.sources or getattr(it, "corrected", False)
    assert all(source.conversation_id in context.contributions for it in context.history() for source in it.sources)


@pytest.mark.parametrize(
    ("one", "other"),
    [((1, 1, 1), (0, 9, 9)), ((1, 2, 1), (1, 1, 9)), ((1, 1, 2), (1, 1, 1))],
    ids=["epoch", "version", "watermark"],
)
def test_the_later_state_wins_by(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    later = KnowledgeState()
    earlier = KnowledgeState(entities=(Entity("Ada", "PERSON", (1,), 1, 1, 1),))
    for join in (Contribution.merge, Contribution.replaced):
        assert join(Contribution(1, *one, later), Contribution(2, *other, earlier)) == Contribution(2, *one, later)
        assert join(Contribution(2, *other, earlier), Contribution(1, *one, later)) == Contribution(2, *one, later)


def test_a_rebuilt_state_wins_over_one_that_has_seen_the_same() -> None:
    states = KnowledgeState(), KnowledgeState(entities=(Entity("Ada", "PERSON", (1,), 1, 1, 1),))
    for one, other in permutations(Contribution(1, 0, 1, 5, state) for state in states):
        assert one.replaced(other) == other
        assert one.merge(other) == other.merge(one)


def test_what_was_made_before_an_erasure_does_not_count() -> None:
    before = facts(home("Porto", 1), at=5)
    assert before.since(0) == before
    assert before.since(1) == Contribution(5)


def test_a_newer_value_in_another_conversation_closes_the_older() -> None:
    context = known(a=facts(home("Lisbon", 1)), b=facts(home("Porto", 5)))
    assert told(context) == [("Lisbon", 1, 5), ("Porto", 5, None)]
    assert [it.text for it in context.facts] == ["lives in Porto"]


def test_there_and_back_again_gives_three_periods() -> None:
    context = known(a=facts(home("Lisbon", 1)), b=facts(home("Porto", 5)), c=facts(home("Lisbon", 9)))
    assert told(context) == [("Lisbon", 1, 5), ("Porto", 5, 9), ("Lisbon", 9, None)]
    assert held(context, 0) == []
    assert [held(context, moment) for moment in (1, 4, 5, 8, 9)] == [["Lisbon"]] * 2 + [["Porto"]] * 2 + [["Lisbon"]]


def test_what_was_known_at_a_moment_has_none_of_what_was_learned_later() -> None:
    context = known(a=facts(home("Lisbon", 1)), b=facts(home("Porto", 5, since=3)))
    assert held(context, 4) == ["Porto"]
    assert held(context, 4, known_at=4) == ["Lisbon"]
    assert held(context, 4, known_at=5) == ["Porto"]
    assert context.history(known_at=0) == ()


def test_what_was_known_at_a_moment_was_not_ended_yet_by_what_the_same_conversation_said_later() -> None:
    context = known(a=facts(home("Lisbon", 1, until=3), home("Porto", 5, since=3)))
    assert [(it.text, it.valid_to) for it in context.history(known_at=4)] == [("lives in Lisbon", None)]
    assert told(context) == [("Lisbon", 1, 3), ("Porto", 3, None)]
    ended = known(a=facts(home("Lisbon", 1, until=7)))
    assert [it.valid_to for it in ended.history(known_at=4)] == [None]
    assert [it.valid_to for it in ended.history(known_at=8)] == [7]


def test_a_statement_about_the_past_closes_nothing() -> None:
    past = facts(home("Faro", 5, since=0, until=0)), facts(home("Porto", 6, since=3, until=4))
    context = known(a=facts(home("Lisbon", 1)), b=past[0], c=past[1])
    assert [it.text for it in context.facts] == ["lives in Lisbon"]
    assert told(context) == [("Faro", 0, 0), ("Lisbon", 1, None), ("Porto", 3, 4)]


def test_an_end_in_another_conversation_ends_it() -> None:
    context = known(a=facts(home("Lisbon", 1)), b=facts(home("Lisbon", 5, until=5)))
    assert told(context) == [("Lisbon", 1, 5)]
    assert context.facts == ()


def test_what_is_said_twice_is_one_fact_of_all_its_sources() -> None:
    context = known(a=facts(home("Lisbon", 1, confidence=0.5)), b=facts(home("lisbon", 5, seq=3, confidence=0.9)))
    (it,) = context.history()
    assert it.sources == (Source("a", 1), Source("b", 3))
    assert (it.confidence, it.valid_from, it.id) == (0.9, 1, LISBON)


def test_what_was_said_twice_before_it_ended_is_one_period() -> None:
    context = known(a=facts(home("Lisbon", 1, until=5), home("Porto", 5)), b=facts(home("Lisbon", 3, seq=7)))
    assert told(context) == [("Lisbon", 1, 5), ("Porto", 5, None)]
    assert context.history()[-1].sources == (Source("a", 1), Source("b", 7))


def named(text: str, at: int, *, asked: bool = False) -> Contribution:
    return profile(Profile(name=UserName(text, (1,), asked, at)), at)


def test_the_user_is_called_by_the_last_wish_else_by_the_last_introduction() -> None:
    assert known().user_name is None
    assert known(a=named("Ada", 1), b=named("Al", 2)).user_name == "Al"
    assert known(a=named("Ada", 1, asked=True), b=named("Al", 2)).user_name == "Ada"
    assert known(a=named("Ada", 1, asked=True), b=named("Al", 2, asked=True), c=named("X", 9)).user_name == "Al"


def test_a_name_that_was_put_right_stands_until_the_user_wishes_for_another() -> None:
    right = Correction(fact_id("name", "Ida", ""), 1, 5, "is called Ada", "name", "Ada")
    assert known(right, a=named("Ida", 3, asked=True)).user_name == "Ada"
    assert known(right, a=named("Ida", 3, asked=True), b=named("Al", 8, asked=True)).user_name == "Al"
    assert known(right, a=named("Ida", 8, asked=True)).user_name == "Ida"
    gone = Correction(fact_id("name", "Ida", ""), 1, 5)
    assert known(gone, a=named("Ida", 8, asked=True)).user_name is None


def preferring(polarity: str, text: str, at: int) -> Contribution:
    return profile(Profile(preferences=(Preference(polarity, text, (1,), since=1, at=at),)))  # type: ignore[arg-type]


def test_of_two_preferences_about_one_thing_the_newer_holds() -> None:
    context = known(
        a=preferring("like", "green tea", 1), b=preferring("dislike", "green tea", 2), c=preferring("like", "jazz", 3)
    )
    assert [(it.polarity, it.text) for it in context.user_preferences] == [("like", "jazz"), ("dislike", "green tea")]


def test_preferences_are_put_right_and_taken_back() -> None:
    id_ = fact_id("", "", "likes tea")
    context = known(Correction(id_, 1, 5, "likes coffee"), a=preferring("like", "tea", 1))
    assert [(it.text, it.sources) for it in context.user_preferences] == [("coffee", ())]
    assert known(Correction(id_, 1, 5), a=preferring("like", "tea", 9)).user_preferences == ()


def test_tasks_are_open_until_done_and_known_once() -> None:
    one = profile(Profile(tasks=(Task("book a flight", (1,), 1, at=1), Task("call Bob", (2,), 2, closed=3, at=2))))
    other = profile(Profile(tasks=(Task("book the flight", (4,), 4, at=5),)))
    assert [(it.text, it.at) for it in known(a=one, b=other).pending_tasks] == [("book the flight", 5)]


def test_the_topic_is_of_the_conversation_that_was_touched_last() -> None:
    talks = {id_: profile(Profile(topic=Topic(id_, (1,), said=True)), at) for id_, at in (("a", 3), ("b", 9), ("c", 1))}
    assert known(**talks).current_topic == "b"
    assert known().current_topic is None


def test_entities_of_one_name_are_one_with_all_their_sources() -> None:
    def met(text: str, count: int, at: int) -> Contribution:
        return Contribution(0, 0, 1, 1, KnowledgeState(entities=(Entity(text, "PERSON", (at,), count, 1, 1, ("A",), at),)))

    context = known(a=met("Ada", 2, 1), b=met("ada", 3, 7), c=met("Bob", 4, 2))
    first, second = context.entities
    assert (first.text, first.count, first.at, first.aliases) == ("Ada", 5, 7, ("A",))
    assert first.sources == (Source("a", 1), Source("b", 7))
    assert second.text == "Bob"


PUT_RIGHT = Correction(LISBON, 1, 5, "lives in Porto", "home", "Porto")


def test_what_was_put_right_stands_whatever_is_folded_anew() -> None:
    for again in (facts(home("Lisbon", 1)), facts(home("Lisbon", 1, seq=2), fact("owns a cat", 2))):
        homes = [it for it in known(PUT_RIGHT, a=again).facts if it.slot == "home"]
        assert [(it.id, it.text, it.corrected) for it in homes] == [(LISBON, "lives in Porto", True)]


def test_a_later_statement_closes_what_was_put_right() -> None:
    context = known(PUT_RIGHT, a=facts(home("Lisbon", 1)), b=facts(home("Faro", 8)))
    assert told(context) == [("Porto", None, 8), ("Faro", 8, None)]


def test_the_user_may_say_later_that_it_was_right_before() -> None:
    context = known(PUT_RIGHT, a=facts(home("Lisbon", 1)), b=facts(home("Lisbon", 8)))
    assert told(context) == [("Porto", None, 8), ("Lisbon", 8, None)]


def test_what_was_taken_back_stays_so() -> None:
    context = known(Correction(LISBON, 1, 5), a=facts(home("Lisbon", 1)), b=facts(home("Lisbon", 8)))
    assert context.history() == ()
    assert [it.text for it in context.history(known_at=4)] == ["lives in Lisbon"], "at that moment nobody had"


def test_a_correction_may_end_a_fact() -> None:
    context = known(Correction(LISBON, 1, 9, "lives in Lisbon", "home", "Lisbon", 2, 6), a=facts(home("Lisbon", 1)))
    assert told(context) == [("Lisbon", 2, 6)]
    assert context.facts == ()


def test_the_last_correction_of_a_fact_counts_in_whatever_order_they_are_read() -> None:
    one, two = PUT_RIGHT, Correction(LISBON, 2, 6)
    assert corrected({}, [one, two]) == corrected({}, [two, one]) == {LISBON: two}


def test_an_id_follows_from_what_is_stated() -> None:
    assert fact_id("home", "Porto", "lives in Porto") == fact_id("home", " porto ", "lives at Porto") == PORTO
    assert fact_id("", "", "Likes  Jazz") == fact_id("", "x", "likes jazz") != PORTO
    assert len(PORTO) == 16


def test_other_facts_are_neither_the_name_nor_preferences() -> None:
    name = msgspec.structs.replace(home("Ada", 1), slot="name", text="is called Ada")
    context = known(a=facts(name, fact("likes jazz", 2), fact("owns a cat", 3)))
    assert [it.text for it in context.other_facts] == ["owns a cat"]
    assert len(context.facts) == 3
