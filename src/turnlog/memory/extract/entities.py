"""Who and what a message names: people, places, organisations, products, addresses, dates."""

import re
from collections.abc import Sequence
from itertools import islice, pairwise
from typing import Literal, NamedTuple

from turnlog.memory.extract.dates import dates
from turnlog.memory.extract.reading import EMAIL, URL, Reading
from turnlog.memory.extract.spans import Word, capitalised, opens, split
from turnlog.memory.extract.vocabulary.listed import alternatives
from turnlog.memory.extract.vocabulary.listed import words as listed
from turnlog.memory.extract.vocabulary.organisations import ORGANISATIONS
from turnlog.memory.extract.vocabulary.people import GIVEN, GIVEN_AND_WORDS
from turnlog.memory.extract.vocabulary.places import PLACES
from turnlog.memory.extract.vocabulary.products import PRODUCTS
from turnlog.memory.extract.vocabulary.words import ACRONYMS, COMMON, DEMONYMS, KIN, LOWER_IS_A_WORD, TITLES

Kind = Literal["PERSON", "PLACE", "ORG", "PRODUCT", "EMAIL", "URL", "DATE"]


class Mention(NamedTuple):
    """An entity as a message names it: its words, what it is, and its place in the text."""

    text: str
    kind: Kind
    start: int
    end: int


_KNOWN: dict[str, Kind] = {
    **dict.fromkeys(PRODUCTS, "PRODUCT"),
    **dict.fromkeys(ORGANISATIONS, "ORG"),
    **dict.fromkeys(PLACES, "PLACE"),
}
_LONGEST: dict[str, int] = {}
for _phrase in _KNOWN:
    _first, *_rest = _phrase.split(" ")
    _LONGEST[_first] = max(_LONGEST.get(_first, 0), 1 + len(_rest))

_ORG_WORDS = listed(
    """
academy ag agency airlines airways association authority bakery bank bank's bistro books brewery bureau cafe café charity
church clinic club clínica co college commission committee company consulting corp corporation council credit dental
department energy fc federation foundation gallery gmbh group gym hospital hostel hotel hôpital inc industries institute
insurance kindergarten klinik labs library llc logistics ltd media ministry motors museum nursery orchestra partners
pharmacy plc practice press records restaurant salon school schule society solutions studio studios surgery systems
technologies theater theatre trust union united universidad university universität université
"""
)
_PLACE_WORDS = listed(
    """
abbey airport ave avenue bay beach blvd boulevard bridge canyon cape castle cathedral coast county desert district drive
east el falls forest fort gare harbor harbour hill hills island isle lago lake lane las los lower monte mount mountain
mountains mt north park peninsula piazza platz playa plaza plaça port province puerto river road rue saint san santa santo
south square st station strasse straße street terminal upper valley via village west
"""
)
_PLACE_FIRST = listed(
    """
cape east el fort gare isle lago lake las los lower monte mount mt north piazza playa plaza plaça port puerto rue saint
san santa santo south upper via west
"""
)
_OF = listed(
    """
bank bay board cape church city college council department gulf house institute isle kingdom lake ministry museum port
republic school state strait tower university
"""
)
_JOINS = listed("& al bin da de del della den der di du et ibn la le sur und van von y")
_NUMBERED = listed(
    """
act apartment bay block building bus chapter class code column day episode exit figure flat floor form gate grade item
junction level line lot model no number option order page part phase plan platform q question room round route row scene
season seat section slide stage step table terminal tier track tram type unit version week year zone
"""
)
_IN = listed("across around from in leaving near outside reach through to toward towards via visit visiting")
_OFFICES = listed("board chief dean department director head lead manager minister president vp")
_WORKS = re.compile(
    r"\b"
    + alternatives(
        "work(?:s|ed|ing)? | job | intern(?:ed|ing)? | employed | career | interview | bank(?:s|ed|ing)? |"
        " stud(?:y|ies|ied|ying) | shifts?"
    )
    + r" (?:\w+ )?(?:at|for|with)(?: the)? $|\barbeite\w* bei (?:der |dem )?$",
    re.IGNORECASE,
)
_MOVES = re.compile(
    r"\b"
    + alternatives(
        """
        live[sd]? | living | mov(?:e|ed|ing) | fly(?:ing)? | flew | flights? | trip | travel(?:l?ed|l?ing)?
        driv(?:e|ing) | drove | train | going | go
        went | headed | heading | based | born | stuck | stranded | land(?:s|ed|ing)? | arriv(?:e|es|ed|ing)
        stay(?:s|ed|ing)? | bus | ferry | back
        hotels? | weekend | raised | grew up
        """
    )
    + r" (?:\w+ )?(?:in|to|at|from|near|for|around|through)(?: the)? $",
    re.IGNORECASE,
)
_ACTS = listed(
    """
and asked called calls came had has hates is likes lives loved loves said says sent tells thinks thought told wanted wants
was went will works
"""
)
_TRAIL = ".,;:!?'\"*_…"
MENTIONS_MAX = 200
"""Entities of one message at most."""


