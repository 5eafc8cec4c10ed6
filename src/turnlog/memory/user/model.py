"""What is known of a user: what each of their conversations contributes, merged, and the corrections.

Laws:
- `UserMemory.merge` is commutative, associative and idempotent, so that merging in any order comes to the same. Of each
  conversation the later contribution wins: by erase epoch, version of the fold, watermark, then bytes.
- Each item names the messages that it comes from.
- A correction stands, whatever is folded or rebuilt, until the user says otherwise later.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from turnlog.memory.facts import Fact
from turnlog.memory.knowledge import KnowledgeState
from turnlog.memory.user import merging
from turnlog.memory.user.items import (
    Correction,
    KnownEntity,
    KnownFact,
    KnownName,
    KnownPreference,
    KnownTask,
    Source,
    corrected,
    fact_id,
    is_preference,
)

T = TypeVar("T")
_encode = msgspec.json.Encoder(order="deterministic").encode


class Contribution(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one conversation contributes: a state of the fold `knowledge`, and what it was made from.

    `at` is when the conversation was last touched, in microseconds since 1970 UTC. Without `knowledge` it contributes
    nothing.
    """

    at: int = 0
    epoch: int = 0
    version: int = 0
    watermark: int = 0
    knowledge: KnowledgeState | None = None

    def merge(self, other: "Contribution") -> "Contribution":
        """The later of the two."""
        one, two = self._seen(), other._seen()
        first = one > two or (one == two and _encode(self.knowledge) >= _encode(other.knowledge))
        return self._with(self if first else other, other)

    def replaced(self, other: "Contribution") -> "Contribution":
        """As `merge`, where `other` was rebuilt: it wins over one that has seen the same."""
        return self._with(other if self._seen() <= other._seen() else self, other)

    def since(self, epoch: int) -> "Contribution":
        """What of this was made from the log as it is since the erase `epoch`."""
        return self if self.epoch == epoch else Contribution(self.at)

    def _with(self, winner: "Contribution", other: "Contribution") -> "Contribution":
        at = max(self.at, other.at)
        return winner if winner.at == at else replace(winner, at=at)

    def _seen(self) -> tuple[bool, int, int, int]:
        return self.knowledge is not None, self.epoch, self.version, self.watermark


