"""Extraction by a language model: each chunk of a conversation is one call."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from turnlog.errors import InvalidInput, LLMReplyInvalid
from turnlog.llm.port import LLM, Prompt, acting_for
from turnlog.memory.extraction import QUESTION_LENGTH, Extraction, relevant
from turnlog.memory.llm import prompts
from turnlog.memory.llm.reply import ExtractionReply, accepted, merged
from turnlog.memory.llm.structured import CUT, SHOWN_MAX, ReplyCache, ask
from turnlog.memory.llm.transcript import TranscriptEntry, as_data, chunks, fenced, line
from turnlog.message import Message
from turnlog.tokens.tokenizers import estimate

REPLY_TOKENS = 2000
ROOM_MIN = 300
"""Tokens that a prompt must have for messages."""
MESSAGES_MAX = 40
"""Messages in one call."""


class LLMExtractor:
    """Extracts with `llm` (`extraction.Extractor`).

    `window` bounds the model's own if it is smaller. Raises `InvalidInput` for a window in which there is no room for
    messages. What a chunk states is cached in the process, so that a step that failed half-way pays for no chunk twice.
    """

    def __init__(self, llm: LLM, *, window: int | None = None) -> None:
        self._llm = llm
        self._room = _room(min(window or llm.window, llm.window))
        if self._room < ROOM_MIN:
            raise InvalidInput("window", f"must be {ROOM_MIN - self._room} tokens larger")
        self._replies: ReplyCache[dict[int, Extraction]] = ReplyCache()

    async def extract(self, messages: Sequence[Message], question: str) -> Mapping[int, Extraction]:
        """What the user's messages state, by seq (`Extractor.extract`). What the model adds to the messages is left out.

        Raises `LLMReplyInvalid`, and what the model raises.
        """
        found: dict[int, Extraction] = {}
        for chunk in chunks(_entries(messages), self._room, MESSAGES_MAX):
            found = _joined(found, await self._of_chunk(chunk, question))
            question = _question_after(chunk)
        return found

    async def _of_chunk(self, chunk: Sequence[TranscriptEntry], question: str) -> dict[int, Extraction]:
        if all(entry.role != "user" for entry in chunk):
            return {}
        prompt = _prompt(chunk, question)
        key = (acting_for(), blake2b(prompt.turns[-1].encode(), digest_size=16).digest())
        return await self._replies.get(key, lambda: self._ask(prompt, chunk, question))

    async def _ask(self, prompt: Prompt, chunk: Sequence[TranscriptEntry], question: str) -> dict[int, Extraction]:
        """What the chunk states; in two halves when a reply about all of it is too long."""
        try:
            reply, _ = await ask(self._llm, prompt, ExtractionReply)
        except LLMReplyInvalid as error:
            if error.reason != CUT or len(chunk) == 1:
                raise
            middle = len(chunk) // 2
            one = await self._of_chunk(chunk[:middle], question)
            return _joined(one, await self._of_chunk(chunk[middle:], _question_after(chunk[:middle])))
        texts: dict[int, str] = {}
        for entry in chunk:
            if entry.role == "user":
                texts[entry.seq] = texts.get(entry.seq, "") + entry.text
        return accepted(reply, texts)


def _room(window: int) -> int:
    fixed = estimate("\n".join((prompts.EXTRACTION, *prompts.EXTRACTION_EXAMPLES)))
    again, before = estimate("a" * SHOWN_MAX) + 200, QUESTION_LENGTH // 2
    return window - REPLY_TOKENS - fixed - again - before


def _entries(messages: Iterable[Message]) -> list[TranscriptEntry]:
    """What the model reads: the user's messages, and the end of the assistant's."""
    return [
        TranscriptEntry(
            message.seq or 0, message.role, message.text if message.role == "user" else message.text[-QUESTION_LENGTH:]
        )
        for message in relevant(messages)
        if message.text.strip()
    ]


def _prompt(chunk: Sequence[TranscriptEntry], question: str) -> Prompt:
    before = [TranscriptEntry(0, "assistant", question[-QUESTION_LENGTH:])] if question else []
    data = fenced([line(as_data(entry)) for entry in (*before, *chunk)])
    return Prompt(prompts.EXTRACTION_NAME, prompts.EXTRACTION, (*prompts.EXTRACTION_EXAMPLES, data), REPLY_TOKENS)


def _question_after(chunk: Sequence[TranscriptEntry]) -> str:
    """What the assistant said at the end of the chunk."""
    return chunk[-1].text if chunk[-1].role == "assistant" else ""


def _joined(one: Mapping[int, Extraction], other: Mapping[int, Extraction]) -> dict[int, Extraction]:
    """What two chunks state, of which the second may begin within a message of the first."""
    return {**one, **{seq: merged(one[seq], found) if seq in one else found for seq, found in other.items()}}
