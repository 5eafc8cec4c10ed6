"""What is known of a user, across conversations: what each of them taught, merged, and what a person put right.

Laws:
- `UserMemory.merge` is commutative, associative and idempotent, so whoever merges what in whatever order comes to
  the same. For each conversation and fold the later state wins: by erase epoch, version of the fold, watermark, then bytes.
- Each item names the messages that it came from.
- What a person put right stands, whatever is folded or rebuilt, until the user says otherwise later.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec.structs import replace

from turnlog.memory.entities import EntitiesState
from turnlog.memory.facts import Fact, FactsState
from turnlog.memory.profile import ProfileState
from turnlog.memory.user import merging
from turnlog.memory.user.corrections import Correction, corrected
from turnlog.memory.user.items import (
    KnownEntity,
    KnownFact,
    KnownName,
    KnownPreference,
    KnownTask,
    Source,
    fact_id,
    is_preference,
)

S = TypeVar("S")
_encode = msgspec.json.Encoder(order="deterministic").encode


class Told(msgspec.Struct, Generic[S], frozen=True):
    """A fold's state of one conversation, and what it was made from."""

    epoch: int
    version: int
    watermark: int
    state: S

    def later(self, other: "Told[S] | None") -> "Told[S]":
        """The one of the two that wins."""
        return self if other is None or self._rank() >= other._rank() else other

    @property
    def seen(self) -> tuple[int, int, int]:
        """How far it has come, in the order of what counts."""
        return self.epoch, self.version, self.watermark

    def _rank(self) -> tuple[int, int, int, bytes]:
        return *self.seen, _encode(self.state)


class Taught(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one conversation taught. `at` is when somebody last touched it, in microseconds since 1970 UTC."""

    at: int = 0
    profile: Told[ProfileState] | None = None
    entities: Told[EntitiesState] | None = None
    facts: Told[FactsState] | None = None

    def merge(self, other: "Taught") -> "Taught":
        """Of each fold the later state."""
        return Taught(
            max(self.at, other.at),
            _later(self.profile, other.profile),
            _later(self.entities, other.entities),
            _later(self.facts, other.facts),
        )

    def replaced(self, other: "Taught") -> "Taught":
        """As `merge`, where `other` was made anew: of two states that have seen the same, it has the one that holds."""
        outdated = {
            name: None
            for name in ("profile", "entities", "facts")
            if (old := getattr(self, name)) and (new := getattr(other, name)) and old.seen <= new.seen
        }
        return replace(self, **outdated).merge(other)

    def since(self, epoch: int) -> "Taught":
        """What of this was made from the log as it is since the erase `epoch`."""
        return Taught(
            self.at,
            self.profile if self.profile and self.profile.epoch == epoch else None,
            self.entities if self.entities and self.entities.epoch == epoch else None,
            self.facts if self.facts and self.facts.epoch == epoch else None,
        )


def _later(one: Told[S] | None, other: Told[S] | None) -> Told[S] | None:
    return other if one is None else one.later(other)


class UserMemory(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known from some of a user's conversations, by their ids, and the corrections of facts, by the facts' ids."""

    taught: Mapping[str, Taught] = {}
    corrections: Mapping[str, Correction] = {}

    def merge(self, other: "UserMemory") -> "UserMemory":
        """What is known from both."""
        taught = dict(self.taught)
        for id_, told in other.taught.items():
            taught[id_] = taught[id_].merge(told) if id_ in taught else told
        return UserMemory(_sorted(taught), _sorted(corrected(self.corrections, other.corrections.values())))

    @property
    def user_name(self) -> str | None:
        """How the user is called: by their last wish, else by their last introduction."""
        named = (name for id_, told in self.taught.items() for name in names_of(id_, told))
        return merging.name_of(named, self.corrections)

    @property
    def user_preferences(self) -> tuple[KnownPreference, ...]:
        """What the user likes and dislikes, the newest first; of two about one thing the newer holds."""
        liked = (item for id_, told in self.taught.items() for item in preferences_of(id_, told))
        return merging.preferences(liked, self.corrections)

    @property
    def pending_tasks(self) -> tuple[KnownTask, ...]:
        """What the user waits for, the newest first."""
        return merging.tasks(task for id_, told in self.taught.items() for task in tasks_of(id_, told))

    @property
    def current_topic(self) -> str | None:
        """What the conversation that was touched last is about."""
        topics = [
            (told.at, id_, told.profile.state.topic.text)
            for id_, told in self.taught.items()
            if told.profile and told.profile.state.topic
        ]
        return max(topics)[-1] if topics else None

    @property
    def entities(self) -> tuple[KnownEntity, ...]:
        """Whom and what the user named, the most often and most recently named first."""
        return merging.entities(item for id_, told in sorted(self.taught.items()) for item in entities_of(id_, told))

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
        derived = (fact for id_, told in self.taught.items() for fact in facts_of(id_, told, known_at=known_at))
        return merging.history(derived, self.corrections, known_at=known_at)

    def facts_at(self, moment: int, *, known_at: int | None = None) -> tuple[KnownFact, ...]:
        """The facts that held at `moment`, as far as is known now, or was known at `known_at`."""
        return tuple(
            fact
            for fact in self.history(known_at=known_at)
            if (fact.valid_from is None or fact.valid_from <= moment) and (fact.valid_to is None or moment < fact.valid_to)
        )


ConversationContext = UserMemory
"""The name that others use for it."""


def names_of(id_: str, told: Taught) -> Iterable[KnownName]:
    """How the user is called in the conversation `id_`: one name, or none."""
    if told.profile and (name := told.profile.state.name):
        yield KnownName(name.text, name.asked, _sources(id_, name.seqs), name.at)


def preferences_of(id_: str, told: Taught) -> Iterable[KnownPreference]:
    """What the user likes and dislikes, as far as the conversation `id_` tells."""
    for item in told.profile.state.current_preferences if told.profile else ():
        yield KnownPreference(item.polarity, item.text, _sources(id_, item.seqs), item.at)


def tasks_of(id_: str, told: Taught) -> Iterable[KnownTask]:
    """What the user waits for in the conversation `id_`."""
    for task in told.profile.state.pending_tasks if told.profile else ():
        yield KnownTask(task.text, _sources(id_, task.seqs), task.at)


def entities_of(id_: str, told: Taught) -> Iterable[KnownEntity]:
    """Whom and what the user named in the conversation `id_`."""
    for it in told.entities.state.entities if told.entities else ():
        yield KnownEntity(it.text, it.kind, it.count, it.aliases, _sources(id_, it.seqs), it.at)


def facts_of(id_: str, told: Taught, *, known_at: int | None = None) -> Iterable[KnownFact]:
    """The facts that the conversation `id_` tells, closed ones too, as they were known at a moment (None: now)."""
    for it in _as_known(told.facts.state.facts, known_at) if told.facts else ():
        stated = fact_id(it.slot, it.value, it.text)
        about = it.text, it.slot, it.value, it.confidence, it.valid_from, it.valid_to, it.recorded_at
        yield KnownFact(stated, *about, _sources(id_, it.seqs))


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


def _sorted(items: Mapping[str, S]) -> dict[str, S]:
    return dict(sorted(items.items()))


def _sources(conversation_id: str, seqs: Sequence[int]) -> tuple[Source, ...]:
    return tuple(Source(conversation_id, seq) for seq in seqs)
