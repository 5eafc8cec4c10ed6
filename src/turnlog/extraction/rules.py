"""Loads the rules of each language from `data/<language>/*.toml` and finds the places of a text that they match.

A file holds `[parts]` (pieces of patterns), `[patterns]` and `[words]` (by name), and tables of rules. A rule has an `id`, a
`pattern`, `keywords`, `examples` and what it yields. `{name}` in a pattern is a part. A part that is a list matches any of
its items, the first that fits. A line end and the spaces after it do not count. Patterns ignore case. With `after`, a rule
matches where a clause begins: at the start, after a mark, or after one of these words.

Each of the `keywords` is a list of words between spaces, all of which a text must contain for the rule to be tried; of words
between bars it must contain one. "used_to" are two words side by side, "^" is the beginning of a line, "$" the end. The
rules of all languages are tried on every text: a table is the rules of all files.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import groupby, islice, pairwise
from typing import Any

PLACES_MAX = 50
"""Matches of one rule that are read in a text, at most."""
FOUND_MAX = 200
"""Matches of all rules of a table, at most: if there are more, those of its first rules."""
DATA = files("turnlog.extraction") / "data"
_PART = re.compile(r"\{([a-z][a-z_0-9]*)\}")
_LINE_END = re.compile(r"\n\s*")
_TOKENS = re.compile(r"\w+|[^\w ]")
_NO_GROUP = re.compile(r"\\.|\[[^\]]*\]")
_GROUP = re.compile(r"\([^()]*\)")
_CASED = re.compile(r"(?P<flags>\(\?[a-z]*)-i:|(?P<capitals>\[\^\\W\\d_a-z[^\]]*\])|(?P<as_is>\\.|\(\?P)|(?P<letter>[A-Z])")
"""What makes a pattern tell capital letters from small ones; `as_is` does not, though it has capitals."""


def tokens_of(low: str) -> frozenset[str]:
    """The words and the marks of `low`, a text in lower case, any two neighbours of them joined by "_", and "", the keyword
    of a rule without one. "^" stands for the beginning of a line, "$" for the end.
    """
    lines = low.replace("\n", "^")
    tokens = _TOKENS.findall(f"^{lines}$")
    return frozenset(("", *tokens, *map("_".join, pairwise(tokens))))


class Rule:
    """A pattern with what it yields, compiled when it is first tried: all together take a third of a second."""

    def __init__(
        self, rule_id: str, source: str, keywords: tuple[tuple[frozenset[str], ...], ...], yields: Mapping[str, Any]
    ):
        self.id = rule_id
        self.source = source
        self.keywords = keywords
        self.yields = yields

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled pattern."""
        return re.compile(self.source, re.IGNORECASE)

    @cached_property
    def _at_start(self) -> bool:
        return self.source.removeprefix("(?-i:").startswith("^")

    @cached_property
    def _screen(self) -> Callable[[str], re.Match[str] | None]:
        """A search in a text in lower case, which finds something wherever the pattern matches.

        It takes half the time, since `re` looks for the first letters of a pattern only where their case counts; of 20 rules
        that are tried, one matches (decisions 051, 060).
        """
        pattern = re.compile(_caseless(self.source))
        return pattern.match if self._at_start else pattern.search

    def matches(self, text: str, low: str) -> Iterator[re.Match[str]]:
        """The first `PLACES_MAX` matches in `text`, which in lower case is `low`."""
        if self._screen(low) is None:
            return iter(())
        if self._at_start:  # a search would go on through the whole text
            first = self.pattern.match(text)
            return iter(() if first is None else (first,))
        return islice(self.pattern.finditer(text), PLACES_MAX)


class Table:
    """Rules that are tried together, in their order."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules

    def find(self, fitting: "Fitting", text: str, low: str) -> Iterator[tuple[Rule, re.Match[str]]]:
        """Each of the `fitting` rules with its matches in `text`, which in lower case is `low`."""
        rules = fitting.get(self)
        if rules is None:
            return iter(())
        return islice(((rule, match) for rule in rules for match in rule.matches(text, low)), FOUND_MAX)


Fitting = dict[Table, list[Rule]]
"""The rules of each table whose keywords a text contains, in the order of the table; no table without one."""


class Index:
    """The rules of all `tables` by keyword: one pass over the tokens of a text finds the few whose keywords it contains."""

    def __init__(self, tables: Iterable[Table], usual: frozenset[str]) -> None:
        self._rules = [(table, rule) for table in tables for rule in table.rules]
        self._by_word: dict[str, list[tuple[int, tuple[frozenset[str], ...]]]] = {}
        for place, (_, rule) in enumerate(self._rules):
            for groups in rule.keywords or ((frozenset(("",)),),):
                # the rarest group finds the rule, and the others are checked only then
                rarest = min(groups, key=lambda words: (len(words & usual), len(words), -max(map(len, words))))
                others = tuple(words for words in groups if words is not rarest)
                for word in rarest:
                    self._by_word.setdefault(word, []).append((place, others))
        self._words = frozenset(self._by_word)

    def fitting(self, tokens: Set[str]) -> Fitting:
        """The rules to try on a text with these `tokens`."""
        places = set()
        for word in self._words & tokens:
            for place, others in self._by_word[word]:
                for words in others:
                    if words.isdisjoint(tokens):
                        break
                else:
                    places.add(place)
        found: Fitting = {}
        for place in sorted(places):
            table, rule = self._rules[place]
            found.setdefault(table, []).append(rule)
        return found


class Rules:
    """The files of one name in the folders of all languages, read when something of them is first asked for."""

    def __init__(self, name: str, data: Traversable = DATA) -> None:
        self.name = name
        self._folder = data
        self._compiled: dict[str, re.Pattern[str]] = {}

    @cached_property
    def contents(self) -> list[dict[str, Any]]:
        """What the files hold, in the order of the names of the languages."""
        folders = sorted((folder for folder in self._folder.iterdir() if folder.is_dir()), key=lambda folder: folder.name)
        found = [folder / f"{self.name}.toml" for folder in folders]
        return [tomllib.loads(file.read_text(encoding="utf-8")) for file in found if file.is_file()]

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The tables of rules by their names."""
        found: dict[str, list[Rule]] = {}
        for file in self.contents:
            for name, rows in file.items():
                if isinstance(rows, list):
                    found.setdefault(name, []).extend(rule for row in rows for rule in _rules(file, row))
        return {name: Table(rows) for name, rows in found.items()}

    def pattern(self, name: str) -> re.Pattern[str]:
        """The pattern of this name; of several languages, that of any."""
        found = self._compiled.get(name)
        if found is None:
            sources = [_filled(file, file["patterns"][name]) for file in self.contents if name in file.get("patterns", {})]
            found = self._compiled[name] = re.compile("|".join(sources), re.IGNORECASE)
        return found

    @cached_property
    def _words(self) -> dict[str, frozenset[str]]:
        names = {name for file in self.contents for name in file.get("words", {})}
        return {
            name: frozenset().union(*(_listed(file["words"].get(name, "")) for file in self.contents if "words" in file))
            for name in names
        }

    def words(self, name: str) -> frozenset[str]:
        """The words of this name, of all languages."""
        return self._words[name]

    def values(self, name: str) -> dict[str, Any]:
        """The values of another table of this name, of all languages."""
        return {key: value for file in self.contents for key, value in file.get(name, {}).items()}


