"""What is known of a user, across conversations: what each of them taught, merged, and what a person put right.

Laws:
- `ConversationContext.merge` is commutative, associative and idempotent, so whoever merges what in whatever order comes to
  the same. For each conversation and fold the later state wins: by erase epoch, version of the fold, watermark, then bytes.
- Each item names the messages that it came from.
- What a person put right stands, whatever is folded or rebuilt, until the user says otherwise later.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from turnlog.memory.entities import EntitiesState
from turnlog.memory.extract.mention import Kind
from turnlog.memory.extract.preferencecues import Polarity
from turnlog.memory.facts import VERBS, Fact, FactsState
from turnlog.memory.likeness import overlap
from turnlog.memory.profile import SAME, SAME_TASK, ProfileState

POLARITIES = {verb: polarity for polarity, verb in VERBS.items()}

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


class Correction(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person says of the fact `id` at `at` (microseconds since 1970 UTC): that it is so, or without text not.

    `seq` is its place in the log of corrections.
    """

    id: str
    seq: int
    at: int
    text: str | None = None
    slot: str = ""
    value: str = ""
    valid_from: int | None = None
    valid_to: int | None = None


class Source(NamedTuple):
    """A message that something was learned from."""

    conversation_id: str
    seq: int


class KnownPreference(msgspec.Struct, frozen=True):
    """What the user likes, dislikes or prefers now."""

    polarity: Polarity
    text: str
    sources: tuple[Source, ...]
    at: int


class KnownTask(msgspec.Struct, frozen=True):
    """What the user asked for and nobody has done or taken back."""

    text: str
    sources: tuple[Source, ...]
    at: int


class KnownEntity(msgspec.Struct, frozen=True):
    """Someone or something that the user named in `count` messages, the last time at `at`."""

    text: str
    kind: Kind
    count: int
    aliases: tuple[str, ...]
    sources: tuple[Source, ...]
    at: int


class KnownFact(msgspec.Struct, frozen=True):
    """A statement about the user, true from `valid_from` until `valid_to` (None: still), learned at `recorded_at`.

    Times in microseconds since 1970 UTC. `confidence` is from 0 to 1; `corrected` tells that a person said so. The `id`
    follows from what is stated, so that it is the same after a rebuild.
    """

    id: str
    text: str
    slot: str
    value: str
    confidence: float
    valid_from: int | None
    valid_to: int | None
    recorded_at: int
    sources: tuple[Source, ...] = ()
    corrected: bool = False


