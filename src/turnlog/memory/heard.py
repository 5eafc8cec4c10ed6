"""What one message of the user teaches, as plain data: what a reader of words tells those that keep the memory.

`hear` reads by rules. A language model may make the same values, of which the folds `Profile`, `Entities` and `Facts` make
theirs in the same way. They are frozen and JSON-able: `msgspec.json` writes them and reads them back.
"""

import asyncio
from functools import lru_cache

import msgspec

from turnlog.extraction.document import Kind, Mention, beginning_and_end, read
from turnlog.extraction.entities import mentions
from turnlog.extraction.facts import Statement, statements
from turnlog.extraction.names import names
from turnlog.extraction.preferences import Liking, Polarity, preferences
from turnlog.extraction.tasks import Outcome, Request, closings, requests
from turnlog.extraction.topic import named_topic, topic_words

TASTES = frozenset(
    [
        "stop",
        "quit",
        "skip",
        "drop",
        "avoid",
        "stick",
        "keep",
        "spare",
        "ditch",
        "lose",
        "hold",
        "leave",
        "use",
        "respond",
        "reply",
        "answer",
        "give",
        "go",
        "cut",
        "write",
        "talk",
        "refrain",
        "lay",
        "always",
        "never",
        "only",
        "switch",
    ]
)
"""Words that begin a request for how things are to be."""
KEPT_S = 60.0
"""Seconds for which what was heard is kept in the process, so that each fold does not read it again."""
CACHED = 1024
"""How many of the texts that were heard last are kept, at most."""
CACHED_LENGTH_MAX = 2000
"""Characters of such a text, at most."""
CACHED_LONG = 64
"""How many longer ones are kept, at most; of each only what is read."""


class HeardName(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name by which the user is, or if `denied` is not, called.

    `asked` tells a wish ("call me") from an introduction ("I'm"); one that `replies` is understood from the assistant's
    question alone or with it.
    """

    text: str
    asked: bool = True
    denied: bool = False
    replies: bool = False


class HeardLiking(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user likes or dislikes, in their words; `ended`: they say so of the past. `replies` as in `HeardName`."""

    polarity: Polarity
    text: str
    ended: bool = False
    replies: bool = False


class HeardClosing(msgspec.Struct, frozen=True):
    """That an earlier request is taken back or done, and the words around it, which tell which one."""

    outcome: Outcome
    about: str


class HeardMention(msgspec.Struct, frozen=True):
    """Someone or something that is named, as it is written there."""

    text: str
    kind: Kind


class Heard(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that one message of the user teaches.

    `names` to `mentions` are in the order of the text. `requests` are what is to be done, without what the message itself
    takes back; of the `closings`, the first counts. `topic` is what the user says that it is about; `words` tell the topic
    where nobody says it. The user's own names, denied ones too, are among the `mentions`.
    """

    names: tuple[HeardName, ...] = ()
    likings: tuple[HeardLiking, ...] = ()
    requests: tuple[str, ...] = ()
    closings: tuple[HeardClosing, ...] = ()
    mentions: tuple[HeardMention, ...] = ()
    topic: str | None = None
    words: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()


def hear(text: str, asked: str = "") -> Heard:
    """What `text`, a message of the user, teaches by rules; `asked` is the end of what the assistant said just before."""
    reading = read(text)
    said = names(reading, asked)
    closed = closings(reading)
    liked = preferences(reading, asked)
    named = mentions(reading, [Mention(name.name, "PERSON", name.start, name.end) for name in said])
    return Heard(
        tuple(HeardName(name.name, name.asked, name.denied, name.replies) for name in said),
        tuple(HeardLiking(it.polarity, it.text, it.ended, it.replies) for it in liked),
        tuple(request.text for request in requests(reading, closed, asked) if not _is_a_taste(request, liked)),
        tuple(HeardClosing(closing.outcome, closing.about) for closing in closed),
        tuple(HeardMention(mention.text, mention.kind) for mention in named),
        named_topic(reading),
        topic_words(reading),
        tuple(statements(reading, asked)),
    )


def _is_a_taste(request: Request, liked: list[Liking]) -> bool:
    """Whether what is asked for is how things are to be, not something to be done: "stop using emojis"."""
    if request.text.split(" ", 1)[0].lower() not in TASTES:
        return False
    return any(
        request.start <= liking.start + len(liking.text) and liking.start < request.start + len(request.text)
        for liking in liked
    )


class _Lately:
    """What was heard in the last `KEPT_S` seconds or so, so that one fold soon after the other need not read it again; then
    no word of it is left.
    """

    def __init__(self) -> None:
        self._short = lru_cache(CACHED)(hear)
        self._long = lru_cache(CACHED_LONG)(hear)
        self._forget_at = 0.0

    def __call__(self, text: str, asked: str) -> Heard:
        if len(text) <= CACHED_LENGTH_MAX:
            return self._short(text, asked)
        return self._long(beginning_and_end(text), asked)

    def keep(self) -> None:
        """See to it that what is heard from now on is forgotten in time; within a running event loop."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._forget_at:
            self._forget()
            self._forget_at = loop.time() + KEPT_S
            loop.call_at(self._forget_at, self._forget)

    def _forget(self) -> None:
        self._short.cache_clear()
        self._long.cache_clear()


heard_lately = _Lately()
"""`hear`, by whom what was just heard is not read again, once its `keep` was called."""
