"""Lists of words and patterns in a form that is easy to read and to extend."""

import re

_CONTINUED = re.compile(r"\|\n\s*")


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
    """The pattern of any of the `parts` of `text`."""
    return "(?:" + "|".join(parts(text)) + ")"
