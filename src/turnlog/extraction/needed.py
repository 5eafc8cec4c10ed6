"""The words that a pattern cannot do without, told from its parsed form.

Laws: each text that a pattern fits holds all words of one of its sets. A word is a run of letters, digits and "_" between
other characters, in lower case; of those, the marks that tell something count as words. What cannot be told makes sets
smaller, never larger.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import reduce
from itertools import combinations, product
from typing import Any, NamedTuple

JOINED_MAX = 300
"""Ways to join two parts of a pattern from which the words of only one of them are told."""
SETS_MAX = 2000
"""Ways to join them then from which none are told."""
REPEATS_MAX = 9
"""Times that a letter may be repeated for its repetitions to be told."""
WEAKER_MAX = 4
"""Words of a set from which it is not told whether it is in another."""
COMMON_MARKS = " ,.'-"
"""Characters between words that tell nothing."""


class _Text(NamedTuple):
    """Texts that a part of a pattern fits: the whole `words` that are in each of them, and what its edges hold of words.

    Where `words` is None, it is one run of letters, which is `left` and `right`. An edge of `_UNKNOWN` may be anything.
    """

    left: str
    words: frozenset[str] | None
    right: str


_UNKNOWN = "\0"
_ANYTHING = _Text(_UNKNOWN, None, _UNKNOWN)
_NOTHING = _Text("", None, "")
_BREAK = _Text("", frozenset(), "")
"""A place where words end and begin."""
_Texts = frozenset[_Text]


def needed(source: str, flags: int = 0) -> frozenset[frozenset[str]]:
    """Sets of words, of one of which all are in every text that the pattern `source` fits; an empty one tells nothing.

    It reads what Python's own parser of patterns makes, which is not public.
    """
    texts = _sequence(re._parser.parse(source, flags))  # type: ignore[attr-defined]
    sets = {text.words or frozenset() for text in texts}
    return frozenset(one for one in sets if not any(other < one for other in sets))


def _sequence(parsed: Iterable[tuple[Any, Any]]) -> _Texts:
    return reduce(_joined, _elements(parsed), frozenset((_NOTHING,)))


def _elements(parsed: Iterable[tuple[Any, Any]]) -> Iterator[_Texts]:
    """What each element fits, letters in a row as one."""
    row = ""
    for kind, what in parsed:
        letter = _letter(what) if str(kind) == "LITERAL" else None
        if letter is not None and letter.words is None:
            row += letter.left
            continue
        if row:
            yield frozenset((_Text(row, None, row),))
            row = ""
        yield frozenset((letter,)) if letter is not None else _element(str(kind), what)
    if row:
        yield frozenset((_Text(row, None, row),))


def _element(kind: str, what: Any) -> _Texts:
    if kind == "IN":
        return _choice(what)
    if kind == "AT":
        return frozenset((_NOTHING if str(what) == "AT_NON_BOUNDARY" else _BREAK,))
    if kind == "BRANCH":
        return _weakest(text for branch in what[1] for text in _sequence(branch))
    if kind == "SUBPATTERN":
        return _sequence(what[-1])
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        return _repeated(what[0], what[1], _sequence(what[2]))
    if kind in ("ASSERT", "ASSERT_NOT"):
        return _beside(kind, what[0], what[1])
    return frozenset((_ANYTHING,))


def _letter(code: int) -> _Text:
    letter = chr(code).lower()
    if letter.isalnum() or letter == "_":
        return _Text(letter, None, letter)
    return _BREAK if letter in COMMON_MARKS else _Text("", frozenset((letter,)), "")


def _choice(members: Sequence[tuple[Any, Any]]) -> _Texts:
    """What a set of characters fits."""
    kinds = {str(kind if str(kind) != "CATEGORY" else what) for kind, what in members}
    if kinds <= {"LITERAL", "CATEGORY_SPACE", "CATEGORY_NOT_WORD"}:
        return _weakest(_letter(what) if str(kind) == "LITERAL" else _BREAK for kind, what in members)
    return frozenset((_ANYTHING,))


def _repeated(least: int, most: int, texts: _Texts) -> _Texts:
    if 1 < most <= REPEATS_MAX and len(texts) == 1 and (letter := next(iter(texts))).words is None and letter != _ANYTHING:
        return frozenset(_Text(run, None, run) for run in (letter.left * times for times in range(least, most + 1)))
    more = texts if most == 1 else frozenset(map(_again, texts))
    if any(text.right for text in more) and most != 1:
        more = frozenset(text._replace(right=_UNKNOWN) if text.words is not None else _ANYTHING for text in more)
    return more if least else _weakest((*more, _NOTHING))


def _again(text: _Text) -> _Text:
    return _ANYTHING if text.words is None and text != _NOTHING else text


def _beside(kind: str, direction: int, parsed: Any) -> _Texts:
    """What is told by a look ahead (`direction` 1) or behind (-1): it takes no place itself."""
    if kind == "ASSERT_NOT":
        return frozenset((_BREAK if _is_no_letter(list(parsed)) else _NOTHING,))
    texts = _sequence(parsed)
    if direction > 0:
        return _joined(texts, frozenset((_ANYTHING,)))
    return frozenset((_BREAK if all(text.words is not None and not text.right for text in texts) else _NOTHING,))


def _is_no_letter(parsed: Sequence[tuple[Any, Any]]) -> bool:
    """Whether what must not be there is any letter."""
    if len(parsed) != 1 or str(parsed[0][0]) != "IN":
        return False
    members = parsed[0][1]
    return str(members[0][0]) != "NEGATE" and any(str(what) == "CATEGORY_WORD" for _, what in members)


def _joined(before: _Texts, after: _Texts) -> _Texts:
    """What `before` and then `after` fit; of what would be too much, only the side that tells more is told."""
    if len(after) == 1 and (only := next(iter(after))).words is None:
        return frozenset(_join(text, only) for text in before)
    if len(before) * len(after) > JOINED_MAX:
        if _worth(before) > _worth(after):
            after = _dulled(after)
        else:
            before = _dulled(before)
    if len(before) * len(after) > SETS_MAX:
        return frozenset((_ANYTHING,))
    return _weakest(_join(one, other) for one, other in product(before, after))


def _worth(texts: _Texts) -> float:
    """How much the words of `texts` tell: the longer they are the more, and nothing if there may be none."""
    lengths = [len(text.left) + len(text.right) + sum(map(len, text.words or ())) for text in texts]
    return sum(lengths) / len(lengths) if all(lengths) else 0.0


def _dulled(texts: _Texts) -> _Texts:
    """`texts` without what their words are."""
    return frozenset(_Text(text.left and _UNKNOWN, text.words and frozenset(), text.right and _UNKNOWN) for text in texts)


def _join(one: _Text, other: _Text) -> _Text:
    seam = one.right + other.left
    seam = _UNKNOWN if _UNKNOWN in seam else seam
    if one.words is None and other.words is None:
        return _Text(seam, None, seam)
    if one.words is None:
        return _Text(seam, other.words, other.right)
    if other.words is None:
        return _Text(one.left, one.words, seam)
    whole = one.words | other.words
    return _Text(one.left, whole if seam in ("", _UNKNOWN) else whole | {seam}, other.right)


def _weakest(texts: Iterable[_Text]) -> _Texts:
    """`texts` without those that tell more than another does, which say nothing as either may be."""
    found = frozenset(texts)
    if _ANYTHING in found:
        return frozenset((_ANYTHING,))
    counts = {len(text.words) for text in found if text.words is not None and len(text.words) < WEAKER_MAX}
    lefts, rights = {text.left for text in found} & {_UNKNOWN}, {text.right for text in found} & {_UNKNOWN}
    return frozenset(
        text
        for text in found
        if text.words is None or found.isdisjoint(_weaker(text, {text.left, *lefts}, {text.right, *rights}, counts))
    )


def _weaker(text: _Text, lefts: Set[str], rights: Set[str], counts: Set[int]) -> Iterator[_Text]:
    """Texts that tell less than `text`: with one of the edges, and so many of its words."""
    words = text.words or frozenset()
    some = [frozenset(kept) for count in counts if count <= len(words) for kept in combinations(words, count)]
    for left, right in product(lefts, rights):
        yield from (weaker for kept in some if (weaker := _Text(left, kept, right)) != text)
