"""How well the rules read 264 labelled snippets that were written for turnlog; the floors lie 0.05 under what they reach."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnlog.memory.knowledge import KnowledgeState, extract_all
from turnlog.message import Message

SNIPPETS = [json.loads(line) for line in (Path(__file__).parents[2] / "data/extraction.jsonl").read_text().splitlines()]


def alike(one: str, other: str) -> float:
    a, b = (set(re.findall(r"[\w'@./+-]+", text.casefold())) for text in (one, other))
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def names(found: KnowledgeState) -> list[str]:
    return [found.profile.name.text] if found.profile.name else []


def preferences(found: KnowledgeState) -> list[tuple[bool, str]]:
    return [(item.polarity == "dislike", item.text) for item in found.profile.current_preferences]


def surfaces(found: KnowledgeState) -> list[str]:
    return [form.casefold() for item in found.entities for form in (item.text, *item.aliases)]


def tasks(found: KnowledgeState) -> list[str]:
    return [task.text for task in found.profile.pending_tasks]


FIELDS: dict[
    str, tuple[Callable[[dict[str, Any]], list[Any]], Callable[[KnowledgeState], list[Any]], Callable[[Any, Any], bool]]
] = {
    "name": (lambda gold: [gold["user_name"]] if gold["user_name"] else [], names, lambda a, b: a == b),
    "preferences": (
        lambda gold: [(item["polarity"] == "dislike", item["text"]) for item in gold["preferences"]],
        preferences,
        lambda a, b: a[0] == b[0] and alike(a[1], b[1]) >= 0.5,
    ),
    "entities": (lambda gold: [item["text"].casefold() for item in gold["entities"]], surfaces, lambda a, b: a == b),
    "tasks": (lambda gold: gold["pending_tasks"], tasks, lambda a, b: alike(a, b) >= 0.4),
}


@pytest.mark.parametrize(("field", "floor"), [("name", 0.93), ("preferences", 0.90), ("entities", 0.92), ("tasks", 0.75)])
def test_the_labelled_snippets_are_read_well(field: str, floor: float) -> None:
    wanted, read, same = FIELDS[field]
    hits = labelled = found = 0
    for snippet in SNIPPETS:
        gold = wanted(snippet["gold"])
        left = read(extract_all([Message(m["role"], m["content"]) for m in snippet["messages"]]))
        labelled, found = labelled + len(gold), found + len(left)
        for item in gold:
            match = next((place for place, other in enumerate(left) if same(item, other)), None)
            if match is not None:
                del left[match]
                hits += 1
    assert 2 * hits / (labelled + found) >= floor