def addresses(text: str) -> list[Mention]:
    """The URLs and e-mail addresses in `text`, without the punctuation around them."""
    found: list[Mention] = []
    if "://" in text or "www." in text.lower():
        for match in islice(URL.finditer(text), MENTIONS_MAX):
            url = _trimmed(match[0])
            if len(url) > 8:
                found.append(Mention(url, "URL", match.start(), match.start() + len(url)))
    if "@" in text:
        for match in islice(EMAIL.finditer(text), MENTIONS_MAX):
            if not any(url.start <= match.start() < url.end for url in found):
                address = match[0].lstrip(".-")
                found.append(Mention(address, "EMAIL", match.end() - len(address), match.end()))
    return found


def _trimmed(url: str) -> str:
    """`url` without closing punctuation; a closing bracket stays if the URL opened it."""
    url = url.rstrip(_TRAIL)
    for opening, closing in ("()", "[]", "{}"):
        if closing in url and url.count(closing) > url.count(opening):
            url = url[: url.index(closing)] if opening not in url else _balanced(url, opening, closing)
    return url.rstrip(_TRAIL)


def _balanced(url: str, opening: str, closing: str) -> str:
    while url.endswith(closing) and url.count(closing) > url.count(opening):
        url = url[:-1]
    return url


def mentions(reading: Reading, people: Sequence[Mention] = ()) -> list[Mention]:
    """The entities of a message, each surface and kind once, in the order of the text; `people` are known already."""
    plain = reading.plain
    for person in people:
        if 0 <= person.start < person.end:
            plain = plain[: person.start] + "_" * (person.end - person.start) + plain[person.end :]
    days = [Mention(date.text, "DATE", date.start, date.end) for date in dates(plain)]
    for day in days:
        plain = plain[: day.start] + "_" * (day.end - day.start) + plain[day.end :]
    known = {word for person in people for word in person.text.casefold().split()}
    named = (mention for mention in _named(plain) if not known.issuperset(mention.text.casefold().split()))
    found = [*people, *addresses(reading.text), *days, *named]
    once: dict[tuple[str, str], Mention] = {}
    for mention in sorted(found, key=lambda m: m.start):
        once.setdefault((mention.text.casefold(), mention.kind), mention)
    return list(once.values())[:MENTIONS_MAX]


def _named(plain: str) -> list[Mention]:
    words = split(plain)
    if not words:
        return []
    shouted = _is_shouted(plain)
    inside = {w.lower for w in words if w.text[0].isupper() and not w.text.isupper() and not opens(plain, w.start)}
    found: list[Mention] = []
    index = 0
    while index < len(words):
        word = words[index]
        if not (word.text[0].isupper() or word.lower in _LONGEST or word.lower in GIVEN):
            index += 1
            continue
        taken, mention = _known_at(plain, words, index, shouted)
        if mention is None and not shouted and words[index].text[0].isupper():
            taken, mention = _run_at(plain, words, index, inside)
        elif mention is None and shouted and words[index].lower in _PLACE_FIRST:
            taken, mention = _shouted_place(plain, words, index)
        if mention is not None:
            found.append(mention)
        index += max(taken, 1)
    return found


def _is_shouted(plain: str) -> bool:
    letters = sum(map(str.isalpha, plain))
    return letters > 6 and sum(map(str.isupper, plain)) > 0.7 * letters


def _adjacent(plain: str, words: Sequence[Word], start: int, length: int) -> bool:
    part = words[start : start + length]
    return len(part) == length and all(plain[a.end : b.start] == " " and not a.possessive for a, b in pairwise(part))


