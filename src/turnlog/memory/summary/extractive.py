"""A summary without a language model: the sentences in which most is decided, asked or told, each as it was said.

A sentence weighs by its words, numbers and names, cheaply: it is not understood. Nothing is said in other words, and what
is said between the lines is missed. Of a long message its beginning is read, where people and models put what matters.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from turnlog.memory.summary.chapters import SPAN, Chapter, Kind, SummaryLine, best, joined, line, overfull, pair, share
from turnlog.message import Message

NAME = "rules-1"
"""What the state says it was made by."""
READ_MAX = {"user": 2000, "assistant": 700}
"""Characters of a message that are read."""
WORDS_MIN = 4
LENGTH_MAX = 160
"""Characters of a sentence that are kept."""
WEIGHT_MIN = 3
WHOSE = {"user": 2, "assistant": 0}
"""What the user says weighs more."""


def _cues(kind: Kind, weight: int, words: str) -> dict[str, tuple[Kind, int]]:
    return dict.fromkeys(words.split(), (kind, weight))


CUES: dict[str, tuple[Kind, int]] = {
    **_cues("decision", 4, "decided decide agreed agree choose chose chosen settled confirmed finalized decision concluded"),
    **_cues("decision", 2, "let's going we'll i'll instead switch switched plan planned booked ordered cancelled canceled"),
    **_cues("open", 3, "please todo deadline pending unresolved waiting follow-up asap"),
    **_cues("other", 1, "remind must need needs can could would want should help how tomorrow tonight later next"),
    **_cues("fact", 3, "name named born live lives moved married allergic allergy birthday vegetarian vegan diagnosed"),
    **_cues("fact", 2, "my i'm i've we're our work works job bought sold started finished won lost wife husband partner"),
    **_cues("fact", 2, "daughter son mother father sister brother friend dog cat prefer love hate favorite favourite"),
    **_cues("fact", 1, "is was were has have had always never because since years year month week email phone address"),
    **_cues("other", -3, "thanks thank hello hi hey bye goodbye welcome cool awesome haha lol wow congrats glad"),
    **_cues("other", -2, "sounds sure great amazing absolutely definitely"),
}
_LETTERS = str.maketrans(dict.fromkeys(',.;:!?()[]{}"*_`#<>|~=+/\\', " "))
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_NAMES = re.compile(r"[a-z,] [A-Z][a-z]")
_NUMBER = re.compile(r"\d")
_LEAD = " \t-*#>•|0123456789.)"


class Selection:
    """The chapters of a summary of at most `tokens` while messages are read. It belongs to one step."""

    def __init__(self, chapters: Sequence[Chapter], tokens: int) -> None:
        self._tokens = tokens
        self._share = share(tokens)
        *closed, last = chapters or (Chapter(1, 0),)
        self._closed: tuple[Chapter, ...] = tuple(closed)
        self._open = last
        self._lines = list(last.lines)
        self._last = last.last

    def read(self, message: Message, seq: int) -> None:
        """Take in the message that follows."""
        if seq - self._open.first >= SPAN:
            self._close()
            self._open = Chapter(seq, seq)
        self._last = seq
        if message.role not in READ_MAX or message.derived or message.redacted or not (text := message.text):
            return
        speaker = message.name or message.role
        heavy = [found for found in sentences(text, message.role) if found[2] >= WEIGHT_MIN]
        for kind, sentence, weight in heavy:
            self._take(kind, f"{speaker}: {sentence}", weight, seq)

    def chapters(self) -> tuple[Chapter, ...]:
        """The chapters, the last of them open."""
        return (*self._closed, self._as_it_is())

    def _take(self, kind: Kind, text: str, weight: int, seq: int) -> None:
        """Keep a line in the open chapter as long as there are not enough of more weight."""
        if any(text == known.text for known in self._lines):
            return
        full = sum([known.tokens for known in self._lines]) > self._share * 3 // 4
        if full and weight < min([known.weight for known in self._lines]):
            return
        self._lines = list(best([*self._lines, line(kind, text, (seq,), weight)], self._share))

    def _as_it_is(self) -> Chapter:
        return Chapter(self._open.first, self._last, tuple(self._lines))

    def _close(self) -> None:
        closed = (*self._closed, self._as_it_is())
        while overfull(closed, self._tokens):
            place = pair(closed)
            both: list[SummaryLine] = [*closed[place].lines, *closed[place + 1].lines]
            closed = joined(closed, place, best(both, self._share))
        self._closed, self._lines = closed, []


def sentences(text: str, role: str) -> Iterator[tuple[Kind, str, int]]:
    """The sentences of a message that may be worth keeping: what kind of thing each is, and its weight."""
    text = text[: READ_MAX[role]]
    if "```" in text:
        text = _CODE.sub("\n", text)
    broken = text.replace(". ", ".\n").replace("? ", "?\n").replace("! ", "!\n").replace("’", "'")
    plain = broken.lower().translate(_LETTERS)
    for sentence, words in zip(broken.split("\n"), map(str.split, plain.split("\n")), strict=False):
        if len(words) < WORDS_MIN:
            continue
        kind, weight = weigh(words)
        weight += WHOSE[role] + 2 * (_NUMBER.search(sentence) is not None) + min(2, len(_NAMES.findall(sentence)))
        if sentence.endswith("?"):
            kind, weight = ("open" if kind == "other" or kind == "fact" else kind), weight - (role == "assistant") * 4
        if weight >= WEIGHT_MIN:
            yield kind, shortened(sentence), weight


def weigh(words: Iterable[str]) -> tuple[Kind, int]:
    """The kind that the weightiest of the words speaks for, and what they weigh together."""
    found = [CUES[word] for word in CUES.keys() & words]
    kind, _ = max(found, key=lambda cue: (cue[1], cue[0]), default=("other", 0))
    return kind, min(10, sum([weight for _, weight in found]))


def shortened(sentence: str) -> str:
    """A sentence as it is kept: without the marks of a list before it, cut where it is long."""
    plain = " ".join(sentence.lstrip(_LEAD).split()) or sentence
    return plain if len(plain) <= LENGTH_MAX else plain[: LENGTH_MAX - 1].rstrip() + "…"
