"""The name in an answer: to the question for it, to an offer, to a name that the assistant used."""

from collections.abc import Iterator

from turnlog.extraction import namecues as cues
from turnlog.extraction.naming import Said, capitals, in_full, is_thing, similar
from turnlog.extraction.spans import Name, capitalised, ends, is_given, may_be_given, name_at, split
from turnlog.extraction.vocabulary.english import is_english
from turnlog.extraction.vocabulary.words import COMMON, DEMONYMS

ANSWER_WORDS_MAX = 16
"""Words of an answer in which the one given name is the user's, at most."""


def answers(own: str, asked: str) -> Iterator[Said]:
    """The name that answers the assistant's question for it, or mends the name that the assistant used."""
    question = asked.rstrip()[-300:]
    if cues.YES.match(own) and "?" in question[-200:]:
        offered = _offered(question)
        if offered is not None:
            yield Said(offered.text, -1, -1, replies=True)
            return
    filler = cues.FILLERS.match(own)
    wanted = asks_for_name(question)
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
    return cues.SETTLES.match(own, name.end) is not None or (
        own.lower().startswith("please") and not own[name.end :].strip(" .!")
    )


def asks_for_name(question: str) -> bool:
    """Whether `question`, the end of what the assistant said, asks what the user is called."""
    low = question.lower()
    if not any([word in low for word in cues.ASKING]):  # noqa: C419 - most questions are about something else
        return False
    return cues.ASKS.search(question) is not None and cues.NOT_ASKS.search(question) is None


def _offered(question: str) -> Name | None:
    for cue in cues.OFFERS.finditer(question):
        name = name_at(question, cue.end())
        if name is not None and "?" in question[name.end :] and not is_thing(name):
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
    if not capitalised(name.text) or is_thing(name) or not ends(own, name.end) or name.text in question:
        return False
    return any(similar(name.text, word) for word in capitals(question))
