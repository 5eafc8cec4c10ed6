"""What one conversation contributes to what is known of its user: its state of the fold `knowledge`, within bounds.

Times are bounded by the conversation's last touch: a message that a client dated in the future would otherwise be newer than
all that is said after it.
"""

import logging
from collections.abc import Sequence
from typing import TypeVar

from msgspec.structs import replace

from turnlog.errors import ConversationNotFound, CorruptRecord, InvalidInput
from turnlog.fold import newest, snapshots, state_of
from turnlog.memory.entities import Entity, most_relevant
from turnlog.memory.facts import Fact
from turnlog.memory.knowledge import NAME, Knowledge, KnowledgeState
from turnlog.memory.memory_fold import BY_RULES
from turnlog.memory.profile import Preference, Profile, Task
from turnlog.memory.user.model import Contribution
from turnlog.store import Header, Key, Snapshot, Store

PREFERENCES_MAX = 100
TASKS_MAX = 50
ENTITIES_MAX = 50
FACTS_MAX = 100
"""Of one conversation: the newest, of entities the most relevant, of facts those first that hold."""
SEQS_MAX = 8
"""Messages that are kept as the sources of one item: the first and the newest."""

logger = logging.getLogger(__name__)
T = TypeVar("T", Preference, Task, Entity)
_FOLD = Knowledge()


def contribution(version: int, snapshot: Snapshot, touched_at: int) -> Contribution:
    """What a stored state contributes, of a conversation that was last touched at `touched_at`."""
    state = _trimmed(state_of(_FOLD, snapshot.state), touched_at)
    return Contribution(touched_at, snapshot.epoch, version, snapshot.watermark, state)


async def stored_contribution(store: Store, key: Key, header: Header, versions: Sequence[tuple[str, int]]) -> Contribution:
    """What the stored state of a conversation contributes. A state that cannot be read counts as none: a worker makes it
    anew.
    """
    folds = [fold for fold in versions if fold[0] == NAME]
    try:
        _, found = await snapshots(store, key, folds)
    except ConversationNotFound:
        return Contribution()
    except CorruptRecord as error:  # its header decayed
        logger.error("the memory of %s cannot be read: %s", key.conversation_id, error)
        return Contribution()
    for (_, version), snapshot in newest(folds, found, header.epoch).items():
        try:
            return contribution(version, snapshot, header.updated_at)
        except InvalidInput as error:
            logger.warning("the memory of %s is left out: %s", key.conversation_id, error)
    return Contribution(header.updated_at)


def versions_of(version: int) -> list[tuple[str, int]]:
    """The states to look for, the preferred one first: that of this version, and while it is made the one by rules."""
    return list(dict.fromkeys([(NAME, version), (NAME, BY_RULES)]))


def _trimmed(state: KnowledgeState, touched_at: int) -> KnowledgeState:
    """What of a state other conversations have a use for."""
    return KnowledgeState(
        _profile(state.profile, touched_at),
        _bounded(most_relevant(state.entities, ENTITIES_MAX), touched_at),
        _facts(state.facts, touched_at),
    )


def _profile(profile: Profile, touched_at: int) -> Profile:
    name = profile.name
    if name is not None:
        name = replace(name, seqs=_seqs(name.seqs), at=min(name.at, touched_at))
    return Profile(
        name=name,
        preferences=_bounded(profile.current_preferences[-PREFERENCES_MAX:], touched_at),
        tasks=_bounded(profile.pending_tasks[-TASKS_MAX:], touched_at),
        topic=profile.topic,
    )


def _facts(facts: Sequence[Fact], touched_at: int) -> tuple[Fact, ...]:
    over = len(facts) - FACTS_MAX
    if over > 0:
        closed_first = sorted(range(len(facts)), key=lambda place: (facts[place].valid_to is None, place))
        drop = set(closed_first[:over])
        facts = [fact for place, fact in enumerate(facts) if place not in drop]
    return tuple(
        replace(
            fact,
            seqs=_seqs(fact.seqs),
            recorded_at=min(fact.recorded_at, touched_at),
            valid_from=min(fact.valid_from, touched_at),
            valid_to=None if fact.valid_to is None else min(fact.valid_to, touched_at),
        )
        for fact in facts
    )


def _bounded(items: Sequence[T], touched_at: int) -> tuple[T, ...]:
    return tuple(replace(item, seqs=_seqs(item.seqs), at=min(item.at, touched_at)) for item in items)


def _seqs(seqs: tuple[int, ...]) -> tuple[int, ...]:
    return seqs if len(seqs) <= SEQS_MAX else (*seqs[:1], *seqs[1 - SEQS_MAX :])