class ConversationContext(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known from some of a user's conversations, by their ids, and the corrections of facts, by the facts' ids."""

    taught: Mapping[str, Taught] = {}
    corrections: Mapping[str, Correction] = {}

    def merge(self, other: "ConversationContext") -> "ConversationContext":
        """What is known from both."""
        taught = dict(self.taught)
        for id_, told in other.taught.items():
            taught[id_] = taught[id_].merge(told) if id_ in taught else told
        return ConversationContext(_sorted(taught), _sorted(corrected(self.corrections, other.corrections.values())))

    @property
    def user_name(self) -> str | None:
        """How the user is called: by their last wish, else by their last introduction."""
        said = [
            (name.asked, name.at, id_, name.text)
            for id_, name in self._named()
            if _stands(self.corrections.get(fact_id("name", name.text, "")), name.at)
        ]
        said += [(True, told.at, "", told.value) for told in self._put_right() if told.slot == "name" and told.value]
        return max(said)[-1] if said else None

    @property
    def user_preferences(self) -> tuple[KnownPreference, ...]:
        """What the user likes and dislikes, the newest first; of two about one thing the newer holds."""
        found = [
            KnownPreference(item.polarity, item.text, _sources(id_, item.seqs), item.at)
            for id_, profile in self._profiles()
            for item in profile.current_preferences
            if _stands(self.corrections.get(fact_id("", "", f"{VERBS[item.polarity]} {item.text}")), item.at)
        ]
        for told in self._put_right():
            verb, _, liked = (told.text or "").partition(" ")
            if verb in POLARITIES and liked:
                found.append(KnownPreference(POLARITIES[verb], liked, (), told.at))
        kept: list[KnownPreference] = []
        for item in sorted(found, key=lambda item: (-item.at, item.sources)):
            if not any(overlap(item.text, other.text) >= SAME for other in kept):
                kept.append(item)
        return tuple(kept)

    @property
    def pending_tasks(self) -> tuple[KnownTask, ...]:
        """What the user waits for, the newest first."""
        found = [
            KnownTask(task.text, _sources(id_, task.seqs), task.at)
            for id_, profile in self._profiles()
            for task in profile.pending_tasks
        ]
        kept: list[KnownTask] = []
        for task in sorted(found, key=lambda task: (-task.at, task.sources)):
            if not any(overlap(task.text, other.text) >= SAME_TASK for other in kept):
                kept.append(task)
        return tuple(kept)

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
        merged: dict[tuple[str, str], KnownEntity] = {}
        for id_, told in sorted(self.taught.items()):
            for entity in told.entities.state.entities if told.entities else ():
                known = KnownEntity(
                    entity.text, entity.kind, entity.count, entity.aliases, _sources(id_, entity.seqs), entity.at
                )
                name = (entity.kind, entity.text.casefold())
                merged[name] = _together(merged[name], known) if name in merged else known
        return tuple(sorted(merged.values(), key=lambda entity: (-entity.count, -entity.at, entity.text)))

    @property
    def facts(self) -> tuple[KnownFact, ...]:
        """The facts that hold, the newest first."""
        return tuple(fact for fact in self.history() if fact.valid_to is None)

    @property
    def other_facts(self) -> tuple[KnownFact, ...]:
        """The facts that hold beside the name and the preferences, the newest first."""
        return tuple(fact for fact in self.facts if fact.slot != "name" and fact.text.split(" ", 1)[0] not in POLARITIES)

    def history(self, *, known_at: int | None = None) -> tuple[KnownFact, ...]:
        """All facts, closed ones too, the newest first; with `known_at`, as they were known at that moment."""
        put_right = {id_: told for id_, told in self.corrections.items() if known_at is None or told.at <= known_at}
        derived = [
            KnownFact(
                fact_id(fact.slot, fact.value, fact.text),
                fact.text, fact.slot, fact.value, fact.confidence, fact.valid_from, fact.valid_to, fact.recorded_at,
                _sources(id_, fact.seqs),
            )
            for id_, told in self.taught.items()
            for fact in (_as_known(told.facts.state.facts, known_at) if told.facts else ())
        ]  # fmt: skip
        found = [fact for fact in derived if _stands(put_right.get(fact.id), fact.recorded_at)]
        found += [_said(correction) for correction in put_right.values() if correction.text is not None]
        return tuple(sorted(_timeline(found), key=lambda fact: (-fact.recorded_at, fact.id)))

    def facts_at(self, moment: int, *, known_at: int | None = None) -> tuple[KnownFact, ...]:
        """The facts that held at `moment`, as far as is known now, or was known at `known_at`."""
        return tuple(
            fact
            for fact in self.history(known_at=known_at)
            if (fact.valid_from is None or fact.valid_from <= moment) and (fact.valid_to is None or moment < fact.valid_to)
        )

    def _profiles(self) -> Iterable[tuple[str, ProfileState]]:
        return ((id_, told.profile.state) for id_, told in self.taught.items() if told.profile)

    def _put_right(self) -> list[Correction]:
        """The corrections that hold."""
        return [told for told in self.corrections.values() if told.text is not None and told.valid_to is None]

    def _named(self) -> Iterable[tuple[str, Any]]:
        return ((id_, profile.name) for id_, profile in self._profiles() if profile.name)


def corrected(known: Mapping[str, Correction], more: Iterable[Correction]) -> dict[str, Correction]:
    """The last correction of each fact."""
    found = dict(known)
    for correction in more:
        there = found.get(correction.id)
        if there is None or (there.seq, _encode(there)) < (correction.seq, _encode(correction)):
            found[correction.id] = correction
    return found


def fact_id(slot: str, value: str, text: str) -> str:
    """The id of a fact: 16 hexadecimal digits that follow from what it states."""
    stated = (slot, value) if slot and value else (text,)
    return blake2b("\0".join(" ".join(it.casefold().split()) for it in stated).encode(), digest_size=8).hexdigest()


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


def _stands(correction: Correction | None, at: int) -> bool:
    """Whether what the user said at a moment stands beside a correction of it: one that they said otherwise after it."""
    return correction is None or (correction.text is not None and correction.at < at)


def _sorted(items: Mapping[str, S]) -> dict[str, S]:
    return dict(sorted(items.items()))


def _sources(conversation_id: str, seqs: Sequence[int]) -> tuple[Source, ...]:
    return tuple(Source(conversation_id, seq) for seq in seqs)


def _said(correction: Correction) -> KnownFact:
    return KnownFact(
        correction.id,
        correction.text or "",
        correction.slot,
        correction.value,
        1.0,
        correction.valid_from,
        correction.valid_to,
        correction.at,
        corrected=True,
    )


def _together(one: KnownEntity, other: KnownEntity) -> KnownEntity:
    return KnownEntity(
        one.text,
        one.kind,
        one.count + other.count,
        tuple(dict.fromkeys((*one.aliases, *other.aliases))),
        (*one.sources, *other.sources),
        max(one.at, other.at),
    )


def _timeline(facts: Iterable[KnownFact]) -> list[KnownFact]:
    """The facts in the order in which they became true: one that is said again once, with all its sources, and in each slot
    an older one ended by the newer.
    """
    kept: list[KnownFact] = []
    holding: dict[str, int] = {}
    said: dict[tuple[str, str], int] = {}
    for fact in sorted(facts, key=lambda fact: (_began(fact), fact.recorded_at, fact.id, fact.sources)):
        slot, stated = fact.slot or fact.id, (fact.id, fact_id(fact.slot, fact.value, fact.text))
        place, before = holding.get(slot), said.get(stated)
        if before is not None and _held(kept[before], _began(fact)):
            kept[before] = _again(kept[before], fact)
            if before == place and kept[before].valid_to is not None:
                del holding[slot]
            continue
        said[stated] = len(kept)
        if fact.valid_to is None:
            if place is not None:
                kept[place] = replace(kept[place], valid_to=_began(fact))
            holding[slot] = len(kept)
        kept.append(fact)
    return kept


def _held(fact: KnownFact, moment: int) -> bool:
    return fact.valid_to is None or moment < fact.valid_to


def _began(fact: KnownFact) -> int:
    return fact.recorded_at if fact.valid_from is None else fact.valid_from


def _again(first: KnownFact, again: KnownFact) -> KnownFact:
    return replace(
        first,
        text=again.text,
        confidence=max(first.confidence, again.confidence),
        valid_to=again.valid_to if first.valid_to is None else max(first.valid_to, again.valid_to or 0),
        sources=tuple(dict.fromkeys((*first.sources, *again.sources))),
        corrected=first.corrected or again.corrected,
    )
