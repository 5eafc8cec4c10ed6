"""To understand what messages teach with a language model, for the folds `profile`, `entities` and `facts` in one call."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from turnlog.errors import InvalidInput, LLMReplyInvalid
from turnlog.llm.port import LLM, Prompt, acting_for
from turnlog.memory.heard import Heard
from turnlog.memory.hearing import QUESTION_LENGTH
from turnlog.memory.llm import prompts
from turnlog.memory.llm.reply import Understood, believed, together
from turnlog.memory.llm.reply_cache import Recent
from turnlog.memory.llm.structured import CUT, SHOWN_MAX, ask
from turnlog.memory.llm.transcript import Said, as_data, chunks, fenced, line
from turnlog.message import Message
from turnlog.tokens.tokenizers import estimate

REPLY_TOKENS = 2000
ROOM_MIN = 300
"""Tokens that messages must find in a prompt."""
MESSAGES_MAX = 40
"""Messages in one call."""
KEPT = 256
KEPT_S = 600.0
"""What messages teach is kept in the process so long, for the other folds, and for a step that failed half-way."""


class ModelHearing:
    """A `Hearing` by `llm`; give one and the same to the three folds, so that they ask it once.

    `window` is that of the model if it shall be given less than it takes. Raises `InvalidInput` for a window in which there
    is no room for messages.
    """

    def __init__(self, llm: LLM, *, window: int | None = None) -> None:
        self._llm = llm
        self._room = _room(min(window or llm.window, llm.window))
        if self._room < ROOM_MIN:
            raise InvalidInput("window", f"must be {ROOM_MIN - self._room} tokens larger")
        self._heard: Recent[dict[int, Heard]] = Recent(limit=KEPT, seconds=KEPT_S)

    async def hear(self, messages: Sequence[Message], asked: str) -> Mapping[int, Heard]:
        """What the messages of the user teach, by their seq; `asked` is what the assistant said before. What a model adds to
        the messages is not in it. Raises `LLMReplyInvalid`, and what the model raises.
        """
        heard: dict[int, Heard] = {}
        for chunk in chunks(_told(messages), self._room, MESSAGES_MAX):
            heard = _joined(heard, await self._of_chunk(chunk, asked))
            asked = _asked_in(chunk)
        return heard

    async def _of_chunk(self, chunk: Sequence[Said], asked: str) -> dict[int, Heard]:
        if all(piece.role != "user" for piece in chunk):
            return {}
        prompt = _prompt(chunk, asked)
        key = (acting_for(), blake2b(prompt.turns[-1].encode(), digest_size=16).digest())
        return await self._heard.get(key, lambda: self._asked(prompt, chunk, asked))

    async def _asked(self, prompt: Prompt, chunk: Sequence[Said], asked: str) -> dict[int, Heard]:
        """What the chunk teaches; in halves, when there is more to say of it than a reply may be long."""
        try:
            reply, _ = await ask(self._llm, prompt, Understood)
        except LLMReplyInvalid as error:
            if error.reason != CUT or len(chunk) == 1:
                raise
            middle = len(chunk) // 2
            one = await self._of_chunk(chunk[:middle], asked)
            return _joined(one, await self._of_chunk(chunk[middle:], _asked_in(chunk[:middle])))
        texts: dict[int, str] = {}
        for piece in chunk:
            if piece.role == "user":
                texts[piece.seq] = texts.get(piece.seq, "") + piece.text
        return believed(reply, texts)


def _room(window: int) -> int:
    fixed = estimate("\n".join((prompts.HEARING, *prompts.HEARING_EXAMPLES)))
    again, before = estimate("a" * SHOWN_MAX) + 200, QUESTION_LENGTH // 2
    return window - REPLY_TOKENS - fixed - again - before


def _told(messages: Iterable[Message]) -> list[Said]:
    """What there is to hear: the user's messages, and of the assistant's the end."""
    return [
        Said(message.seq or 0, message.role, message.text if message.role == "user" else message.text[-QUESTION_LENGTH:])
        for message in messages
        if message.role in ("user", "assistant") and not message.derived and not message.redacted and message.text.strip()
    ]


def _prompt(chunk: Sequence[Said], asked: str) -> Prompt:
    before = [Said(0, "assistant", asked[-QUESTION_LENGTH:])] if asked else []
    data = fenced([line(as_data(piece)) for piece in (*before, *chunk)])
    return Prompt(prompts.HEARING_NAME, prompts.HEARING, (*prompts.HEARING_EXAMPLES, data), REPLY_TOKENS)


def _asked_in(chunk: Sequence[Said]) -> str:
    """What the assistant said at the end of the chunk."""
    return chunk[-1].text if chunk[-1].role == "assistant" else ""


def _joined(one: Mapping[int, Heard], other: Mapping[int, Heard]) -> dict[int, Heard]:
    """What two chunks teach, of which the second may begin within a message of the first."""
    return {**one, **{seq: together(one[seq], heard) if seq in one else heard for seq, heard in other.items()}}