def _known_at(plain: str, words: Sequence[Word], index: int, shouted: bool) -> tuple[int, Mention | None]:
    """The longest known place, organisation, product or given name at `index`, and how many words it has."""
    word = words[index]
    for length in range(_LONGEST.get(word.lower, 0), 0, -1):
        if length > 1 and not _adjacent(plain, words, index, length):
            continue
        kind = _KNOWN.get(" ".join(w.lower for w in words[index : index + length]))
        if kind is None or (length == 1 and not _stands(plain, words, index, shouted)):
            continue
        last = words[index + length - 1]
        if capitalised(word.text) and not shouted and _goes_on(plain, words, index + length - 1):
            break
        if length == 1 and not shouted:
            kind = _kind_of_ambiguous(plain, words, index, kind)
        return length, Mention(plain[word.start : last.end], kind, word.start, last.end)
    if (
        (shouted or word.text.islower())
        and word.lower in GIVEN
        and word.lower not in LOWER_IS_A_WORD
        and word.lower not in COMMON
    ):
        return 1, Mention(word.text, "PERSON", word.start, word.end)
    return 0, None


def _goes_on(plain: str, words: Sequence[Word], index: int) -> bool:
    """Whether the capitalised name that ends with the word at `index` has more words or a number after it."""
    if index + 1 >= len(words) or words[index].possessive or plain[words[index].end : words[index + 1].start] != " ":
        return False
    after = words[index + 1]
    if after.text[0].isdigit():
        return len(after.text) < 5 and _is_version(words[index], after, plain)
    return after.text[0].isupper() and after.lower not in COMMON and after.lower not in ACRONYMS and after.lower != "i"


def _stands(plain: str, words: Sequence[Word], index: int, shouted: bool) -> bool:
    """Whether a known word that is also an everyday one is meant as the name here."""
    word = words[index]
    if word.lower not in LOWER_IS_A_WORD and word.lower not in COMMON:
        return True
    if word.text[0].isupper() and not shouted and not opens(plain, word.start):
        return True
    before = plain[max(0, word.start - 30) : word.start]
    return (word.lower in PLACES and (_MOVES.search(before) is not None)) or (
        (word.lower in GIVEN or word.lower in GIVEN_AND_WORDS) and index + 1 < len(words) and words[index + 1].lower in _ACTS
    )


def _kind_of_ambiguous(plain: str, words: Sequence[Word], index: int, kind: Kind) -> Kind:
    """PERSON for a place or a firm that is a given name too, unless the words before say where."""
    lower = words[index].lower
    if lower not in GIVEN and lower not in GIVEN_AND_WORDS:
        return kind
    before = words[index - 1].lower if index else ""
    if kind == "PLACE" and (before in _IN or before == "at"):
        return kind
    return "PERSON"


def _shouted_place(plain: str, words: Sequence[Word], index: int) -> tuple[int, Mention | None]:
    length = 2 if index + 2 >= len(words) or words[index + 1].lower not in _JOINS else 3
    if words[index].lower not in ("gare", "lake", "mount", "rue", "piazza") or not _adjacent(plain, words, index, length):
        return 0, None
    start, end = words[index].start, words[index + length - 1].end
    return length, Mention(plain[start:end], "PLACE", start, end)


def _run_at(plain: str, words: Sequence[Word], index: int, inside: set[str]) -> tuple[int, Mention | None]:
    """The capitalised name at `index`, and how many words were read."""
    run = _run(plain, words, index)
    part, read = list(run), len(run)
    titled = False
    while part and (part[0].lower in COMMON or part[0].lower in TITLES or part[0].lower in KIN or part[0].lower == "i"):
        titled = part[0].lower in TITLES
        if len(part) > 1 and " ".join(w.lower for w in part) in _KNOWN:
            break
        if not titled and len(part) > 1 and part[1].lower in _ORG_WORDS and not opens(plain, part[0].start):
            break
        part.pop(0)
    while part and ((part[-1].lower in COMMON and part[-1].lower not in _ORG_WORDS) or part[-1].lower in _JOINS):
        part.pop()
    if not part or not (titled or _is_name(plain, words, part, index, inside)):
        return read, None
    before = words[index - 1].lower if index else ""
    kind: Kind = "PERSON" if titled else _kind(plain, part, before)
    return read, Mention(plain[part[0].start : part[-1].end], kind, part[0].start, part[-1].end)