@cache
def rules(name: str) -> Rules:
    """The rules of this name, one object for the whole process."""
    return Rules(name)


@cache
def index() -> Index:
    """The index of the tables of all files."""
    names = sorted({file.name for folder in DATA.iterdir() if folder.is_dir() for file in folder.iterdir()})
    files = [rules(name.removesuffix(".toml")) for name in names if name.endswith(".toml")]
    return Index((table for file in files for table in file.tables.values()), rules("words").words("usual"))


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _rules(file: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[Rule]:
    """The rule of a `row`, or the three of one that matches where a clause begins."""
    source = _filled(file, row["pattern"])
    keywords = tuple(_keywords(file, entry) for entry in row["keywords"])
    if "after" not in row:
        yield Rule(row["id"], source, keywords, row)
        return
    leads = alternatives(file["parts"][row["after"]])
    behind = (frozenset(" ".join(file["parts"][row["after"]]).split()),)
    # three patterns that each begin with what is found fast: a place, a set of characters, a space
    yield Rule(row["id"], rf"^(?:{leads}\b ?,? ?)?{source}", keywords, row)
    yield Rule(row["id"], rf"[.!?;:,\n(*•–—-] ?{source}", keywords, row)
    yield Rule(row["id"], rf" {leads}\b ?,? {source}", tuple(groups + behind for groups in keywords or ((),)), row)


def _caseless(source: str) -> str:
    """A pattern that fits a text in lower case wherever `source` fits the text as it stands.

    It may fit elsewhere too. No assertion of what must not stand at a place may tell capital letters from small ones.
    """

    def caseless(match: re.Match[str]) -> str:
        if match["flags"]:
            return f"{match['flags']}:"
        if match["capitals"]:
            return r"[^\W\d_]"
        return match["as_is"] or match["letter"].lower()

    return _CASED.sub(caseless, source)


def _keywords(file: Mapping[str, Any], entry: str) -> tuple[frozenset[str], ...]:
    filled = _PART.sub(lambda name: "|".join(file["words"][name[1]].split()), entry)
    return tuple(frozenset(words.split("|")) for words in filled.split())


def _filled(file: Mapping[str, Any], source: str) -> str:
    """The pattern `source` with its parts in their places."""

    def part(name: re.Match[str]) -> str:
        found = file["parts"][name[1]]
        return _filled(file, found) if isinstance(found, str) else alternatives([_filled(file, item) for item in found])

    return _PART.sub(part, _LINE_END.sub("", source))


def alternatives(choices: list[str]) -> str:
    """The pattern of any of the patterns `choices`, the first that fits."""
    return f"(?:{_by_letter(choices)})"


def _by_letter(choices: list[str]) -> str:
    """The `choices` as alternatives. Those that begin with one letter have it in common, so that `re` compares it once.

    Two choices that begin with different letters never match at one place, so their order is free. A choice whose first
    letter is not known keeps its place.
    """
    together: list[str] = []
    for plain, run in groupby(choices, _begins_plainly):
        if not plain:
            together += run
            continue
        by_letter: dict[str, list[str]] = {}
        for choice in run:
            by_letter.setdefault(choice[0], []).append(choice)
        together += (
            same[0] if len(same) == 1 else f"{letter}(?:{_by_letter([choice[1:] for choice in same])})"
            for letter, same in by_letter.items()
        )
    return "|".join(together)


def _begins_plainly(choice: str) -> bool:
    """Whether `choice` is one pattern that begins with a letter, and no capital one, which may stand for a small one."""
    if not choice[:1].isalpha() or choice[0].isupper() or choice[1:2] in tuple("?*+{"):
        return False
    bare, groups = _NO_GROUP.sub("", choice), 1
    while groups:
        bare, groups = _GROUP.subn("", bare)
    return "|" not in bare
