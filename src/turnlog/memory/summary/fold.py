"""The fold `summary`: what was said in a conversation, in a bounded number of tokens.

Laws: each message enters once, in order; each line names the messages that it is from; the text costs at most `tokens` by
the built-in estimate, however long the conversation. Decisions, what is open and facts are kept before other things, what is
recent in more detail than what is old.
"""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from turnlog.errors import InvalidInput
from turnlog.llm.port import LLM, Prompt, acting_for
from turnlog.memory.llm import prompts
from turnlog.memory.llm.structured import ReplyCache, ask
from turnlog.memory.llm.transcript import TranscriptEntry, chunks, entries
from turnlog.memory.memory_fold import MemoryFold, in_thread
from turnlog.memory.summary import abstractive, extractive
from turnlog.memory.summary.abstractive import Notes
from turnlog.memory.summary.chapters import SPAN, Chapter, best, joined, overfull, pair, share
from turnlog.message import Message

TOKENS = 1000
TOKENS_MIN = 300


class SummaryState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A summary of the messages from seq `first` to `last`; both are 0 when there are none.

    `model` and `prompt` tell who made its newest lines, `source` is a digest over all the messages that it covers.
    """

    first: int = 0
    last: int = 0
    model: str = ""
    prompt: str = ""
    source: str = ""
    chapters: tuple[Chapter, ...] = ()

    @property
    def text(self) -> str:
        """What goes into a context; empty when there is nothing to tell."""
        return "\n".join(filter(None, (chapter.text for chapter in self.chapters)))


class Summary(MemoryFold):
    """The fold. Without a language model it picks sentences (version 1), with one it takes notes (101).

    `tokens` bounds the text, `window` is that of the model if it shall be given less than it takes. Raises `InvalidInput`
    for a window in which there is no room for messages.
    """

    name = "summary"

    def __init__(self, llm: LLM | None = None, *, tokens: int = TOKENS, window: int | None = None) -> None:
        if tokens < TOKENS_MIN:
            raise InvalidInput("tokens", f"of a summary must be at least {TOKENS_MIN}")
        super().__init__(by_model=llm is not None)
        self._llm = llm
        self._tokens = tokens
        self._replies: ReplyCache[tuple[Notes, str]] = ReplyCache()
        if llm is not None:
            self._room = abstractive.room(min(window or llm.window, llm.window), tokens)
            if self._room < abstractive.ROOM_MIN:
                raise InvalidInput(
                    "window", f"must be {abstractive.ROOM_MIN - self._room} tokens larger for a summary of {tokens}"
                )

    def initial(self) -> SummaryState:
        return SummaryState()

    async def step(self, state: SummaryState, messages: Sequence[Message]) -> SummaryState:
        if not messages:
            return state
        if self._llm is not None:
            return _covering(await self._noted(self._llm, state, messages), messages)
        characters = sum(len(message.text) for message in messages)
        return await in_thread(lambda: _covering(self._selected(state, messages), messages), characters=characters)

    def _selected(self, state: SummaryState, messages: Sequence[Message]) -> SummaryState:
        selection = extractive.Selection(state.chapters, self._tokens)
        for message in messages:
            selection.read(message, seq_of(message))
        return replace(state, prompt=extractive.NAME, chapters=selection.chapters())

    async def _noted(self, llm: LLM, state: SummaryState, messages: Sequence[Message]) -> SummaryState:
        chapters, model = state.chapters, state.model
        for chunk in chunks(entries(messages), self._room, SPAN):
            if not chapters or abstractive.is_full(chapters[-1]):
                chapters = (*await self._shortened(llm, chapters), Chapter(chunk[0].seq, chunk[0].seq))
            chapters, model = await self._with_chunk(llm, chapters, chunk)
        return replace(state, model=model, prompt=prompts.SUMMARY_NAME, chapters=chapters)

    async def _with_chunk(
        self, llm: LLM, chapters: tuple[Chapter, ...], chunk: Sequence[TranscriptEntry]
    ) -> tuple[tuple[Chapter, ...], str]:
        """The chapters once the chunk is in the last of them, and the model that took the notes."""
        *closed, chapter = chapters
        items = abstractive.open_items(closed, self._tokens)
        prompt = abstractive.to_note(items, chapter, chunk, self._tokens)
        reply, model = await self._ask(llm, prompt, chapter, chunk)
        settled = [items[n - 1] for n in reply.settled if 1 <= n <= len(items)]
        lines = best(abstractive.accepted(reply, chapter.lines, chunk), share(self._tokens))
        return (*abstractive.without(closed, settled), Chapter(chapter.first, chunk[-1].seq, lines)), model

    async def _shortened(self, llm: LLM, closed: tuple[Chapter, ...]) -> tuple[Chapter, ...]:
        """The closed chapters, the oldest of them put together until all have room."""
        while overfull(closed, self._tokens):
            place = pair(closed)
            one, other = closed[place : place + 2]
            both = Chapter(one.first, other.last, (*one.lines, *other.lines))
            lines = both.lines
            if both.tokens > share(self._tokens):
                reply, _ = await self._ask(llm, abstractive.to_merge(one, other, self._tokens), both, ())
                lines = abstractive.accepted(reply, both.lines, ())
            closed = joined(closed, place, best(lines, share(self._tokens)))
        return closed

    async def _ask(self, llm: LLM, prompt: Prompt, chapter: Chapter, chunk: Sequence[TranscriptEntry]) -> tuple[Notes, str]:
        key = (acting_for(), prompt.name, blake2b("\n".join(prompt.turns).encode(), digest_size=16).digest())
        return await self._replies.get(
            key, lambda: ask(llm, prompt, Notes, check=lambda reply: abstractive.check(reply, chapter.lines, chunk))
        )


def _covering(state: SummaryState, messages: Sequence[Message]) -> SummaryState:
    """The state, which covers `messages` from now on."""
    first, last = seq_of(messages[0]), seq_of(messages[-1])
    return replace(state, first=state.first or first, last=last, source=digest(state.source, messages))


def seq_of(message: Message) -> int:
    """The place of a message of a log. Raises `InvalidInput` for one that was never stored."""
    if message.seq is None:
        raise InvalidInput("seq", "is needed: only what is stored is summarised")
    return message.seq


def digest(before: str, messages: Sequence[Message]) -> str:
    """The digest over the messages that had the digest `before`, and these: their seqs, ids, roles and contents."""
    for message in messages:
        content = message.content if isinstance(message.content, str) else msgspec.json.encode(message.content).decode()
        told = f"{before}\n{message.seq}\n{message.id}\n{message.role}\n{content}"
        before = blake2b(told.encode(), digest_size=16).hexdigest()
    return before
