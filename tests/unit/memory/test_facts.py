"""What is true of the user, since when, until when, and who said so."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from support.extraction import after, facts, spoken, told
from turnlog.memory.knowledge import extract_all


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("I live in Tartu with two cats and a piano.", "lives in Tartu"),
        ("we recently moved to Ghent because of the canals", "lives in Ghent"),
        ("I'm based in Nairobi these days", "lives in Nairobi"),
        ("I'm originally from Cork.", "is from Cork"),
        ("I work as a stage designer.", "works as stage designer"),
        ("I'm a nurse, so nights are fine.", "is a nurse"),
        ("i work at a tiny bakery", "works at a tiny bakery"),
        ("my birthday is on 9 March", "has the birthday 9 March"),
        ("I'm 41 years old.", "is 41 years old"),
        ("my wife Beatrix plays the oboe", "has a wife named Beatrix"),
        ("our dog is called Waffle", "has a dog named Waffle"),
        ("I'm allergic to hazelnuts!", "is allergic to hazelnuts"),
        ("I'm vegan, by the way.", "is vegan"),
        ("I'm studying marine biology", "studies marine biology"),
        ("I speak Czech and German.", "speaks Czech and German"),
        ("I'm flying to Lagos on 3 May", "is flying to Lagos on 3 May"),
        ("We bought a houseboat.", "bought a houseboat"),
    ],
)
def test_what_the_user_states_is_a_fact(said: str, fact: str) -> None:
    assert fact in told(said)


@pytest.mark.parametrize(
    "said",
    [
        "Do I live in Tartu?",
        "If I lived in Tartu I would skate.",
        "My neighbour said 'I live in Tartu'.",
        "I wish I worked at a bakery.",
        "She lives in Tartu.",
        "I'm tired, I'm a bit lost, I'm from time to time confused about it.",
        "imagine I'm a nurse in space",
        "what should my birthday cake be",
        "I don't live in Tartu.",
    ],
)
def test_what_is_asked_supposed_quoted_or_denied_is_none(said: str) -> None:
    assert told(said) == set()


def test_what_the_user_likes_is_a_fact() -> None:
    assert [fact.text for fact in after("I love rowing.").current_facts] == ["likes rowing"]


def test_a_newer_value_of_a_slot_closes_the_older() -> None:
    old, new = after("I live in Tartu.", "A: Nice.", "I just moved to Riga").facts
    assert (old.value, old.valid_to) == ("Tartu", new.valid_from)
    assert (new.value, new.valid_to) == ("Riga", None)


def test_a_fact_that_is_told_twice_has_two_sources() -> None:
    (fact,) = facts("I live in Tartu.", "A: Nice.", "as I said, I live in Tartu")
    assert fact.seqs == (1, 3)


def test_what_no_longer_holds_is_closed() -> None:
    (fact,) = after("I work at Nordwind.", "I no longer work at Nordwind").facts
    assert fact.valid_to is not None


def test_the_past_is_closed_when_it_is_told() -> None:
    (fact,) = after("I used to live in Oslo").facts
    assert (fact.value, fact.valid_to) == ("Oslo", fact.recorded_at)


def test_the_past_ends_what_held() -> None:
    (fact,) = after("I live in Oslo", "I used to live in Oslo").facts
    assert fact.valid_to is not None


def test_since_tells_from_when_it_holds() -> None:
    (fact,) = facts("I live in Oslo since 2019")
    assert fact.valid_from == round(datetime(2019, 1, 1, tzinfo=UTC).timestamp() * 1e6)
    assert fact.recorded_at > fact.valid_from


def test_a_dislike_closes_the_liking() -> None:
    one, other = after("I love spicy ramen", "I can't stand spicy ramen").facts
    assert one.valid_to is not None
    assert (other.text, other.valid_to) == ("dislikes spicy ramen", None)


def test_times_are_those_of_the_messages() -> None:
    at = datetime(2024, 2, 29, 12, 0, 0, 123456, UTC)
    messages = [
        replace(message, created_at=at + timedelta(hours=n))
        for n, message in enumerate(spoken("I live in Oslo", "I moved to Bergen"))
    ]
    old, new = extract_all(messages).facts
    assert datetime.fromtimestamp(old.recorded_at / 1e6, UTC) == at
    assert old.valid_to == new.recorded_at == old.recorded_at + 3600 * 1_000_000


def test_the_name_is_a_fact_that_a_denial_ends() -> None:
    (fact,) = after("I'm Edgar.", "Sorry, that was autocorrect, I'm not Edgar.").facts
    assert (fact.slot, fact.value) == ("name", "Edgar")
    assert fact.valid_to is not None