def _run(plain: str, words: Sequence[Word], index: int) -> list[Word]:
    run = [words[index]]
    for place in range(index + 1, min(index + 7, len(words))):
        word, last = words[place], run[-1]
        gap = plain[last.end : word.start]
        if last.possessive or (gap != " " and not (gap == ". " and last.lower in TITLES) and gap != " & "):
            break
        if (
            (word.text[0].isupper() and word.lower != "i" and not word.text.startswith(("I'", "I’")))
            or _joined(words, place, run)
            or (word.text[0].isdigit() and _is_version(last, word, plain))
        ):
            run.append(word)
        else:
            break
    return run


def _joined(words: Sequence[Word], place: int, run: Sequence[Word]) -> bool:
    word = words[place]
    if place + 1 >= len(words) or not words[place + 1].text[0].isupper():
        return False
    return word.lower in _JOINS or (word.lower in ("of", "for", "the") and any(w.lower in _OF for w in run))


def _is_version(last: Word, number: Word, plain: str) -> bool:
    return (
        len(number.text) <= 4
        and last.lower not in _NUMBERED
        and last.lower not in COMMON
        and plain[number.end : number.end + 1] not in (":", "%", "/", "€")
    )


def _is_name(plain: str, words: Sequence[Word], part: Sequence[Word], index: int, inside: set[str]) -> bool:
    """Whether the capitalised words `part` name something, and do not just begin a sentence or shout."""
    first = part[0]
    if all(w.lower in DEMONYMS or w.lower in ACRONYMS or len(w.text) == 1 or w.lower in _JOINS for w in part):
        return False
    if len(part) > 1:
        return not all(w.text.isupper() and len(w.text) > 1 and w.lower not in GIVEN for w in part)
    if index > 1 and words[index - 1].lower == "of" and words[index - 2].lower in _OFFICES:
        return False
    if "." in first.text or "_" in first.text or plain[first.end : first.end + 1] in ("(", "_", "="):
        return False
    if first.text.isupper() and len(first.text) > 1:
        return _is_shouted_name(first, words[index - 1].lower if index else "")
    if any(c.isdigit() for c in first.text):
        return (
            not opens(plain, first.start) and len(first.text) > 2 and (not index or words[index - 1].lower not in _NUMBERED)
        )
    if not opens(plain, first.start):
        return True
    if first.lower in GIVEN or first.lower in inside:
        return True
    if first.possessive:
        return True
    return first.lower in GIVEN_AND_WORDS and _calls(plain, words, part, index)


def _calls(plain: str, words: Sequence[Word], part: Sequence[Word], index: int) -> bool:
    after = words[index + 1] if index + 1 < len(words) else None
    return (
        after is not None
        and plain[part[0].end : after.start] in (" ", ", ")
        and (after.lower in _ACTS or (plain[part[0].end] == "," and after.text[0].isupper() and after.lower not in COMMON))
    )


def _is_shouted_name(word: Word, before: str) -> bool:
    if word.lower in ACRONYMS or word.lower in COMMON or (any(c.isdigit() for c in word.text) and len(word.text) < 3):
        return False
    if word.lower in GIVEN:
        return True
    return (before in ("at", "by", "the", "via", "from", "for", "my", "our", "called") and 3 <= len(word.text) <= 8) or (
        any(c.isdigit() for c in word.text) and before not in _NUMBERED
    )


def _kind(plain: str, part: Sequence[Word], before: str) -> Kind:
    lowers = [w.lower for w in part]
    known = _KNOWN.get(" ".join(lowers))
    if known is not None and len(part) > 1:
        return known
    if lowers[0] in _PLACE_FIRST or (len(part) > 1 and lowers[-1] in _PLACE_WORDS):
        return "PLACE"
    if any(w in _ORG_WORDS for w in lowers) or "&" in plain[part[0].start : part[-1].end]:
        return "ORG"
    if any(c.isdigit() for c in plain[part[0].start : part[-1].end]) or lowers[0] in PRODUCTS:
        return "PRODUCT"
    if lowers[0] in GIVEN:
        return "PERSON"
    if lowers[0] in ORGANISATIONS:
        return "PRODUCT" if len(part) > 1 else "ORG"
    ahead = plain[max(0, part[0].start - 40) : part[0].start]
    if _WORKS.search(ahead):
        return "ORG"
    if _MOVES.search(ahead) or (before in _IN and len(part) < 3):
        return "PLACE"
    if before in ("my", "our") or (part[0].text.isupper() and len(part[0].text) > 4):
        return "PRODUCT"
    if part[0].text.isupper() and len(part[0].text) > 1:
        return "ORG"
    return "PERSON"
