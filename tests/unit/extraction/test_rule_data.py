"""The rules of the data files: each does what its examples say, and is found by its keywords wherever it matches."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.attacks import all_rules, files, ways
from turnlog.extraction.document import read
from turnlog.extraction.facts import statements
from turnlog.extraction.names import names
from turnlog.extraction.preferences import preferences
from turnlog.extraction.rules import Index, Rule, Rules, alternatives, index, tokens_of
from turnlog.extraction.tasks import closings, requests
from turnlog.extraction.topic import named_topic

SNIPPETS = Path(__file__).parents[2] / "data/extraction.jsonl"


def extracted(file: str, text: str, asked: str) -> list[str]:
    """What the extractor whose rules are in `file` yields for `text`, as the examples write it."""
    reading = read(text)
    if file == "names":
        return [f"not {said.name}" if said.denied else said.name for said in names(reading, asked)]
    if file == "preferences":
        return [f"{it.polarity} {it.text}" for it in preferences(reading, asked)]
    if file == "facts":
        return [statement.text for statement in statements(reading, asked)]
    if file == "tasks":
        closed = closings(reading)
        return [*(it.outcome for it in closed), *(it.text for it in requests(reading, closed, asked))]
    return [topic] if (topic := named_topic(reading)) else []


def found_in(file: Rules, table: str, text: str) -> Iterator[tuple[Rule, re.Match[str]]]:
    fitting = Index(file.tables.values(), frozenset()).fitting(tokens_of(text.lower()))
    return file.tables[table].find(fitting, text, text.lower())


def rows_of(file: Rules) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each rule as it is written, with the name of its table."""
    tables = (table for content in file.contents for table in content.items() if isinstance(table[1], list))
    return ((name, row) for name, rules in tables for row in rules)


def rows() -> list[Any]:
    return [
        pytest.param(file, table, row, id=f"{file.name}-{row['id']}") for file in files() for table, row in rows_of(file)
    ]


@pytest.mark.parametrize(("file", "table", "row"), rows())
def test_a_rule_does_what_its_examples_say(file: Rules, table: str, row: dict[str, Any]) -> None:
    mine = [rule for rule in file.tables[table].rules if rule.id == row["id"]]
    assert row["examples"], "a rule has an example"
    for text, value in row["examples"].items():
        own = read(text).own
        fitting = [rule for rule in index().fitting(tokens_of(own.lower())).get(file.tables[table], ()) if rule in mine]
        assert any(any(rule.matches(own, own.lower())) for rule in fitting), (
            f"{text!r} has none of the keywords, or does not match"
        )
        assert value in extracted(file.name, text, row.get("asked", ""))
    for text in row.get("misses", ()):
        assert extracted(file.name, text, row.get("asked", "")) == []


def test_no_two_rules_of_a_file_have_one_id() -> None:
    for file in files():
        ids = [
            row["id"] for content in file.contents for rules in content.values() if isinstance(rules, list) for row in rules
        ]
        assert len(ids) == len(set(ids))


def test_each_match_of_a_rule_is_found_by_its_keywords() -> None:
    said = "\n".join(m["content"] for line in SNIPPETS.read_text().splitlines() for m in json.loads(line)["messages"])
    texts = [(text, index().fitting(tokens_of(text.lower()))) for text in re.split(r"(?<=[.!?]) ", said)]
    for file in files():
        for table in file.tables.values():
            for text, fitting in texts:
                found = [rule for rule, _ in table.find(fitting, text, text.lower())]
                missed = [rule.id for rule in table.rules if rule not in found and rule.pattern.search(text)]
                assert missed == [], text


def test_each_way_to_spell_a_rule_has_its_keywords() -> None:
    for name, _, rule in all_rules():
        table = next(table for file in files() if file.name == name for table in file.tables.values() if rule in table.rules)
        for way in ways(rule.pattern):
            for text in (way, f"{way}Ab."):
                if rule.pattern.search(text):
                    assert any(rule.matches(text, text.lower())), (name, rule.id, text)
                    fitting = index().fitting(tokens_of(text.lower()))
                    assert rule in fitting.get(table, ()), (name, rule.id, text)


def test_another_language_is_another_folder(tmp_path: Path) -> None:
    english = "[words]\nsure = 'my'\n[patterns]\nends = 'and'\n[[wish]]\nid = 'my-name'\npattern = '\\bmy name is '\n"
    other = "[parts]\nname = ['nomo', 'alnomo']\n[words]\nsure = 'mia'\n[patterns]\nends = 'kaj'\n[[wish]]\nid = 'mia'\n"
    (tmp_path / "en").mkdir()
    (tmp_path / "en/names.toml").write_text(english + "keywords = ['my name is']\n")
    (tmp_path / "eo").mkdir()
    (tmp_path / "eo/names.toml").write_text(other + "pattern = '\\bmia {name} estas '\nkeywords = ['mia nomo|alnomo']\n")
    loaded = Rules("names", tmp_path)
    texts = ("Mia alnomo estas Bo", "my name is Bo", "mia kato estas Bo")
    found = [match[0] for text in texts for _, match in found_in(loaded, "wish", text)]
    assert found == ["Mia alnomo estas ", "my name is "]
    assert loaded.words("sure") == {"my", "mia"}
    assert loaded.pattern("ends").findall("and kaj") == ["and", "kaj"]


def test_a_rule_after_words_matches_where_a_clause_begins(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en/tasks.toml").write_text(
        "[parts]\nleads = ['and', 'but']\n[[acts]]\nid = 'fix'\nafter = 'leads'\npattern = 'fix '\nkeywords = ['fix']\n"
    )
    loaded = Rules("tasks", tmp_path)
    for text, places in (("fix it", 1), ("x. fix it", 1), ("x and fix it", 1), ("and fix it", 1), ("to fix it", 0)):
        assert len(list(found_in(loaded, "acts", text))) == places, text


def test_neighbours_and_beginnings_of_lines_are_keywords() -> None:
    assert {"^_used", "used_to", "^_to", "to_,"} <= tokens_of("used to, \nto")
    assert "used_to" not in tokens_of("used, to")


def test_alternatives_of_one_letter_stand_together_in_their_order() -> None:
    assert alternatives(["app", "bee", "apple", "(?:x|y)", "ant"]) == "(?:a(?:p(?:p(?:|le)))|bee|(?:x|y)|ant)"
    assert alternatives(["a?b", "ab", "a|c"]) == "(?:a?b|ab|a|c)"
