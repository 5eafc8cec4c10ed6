"""What the user asks to be called, and whose name they say is not theirs."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from turnlog.extraction.document import Reading
from turnlog.extraction.lexicon import LEXICON, is_everyday
from turnlog.extraction.name_answers import answers, asks_for_name, signatures
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
    opens,
    similar,
    split,
)

_RULES = rules("names")
_pattern = _RULES.pattern
_words = _RULES.words
_CAPITALISED = re.compile(r"(?<!\w)[^\W\d_a-zà-öø-ÿ][\w'-]{0,40}")
"""A word with a capital letter, roughly: `spans.capitalised` decides."""
SURE = ("my", "call", "the", "i ", "name")
"""How cues begin after which a name in lower case need not be in the list of given names."""
NAMING_LENGTH = 300
"""Characters of a message in which its one name is looked for."""
QUESTION_LENGTH = 300
"""Characters at the end of what the assistant said that are its question."""
CAPITALS_MAX = 20
"""Words with a capital letter that are looked at for a mended name, at most."""


def names(reading: Reading, asked: str = "") -> list[Said]:
    """The names that the user gives or denies, in the order of the text; `asked` is what the assistant said just before."""
    own = reading.own
    question = asked.rstrip()[-QUESTION_LENGTH:]
    wanted = bool(question) and asks_for_name(question)
    found = list(answers(own, question, wanted=wanted)) if question else []
    found += _denials(reading, asked)
    denied = {said.start for said in found if said.denied}
    plain = [*_wishes(reading), *_sufficing(reading, asked, wanted=wanted), *_weak(reading)]
    found += (said for said in plain if said.start not in denied)
    found += _foreign(reading)
    found += (said for said in (*_framed(reading, wanted=wanted), *_mended(reading, asked)) if said.start not in denied)
    if not found:
        found += _only_one(reading)
    if "\n" in own or "-" in own or "—" in own or "–" in own:
        found += signatures(own, reading.words)
    return sorted(_once(found), key=lambda said: said.start)


def chosen(found: list[Said]) -> Said | None:
    """The name that the user is to have after the message: the last wish, else the last introduction."""
    told = [said for said in found if not said.denied]
    wishes = [said for said in told if said.asked]
    best = wishes or told
    return best[-1] if best else None


def _once(found: list[Said]) -> list[Said]:
    """Each place once: a denial before a wish before an introduction."""
    kept: list[Said] = []
    for said in sorted(found, key=lambda item: (not item.denied, not item.asked)):
        if not any(other.start <= said.start < max(other.end, other.start + 1) for other in kept):
            kept.append(said)
    return kept


def _each(table: str, reading: Reading) -> Iterable[re.Match[str]]:
    return reading.places(_RULES.tables[table])


def _wishes(reading: Reading) -> Iterator[Said]:
    own = reading.own
    for cue in _each("wish", reading):
        said = cue[0].lower()
        name = name_at(own, cue.end(), lower=True, wish=True)
        if name is None or not _is_called(own, name, by_call="call" in said) or _of_another(own, cue.start()):
            continue
        if not capitalised(name.text) and not is_given(name.text.lower()) and not said.lstrip(" .,;!\n").startswith(SURE):
            continue
        yield given(in_full(own, name))
        yield from _but_not(own, name)
    for cue in _each("mend", reading):
        name = name_at(own, cue.end())
        if name is not None and not is_thing(name) and ends(own, name.end):
            yield given(name)
    mine = () if _words("mine").isdisjoint(reading.words) else _each("is_mine", reading)
    for match in (*mine, *_each("any_names", reading)):
        name = name_at(own, match.start(1), lower=True)
        if name is not None and _can_be_called(name):
            yield given(name)
    for match in _each("given_names", reading):
        name = name_at(own, match.start(1))
        if name is not None and may_be_given(name.text.lower().split()[0]):
            yield given(name)


def _framed(reading: Reading, *, wanted: bool) -> Iterator[Said]:
    """The names in the frames in which also other things are used, put and said."""
    own = reading.own
    if not reading.may_match(_RULES.tables["with_people"], _RULES.tables["of_myself"]):
        return
    of_names = not _words("naming_frames").isdisjoint(reading.words) or wanted
    if not (of_names or _has_given(reading)):
        return
    for cue in (*_each("with_people", reading), *(_each("of_myself", reading) if of_names else ())):
        name = name_at(own, cue.end(), lower=True)
        if name is None or not ends(own, name.end) or _pattern("goes_on").match(own, name.end):
            continue
        if _is_persons(name, of_names=of_names):
            yield given(name)


def _is_persons(name: Name, *, of_names: bool) -> bool:
    """Whether `name` is a given name, or any that is no everyday word where names are spoken of."""
    first = name.text.lower().split()[0]
    if is_thing(name) or first in _words("not_called") or first in LEXICON.demonyms:
        return False
    if is_given(first):
        return True
    return of_names and capitalised(name.text) and (may_be_given(first) or not is_everyday(first))


def _has_given(reading: Reading) -> bool:
    """Whether there may be a given name that is no everyday word in the message."""
    if not LEXICON.given.isdisjoint(reading.words):
        return True
    return not reading.own.isascii() or (
        "-" in reading.own and any([is_given(word) for word in reading.words if "-" in word])  # noqa: C419 - there are few
    )


def _given_first(matches: Iterable[re.Match[str]], reading: Reading) -> Iterator[re.Match[str]]:
    """The `matches`, if there may be a given name in the message, which is looked for at the first of them."""
    for match in matches:
        if not _has_given(reading):
            return
        yield match


def _mended(reading: Reading, asked: str) -> Iterator[Said]:
    """The name that stands where another one like it was wrong: "you wrote Jon, it's John"."""
    own = reading.own
    if len(own) > NAMING_LENGTH or _words("mending").isdisjoint(reading.words):
        return
    if _words("naming_frames").isdisjoint(reading.words) and not _has_given(reading):
        return
    for capital in islice(_CAPITALISED.finditer(own), CAPITALS_MAX):
        start = capital.start()
        name = name_at(own, start) if _pattern("mends").search(own[max(0, start - 24) : start]) else None
        if name is None or is_thing(name) or not ends(own, name.end):
            continue
        others = capitals(own[:start]) | capitals(asked)
        if _is_persons(name, of_names=True) and any(similar(name.text, other) for other in others - {name.text}):
            yield given(name)


def _only_one(reading: Reading) -> Iterator[Said]:
    """The one name in a message that speaks of the user's own name, whatever else it says."""
    own = reading.own
    if _words("naming_frames").isdisjoint(reading.words) or _pattern("own_naming").search(own) is None:
        return
    words = [word for word in split(own[:NAMING_LENGTH]) if word.text[0].isupper() and is_given(word.lower)]
    if len({word.lower for word in words}) != 1 or _pattern("not_before").search(
        own[max(0, words[0].start - 24) : words[0].start]
    ):
        return
    name = name_at(own, words[0].start)
    if name is not None and ends(own, name.end):
        yield given(name)


