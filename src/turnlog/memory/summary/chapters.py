"""Chapters of a summary: each tells of a range of messages, and what is older is told more coarsely.

A chapter has a share of the summary's tokens. When the closed ones have more than theirs together, the two oldest of one
level become one of the next, within the share of one: so a summary is bounded, however long the conversation.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from turnlog.tokens.tokenizers import estimate

Kind = Literal["decision", "open", "fact", "other"]
KINDS: tuple[Kind, ...] = ("decision", "open", "fact", "other")
"""What matters most comes first."""
SPAN = 50
"""Messages of a chapter before it is closed."""
SHARES = 6
"""A chapter has one part in so many of a summary's tokens."""
HEADING_TOKENS = 12
CLOSED_MAX = 100
"""Closed chapters at most, when there is next to nothing to tell."""


class SummaryLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that was said in the messages `seqs`; of two, the one of more `weight` is kept. `tokens` is its cost."""

    kind: Kind
    text: str
    seqs: tuple[int, ...]
    weight: int
    tokens: int

    @property
    def told(self) -> str:
        """As it stands in the summary."""
        return tell(self.kind, self.text, self.seqs)


class Chapter(msgspec.Struct, frozen=True, omit_defaults=True):
    """The messages from `first` to `last`; a `level` up is a chapter of two."""

    first: int
    last: int
    lines: tuple[SummaryLine, ...] = ()
    level: int = 0

    @property
    def tokens(self) -> int:
        """What it costs in a summary."""
        return sum([line.tokens for line in self.lines]) + HEADING_TOKENS if self.lines else 0

    @property
    def text(self) -> str:
        """As it stands in the summary; empty when there is nothing to tell."""
        return (
            "\n".join((f"Messages {self.first} to {self.last}:", *(line.told for line in self.lines))) if self.lines else ""
        )


def line(kind: Kind, text: str, seqs: Iterable[int], weight: int) -> SummaryLine:
    """A line with its cost."""
    told = tuple(sorted(set(seqs)))
    return SummaryLine(kind, text, told, weight, estimate(tell(kind, text, told)) + 1)


def tell(kind: Kind, text: str, seqs: Sequence[int]) -> str:
    """A line as it stands in the summary."""
    places = ", ".join(map(str, seqs if len(seqs) <= 3 else (seqs[0], "…", seqs[-1])))
    return f"- {text} [{places}]" if kind == "other" else f"- {kind}: {text} [{places}]"


def share(tokens: int) -> int:
    """The tokens of one chapter in a summary of so many."""
    return tokens // SHARES


def best(lines: Iterable[SummaryLine], tokens: int) -> tuple[SummaryLine, ...]:
    """Those of most weight that cost at most `tokens` with a heading, the newer of two equals, in the order of `lines`."""
    ordered, kept, left = list(lines), [], tokens - HEADING_TOKENS
    for place in sorted(range(len(ordered)), key=lambda at: (-ordered[at].weight, -ordered[at].seqs[-1], at)):
        if ordered[place].tokens <= left:
            kept.append(place)
            left -= ordered[place].tokens
    return tuple(ordered[place] for place in sorted(kept))


def overfull(closed: Sequence[Chapter], tokens: int) -> bool:
    """Whether closed chapters cost more than a summary of so many tokens has for them."""
    cost = sum([chapter.tokens for chapter in closed])
    return len(closed) > CLOSED_MAX or (len(closed) > 1 and cost > tokens - share(tokens))


def pair(closed: Sequence[Chapter]) -> int:
    """The place of the first of the two chapters that are to become one: the oldest of one level, else the oldest."""
    return next((place for place, (one, other) in enumerate(pairwise(closed)) if one.level == other.level), 0)


def joined(closed: Sequence[Chapter], place: int, lines: tuple[SummaryLine, ...]) -> tuple[Chapter, ...]:
    """The chapters with the one at `place` and the next as one of these `lines`."""
    one, other = closed[place : place + 2]
    both = Chapter(one.first, other.last, lines, max(one.level, other.level) + 1)
    return (*closed[:place], both, *closed[place + 2 :])
