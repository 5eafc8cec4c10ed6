"""The little of what is known that goes into contexts: lines that a model reads, the most important first."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from heapq import nlargest
from typing import TypeVar

import msgspec

from turnlog.extraction.preferences import Polarity
from turnlog.memory.facts import VERBS
from turnlog.memory.user import merging
from turnlog.memory.user.candidates import BOUNDS, Candidates
from turnlog.memory.user.corrections import Correction
from turnlog.memory.user.items import KnownFact, is_preference

PREFERENCES_MAX = 30
TASKS_MAX = 20
FACTS_MAX = 60
ENTITIES_MAX = 20

T = TypeVar("T")
logger = logging.getLogger(__name__)


class UserDigest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What contexts tell of a user and of the conversation at hand.

    `seal` is the key, in hexadecimal digits, under which conversations keep what they show of their user: when something of
    the user is erased, it goes with the digest. `corrections` is how many corrections it is made of.
    """

    user_name: str | None = None
    preferences: tuple[tuple[Polarity, str], ...] = ()
    tasks: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    topic: str | None = None
    entities: tuple[str, ...] = ()
    seal: str = ""
    corrections: int = 0

    @property
    def profile_lines(self) -> tuple[str, ...]:
        """Who the user is, what they like and what they wait for."""
        named = (f"The user is called {self.user_name}.",) if self.user_name else ()
        liked = tuple(f"{VERBS[polarity].capitalize()} {text}" for polarity, text in self.preferences)
        return named + liked + tuple(f"Open request: {text}" for text in self.tasks)


def digest_of_candidates(
    found: Candidates, told: Mapping[str, Correction], *, seal: str = "", corrections: int = 0
) -> UserDigest:
    """What contexts tell of a user. Topic and entities are those of the conversation at hand: a user has none."""
    liked = merging.preferences(found.preferences[: BOUNDS.preferences], told)
    wanted = merging.tasks(found.tasks[: BOUNDS.tasks])
    known = _other_facts(found.facts[: BOUNDS.facts], told)
    return UserDigest(
        merging.name_of(found.names[: BOUNDS.names], told),
        tuple((item.polarity, item.text) for item in liked[:PREFERENCES_MAX]),
        tuple(task.text for task in wanted[:TASKS_MAX]),
        tuple(_line(fact.text, fact.valid_from, fact.recorded_at) for fact in known[:FACTS_MAX]),
        seal=seal,
        corrections=corrections,
    )


def _other_facts(facts: Iterable[KnownFact], corrections: Mapping[str, Correction]) -> list[KnownFact]:
    """The facts that hold beside the name and the preferences, the newest first."""
    derived = list(facts)
    newest = nlargest(BOUNDS.facts, corrections.values(), key=lambda it: (it.at, it.id))
    ids = {fact.id for fact in derived} | {correction.id for correction in newest}
    told = merging.history(derived, {id_: corrections[id_] for id_ in ids if id_ in corrections})
    return [it for it in told if it.valid_to is None and it.slot != "name" and not is_preference(it.text)]


def digest_of_states(states: Mapping[str, bytes]) -> UserDigest:
    """What contexts tell of one conversation, from the stored states of its folds by their names. One that cannot be read
    tells nothing, until a worker has made it anew.
    """
    profile = _read(states, "profile", _read_profile) or _Profile()
    entities = (_read(states, "entities", _read_entities) or _Entities()).entities
    facts = (_read(states, "facts", _read_facts) or _Facts()).facts
    span = max((entity.last_seen for entity in entities), default=1)
    named = sorted(entities, key=lambda it: (-it.count * (1 + it.last_seen / span), -it.last_seen, it.text))
    liked = [it for it in profile.preferences if it.until is None]
    told = [it for it in facts if it.valid_to is None and it.slot != "name" and not is_preference(it.text)]
    return UserDigest(
        profile.name.text if profile.name else None,
        tuple((it.polarity, it.text) for it in liked[: -PREFERENCES_MAX - 1 : -1]),
        tuple(it.text for it in [task for task in profile.tasks if task.closed is None][: -TASKS_MAX - 1 : -1]),
        tuple(_line(it.text, it.valid_from, it.recorded_at) for it in told[: -FACTS_MAX - 1 : -1]),
        profile.topic.text if profile.topic else None,
        tuple(it.text for it in named[:ENTITIES_MAX]),
    )


def _read(states: Mapping[str, bytes], name: str, decode: Callable[[bytes], T]) -> T | None:
    try:
        return decode(states[name]) if name in states else None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        logger.warning("a state of fold %s cannot be read: %s", name, error)
        return None


def _line(text: str, valid_from: int | None, recorded_at: int) -> str:
    if valid_from is None or valid_from == recorded_at:
        return text
    return f"{text} (since {datetime.fromtimestamp(valid_from / 1_000_000, UTC):%Y-%m})"


# The states, as far as a digest needs them: what is not named here is passed over, which is far faster than to build it.
class _Text(msgspec.Struct):
    text: str


class _Preference(msgspec.Struct):
    polarity: Polarity
    text: str
    until: int | None = None


class _Task(msgspec.Struct):
    text: str
    closed: int | None = None


class _Profile(msgspec.Struct):
    name: _Text | None = None
    preferences: tuple[_Preference, ...] = ()
    tasks: tuple[_Task, ...] = ()
    topic: _Text | None = None


class _Entity(msgspec.Struct):
    text: str
    count: int
    last_seen: int


class _Entities(msgspec.Struct):
    entities: tuple[_Entity, ...] = ()


class _Fact(msgspec.Struct):
    text: str
    slot: str
    recorded_at: int
    valid_from: int | None = None
    valid_to: int | None = None


class _Facts(msgspec.Struct):
    facts: tuple[_Fact, ...] = ()


_read_profile = msgspec.json.Decoder(_Profile).decode
_read_entities = msgspec.json.Decoder(_Entities).decode
_read_facts = msgspec.json.Decoder(_Facts).decode