def _can_be_called(name: Name) -> bool:
    """Whether `name`, of which something else says that it is one, is no everyday word."""
    first = name.text.lower().split()[0]
    return not is_thing(name) and (may_be_given(first) or not is_everyday(first))


def _but_not(own: str, name: Name) -> Iterator[Said]:
    """The name denied in "my name is Sami, not Sam"."""
    cue = _pattern("not_but").match(own, name.end)
    other = name_at(own, cue.end(), lower=True) if cue else None
    if other is not None and (capitalised(other.text) or similar(other.text, name.text)):
        yield Said(other.text, other.start, other.end, denied=True)


def _sufficing(reading: Reading, asked: str, *, wanted: bool) -> Iterator[Said]:
    """The name in "Kostya is fine", where names are what is spoken of."""
    for match in _each("suffices", reading) if not _words("sufficing").isdisjoint(reading.words) else ():
        name = name_at(reading.own, match.start(1), wish=True)
        if name is None or is_thing(name) or name.text.lower() in LEXICON.common:
            continue
        known = reading.own.find(name.text) < match.start(1) or any(similar(name.text, word) for word in capitals(asked))
        if known or not _words("naming").isdisjoint(reading.words) or wanted:
            yield given(name)


def _of_another(own: str, place: int) -> bool:
    """Whether the words before `place` make the cue no wish: "will call me", "didn't call me"."""
    before, ends = own[max(0, place - 20) : place].lower(), _RULES.values("before_wish")
    return not before.endswith(tuple(ends["asks"])) and before.endswith(tuple(ends["tells"]))


