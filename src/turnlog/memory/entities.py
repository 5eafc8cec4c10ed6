"""The fold `entities`: the people, places, organisations, products, addresses and days that the user named."""

from collections.abc import Sequence

import msgspec

from turnlog.memory.hearing import Heeding, Question, Talk
from turnlog.memory.roster import Entity, Roster
from turnlog.message import Message

__all__ = ["Entities", "EntitiesState", "Entity", "named"]


class EntitiesState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The entities in the order in which they were first named; `question` is what the assistant said last."""

    entities: tuple[Entity, ...] = ()
    question: Question | None = None

    def relevant(self, count: int) -> tuple[Entity, ...]:
        """The `count` entities that were named most often and most recently, the most relevant first."""
        span = max((entity.last_seen for entity in self.entities), default=1)
        ranked = sorted(self.entities, key=lambda e: (-e.count * (1 + e.last_seen / span), -e.last_seen, e.text))
        return tuple(ranked[:count])


class Entities(Heeding):
    """The fold."""

    name = "entities"

    def initial(self) -> EntitiesState:
        return EntitiesState()

    async def step(self, state: EntitiesState, messages: Sequence[Message]) -> EntitiesState:
        return await self._taught(named, state, state.question, messages)


def named(state: EntitiesState, talk: Talk) -> EntitiesState:
    """The state after `talk`, which goes on from `state`."""
    roster = Roster(state.entities)
    for turn in talk.turns:
        if turn.heard is not None:
            for mention in turn.heard.mentions:
                roster.note(mention, turn.seq, turn.at)
    return EntitiesState(roster.entities(), talk.question)
