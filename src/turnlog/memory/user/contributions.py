"""What one conversation contributes to what is known of its user: its folds' states, within bounds.

Times are bounded by the conversation's last touch: a message that a client dated in the future would otherwise be newer than
all that is said after it.
"""

import logging
from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from turnlog.errors import ConversationNotFound, CorruptRecord, InvalidInput
from turnlog.fold import Fold, newest, snapshots, state_of
from turnlog.memory.entities import Entities, EntitiesState
from turnlog.memory.facts import Fact, Facts, FactsState
from turnlog.memory.profile import Preference, Profile, ProfileState, Task
from turnlog.memory.roster import Entity
from turnlog.memory.user.model import Taught, Told
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
_FOLDS: dict[str, Fold[Any]] = {fold.name: fold for fold in (Profile(), Entities(), Facts())}


def contribution(name: str, version: int, snapshot: Snapshot, touched_at: int) -> Told[Any]:
    """What a stored state of the fold `name` contributes, of a conversation that was last touched at `touched_at`."""
    state = trimmed(state_of(_FOLDS[name], snapshot.state), touched_at)
    return Told(snapshot.epoch, version, snapshot.watermark, state)


async def stored(store: Store, key: Key, header: Header, versions: Sequence[tuple[str, int]]) -> Taught:
    """What is stored with a conversation of what its folds made. A state that cannot be read counts as none: a worker makes
    it anew.
    """
    shared = [fold for fold in versions if fold[0] in _FOLDS]
    try:
        _, found = await snapshots(store, key, shared)
    except ConversationNotFound:
        return Taught()
    except CorruptRecord as error:  # its header decayed
        logger.error("what %s taught cannot be read: %s", key.conversation_id, error)
        return Taught()
    told: dict[str, Told[Any]] = {}
    for (name, version), snapshot in newest(shared, found, header.epoch).items():
        try:
            told[name] = contribution(name, version, snapshot, header.updated_at)
        except InvalidInput as error:
            logger.warning("a state of fold %s of %s is left out: %s", name, key.conversation_id, error)
    return Taught(header.updated_at, **told)


def trimmed(state: Any, touched_at: int) -> Any:
    """What of a state other conversations have a use for."""
    match state:
        case ProfileState():
            return _profile(state, touched_at)
        case EntitiesState():
            return EntitiesState(_bounded(state.relevant(ENTITIES_MAX), touched_at))
        case FactsState():
            return FactsState(_facts(state.facts, touched_at))
    raise TypeError(type(state))


def _profile(state: ProfileState, touched_at: int) -> ProfileState:
    name = state.name
    if name is not None:
        name = replace(name, seqs=_seqs(name.seqs), at=min(name.at, touched_at))
    return ProfileState(
        name=name,
        preferences=_bounded(state.current_preferences[-PREFERENCES_MAX:], touched_at),
        tasks=_bounded(state.pending_tasks[-TASKS_MAX:], touched_at),
        topic=state.topic,
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
