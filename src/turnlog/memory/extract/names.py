"""What the user asks to be called, and whose name they say is not theirs."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import islice
from typing import NamedTuple

from turnlog.memory.extract import namecues as cues
from turnlog.memory.extract.phrases import Phrases
from turnlog.memory.extract.reading import Reading
from turnlog.memory.extract.spans import Name, capitalised, ends, is_given, may_be_given, name_at, opens, plain, split
from turnlog.memory.extract.vocabulary.english import is_english
from turnlog.memory.extract.vocabulary.organisations import ORGANISATIONS
from turnlog.memory.extract.vocabulary.places import PLACES
from turnlog.memory.extract.vocabulary.products import PRODUCTS
from turnlog.memory.extract.vocabulary.words import COMMON, DEMONYMS, TITLES

SIMILAR = 0.7
"""Share of letters (difflib's ratio) from which one name is taken for a correction of another."""
CUES_MAX = 50
"""Places of one kind that are looked at in a message, at most."""
SIGNATURE_LINES = 6
"""Lines at the end of a message in which its signature is looked for."""


class Said(NamedTuple):
    """A name with which the user was, or was not, to be called.

    `asked` tells a wish ("call me") from a mere introduction ("I'm"). A name that `replies` is understood from the
    assistant's question; `start` is -1 where only the question says it.
    """

    name: str
    start: int
    end: int
    asked: bool = True
    denied: bool = False
    replies: bool = False


def names(reading: Reading, asked: str = "") -> list[Said]:
    """The names that the user gives or denies, in the order of the text; `asked` is what the assistant said just before."""
    own = reading.own
    found = list(_answers(own, asked)) if asked else []
    found += _denials(reading, asked)
    denied = {said.start for said in found if said.denied}
    found += (said for said in (*_wishes(reading), *_sufficing(reading, asked), *_weak(reading)) if said.start not in denied)
    found += _foreign(reading)
    if "\n" in own or "-" in own or "—" in own or "–" in own:
        found += _signatures(own)
    return sorted(_once(found), key=lambda said: said.start)


def chosen(found: list[Said]) -> Said | None:
    """The name that the user is to have after the message: the last wish, else the last introduction."""
    given = [said for said in found if not said.denied]
    wishes = [said for said in given if said.asked]
    best = wishes or given
    return best[-1] if best else None


def _once(found: list[Said]) -> list[Said]:
    """Each place once: a denial before a wish before an introduction."""
    kept: list[Said] = []
    for said in sorted(found, key=lambda item: (not item.denied, not item.asked)):
        if not any(other.start <= said.start < max(other.end, other.start + 1) for other in kept):
            kept.append(said)
    return kept


def _each(phrases: Phrases, reading: Reading) -> Iterator[re.Match[str]]:
    return phrases.find(reading.own, reading.parts)


def _given(name: Name, *, asked: bool = True) -> Said:
    return Said(name.text, name.start, name.end, asked)


def _in_full(own: str, name: Name) -> Name:
    """`name`, or the full name right after it: "Bond, James Bond"."""
    if own[name.end : name.end + 2] not in (", ", ". "):
        return name
    full = name_at(own, name.end + 2)
    return full if full is not None and full.text.endswith(f" {name.text}") else name


def _wishes(reading: Reading) -> Iterator[Said]:
    own = reading.own
    for cue in _each(cues.WISH, reading):
        said = cue[0].lower()
        name = name_at(
            own, cue.end(), lower=said.lstrip(" .,;!\n").startswith(("my", "call", "the", "i ", "name")), wish=True
        )
        if name is None or not _is_called(own, name, by_call="call" in said) or _of_another(own, cue.start()):
            continue
        yield _given(_in_full(own, name))
        yield from _but_not(own, name)
    for cue in _each(cues.MEND, reading):
        name = name_at(own, cue.end())
        if name is not None and not _is_thing(name) and ends(own, name.end):
            yield _given(name)
    for match in _each(cues.NAMES, reading):
        name = name_at(own, match.start(1), lower=True)
        if name is not None and _can_be_called(name):
            yield _given(name)
    for match in _each(cues.GIVEN_NAMES, reading):
        name = name_at(own, match.start(1))
        if name is not None and may_be_given(name.text.lower().split()[0]):
            yield _given(name)


def _can_be_called(name: Name) -> bool:
    """Whether `name`, of which something else says that it is one, is no everyday word."""
    first = name.text.lower().split()[0]
    return not _is_thing(name) and (may_be_given(first) or not is_english(first))


def _but_not(own: str, name: Name) -> Iterator[Said]:
    """The name denied in "my name is Sami, not Sam"."""
    cue = cues.NOT_BUT.match(own, name.end)
    other = name_at(own, cue.end(), lower=True) if cue else None
    if other is not None and (capitalised(other.text) or _similar(other.text, name.text)):
        yield Said(other.text, other.start, other.end, denied=True)


def _sufficing(reading: Reading, asked: str) -> Iterator[Said]:
    """The name in "Kostya is fine", where names are what is spoken of."""
    for match in _each(cues.SUFFICES, reading):
        name = name_at(reading.own, match.start(1), wish=True)
        if name is None or _is_thing(name) or name.text.lower() in COMMON:
            continue
        known = reading.own.find(name.text) < match.start(1) or any(_similar(name.text, word) for word in _capitals(asked))
        if known or not cues.NAMING.isdisjoint(reading.words) or _asks_for_name(asked[-300:]):
            yield _given(name)


def _of_another(own: str, place: int) -> bool:
    """Whether the words before `place` make the cue no wish: "will call me", "didn't call me"."""
    before = own[max(0, place - 20) : place].lower()
    if before.endswith(
        (
            "like you to ",
            "want you to ",
            "prefer to ",
            "need you to ",
            "easier to ",
            "free to ",
            "allow me to ",
            "let me to ",
            "like to ",
            "best to ",
        )
    ):
        return False
    return before.endswith(
        (
            "will ",
            "won't ",
            "to ",
            "didn't ",
            "did ",
            "should ",
            "could ",
            "if you ",
            "when you ",
            "would ",
            "can't ",
            "not ",
            "never ",
            "don't ",
        )
    )


def _is_called(own: str, name: Name, *, by_call: bool) -> bool:
    first = name.text.lower().split()[0]
    if first in cues.NOT_CALLED or first in TITLES:
        return False
    if capitalised(name.text) and not (name.text.isupper() and len(name.text) > 2 and not is_given(first) and by_call):
        return True
    if may_be_given(first):
        return True
    adjective = by_call and first.endswith(("ing", "ed", "ish", "ic", "ful", "ous"))
    return first not in COMMON and first not in DEMONYMS and ends(own, name.end) and not adjective


def _weak(reading: Reading) -> Iterator[Said]:
    own = reading.own
    for cue in _each(cues.AM, reading):
        name = name_at(own, cue.end(), lower=True)
        if name is not None and _introduces(own, cue, name):
            yield _given(name, asked=False)
    for cue in (*_each(cues.ROLE, reading), *_each(cues.SURNAME, reading)):
        name = name_at(own, cue.end())
        if name is not None and (ends(own, name.end) or cue[0].lower().startswith(("it", "here"))) and not _is_thing(name):
            yield _given(name, asked=False)
    yield from _at_openings(reading)


def _at_openings(reading: Reading) -> Iterator[Said]:
    """The names that open or sign a message, or stand in the places of one."""
    own = reading.own
    for cue in _each(cues.HERE, reading):
        name = name_at(own, cue.end(), lower=True)
        if name is not None and (capitalised(name.text) or is_given(name.text)) and not _is_thing(name):
            yield _given(name, asked=False)
    for match in _each(cues.ITS_SMALL, reading):
        name = name_at(own, match.start(1), lower=True)
        if name is not None and is_given(name.text.lower()):
            yield _given(name, asked=False)
    for match in _each(cues.HELLOS, reading):
        name = name_at(own, match.start(1))
        if name is not None and is_given(name.text.lower().split()[0]) and not _is_thing(name):
            yield _given(name, asked=False)
    for match in _each(cues.OPENINGS, reading):
        name = name_at(own, match.start(1))
        if name is not None and not _is_thing(name):
            yield _given(name, asked=False)


def _is_thing(name: Name) -> bool:
    lower = name.text.lower()
    known = lower in PLACES or lower in ORGANISATIONS or lower in PRODUCTS
    return known and not may_be_given(lower)


def _introduces(own: str, cue: re.Match[str], name: Name) -> bool:
    """Whether what follows "I'm" or "this is" is the speaker's name."""
    first = name.text.lower().split()[0]
    if _is_thing(name) or first in DEMONYMS or first in cues.NOT_CALLED:
        return False
    if cue[0].lower().startswith("this is"):
        return _presents(own, cue, name)
    if len(name.text) == 1:
        return False
    if capitalised(name.text) and not name.text.isupper():
        return (
            (is_given(first) or not is_english(first))
            or (" " in name.text and ends(own, name.end))
            or _is_word_name(own, name)
        )
    return is_given(first) or (ends(own, name.end) and may_be_given(first) and first not in cues.AFTER_AM)


def _is_word_name(own: str, name: Name) -> bool:
    """Whether `name`, an everyday word with a capital letter, is one that people are called by, and ends a clause."""
    return may_be_given(name.text.lower()) and ends(own, name.end)


def _presents(own: str, cue: re.Match[str], name: Name) -> bool:
    """Whether "this is" opens the message or a sentence, and presents the speaker rather than another."""
    before, after = own[: cue.start()].strip(" ,.!").lower(), own[name.end : name.end + 14].lower()
    if not (opens(own, cue.start()) or before in ("hi", "hello", "hey")) or after.lstrip(" ,").startswith(
        ("my ", "his ", "her ", "our ")
    ):
        return False
    first, ending = name.text.lower().split()[0], not after.strip() or after[0] in ",.!"
    if is_given(first) or own[cue.end() : name.start].strip() or (may_be_given(first) and ending):
        return True
    if not capitalised(name.text) or is_english(first):
        return False
    return ending or after.strip().startswith(("from", "here", "speaking", "again", "at", "with"))


def _denials(reading: Reading, asked: str) -> Iterator[Said]:
    own = reading.own
    for cue in _each(cues.NOT_MINE, reading):
        said = cue[0].lower()
        of_name = "name" in said or "call" in said or "say" in said
        name = name_at(own, cue.end(), lower="name" in said)
        if name is None or _is_thing(name) or name.text.lower() in COMMON or not ends(own, name.end):
            continue
        bare = said.strip() in ("not", "isn't", "ain't", "who's", "who is")
        if bare and not _is_corrected(reading, cue.start(), name, asked):
            continue
        yield Said(name.text, name.start, name.end, denied=True)
        yield from _before_denial(own, cue.start()) if bare else _instead(own, name, of_name)


def _is_corrected(reading: Reading, place: int, name: Name, asked: str) -> bool:
    """Whether "not Sam" at `place` mends a name: "it's Sami, not Sam"."""
    right = next(_before_denial(reading.own, place), None)
    if right is None:
        return False
    return not cues.NAMING.isdisjoint(reading.words) or name.text in asked or _similar(right.name, name.text)


def _instead(own: str, denied: Name, of_name: bool) -> Iterator[Said]:
    """The name that is right where `denied` is wrong: right after it, or alone in a sentence."""
    cue = cues.IT_IS.match(own, denied.end) or cues.IT_IS.search(own, denied.end, denied.end + 8)
    right = name_at(own, cue.end(), lower=of_name) if cue else None
    if right is not None and (capitalised(right.text) or ends(own, right.end)) and not _is_thing(right):
        yield _given(right)
        return
    for match in cues.ALONE.finditer(own, denied.end, denied.end + 200):
        right = name_at(own, match.start(1))
        if of_name and right is not None and not _is_thing(right):
            yield _given(right)


def _before_denial(own: str, place: int) -> Iterator[Said]:
    for cue in cues.IT_IS.finditer(own, max(0, place - 40), place):
        name = name_at(own, cue.end()) if any(map(str.isalpha, cue[0])) else None
        if name is not None and cues.NOT_YET.match(own, name.end, place) and not _is_thing(name):
            yield _given(name)
    first = name_at(own, 0)
    if first is not None and first.end < place and cues.NOT_YET.match(own, first.end, place) and not _is_thing(first):
        yield _given(first)


def _foreign(reading: Reading) -> Iterator[Said]:
    own = reading.own
    for cue in _each(cues.ABROAD, reading):
        name = name_at(own, cue.end())
        if name is None or _is_thing(name) or name.text.split()[0].lower() in COMMON:
            continue
        if not cues.ALSO_OTHERWISE.match(cue[0]) or _is_no_trade(own, cue, name):
            yield _given(name)
    if not own.isascii():
        for match in _each(cues.EASTERN, reading):
            yield Said(match[1], match.start(1), match.end(1))


def _is_no_trade(own: str, cue: re.Match[str], name: Name) -> bool:
    """Whether "ich bin", "je suis" and the like give a name and no trade: German writes nouns with a capital, too."""
    first = name.text.split()[0].lower()
    if is_given(first):
        return True
    if first in DEMONYMS or is_english(first) or not ends(own, name.end):
        return cue[0].lower().startswith("ich") and own[name.end :].startswith(" aus ") and not first.endswith(("er", "in"))
    return not cue[0].lower().startswith("ich")


def _signatures(own: str) -> Iterator[Said]:
    """The name under the message: after a closing, after a dash, or alone below an empty line."""
    lines = own.splitlines(keepends=True)
    first = max(1, len(lines) - SIGNATURE_LINES)
    place = sum(map(len, lines[:first]))
    for number in range(first, len(lines)):
        line, before = lines[number], lines[number - 1]
        dashed = cues.DASHED.match(line)
        last = number >= len(lines) - 2 and not cues.DASHED.match(before)
        above = next((other for other in reversed(lines[:number]) if other.strip()), "")
        closed = cues.CLOSING.match(above.rstrip()) is not None
        start = place + (dashed.end() if dashed else len(line) - len(line.lstrip()))
        alone = last and before.rstrip().endswith((".", "!", "?", ")"))
        name = name_at(own, start, lower=True) if closed or (dashed and last) or alone or not before.strip() else None
        if (
            name is not None
            and not own[name.end : place + len(line)].strip(" ,.!xX\n")
            and _signs(name, sure=closed or bool(dashed))
        ):
            yield _given(name, asked=False)
            return
        place += len(line)
    yield from _dashed(own)


def _dashed(own: str) -> Iterator[Said]:
    for cue in islice(cues.DASHED_IN_LINE.finditer(own), CUES_MAX):
        name = name_at(own, cue.end())
        if name is not None and not own[name.end :].strip(" .!x\n"):
            yield _given(name, asked=False)


def _signs(name: Name, *, sure: bool) -> bool:
    words = name.text.lower().split()
    known = may_be_given(words[0])
    if _is_thing(name):
        return False
    return (capitalised(name.text) and (sure or known)) or (sure and known and len(words) < 3)


def _answers(own: str, asked: str) -> Iterator[Said]:
    """The name that answers the assistant's question for it, or mends the name that the assistant used."""
    question = asked.rstrip()[-300:]
    if cues.YES.match(own) and "?" in question[-200:]:
        offered = _offered(question)
        if offered is not None:
            yield Said(offered.text, -1, -1, replies=True)
            return
    filler = cues.FILLERS.match(own)
    wanted = _asks_for_name(question)
    name = name_at(own, filler.end() if filler else 0, lower=True) or (_given_in(own) if wanted else None)
    if name is None:
        return
    if (wanted and _is_answer(own, name)) or _mends(own, name, question) or _settles(own, name, question):
        name = _in_full(own, name)
        yield Said(name.text, name.start, name.end, replies=True)


def _given_in(own: str) -> Name | None:
    """The one given name in a short answer: "let us say Milo, then"."""
    words = split(own[:80])
    places = [word.start for word in words if word.text[0].isupper() and is_given(word.lower)]
    return name_at(own, places[0]) if len(words) < 10 and len(places) == 1 else None


def _settles(own: str, name: Name, question: str) -> bool:
    """Whether `name` answers a greeting by another: "Good to see you, Bill." "William, please"."""
    if not is_given(name.text.lower()) or not _capitals(question):
        return False
    return cues.SETTLES.match(own, name.end) is not None or (
        own.lower().startswith("please") and not own[name.end :].strip(" .!")
    )


def _asks_for_name(question: str) -> bool:
    low = question.lower()
    if not any([word in low for word in cues.ASKING]):  # noqa: C419 - most questions are about something else
        return False
    return cues.ASKS.search(question) is not None and cues.NOT_ASKS.search(question) is None


def _offered(question: str) -> Name | None:
    for cue in cues.OFFERS.finditer(question):
        name = name_at(question, cue.end())
        if name is not None and "?" in question[name.end :] and not _is_thing(name):
            return name
    return None


def _is_answer(own: str, name: Name) -> bool:
    first = name.text.split()[0].lower()
    if first in COMMON or first in DEMONYMS or first in cues.NOT_CALLED or not ends(own, name.end):
        return False
    if capitalised(name.text) or may_be_given(first):
        return True
    return not own.strip(" .!").count(" ") or (
        not is_english(first) and own[name.end : name.end + 1] in ("", ",", ".", "!", "\n")
    )


def _mends(own: str, name: Name, question: str) -> bool:
    """Whether `name` is, in other letters, a name that the assistant used."""
    if not capitalised(name.text) or _is_thing(name) or not ends(own, name.end) or name.text in question:
        return False
    return any(_similar(name.text, word) for word in _capitals(question))


def _capitals(text: str) -> set[str]:
    return {word.text for word in split(text[-400:]) if word.text[0].isupper() and word.lower not in COMMON}


def _similar(one: str, other: str) -> bool:
    a, b = plain(one), plain(other)
    ratio = SequenceMatcher(None, a, b).ratio() if len(b) > 2 else 0.0
    return a == b or ratio >= SIMILAR + (0.0 if a[:2] == b[:2] else 0.05) or (len(a) > 2 and a[:3] == b[:3])
