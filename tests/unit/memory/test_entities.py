"""Who and what is named in the user's messages."""

import pytest

from support.extraction import after, entities
from turnlog.memory.entities import most_relevant


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("We fly to Helsinki on Tuesday.", {("Helsinki", "PLACE"), ("Tuesday", "DATE")}),
        ("Tell Rosalind that the keys are at Barclays.", {("Rosalind", "PERSON"), ("Barclays", "ORG")}),
        ("write to h.kramer@offices.example, not to me", {("h.kramer@offices.example", "EMAIL")}),
        ("see (https://docs.example/a_(b)).", {("https://docs.example/a_(b)", "URL")}),
        ("the exam is on 14 March 2027", {("14 March 2027", "DATE")}),
        ("my iPhone fell into Lake Como", {("iPhone", "PRODUCT"), ("Lake Como", "PLACE")}),
        ("Dr. Okonkwo works at Charité Hospital", {("Okonkwo", "PERSON"), ("Charité Hospital", "ORG")}),
        (
            "i left ljubljana in 2019 with my friend tadeusz",
            {("ljubljana", "PLACE"), ("2019", "DATE"), ("tadeusz", "PERSON")},
        ),
        ("since 2026-11-02 nothing works", {("2026-11-02", "DATE")}),
    ],
)
def test_what_is_named_is_found_with_its_kind(said: str, named: set[tuple[str, str]]) -> None:
    assert entities(said) == named


@pytest.mark.parametrize(
    "said",
    [
        "Nothing works. Everything broke. Reading helps.",
        "May I ask something? I march on.",
        "The German word for it is long, and Easter is near.",
        "WHY IS THIS SO SLOW",
        "`Foo.bar` and `user@host` and\n```\nHelsinki\n```",
        "npm install thing@2.0.1",
        "see you tomorrow at 10:30, or in two weeks",
        "The PDF and the API docs are OK.",
        "Best to leave it. Honest.",
    ],
)
def test_capitals_and_code_alone_name_nothing(said: str) -> None:
    assert entities(said) == set()


def test_the_assistant_names_nothing() -> None:
    assert entities("A: Shall we look at Lisbon with Ricardo?", "no idea") == set()


def test_a_mention_counts_once_in_a_message() -> None:
    (entity,) = after("Oslo, Oslo, Oslo!", "nothing", "back in Oslo").entities
    assert (entity.count, entity.first_seen, entity.last_seen, entity.seqs) == (2, 1, 3, (1, 3))


def test_a_first_name_is_an_alias_of_the_full_name() -> None:
    (entity,) = after("I met with Leopold Hansen today.", "and Leopold was late", "again with Hansen").entities
    assert (entity.text, entity.aliases, entity.count) == ("Leopold Hansen", ("Leopold", "Hansen"), 3)


def test_a_full_name_takes_up_the_first_name_before_it() -> None:
    (entity,) = after("I met with Leopold today.", "his name is Leopold Hansen").entities
    assert (entity.text, entity.aliases) == ("Leopold Hansen", ("Leopold",))


def test_a_first_name_of_two_people_is_neither() -> None:
    found = after("I know Leopold Hansen and Leopold Byrne.", "so Leopold called").entities
    assert sorted(entity.text for entity in found) == ["Leopold", "Leopold Byrne", "Leopold Hansen"]


def test_the_most_and_latest_named_are_the_most_relevant() -> None:
    learned = after("to Oslo", "to Oslo by way of Malmö", "the bridge at Malmö", "off to Malmö and Turku")
    assert [entity.text for entity in most_relevant(learned.entities, 2)] == ["Malmö", "Oslo"]