def _is_called(own: str, name: Name, *, by_call: bool) -> bool:
    first = name.text.lower().split()[0]
    if first in _words("not_called") or first in LEXICON.titles:
        return False
    if capitalised(name.text) and not (name.text.isupper() and len(name.text) > 2 and not is_given(first) and by_call):
        return True
    if may_be_given(first):
        return True
    adjective = by_call and first.endswith(("ing", "ed", "ish", "ic", "ful", "ous"))
    return first not in LEXICON.common and first not in LEXICON.demonyms and ends(own, name.end) and not adjective


def _weak(reading: Reading) -> Iterator[Said]:
    own = reading.own
    for cue in _each("am", reading):
        name = name_at(own, cue.end(), lower=True)
        if name is not None and _introduces(own, cue, name):
            yield given(name, asked=_pattern("sphere").search(own, max(0, cue.start() - 40), cue.start()) is not None)
    for cue in (*_each("role", reading), *_each("surname", reading)):
        name = name_at(own, cue.end())
        if name is not None and (ends(own, name.end) or cue[0].lower().startswith(("it", "here"))) and not is_thing(name):
            yield given(name, asked=False)
    yield from _at_openings(reading)


def _at_openings(reading: Reading) -> Iterator[Said]:
    """The names that open or sign a message, or stand in the places of one."""
    own = reading.own
    for cue in _each("here", reading):
        name = name_at(own, cue.end(), lower=True)
        if name is not None and (capitalised(name.text) or is_given(name.text)) and not is_thing(name):
            yield given(name, asked=False)
    for match in _each("its_small", reading):
        name = name_at(own, match.start(1), lower=True)
        if name is not None and is_given(name.text.lower()):
            yield given(name, asked=False)
    for match in _given_first(_each("hellos", reading), reading):
        name = name_at(own, match.start(1))
        if name is not None and is_given(name.text.lower().split()[0]) and not is_thing(name):
            yield given(name, asked=False)
    yield from _at_opening_frames(reading)


def _at_opening_frames(reading: Reading) -> Iterator[Said]:
    """The names that open a message by what the speaker is, or where they are from."""
    own = reading.own
    for match in _each("openings", reading):
        name = name_at(own, match.start(1))
        if name is not None and not is_thing(name):
            yield given(name, asked=False)
    for match in (*_each("from_somewhere", reading), *_given_first(_each("yours", reading), reading)):
        name = name_at(own, match.start(match.lastindex or 0))
        if name is not None and _is_persons(name, of_names=True):
            yield given(name, asked=False)
    for match in _each("introduced", reading):
        name = name_at(own, match.end())
        if name is not None and _is_persons(name, of_names=True) and ends(own, name.end):
            yield given(name, asked=False)


def _introduces(own: str, cue: re.Match[str], name: Name) -> bool:
    """Whether what follows "I'm" or "this is" is the speaker's name."""
    first = name.text.lower().split()[0]
    if is_thing(name) or first in LEXICON.demonyms or first in _words("not_called"):
        return False
    if cue[0].lower().startswith("this is"):
        return _presents(own, cue, name)
    if len(name.text) == 1:
        return False
    if capitalised(name.text) and not name.text.isupper():
        return (
            (is_given(first) or not is_everyday(first))
            or (" " in name.text and ends(own, name.end))
            or _is_word_name(own, name)
        )
    return is_given(first) or (ends(own, name.end) and may_be_given(first) and first not in _words("after_am"))


