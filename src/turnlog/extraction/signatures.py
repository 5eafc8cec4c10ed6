"""The names under messages."""

from collections.abc import Iterator
from itertools import islice

from turnlog.extraction.rules import rules
from turnlog.extraction.spans import Name, Said, capitalised, given, is_thing, may_be_given, name_at

_RULES = rules("names")
_pattern = _RULES.pattern
CUES_MAX = 50
"""Places of one kind that are looked at in a message, at most."""
SIGNATURE_LINES = 6
"""Lines at the end of a message in which its signature is looked for."""
LAST_LENGTH = 100
"""Characters at the end of a message in which a closing and a name are looked for."""


def signatures(own: str) -> Iterator[Said]:
    """The name under the message: after a closing, after a dash, or alone below an empty line."""
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
    yield from _dashed(own)
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
