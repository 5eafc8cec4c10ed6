"""Who says what, message by message, for the folds that learn from it.

Laws: only what the user says teaches; what is derived, redacted, or said by tools and systems does not. The end of the
assistant's last message is kept, so that the user's answer to it is understood.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from turnlog.memory.heard import Heard, hear, heard_lately
from turnlog.memory.offload import offload
from turnlog.message import Message

QUESTION_LENGTH = 600
"""Characters of the assistant's last message that are kept for the user's answer."""
LEASE_S = 420.0
"""How long, in seconds, a fold that asks a language model has a conversation for itself."""
BY_RULES, BY_MODEL = 1, 101
"""The versions of the folds: the first is raised with the rules, the second with what a model is asked."""
_BY_MODEL_FIRST = 101


def previous(version: int) -> int:
    """The version that was in use before: before the first with a model, the one that works by rules."""
    return BY_RULES if version == _BY_MODEL_FIRST else version - 1


S = TypeVar("S")


class Hearing(Protocol):
    """Something that understands messages better than rules do: a language model."""

    async def hear(self, messages: Sequence[Message], asked: str) -> Mapping[int, Heard]:
        """What the messages of the user among `messages` teach, by their seq; those that teach nothing may be left out.

        `asked` is the end of what the assistant said before the first of them. What is raised is tried again later.
        """


class Heeding:
    """What the folds that learn from what was heard have in common: `hearing` understands the messages, None: rules do."""

    lease_s: float

    def __init__(self, hearing: Hearing | None = None) -> None:
        self._hearing = hearing
        self.version = BY_RULES if hearing is None else BY_MODEL
        if hearing is not None:
            self.lease_s = LEASE_S

    @property
    def previous(self) -> int:
        return previous(self.version)

    async def _taught(
        self, learn: Callable[[S, "Talk"], S], state: S, question: "Question | None", messages: Sequence[Message]
    ) -> S:
        """The state that `learn` makes of `state` and what is heard in `messages`, with their seqs, after `question`."""
        counting, understood = _counting(messages), None
        if self._hearing is not None and any(message.role == "user" for message in counting):
            understood = await self._hearing.hear(counting, question.text if question else "")
        heard_lately.keep()
        characters = sum(len(message.text) for message in counting)
        return await offload(
            lambda: learn(state, _talk(question, counting, understood, heard_lately)), characters=characters
        )


class Question(msgspec.Struct, frozen=True):
    """The end of what the assistant said last: the user's next message may answer it."""

    text: str
    seq: int


class Turn(NamedTuple):
    """One message that counts: the user's, of which something was `heard`, or the assistant's `reply`.

    `question` is what the assistant said just before; `at` is when the message was stored, in microseconds since 1970 UTC.
    """

    seq: int
    at: int
    heard: Heard | None
    reply: str
    question: Question | None

    @property
    def before(self) -> tuple[int, ...]:
        """The seq of the assistant's question, if there is one: a source of what was understood from it."""
        return (self.question.seq,) if self.question else ()


class Talk(NamedTuple):
    """The turns of a batch of messages, and the assistant's last words after it, if nobody answered them."""

    turns: list[Turn]
    question: Question | None


def by_rules(question: Question | None, messages: Sequence[Message]) -> Talk:
    """What rules hear in `messages`, which come with their seqs after the assistant's `question`."""
    return _talk(question, _counting(messages), None)


def _counting(messages: Sequence[Message]) -> list[Message]:
    return [
        message
        for message in messages
        if message.role in ("user", "assistant") and not message.derived and not message.redacted and message.text
    ]


def _talk(
    question: Question | None,
    messages: list[Message],
    understood: Mapping[int, Heard] | None,
    by_rules: Callable[[str, str], Heard] = hear,
) -> Talk:
    turns = []
    for message in messages:
        seq, text = message.seq or 0, message.text
        at = round(message.created_at.timestamp() * 1_000_000)
        if message.role == "assistant":
            turns.append(Turn(seq, at, None, text, question))
            question = Question(text[-QUESTION_LENGTH:], seq)
            continue
        asked = question.text if question else ""
        heard = by_rules(text, asked) if understood is None else understood.get(seq, _NOTHING)
        turns.append(Turn(seq, at, heard, "", question))
        question = None
    return Talk(turns, question)


_NOTHING = Heard()