class UserMemory(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known from a user's conversations, by their ids, and the corrections of facts, by the facts' ids."""

    contributions: Mapping[str, Contribution] = {}
    corrections: Mapping[str, Correction] = {}

    def merge(self, other: "UserMemory") -> "UserMemory":
        """What is known from both."""
        contributions = dict(self.contributions)
        for id_, more in other.contributions.items():
            contributions[id_] = contributions[id_].merge(more) if id_ in contributions else more
        return UserMemory(_sorted(contributions), _sorted(corrected(self.corrections, other.corrections.values())))

    @property
    def user_name(self) -> str | None:
        """How the user is called: by their last wish, else by their last introduction."""
        return merging.name_of(self._all(names_of), self.corrections)

    @property
    def user_preferences(self) -> tuple[KnownPreference, ...]:
        """What the user likes and dislikes, the newest first; of two about one thing the newer holds."""
        return merging.preferences(self._all(preferences_of), self.corrections)

    @property
    def pending_tasks(self) -> tuple[KnownTask, ...]:
        """What the user waits for, the newest first."""
        return merging.tasks(self._all(tasks_of))

    @property
    def current_topic(self) -> str | None:
        """What the conversation that was touched last is about."""
        topics = [
            (it.at, id_, it.knowledge.profile.topic.text)
            for id_, it in self.contributions.items()
            if it.knowledge and it.knowledge.profile.topic
        ]
        return max(topics)[-1] if topics else None

    @property
    def entities(self) -> tuple[KnownEntity, ...]:
        """Whom and what the user named, the most often and most recently named first."""
        return merging.entities(self._all(entities_of))

    @property
    def facts(self) -> tuple[KnownFact, ...]:
        """The facts that hold, the newest first."""
        return tuple(fact for fact in self.history() if fact.valid_to is None)

    @property
    def other_facts(self) -> tuple[KnownFact, ...]:
        """The facts that hold beside the name and the preferences, the newest first."""
        return tuple(fact for fact in self.facts if fact.slot != "name" and not is_preference(fact.text))

    def history(self, *, known_at: int | None = None) -> tuple[KnownFact, ...]:
        """All facts, closed ones too, the newest first; with `known_at`, as they were known at that moment."""
        derived = (fact for id_, it in self.contributions.items() for fact in facts_of(id_, it, known_at=known_at))
        return merging.history(derived, self.corrections, known_at=known_at)

    def facts_at(self, moment: int, *, known_at: int | None = None) -> tuple[KnownFact, ...]:
        """The facts that held at `moment`, as far as is known now, or was known at `known_at`."""
        return tuple(
            fact
            for fact in self.history(known_at=known_at)
            if (fact.valid_from is None or fact.valid_from <= moment) and (fact.valid_to is None or moment < fact.valid_to)
        )

    def _all(self, items_of: Callable[[str, Contribution], Iterable[T]]) -> Iterator[T]:
        return (item for id_, it in sorted(self.contributions.items()) for item in items_of(id_, it))


ConversationContext = UserMemory
"""The name that others use for it."""


def names_of(id_: str, of: Contribution) -> Iterator[KnownName]:
    """How the user is called in the conversation `id_`: one name, or none."""
    if of.knowledge and (name := of.knowledge.profile.name):
        yield KnownName(name.text, name.asked, _sources(id_, name.seqs), name.at)


def preferences_of(id_: str, of: Contribution) -> Iterator[KnownPreference]:
    """What the user likes and dislikes according to the conversation `id_`."""
    for it in of.knowledge.profile.current_preferences if of.knowledge else ():
        yield KnownPreference(it.polarity, it.text, _sources(id_, it.seqs), it.at)


def tasks_of(id_: str, of: Contribution) -> Iterator[KnownTask]:
    """What the user waits for in the conversation `id_`."""
    for it in of.knowledge.profile.pending_tasks if of.knowledge else ():
        yield KnownTask(it.text, _sources(id_, it.seqs), it.at)


def entities_of(id_: str, of: Contribution) -> Iterator[KnownEntity]:
    """Whom and what the user named in the conversation `id_`."""
    for it in of.knowledge.entities if of.knowledge else ():
        yield KnownEntity(it.text, it.kind, it.count, it.aliases, _sources(id_, it.seqs), it.at)


def facts_of(id_: str, of: Contribution, *, known_at: int | None = None) -> Iterator[KnownFact]:
    """The facts from the conversation `id_`, closed ones too, as they were known at a moment (None: now)."""
    for it in _as_known(of.knowledge.facts, known_at) if of.knowledge else ():
        about = it.text, it.slot, it.value, it.confidence, it.valid_from, it.valid_to, it.recorded_at
        yield KnownFact(fact_id(it.slot, it.value, it.text), *about, _sources(id_, it.seqs))


def _as_known(facts: Sequence[Fact], known_at: int | None) -> Sequence[Fact]:
    """The facts of one conversation as they were known at a moment (None: now), when no later message had ended any."""
    if known_at is None:
        return facts
    ended_later = {(fact.slot, fact.valid_from) for fact in facts if fact.slot and fact.recorded_at > known_at}
    return [
        replace(fact, valid_to=None)
        if fact.valid_to is not None and (fact.valid_to > known_at or (fact.slot, fact.valid_to) in ended_later)
        else fact
        for fact in facts
        if fact.recorded_at <= known_at
    ]


def _sorted(items: Mapping[str, T]) -> dict[str, T]:
    return dict(sorted(items.items()))


def _sources(conversation_id: str, seqs: Sequence[int]) -> tuple[Source, ...]:
    return tuple(Source(conversation_id, seq) for seq in seqs)
