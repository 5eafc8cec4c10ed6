"""The word lists under `data`, read when one is first asked for, and whether a word is an everyday one.

A list in a `.txt` file has a word or a name of several words a line; lines that begin with "#" are comments. Lists that hold
in any language lie in `data`, those of a language in its folder.
"""

from functools import cached_property, lru_cache
from importlib.resources.abc import Traversable

from turnlog.extraction.document import Kind
from turnlog.extraction.rules import DATA, rules

LENGTH_MAX = 40
"""Letters of an everyday word, at most."""


class Lexicon:
    """Sets of words and names in lower case. What can have several words is told apart by "several" in its docstring."""

    @cached_property
    def given(self) -> frozenset[str]:
        """Given names that are no everyday words."""
        return _lines(DATA / "given_names.txt")

    @cached_property
    def given_or_words(self) -> frozenset[str]:
        """Given names that are also words, places or months: they need a capital letter or a cue."""
        return rules("words").words("names_and_words")

    @cached_property
    def places(self) -> frozenset[str]:
        """Countries, cities, regions and airports, of several words."""
        return _lines(DATA / "places.txt")

    @cached_property
    def organisations(self) -> frozenset[str]:
        """Companies, agencies and institutions, of several words."""
        return _lines(DATA / "organisations.txt")

    @cached_property
    def products(self) -> frozenset[str]:
        """Products, of several words."""
        return _lines(DATA / "products.txt")

    @cached_property
    def occupations(self) -> frozenset[str]:
        """The last words of what somebody is by trade."""
        return _of_languages("occupations.txt")

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """What each of the places, organisations and products is."""
        kinds: dict[str, Kind] = dict.fromkeys(self.products, "PRODUCT")
        kinds.update(dict.fromkeys(self.organisations, "ORG"))
        kinds.update(dict.fromkeys(self.places, "PLACE"))
        return kinds

    @cached_property
    def longest(self) -> dict[str, int]:
        """The number of words of the longest of `kinds`, by its first word."""
        longest: dict[str, int] = {}
        for first, *rest in map(str.split, self.kinds):
            longest[first] = max(longest.get(first, 0), 1 + len(rest))
        return longest

    @cached_property
    def second(self) -> dict[str, set[str]]:
        """The second words of `kinds`, by the first."""
        second: dict[str, set[str]] = {}
        for first, *rest in map(str.split, self.kinds):
            second.setdefault(first, set()).update(rest[:1])
        return second

    @cached_property
    def small(self) -> frozenset[str]:
        """Words that name something in lower case, too."""
        return frozenset(self.longest) | self.given

    @cached_property
    def stems(self) -> frozenset[str]:
        """Everyday words that are not in `common`."""
        return _of_languages("words.txt")

    @cached_property
    def common(self) -> frozenset[str]:
        """Words that begin sentences with a capital letter and name nobody."""
        return rules("words").words("common")

    @cached_property
    def acronyms(self) -> frozenset[str]:
        """Abbreviations of things, not names."""
        return rules("words").words("acronyms")

    @cached_property
    def demonyms(self) -> frozenset[str]:
        """Nationalities, languages, faiths and holidays: capitalised, and nobody's name."""
        return rules("words").words("demonyms")

    @cached_property
    def kin(self) -> frozenset[str]:
        """Those that a person has: what follows is often their name."""
        return rules("words").words("kin")

    @cached_property
    def titles(self) -> frozenset[str]:
        """Words before a person's name that are no part of it."""
        return rules("words").words("titles")

    @cached_property
    def lower_is_a_word(self) -> frozenset[str]:
        """Names whose lower case is a word or a person: they need a capital letter or a cue."""
        return rules("words").words("lower_is_a_word")

    @cached_property
    def endings(self) -> dict[str, tuple[str, ...]]:
        """The endings of words, and what stands in their place in the stem."""
        return {ending: tuple(stems) for ending, stems in rules("words").values("endings").items()}

    @cached_property
    def beginnings(self) -> tuple[str, ...]:
        """The beginnings of words whose rest is a word too."""
        return tuple(sorted(rules("words").words("beginnings")))


LEXICON = Lexicon()


def _lines(file: Traversable) -> frozenset[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _of_languages(name: str) -> frozenset[str]:
    return frozenset().union(*(_lines(folder / name) for folder in DATA.iterdir() if (folder / name).is_file()))


def is_everyday(lower: str) -> bool:
    """Whether `lower`, a word in lower case, is an everyday word of a language of the rules, or is made of one."""
    # decision 047: a word of any length must not recurse as deep as it is long, nor stay in a cache
    return len(lower) <= LENGTH_MAX and _is_everyday(lower)


@lru_cache(maxsize=8192)
def _is_everyday(lower: str) -> bool:
    if lower in LEXICON.common or lower in LEXICON.stems or any(_has_stem(lower, ending) for ending in LEXICON.endings):
        return True
    return any(
        lower.startswith(part) and _is_everyday(lower[len(part) :])
        for part in LEXICON.beginnings
        if len(lower) > len(part) + 3
    )


def _has_stem(word: str, ending: str) -> bool:
    if not word.endswith(ending) or len(word) < len(ending) + 2:
        return False
    stem, common, stems = word[: -len(ending)], LEXICON.common, LEXICON.stems
    doubled = len(stem) > 3 and stem[-1] == stem[-2] and (stem[:-1] in stems or stem[:-1] in common)
    return doubled or any(stem + end in stems or stem + end in common for end in LEXICON.endings[ending])
