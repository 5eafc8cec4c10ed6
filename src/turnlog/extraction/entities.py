"""Who and what a message names: people, places, organisations, products, addresses, dates."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice, pairwise

from turnlog.extraction.dates import dates, may_name_days
from turnlog.extraction.document import EMAIL, URL, Kind, Mention, Reading
from turnlog.extraction.lexicon import LENGTH_MAX, LEXICON, is_everyday
from turnlog.extraction.rules import rules
from turnlog.extraction.spans import TextWord, WordsOf, capitalised, is_given, may_be_given, opens

_TRAIL = ".,;:!?'\"*_…"
ADDRESSES_MAX = 200
"""Addresses of one kind in a message, at most."""


def addresses(text: str) -> list[Mention]:
    """The URLs and e-mail addresses in `text`, without the punctuation around them."""
    found: list[Mention] = []
    if "://" in text or "www." in text.lower():
        for match in islice(URL.finditer(text), ADDRESSES_MAX):
            url = _trimmed(match[0])
            if len(url) > 8:
                found.append(Mention(url, "URL", match.start(), match.start() + len(url)))
    if "@" in text:
        for match in islice(EMAIL.finditer(text), ADDRESSES_MAX):
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
    over = url.count(closing) - url.count(opening)
    return url[: max(len(url.rstrip(closing)), len(url) - over)]


_RULES = rules("entities")
_pattern = _RULES.pattern
_words = _RULES.words
MENTIONS_MAX = 200
"""Entities of one message at most."""
NAMED_MAX = 500
"""Places of a message at which a name is found, at most."""
LOOKED_MAX = 1000
"""Words of a message that are looked at for one, at most."""


def mentions(reading: Reading, people: Sequence[Mention] = ()) -> list[Mention]:
    """The entities of a message, each surface and kind once, in the order of the text; `people` are known already."""
    plain = reading.plain
    for person in people:
        if 0 <= person.start < person.end:
            plain = plain[: person.start] + "_" * (person.end - person.start) + plain[person.end :]
    dated = dates(plain) if reading.own != plain or may_name_days(plain, reading.words) else []
    days = [Mention(date.text, "DATE", date.start, date.end) for date in dated]
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
    words = WordsOf(plain)
    places = [place for place, token in enumerate(words.tokens) if _may_name(token)][:LOOKED_MAX]
    if not places:
        return []
    shouted = _is_shouted(plain, words.tokens)
    inside = set() if shouted else _inside(plain, words, places)
    found: list[Mention] = []
    after = 0
    for index in places:
        if index < after:
            continue
        taken, mention = _known_at(plain, words, index, shouted)
        if mention is None and not shouted and words[index].text[0].isupper():
            taken, mention = _run_at(plain, words, index, inside)
        elif mention is None and shouted and words[index].lower in _words("place_first"):
            taken, mention = _shouted_place(plain, words, index)
        if mention is not None:
            found.append(mention)
            if len(found) == NAMED_MAX:
                break
        after = index + max(taken, 1)
    return found


def _may_name(token: str) -> bool:
    return _may_be_known(token) if len(token) <= LENGTH_MAX else token[0].isupper()


@lru_cache(maxsize=4096)
def _may_be_known(token: str) -> bool:
    if token[0].isupper():
        return token != "I" and token[:2] not in ("I'", "I’")
    if not token.islower():
        return token.lower() in LEXICON.small
    return token in LEXICON.small or (token[-2:] == "'s" and token[:-2] in LEXICON.small)


def _inside(plain: str, words: WordsOf, places: Sequence[int]) -> set[str]:
    """The words that stand with a capital letter inside of sentences."""
    capitals = (words[place] for place in places if words.tokens[place][0].isupper())
    return {word.lower for word in capitals if not word.text.isupper() and not opens(plain, word.start)}


def _is_shouted(plain: str, tokens: Sequence[str]) -> bool:
    """Whether capitals say nothing: most letters, or nearly all words, have them."""
    capitals = sum([token[0].isupper() for token in tokens])
    if 2 * capitals < len(tokens):
        return False
    letters = sum(map(str.isalpha, plain))
    return (letters > 6 and sum(map(str.isupper, plain)) > 0.7 * letters) or (
        len(tokens) > 6 and capitals > 0.8 * len(tokens)
    )


def _adjacent(plain: str, words: Sequence[TextWord], start: int, length: int) -> bool:
    part = words[start : start + length]
    return len(part) == length and all(plain[a.end : b.start] == " " and not a.possessive for a, b in pairwise(part))


def _known_at(plain: str, words: Sequence[TextWord], index: int, shouted: bool) -> tuple[int, Mention | None]:
    """The longest known place, organisation, product or given name at `index`, and how many words it has."""
    word = words[index]
    if word.possessive and f"{word.lower}'s" in LEXICON.kinds:
        return 1, Mention(f"{word.text}'s", LEXICON.kinds[f"{word.lower}'s"], word.start, word.end + 2)
    for length in range(_longest(words, word.lower, index), 0, -1):
        if length > 1 and not _adjacent(plain, words, index, length):
            continue
        kind = LEXICON.kinds.get(word.lower if length == 1 else " ".join([w.lower for w in words[index : index + length]]))
        if kind is None or (length == 1 and not _stands(plain, words, index, shouted)):
            continue
        last = words[index + length - 1]
        if not shouted and kind == "PRODUCT" and (number := _number_after(plain, words, index + length - 1)) is not None:
            return length + 1, Mention(plain[word.start : number.end], kind, word.start, number.end)
        if capitalised(word.text) and not shouted and _goes_on(plain, words, index + length - 1):
            break
        if length == 1 and not shouted:
            kind = _kind_of_ambiguous(plain, words, index, kind)
        return length, Mention(plain[word.start : last.end], kind, word.start, last.end)
    if (
        (shouted or word.text.islower())
        and word.lower in LEXICON.given
        and word.lower not in LEXICON.lower_is_a_word
        and word.lower not in LEXICON.common
    ):
        return 1, Mention(word.text, "PERSON", word.start, word.end)
    return 0, None


def _longest(words: Sequence[TextWord], first: str, index: int) -> int:
    """How many words the longest known name has that may stand at `index`, where the word `first` is."""
    longest = LEXICON.longest.get(first, 0)
    if longest < 2 or (index + 1 < len(words) and words[index + 1].lower in LEXICON.second[first]):
        return longest
    return 1


def _number_after(plain: str, words: Sequence[TextWord], index: int) -> TextWord | None:
    """The number of a version or model after the product that ends at `index`."""
    if index + 1 >= len(words) or plain[words[index].end : words[index + 1].start] != " ":
        return None
    after = words[index + 1]
    return after if after.text[0].isdigit() and _is_version(words[index], after, plain) else None


def _goes_on(plain: str, words: Sequence[TextWord], index: int) -> bool:
    """Whether the capitalised name that ends with the word at `index` has more words or a number after it."""
    if index + 1 >= len(words) or words[index].possessive or plain[words[index].end : words[index + 1].start] != " ":
        return False
    after = words[index + 1]
    if after.text[0].isdigit():
        return len(after.text) < 5 and _is_version(words[index], after, plain)
    return (
        after.text[0].isupper()
        and after.lower not in LEXICON.common
        and after.lower not in LEXICON.acronyms
        and after.lower != "i"
    )


def _stands(plain: str, words: Sequence[TextWord], index: int, shouted: bool) -> bool:
    """Whether a known word that is also an everyday one is meant as the name here."""
    word = words[index]
    if word.lower not in LEXICON.lower_is_a_word and word.lower not in LEXICON.common:
        return True
    if word.text[0].isupper() and not shouted and not opens(plain, word.start):
        return True
    before = plain[max(0, word.start - 30) : word.start]
    return (word.lower in LEXICON.places and (_pattern("moves").search(before) is not None)) or (
        may_be_given(word.lower) and index + 1 < len(words) and words[index + 1].lower in _words("acts")
    )


def _kind_of_ambiguous(plain: str, words: Sequence[TextWord], index: int, kind: Kind) -> Kind:
    """PERSON for a place or a firm that is a given name too, unless the words before say where."""
    lower = words[index].lower
    if not may_be_given(lower):
        return kind
    before = words[index - 1].lower if index else ""
    if kind == "PLACE" and (before in _words("in") or before == "at"):
        return kind
    return "PERSON"


def _shouted_place(plain: str, words: Sequence[TextWord], index: int) -> tuple[int, Mention | None]:
    length = 2 if index + 2 >= len(words) or words[index + 1].lower not in _words("joins") else 3
    if words[index].lower not in ("gare", "lake", "mount", "rue", "piazza") or not _adjacent(plain, words, index, length):
        return 0, None
    start, end = words[index].start, words[index + length - 1].end
    return length, Mention(plain[start:end], "PLACE", start, end)


def _run_at(plain: str, words: Sequence[TextWord], index: int, inside: set[str]) -> tuple[int, Mention | None]:
    """The capitalised name at `index`, and how many words were read."""
    run = _run(plain, words, index)
    part, titled = _without_start(plain, run)
    while part and _is_no_end(part):
        part.pop()
    if not part or not (titled or _is_name(plain, words, part, index, inside)):
        return len(run), None
    read = len(run)
    before = words[index - 1].lower if index else ""
    kind: Kind = "PERSON" if titled else _kind(plain, part, before)
    return read, Mention(plain[part[0].start : part[-1].end], kind, part[0].start, part[-1].end)


def _without_start(plain: str, run: Sequence[TextWord]) -> tuple[list[TextWord], bool]:
    """`run` without the words before the name, and whether the last of them is a title."""
    part, titled = list(run), False
    while part and (_is_no_start(plain, part) or part[0].lower in LEXICON.titles):
        titled = part[0].lower in LEXICON.titles
        if len(part) > 1 and " ".join(w.lower for w in part) in LEXICON.kinds:
            break
        if titled and len(part) > 1 and part[0].lower == "st" and part[1].possessive:
            return part, True
        if not titled and len(part) > 1 and part[1].lower in _words("org_words") and not opens(plain, part[0].start):
            break
        part.pop(0)
    return part, titled


def _is_no_start(plain: str, part: Sequence[TextWord]) -> bool:
    """Whether the first word of `part` stands before a name and is none of its words: "Dropping Zainab"."""
    lower = part[0].lower
    if lower in LEXICON.common or lower in LEXICON.kin or lower == "i":
        return True
    if len(part) < 2 or may_be_given(lower) or lower in LEXICON.longest or not opens(plain, part[0].start):
        return False
    return is_everyday(lower) and part[1].lower not in _words("org_words") and part[1].lower not in _words("place_words")


def _is_no_end(part: Sequence[TextWord]) -> bool:
    last = part[-1].lower
    if len(part) > 1 and f"{part[-2].lower} {last}" in LEXICON.kinds:
        return False
    return (last in LEXICON.common and last not in _words("org_words")) or last in _words("joins")


def _run(plain: str, words: Sequence[TextWord], index: int) -> list[TextWord]:
    run = [words[index]]
    for place in range(index + 1, min(index + 7, len(words))):
        word, last = words[place], run[-1]
        gap = plain[last.end : word.start]
        if last.possessive:
            if gap != "'s " or not word.text[0].isupper() or word.lower not in _words("owned"):
                break
        elif gap not in (" ", " & ") and not (gap == ". " and (last.lower in LEXICON.titles or last.lower == "st")):
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


def _joined(words: Sequence[TextWord], place: int, run: Sequence[TextWord]) -> bool:
    word = words[place]
    if word.lower not in _words("joins") and not (
        word.lower in ("of", "for", "the") and any(w.lower in _words("of") for w in run)
    ):
        return False
    after = next((w for w in words[place + 1 : place + 3] if w.lower not in _words("joins")), None)
    return after is not None and after.text[0].isupper()


def _is_version(last: TextWord, number: TextWord, plain: str) -> bool:
    return (
        len(number.text) <= 4
        and last.lower not in _words("numbered")
        and (last.lower in LEXICON.longest or not is_everyday(last.lower))
        and not number.text.endswith(("am", "pm", "st", "nd", "rd", "th"))
        and plain[number.end : number.end + 1] not in (":", "%", "/", "€")
    )


def _is_name(plain: str, words: Sequence[TextWord], part: Sequence[TextWord], index: int, inside: set[str]) -> bool:
    """Whether the capitalised words `part` name something, and do not just begin a sentence or shout."""
    first = part[0]
    if all(
        w.lower in LEXICON.demonyms or w.lower in LEXICON.acronyms or len(w.text) == 1 or w.lower in _words("joins")
        for w in part
    ):
        return False
    if len(part) > 1:
        return not all(w.text.isupper() and not is_given(w.lower) for w in part)
    if index > 1 and words[index - 1].lower == "of" and words[index - 2].lower in _words("offices"):
        return False
    if "." in first.text or "_" in first.text or plain[first.end : first.end + 1] in ("(", "_", "="):
        return False
    if first.text.isupper() and len(first.text) > 1:
        return _is_shouted_name(first, words[index - 1].lower if index else "")
    if any(c.isdigit() for c in first.text):
        return (
            not opens(plain, first.start)
            and len(first.text) > 2
            and (not index or words[index - 1].lower not in _words("numbered"))
        )
    if not opens(plain, first.start):
        before = words[index - 1].lower if index else ""
        return before not in _words("describes") or not is_everyday(first.lower)
    if is_given(first.lower) or first.lower in inside:
        return True
    if first.possessive and not is_everyday(first.lower):
        return True
    return (first.lower in LEXICON.given_or_words or not is_everyday(first.lower)) and _calls(plain, words, part, index)


def _calls(plain: str, words: Sequence[TextWord], part: Sequence[TextWord], index: int) -> bool:
    after = words[index + 1] if index + 1 < len(words) else None
    return (
        after is not None
        and plain[part[0].end : after.start] in (" ", ", ")
        and (
            after.lower in _words("acts")
            or (plain[part[0].end] == "," and after.text[0].isupper() and after.lower not in LEXICON.common)
        )
    )


def _is_shouted_name(word: TextWord, before: str) -> bool:
    if (
        word.lower in LEXICON.acronyms
        or word.lower in LEXICON.common
        or (any(c.isdigit() for c in word.text) and len(word.text) < 3)
    ):
        return False
    if is_given(word.lower):
        return True
    return (before in ("at", "by", "the", "via", "from", "for", "my", "our", "called") and 3 <= len(word.text) <= 8) or (
        any(c.isdigit() for c in word.text) and before not in _words("numbered")
    )


def _kind(plain: str, part: Sequence[TextWord], before: str) -> Kind:
    lowers = [w.lower for w in part]
    known = LEXICON.kinds.get(" ".join(lowers))
    if known is not None and len(part) > 1:
        return known
    if lowers[0] in _words("place_first") or (len(part) > 1 and lowers[-1] in _words("place_words")):
        return "PLACE"
    if any(w in _words("org_words") for w in lowers) or "&" in plain[part[0].start : part[-1].end]:
        return "ORG"
    if any(c.isdigit() for c in plain[part[0].start : part[-1].end]) or lowers[0] in LEXICON.products:
        return "PRODUCT"
    if is_given(lowers[0]):
        return "PERSON"
    if lowers[0] in LEXICON.organisations:
        return "PRODUCT" if len(part) > 1 else "ORG"
    ahead = plain[max(0, part[0].start - 40) : part[0].start]
    if before in _words("before_work") and _pattern("works").search(ahead):
        return "ORG"
    if (before in _words("before_move") and _pattern("moves").search(ahead)) or (before in _words("in") and len(part) < 3):
        return "PLACE"
    if before in ("my", "our") or (part[0].text.isupper() and len(part[0].text) > 4):
        return "PRODUCT"
    if part[0].text.isupper() and len(part[0].text) > 1:
        return "ORG"
    return "PERSON"