def _is_word_name(own: str, name: Name) -> bool:
    """Whether `name`, an everyday word with a capital letter, is one that people are called by, and ends a clause."""
    return may_be_given(name.text.lower()) and ends(own, name.end)


def _presents(own: str, cue: re.Match[str], name: Name) -> bool:
    """Whether "this is" opens the message or a sentence, and presents the speaker rather than another."""
    before, after = own[: cue.start()].strip(" ,.!").lower(), own[name.end : name.end + 14].lower()
    if not (opens(own, cue.start()) or _pattern("greeted").fullmatch(before)) or after.lstrip(" ,").startswith(
        ("my ", "his ", "her ", "our ")
    ):
        return False
    first, ending = name.text.lower().split()[0], not after.strip() or after[0] in ",.!"
    if is_given(first) or own[cue.end() : name.start].strip() or (may_be_given(first) and ending):
        return True
    if not capitalised(name.text) or is_everyday(first):
        return False
    return ending or after.strip().startswith(("from", "here", "speaking", "again", "at"))


def _denials(reading: Reading, asked: str) -> Iterator[Said]:
    own = reading.own
    for cue in _each("not_mine", reading):
        said = cue[0].lower()
        of_name = "name" in said or "call" in said or "say" in said
        name = name_at(own, cue.end(), lower="name" in said)
        if name is None or is_thing(name) or name.text.lower() in LEXICON.common or not ends(own, name.end):
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
    return not _words("naming").isdisjoint(reading.words) or name.text in asked or similar(right.name, name.text)


def _instead(own: str, denied: Name, of_name: bool) -> Iterator[Said]:
    """The name that is right where `denied` is wrong: right after it, or alone in a sentence."""
    cue = _pattern("it_is").match(own, denied.end) or _pattern("it_is").search(own, denied.end, denied.end + 24)
    right = name_at(own, cue.end(), lower=of_name) if cue else None
    if right is not None and (capitalised(right.text) or ends(own, right.end)) and not is_thing(right):
        yield given(right)
        return
    for match in _pattern("alone").finditer(own, denied.end, denied.end + 200):
        right = name_at(own, match.start(1))
        if of_name and right is not None and not is_thing(right):
            yield given(right)


def _before_denial(own: str, place: int) -> Iterator[Said]:
    for cue in _pattern("it_is").finditer(own, max(0, place - 40), place):
        name = name_at(own, cue.end()) if any(map(str.isalpha, cue[0])) else None
        if name is not None and _pattern("not_yet").match(own, name.end, place) and not is_thing(name):
            yield given(name)
    first = name_at(own, 0)
    if first is not None and first.end < place and _pattern("not_yet").match(own, first.end, place) and not is_thing(first):
        yield given(first)


def _foreign(reading: Reading) -> Iterator[Said]:
    own = reading.own
    for cue in _each("abroad", reading):
        name = name_at(own, cue.end())
        if name is None or is_thing(name) or name.text.split()[0].lower() in LEXICON.common:
            continue
        if not _pattern("also_otherwise").match(cue[0]) or _is_no_trade(own, cue, name):
            yield given(name)
    if not own.isascii():
        for match in _each("eastern", reading):
            yield Said(match[1], match.start(1), match.end(1))


def _is_no_trade(own: str, cue: re.Match[str], name: Name) -> bool:
    """Whether "ich bin", "je suis" and the like give a name and no trade: German writes nouns with a capital, too."""
    first = name.text.split()[0].lower()
    if is_given(first):
        return True
    if first in LEXICON.demonyms or is_everyday(first) or not ends(own, name.end):
        return cue[0].lower().startswith("ich") and own[name.end :].startswith(" aus ") and not first.endswith(("er", "in"))
    return not cue[0].lower().startswith("ich")
