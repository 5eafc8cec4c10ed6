"""What a message names, with its kind and place."""

from typing import Literal, NamedTuple

Kind = Literal["PERSON", "PLACE", "ORG", "PRODUCT", "EMAIL", "URL", "DATE"]


class Mention(NamedTuple):
    """An entity as a message names it: its words, what it is, and its place in the text."""

    text: str
    kind: Kind
    start: int
    end: int
