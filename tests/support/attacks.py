"""Texts that make a search slow if anything does: the own words of each rule, again and again.

They are made of the rules themselves, so that a new rule is attacked as soon as it is written: every pattern of the data
files and every one that a module of `turnlog.extraction` or `turnlog.memory` holds is taken apart, and put together again in
each of its ways.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from types import ModuleType
from typing import Any

import turnlog.extraction
import turnlog.memory
from turnlog.extraction.rules import DATA, Rule, Rules, rules

JOINS = (" ", ", ", "\n", "", ". ", "'", "\n- ")
"""What stands between the repetitions."""
WAYS_MAX = 60
"""In how many ways one pattern is spelled, at most."""
_SAMPLES = {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a", "CATEGORY_NOT_DIGIT": "b"}


@cache
def patterns() -> dict[str, re.Pattern[str]]:
    """Every pattern of memory, by the module that holds it and its name there."""
    found = {f"{name}.{rule.id}[{place}]": rule.pattern for name, place, rule in all_rules()}
    for file in files():
        for values in file.contents:
            found.update({f"{file.name}.{name}": file.pattern(name) for name in values.get("patterns", {})})
    modules = [info for package in (turnlog.extraction, turnlog.memory) for info in _modules(package)]
    for info in modules:
        module = importlib.import_module(info.name)
        short = info.name.removeprefix("turnlog.memory.").removeprefix("turnlog.extraction.")
        for name, value in vars(module).items():
            for place, pattern in enumerate(_patterns_in(value)):
                found.setdefault(f"{short}.{name}[{place}]", pattern)
    once = {(pattern.pattern, pattern.flags): name for name, pattern in reversed(found.items())}
    return {name: pattern for name, pattern in found.items() if once[pattern.pattern, pattern.flags] == name}


def files() -> list[Rules]:
    """The rules of each data file."""
    names = {file.name.removesuffix(".toml") for folder in DATA.iterdir() if folder.is_dir() for file in folder.iterdir()}
    return [rules(name) for name in sorted(names) if "." not in name]


def all_rules() -> list[tuple[str, int, Rule]]:
    """Each rule with the name of its file and its place among the rules of its table."""
    return [
        (file.name, place, rule)
        for file in files()
        for table in file.tables.values()
        for place, rule in enumerate(table.rules)
    ]


def _modules(package: ModuleType) -> Iterator[pkgutil.ModuleInfo]:
    return pkgutil.walk_packages(package.__path__, f"{package.__name__}.")


def _patterns_in(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _patterns_in(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _patterns_in(part)


@cache
def ways(pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Texts that `pattern` fits, or nearly: each of its alternatives is in one of them."""
    parsed = re._parser.parse(pattern.pattern, pattern.flags)  # type: ignore[attr-defined]
    return tuple(dict.fromkeys(text for text in _sequence(list(parsed)) if text))


def _sequence(parsed: Iterable[tuple[Any, Any]]) -> list[str]:
    """The ways of a sequence: as many as the element of most ways has, with those of the others in turn."""
    elements = [_element(str(kind), what) for kind, what in parsed]
    most = min(max(map(len, elements), default=1), WAYS_MAX)
    return ["".join(element[way % len(element)] for element in elements if element) for way in range(most)]


def _element(kind: str, what: Any) -> list[str]:
    if kind == "LITERAL":
        return [chr(what)]
    if kind == "NOT_LITERAL":
        return ["a" if chr(what) != "a" else "b"]
    if kind == "ANY":
        return ["x"]
    if kind == "IN":
        return _set(what)
    if kind == "BRANCH":
        return list(dict.fromkeys(chain.from_iterable(_sequence(list(branch)) for branch in what[1])))[: 3 * WAYS_MAX]
    if kind in ("SUBPATTERN", "ATOMIC_GROUP"):
        return _sequence(list(what[-1] if kind == "SUBPATTERN" else what))
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, most, repeated = what
        once = _sequence(list(repeated))
        many = min(int(most), max(int(least), 3))
        longer = ["".join(once[(way + n) % len(once)] for n in range(many)) for way in range(len(once))]
        return [*([] if least else [""]), *(text * max(1, int(least)) for text in once), *longer][: 3 * WAYS_MAX]
    if kind == "ASSERT":
        return ["", *_sequence(list(what[1]))[:3]] if what[0] > 0 else [""]
    return [""]


def _set(members: Iterable[tuple[Any, Any]]) -> list[str]:
    members = list(members)
    if str(members[0][0]) == "NEGATE":
        none = {chr(what) for kind, what in members if str(kind) == "LITERAL"}
        return [c for c in ("a", "7", " ", "-", "A", "é") if c not in none][:2] or ["a"]
    found = []
    for kind, what in members:
        if str(kind) == "LITERAL":
            found.append(chr(what))
        elif str(kind) == "RANGE":
            found += [chr(what[0]), chr(what[1])]
        else:
            found.append(_SAMPLES.get(str(what), "a"))
    return found[:12]


def texts_of(pattern: re.Pattern[str], length: int, joins: Iterable[str] = JOINS) -> Iterator[str]:
    """Texts of `length` characters against `pattern`: its ways in turn, and one of them over and over, also cut short."""
    spelled = ways(pattern)
    longest = max(spelled, key=len, default="")
    for join in joins:
        yield over(join.join(spelled) + join, length)
        yield over(longest + join, length)
        yield over(longest[:-1] + join, length)
        yield over(longest[: len(longest) // 2] + join, length)


def over(part: str, length: int) -> str:
    """`part` over and over, `length` characters of it."""
    return (part * (length // len(part) + 1))[:length] if part else ""
