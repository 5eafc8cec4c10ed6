"""`turnlog user`: what is known of a person, put right, given out and erased."""

import asyncio
from datetime import UTC, datetime

import pytest

from turnlog import connect, user
from turnlog.cli.options import make_room

MARCH, APRIL = datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 4, 1, 9, tzinfo=UTC)
FIRST = ["My name is Ana and I live in Lisbon.", "I love green tea."]
WRONG = [
    (["show", "ana", "--as-of", "yesterday"], 1, "as_of: must be a day or a time with a time zone"),
    (["show", "ana", "--as-of", "2026-03-01T09:00:00"], 1, "as_of: must be a day or a time with a time zone"),
    (["show", "ana", "--as-of", "1960-03-01"], 1, "as_of: must be a time from 1970 on"),
    (["show", ""], 1, "user_id"),
    (["correct", "ana", "lives in Faro", "--fact", "none"], 1, "fact_not_found"),
    (["correct", "ana", ""], 1, "text: must have"),
    (["correct", "ana", "lives in Faro", "--slot", "home"], 2, "go together"),
    (["forget", "ana", "none"], 1, "fact_not_found"),
]


@pytest.fixture
def ana(turnlog):
    async def say() -> None:
        async with connect(turnlog.url) as log:
            for talk, month, texts in (("a", MARCH, FIRST), ("b", APRIL, ["I moved to Porto."])):
                said = [user(text, created_at=month) for text in texts]
                await (await log.create(*said, id=talk, user_id="ana")).catch_up()

    make_room(turnlog.url)
    asyncio.run(say())
    return turnlog


def facts(turnlog, *options):
    return {fact["text"]: fact for fact in turnlog("user", "show", "ana", *options, "--json").json["facts"]}


def test_show_tells_what_is_known_and_from_where(ana):
    shown = ana("user", "show", "ana", "--json").json
    assert (shown["user_id"], shown["user_name"]) == ("ana", "Ana")
    assert [(each["polarity"], each["text"]) for each in shown["user_preferences"]] == [("like", "green tea")]
    home = facts(ana)["lives in Porto"]
    assert home["sources"] == [{"conversation_id": "b", "seq": 1}]
    assert (home["valid_from"], home["valid_to"], home["confidence"]) == ("2026-04-01T09:00:00.000000Z", None, 0.8)
    text = ana("user", "show", "ana").out
    assert f"lives in Porto (id {home['id']}" in text and "[b 1]" in text
    assert ana("user", "show", "nobody").out == "nothing is known of nobody\n"


def test_show_tells_what_held_at_a_time(ana):
    assert "lives in Lisbon" in facts(ana, "--as-of", "2026-03-15")
    assert "lives in Porto" in facts(ana, "--as-of", "2026-04-01T11:00:00+02:00")
    assert "lives in Lisbon" not in facts(ana, "--as-of", "2026-04-01T11:00:00+02:00")
    assert ana("user", "show", "ana", "--as-of", "2020-01-01").out == "nothing is known of ana for then\n"


def test_a_correction_stands_after_a_rebuild(ana):
    id_ = facts(ana)["lives in Porto"]["id"]
    fixed = ana(
        "user", "correct", "ana", "lives in Faro", "--fact", id_, "--slot", "home", "--value", "Faro",
        "--valid-from", "2026-04-02", "--json",
    ).json  # fmt: skip
    assert (fixed["id"], fixed["corrected"], fixed["valid_from"]) == (id_, True, "2026-04-02T00:00:00.000000Z")
    assert ana("memory", "rebuild", "--fold", "knowledge", "--user", "ana").code == 0
    assert "lives in Faro" in facts(ana) and "lives in Porto" not in facts(ana)
    assert "has a dog" in ana("user", "correct", "ana", "has a dog").out


def test_what_is_forgotten_stays_forgotten(ana):
    id_ = facts(ana)["lives in Porto"]["id"]
    assert ana("user", "forget", "ana", id_).out == f"{id_} is forgotten\n"
    assert ana("memory", "rebuild", "--fold", "knowledge", "--all").code == 0
    assert "lives in Porto" not in facts(ana)
    assert ana("user", "forget", "ana", id_, "--json").code == 0  # it may be repeated


def test_an_export_holds_all_and_is_imported_without_what_is_remembered(ana, other):
    *talks, last = ana("user", "export", "ana").lines
    assert sorted(line["id"] for line in talks) == ["a", "b"]
    assert list(last) == ["user_id", "memory"]
    assert {fact["text"]: fact["valid_to"] is None for fact in last["memory"]["facts"]} == {
        "is called Ana": True,
        "likes green tea": True,
        "lives in Lisbon": False,
        "lives in Porto": True,
    }
    assert ana("user", "export", "ana", "-o", "u.jsonl", "--json").json == {
        "user_id": "ana",
        "conversations": 2,
        "output": "u.jsonl",
    }
    copy = other("copy")
    counted = copy("import", "u.jsonl", "--json").json
    assert (counted["conversations"], counted["added"], counted["passed"], counted["rejected"]) == (2, 3, 1, 0)
    assert [line["user_id"] for line in ana("user", "export", "nobody").lines] == ["nobody"]


def test_erasing_leaves_a_receipt_and_nothing_else(ana):
    assert ana("user", "erase", "ana").code == 2
    receipt = ana("user", "erase", "ana", "--yes", "--json").json
    assert (receipt["user_id"], receipt["conversations"], receipt["messages"], receipt["facts"]) == ("ana", 2, 3, 4)
    assert receipt["erased_at"].endswith("Z")
    assert ana("list", "--json").json["data"] == []
    assert ana("user", "show", "ana").out == "nothing is known of ana\n"
    assert ana("user", "erase", "ana", "-y").out.startswith("ana is erased, at ")


def test_wrong_input_is_named(ana):
    for arguments, code, error in WRONG:
        ran = ana("user", *arguments)
        assert (ran.code, ran.out) == (code, ""), arguments
        assert error in ran.err
