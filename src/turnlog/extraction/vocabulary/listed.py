"""Lists of words and patterns in a form that is easy to read and to extend."""

import re
from itertools import groupby

_CONTINUED = re.compile(r"\|\n\s*")
_NO_GROUP = re.compile(r"\\.|\[[^\]]*\]")
_GROUP = re.compile(r"\([^()]*\)")


def words(text: str) -> frozenset[str]:
    """The words of `text`, which spaces and line ends separate."""
    return frozenset(text.split())


def phrases(text: str) -> frozenset[str]:
    """The phrases of `text`, which commas separate."""
    return frozenset(" ".join(phrase.split()) for phrase in text.split(","))


def parts(text: str) -> list[str]:
    """The patterns in `text`, which stand on lines of their own or between spaced bars.

    A line that ends with a bar goes on in the next.
    """
    lines = _CONTINUED.sub("|", text.strip()).splitlines()
    return [part.strip() for line in lines for part in line.split(" | ")]


def alternatives(text: str) -> str:
    """The pattern of any of the `parts` of `text`, the first that fits."""
    return f"(?:{_by_letter(parts(text))})"


def _by_letter(choices: list[str]) -> str:
    """The `choices`, those that begin with one letter together, so that a text is not compared with each of them.

    What begins with different letters cannot fit one place, so that their order is free, up to a choice of which that is not
    told.
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
