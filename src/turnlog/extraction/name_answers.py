"""Names in answers and under messages: after a question or an offer, in use by the assistant, in a signature."""

import re
from collections.abc import Iterator, Set
from itertools import islice

from turnlog.extraction.lexicon import LEXICON, is_everyday
from turnlog.extraction.rules import rules
from turnlog.extraction.spans import (
    Name,
    Said,
    capitalised,
    capitals,
    ends,
    given,
    in_full,
    is_given,
    is_thing,
    may_be_given,
    name_at,
    similar,
    split,
)

_RULES = rules("names")
_pattern = _RULES.pattern
_words = _RULES.words
ANSWER_WORDS_MAX = 16
"""Words of an answer in which the one given name is the user's, at most."""


def answers(own: str, question: str, *, wanted: bool) -> Iterator[Said]:
    """The name that answers the assistant's `question`, which is for it if `wanted`, or mends the name that it used."""
    if _pattern("yes").match(own) and "?" in question[-200:]:
        offered = _offered(question)
        if offered is not None:
            yield Said(offered.text, -1, -1, replies=True)
            return
    filler = _pattern("fillers").match(own)
    name = name_at(own, filler.end() if filler else 0, lower=True) or (_given_in(own, question) if wanted else None)
    if name is None:
        return
    if (wanted and _is_answer(own, name)) or _mends(own, name, question) or _settles(own, name, question):
        name = in_full(own, name)
        yield Said(name.text, name.start, name.end, replies=True)


def _given_in(own: str, question: str) -> Name | None:
    """The one given name in a short answer: "let us say Milo, then"."""
    words = split(own[:120])
    known = [word for word in words if is_given(word.lower) and word.text not in question]
    if len(words) > ANSWER_WORDS_MAX or len({word.lower for word in known}) != 1:
        return None
    return name_at(own, known[0].start, lower=True)


def _settles(own: str, name: Name, question: str) -> bool:
    """Whether `name` answers a greeting by another: "Good to see you, Bill." "William, please"."""
    if not is_given(name.text.lower()) or not capitals(question):
        return False
    return _pattern("settles").match(own, name.end) is not None or (
        own.lower().startswith("please") and not own[name.end :].strip(" .!")
    )


def asks_for_name(question: str) -> bool:
    """Whether `question`, the end of what the assistant said, asks what the user is called."""
    low = question.lower()
    if not any([piece in low for piece in _RULES.values("asking")["pieces"]]):  # noqa: C419 - most questions ask for something else
        return False
    return _pattern("asks").search(question) is not None and _pattern("not_asks").search(question) is None


def _offered(question: str) -> Name | None:
    for cue in _pattern("offers").finditer(question):
        name = name_at(question, cue.end())
        if name is not None and "?" in question[name.end :] and not is_thing(name):
            return name
    return None


def _is_answer(own: str, name: Name) -> bool:
    first = name.text.split()[0].lower()
    if first in LEXICON.common or first in LEXICON.demonyms or first in _words("not_called") or not ends(own, name.end):
        return False
    if capitalised(name.text) or may_be_given(first):
        return True
    return not own.strip(" .!").count(" ") or (
        not is_everyday(first) and own[name.end : name.end + 1] in ("", ",", ".", "!", "\n")
    )


def _mends(own: str, name: Name, question: str) -> bool:
    """Whether `name` is, in other letters, a name that the assistant used."""
    if not capitalised(name.text) or is_thing(name) or not ends(own, name.end) or name.text in question:
        return False
    return any(similar(name.text, word) for word in capitals(question))


_DASH = re.compile(r"[-–—~] ?[^\W\d_a-z]")
CUES_MAX = 50
"""Places of one kind that are looked at in a message, at most."""
SIGNATURE_LINES = 6
"""Lines at the end of a message in which its signature is looked for."""
LAST_LENGTH = 100
"""Characters at the end of a message in which a closing and a name are looked for."""


def signatures(own: str, words: Set[str]) -> Iterator[Said]:
    """The name under the message, which has these `words`: after a closing, after a dash, or alone below an empty line."""
    lines = own.splitlines(keepends=True)
    first = max(1, len(lines) - SIGNATURE_LINES)
    place = sum(map(len, lines[:first]))
    for number in range(first, len(lines)):
        line, before = lines[number], lines[number - 1]
        dashed = _pattern("dashed").match(line)
        last = number >= len(lines) - 2 and not _pattern("dashed").match(before)
        above = next((other for other in reversed(lines[:number]) if other.strip()), "")
        closed = _pattern("closing").match(above.rstrip()) is not None
        start = place + (dashed.end() if dashed else len(line) - len(line.lstrip()))
        alone = last and before.rstrip().endswith((".", "!", "?", ")"))
        name = name_at(own, start, lower=True) if closed or (dashed and last) or alone or not before.strip() else None
        if (
            name is not None
            and not own[name.end : place + len(line)].strip(" ,.!xX\n")
            and _signs(name, sure=closed or bool(dashed))
        ):
            yield given(name, asked=False)
            return
        place += len(line)
    if _DASH.search(own) is not None:
        yield from _dashed(own)
    if not _words("closings").isdisjoint(words):
        yield from _closed_in_line(own)


def _closed_in_line(own: str) -> Iterator[Said]:
    """The name behind a closing on the last line: "Cheers, Oisín"."""
    match = _pattern("at_end").search(own, max(0, len(own) - LAST_LENGTH))
    name = name_at(own, match.start(1)) if match else None
    if name is not None and _signs(name, sure=True):
        yield given(name, asked=False)


def _dashed(own: str) -> Iterator[Said]:
    for cue in islice(_pattern("dashed_in_line").finditer(own), CUES_MAX):
        name = name_at(own, cue.end())
        if name is not None and not own[name.end :].strip(" .!x\n"):
            yield given(name, asked=False)


def _signs(name: Name, *, sure: bool) -> bool:
    words = name.text.lower().split()
    known = may_be_given(words[0])
    if is_thing(name):
        return False
    return (capitalised(name.text) and (sure or known)) or (sure and known and len(words) < 3)
