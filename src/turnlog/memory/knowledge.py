"""The fold `knowledge`: what a conversation says about its user, as a profile, entities and facts.

Each message is extracted once, and three pure reducers take the values. To fold in one go or message by message gives the
same state. Only what the user says counts; what is derived, redacted, or said by tools and systems does not. Of the
assistant's last message the end is kept, to understand the user's answer.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from turnlog.memory import entities, facts, profile
from turnlog.memory.entities import Entity
from turnlog.memory.extraction import Extraction, Extractor, Question, RuleExtractor, extract_each, relevant, utterances
from turnlog.memory.facts import Fact
from turnlog.memory.memory_fold import MemoryFold, in_thread
from turnlog.memory.profile import Profile
from turnlog.message import Message

NAME = "knowledge"


class KnowledgeState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known from one conversation. Entities are in the order in which they were first named, facts in the order in
    which they were learned; `question` is what the assistant said last.
    """

    profile: Profile = Profile()
    entities: tuple[Entity, ...] = ()
    facts: tuple[Fact, ...] = ()
    question: Question | None = None

    @property
    def current_facts(self) -> tuple[Fact, ...]:
        """The facts that hold."""
        return tuple(fact for fact in self.facts if fact.valid_to is None)


class Knowledge(MemoryFold):
    """The fold. `extractor` is a language model's; None extracts by rules."""

    name = NAME

    def __init__(self, extractor: Extractor | None = None) -> None:
        super().__init__(by_model=extractor is not None)
        self._extractor: Extractor = extractor or RuleExtractor()

    def initial(self) -> KnowledgeState:
        return KnowledgeState()

    async def step(self, state: KnowledgeState, messages: Sequence[Message]) -> KnowledgeState:
        said = relevant(messages)
        found: Mapping[int, Extraction] = {}
        if any(message.role == "user" for message in said):
            found = await self._extractor.extract(said, state.question.text if state.question else "")
        return await in_thread(lambda: _reduced(state, said, found), characters=sum(len(message.text) for message in said))


def extract_all(messages: Iterable[Message]) -> KnowledgeState:
    """The state that rules make of `messages`, a conversation from its beginning; messages without a seq count from 1."""
    said = relevant(it if it.seq else replace(it, seq=seq) for seq, it in enumerate(messages, 1))
    return _reduced(KnowledgeState(), said, extract_each(said, ""))


def _reduced(state: KnowledgeState, messages: Iterable[Message], found: Mapping[int, Extraction]) -> KnowledgeState:
    """The state after `messages`, which are relevant and follow on the state."""
    batch, question = utterances(messages, found, state.question)
    return KnowledgeState(
        profile.reduced(state.profile, batch),
        entities.reduced(state.entities, batch),
        facts.reduced(state.facts, batch),
        question,
    )
