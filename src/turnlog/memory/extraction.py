"""What one message of the user states, as plain values, and the port `Extractor` that finds it.

`RuleExtractor` works by rules, `llm.extractor.LLMExtractor` with a language model. The fold `Knowledge` reduces the values
of either in the same way. They are frozen, and msgspec writes them as JSON and reads them back.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from turnlog.extraction.document import Kind, Mention, read
from turnlog.extraction.entities import mentions
from turnlog.extraction.facts import Statement, statements
from turnlog.extraction.names import names
from turnlog.extraction.preferences import Liking, Polarity, preferences
from turnlog.extraction.tasks import Outcome, TaskRequest, closings, requests
from turnlog.extraction.topic import named_topic, topic_words
from turnlog.memory.memory_fold import in_thread
from turnlog.message import Message

QUESTION_LENGTH = 600
"""Characters of the assistant's last message that are kept: the user's next message may answer it."""
_MANNERS = """
stop quit skip drop avoid stick keep spare ditch lose hold leave use respond reply answer give go cut write talk refrain lay
always never only switch
"""
MANNERS = frozenset(_MANNERS.split())
"""Words that begin a request for how things are to be."""


class ExtractedName(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name by which the user is called, or with `denied` is not called.

    `asked` marks a wish ("call me") as opposed to an introduction ("I'm"); `replies` marks a name that is understood only
    with the assistant's question.
    """

    text: str
    asked: bool = True
    denied: bool = False
    replies: bool = False


class ExtractedPreference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the user likes or dislikes, in their words; with `ended`, in the past. `replies` as in `ExtractedName`."""

    polarity: Polarity
    text: str
    ended: bool = False
    replies: bool = False


class ExtractedClosing(msgspec.Struct, frozen=True):
    """The end of an earlier request, cancelled or done, and the words around it, which say which request."""

    outcome: Outcome
    about: str


class ExtractedMention(msgspec.Struct, frozen=True):
    """A person or thing that the message names, as it is written there."""

    text: str
    kind: Kind


class Extraction(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that one message of the user states.

    `names` to `mentions` are in the order of the text. `requests` leave out what the message itself cancels; of the
    `closings` the first counts. `topic` is what the user names as the topic; `words` suggest one where nobody names it. The
    user's own names, denied ones too, are among the `mentions`.
    """

    names: tuple[ExtractedName, ...] = ()
    preferences: tuple[ExtractedPreference, ...] = ()
    requests: tuple[str, ...] = ()
    closings: tuple[ExtractedClosing, ...] = ()
    mentions: tuple[ExtractedMention, ...] = ()
    topic: str | None = None
    words: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()


class Extractor(Protocol):
    """Finds what messages state."""

    async def extract(self, messages: Sequence[Message], question: str) -> Mapping[int, Extraction]:
        """What the user's messages among `messages` state, by seq; messages that state nothing may be left out.

        `question` is the end of what the assistant said before the first of them. A step that raises is tried again later.
        """


class RuleExtractor:
    """Extracts by rules, in a thread where the text is long."""

    async def extract(self, messages: Sequence[Message], question: str) -> Mapping[int, Extraction]:
        characters = sum(len(message.text) for message in messages if message.role == "user")
        return await in_thread(lambda: extract_each(messages, question), characters=characters)


def extract_each(messages: Iterable[Message], question: str) -> dict[int, Extraction]:
    """What rules find in each of the user's messages, by seq."""
    found = {}
    for message in messages:
        if message.role == "assistant":
            question = message.text[-QUESTION_LENGTH:]
        else:
            found[message.seq or 0] = extract(message.text, question)
            question = ""
    return found


def extract(text: str, question: str = "") -> Extraction:
    """What rules find in `text`, a message of the user; `question` is the end of what the assistant said just before."""
    document = read(text)
    called = names(document, question)
    closed = closings(document)
    preferred = preferences(document, question)
    named = mentions(document, [Mention(name.name, "PERSON", name.start, name.end) for name in called])
    return Extraction(
        tuple(ExtractedName(it.name, it.asked, it.denied, it.replies) for it in called),
        tuple(ExtractedPreference(it.polarity, it.text, it.ended, it.replies) for it in preferred),
        tuple(it.text for it in requests(document, closed, question) if not _is_manner(it, preferred)),
        tuple(ExtractedClosing(it.outcome, it.about) for it in closed),
        tuple(ExtractedMention(it.text, it.kind) for it in named),
        named_topic(document),
        topic_words(document),
        tuple(statements(document, question)),
    )


def _is_manner(request: TaskRequest, preferred: list[Liking]) -> bool:
    """Whether a request says how things are to be and not what is to be done: "stop using emojis"."""
    if request.text.split(" ", 1)[0].lower() not in MANNERS:
        return False
    return any(it.start < request.start + len(request.text) and request.start <= it.start + len(it.text) for it in preferred)


class Question(msgspec.Struct, frozen=True):
    """The end of what the assistant said last, which the user's next message may answer."""

    text: str
    seq: int


class Utterance(NamedTuple):
    """One message: the user's with its `extraction`, or the assistant's `reply`.

    `question` is what the assistant said just before; `at` is when the message was stored, in microseconds since 1970 UTC.
    """

    seq: int
    at: int
    extraction: Extraction | None
    reply: str
    question: Question | None

    def sources(self, *, replies: bool) -> tuple[int, ...]:
        """The seqs that an item comes from: with `replies`, the assistant's question too."""
        return (self.question.seq, self.seq) if replies and self.question else (self.seq,)


def relevant(messages: Iterable[Message]) -> list[Message]:
    """The messages that count: what the user and the assistant said, unless it is derived, redacted or empty."""
    return [
        message
        for message in messages
        if message.role in ("user", "assistant") and not message.derived and not message.redacted and message.text
    ]


def utterances(
    messages: Iterable[Message], extractions: Mapping[int, Extraction], question: Question | None
) -> tuple[list[Utterance], Question | None]:
    """The utterances of `messages`, which are `relevant` and follow on `question`, and the question that is open then."""
    found = []
    for message in messages:
        seq, at = message.seq or 0, round(message.created_at.timestamp() * 1_000_000)
        if message.role == "assistant":
            found.append(Utterance(seq, at, None, message.text, question))
            question = Question(message.text[-QUESTION_LENGTH:], seq)
        else:
            found.append(Utterance(seq, at, extractions.get(seq, _NOTHING), "", question))
            question = None
    return found, question


_NOTHING = Extraction()
