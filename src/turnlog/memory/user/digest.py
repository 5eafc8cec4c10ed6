"""The little of what is known that goes into contexts: lines that a model reads, the most important first."""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from heapq import nlargest

import msgspec

from turnlog.extraction.preferences import Polarity
from turnlog.memory.facts import VERBS
from turnlog.memory.user import merging
from turnlog.memory.user.candidates import BOUNDS, Candidates
from turnlog.memory.user.items import Correction, KnownFact, is_preference

PREFERENCES_MAX = 30
TASKS_MAX = 20
FACTS_MAX = 60
ENTITIES_MAX = 20

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
        preferred = tuple(f"{VERBS[polarity].capitalize()} {text}" for polarity, text in self.preferences)
        return named + preferred + tuple(f"Open request: {text}" for text in self.tasks)


def digest_of_candidates(
    found: Candidates, corrected: Mapping[str, Correction], *, seal: str = "", corrections: int = 0
) -> UserDigest:
    """What contexts tell of a user. Topic and entities are those of the conversation at hand: a user has none."""
    preferences = merging.preferences(found.preferences[: BOUNDS.preferences], corrected)
    tasks = merging.tasks(found.tasks[: BOUNDS.tasks])
    facts = _other_facts(found.facts[: BOUNDS.facts], corrected)
    return UserDigest(
        merging.name_of(found.names[: BOUNDS.names], corrected),
        tuple((item.polarity, item.text) for item in preferences[:PREFERENCES_MAX]),
        tuple(task.text for task in tasks[:TASKS_MAX]),
        tuple(_line(fact.text, fact.valid_from, fact.recorded_at) for fact in facts[:FACTS_MAX]),
        seal=seal,
        corrections=corrections,
    )


def _other_facts(facts: Iterable[KnownFact], corrections: Mapping[str, Correction]) -> list[KnownFact]:
    """The facts that hold beside the name and the preferences, the newest first."""
    derived = list(facts)
    newest = nlargest(BOUNDS.facts, corrections.values(), key=lambda it: (it.at, it.id))
    ids = {fact.id for fact in derived} | {correction.id for correction in newest}
    stated = merging.history(derived, {id_: corrections[id_] for id_ in ids if id_ in corrections})
    return [it for it in stated if it.valid_to is None and it.slot != "name" and not is_preference(it.text)]


def digest_of_state(state: bytes) -> UserDigest:
    """What contexts tell of one conversation, from its stored state. A state that cannot be read tells nothing, until a
    worker has made it anew.
    """
    try:
        found = _read(state)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        logger.warning("the memory of a conversation cannot be read: %s", error)
        return UserDigest()
    profile, span = found.profile, max((entity.last_seen for entity in found.entities), default=1)
    named = sorted(found.entities, key=lambda it: (-it.count * (1 + it.last_seen / span), -it.last_seen, it.text))
    preferences = [it for it in profile.preferences if it.until is None]
    tasks = [it for it in profile.tasks if it.closed is None]
    facts = [it for it in found.facts if it.valid_to is None and it.slot != "name" and not is_preference(it.text)]
    return UserDigest(
        profile.name.text if profile.name else None,
        tuple((it.polarity, it.text) for it in preferences[: -PREFERENCES_MAX - 1 : -1]),
        tuple(it.text for it in tasks[: -TASKS_MAX - 1 : -1]),
        tuple(_line(it.text, it.valid_from, it.recorded_at) for it in facts[: -FACTS_MAX - 1 : -1]),
        profile.topic.text if profile.topic else None,
        tuple(it.text for it in named[:ENTITIES_MAX]),
    )


def _line(text: str, valid_from: int | None, recorded_at: int) -> str:
    if valid_from is None or valid_from == recorded_at:
        return text
    return f"{text} (since {datetime.fromtimestamp(valid_from / 1_000_000, UTC):%Y-%m})"


# The state as far as a digest needs it: msgspec passes over what is not named here, which is far faster than to build it.
class _NameText(msgspec.Struct):
    text: str


class _Preference(msgspec.Struct):
    polarity: Polarity
    text: str
    until: int | None = None


class _Task(msgspec.Struct):
    text: str
    closed: int | None = None


class _Profile(msgspec.Struct, frozen=True):
    name: _NameText | None = None
    preferences: tuple[_Preference, ...] = ()
    tasks: tuple[_Task, ...] = ()
    topic: _NameText | None = None


class _Entity(msgspec.Struct):
    text: str
    count: int
    last_seen: int


class _Fact(msgspec.Struct):
    text: str
    slot: str
    recorded_at: int
    valid_from: int | None = None
    valid_to: int | None = None


class _Knowledge(msgspec.Struct):
    profile: _Profile = _Profile()
    entities: tuple[_Entity, ...] = ()
    facts: tuple[_Fact, ...] = ()


_read = msgspec.json.Decoder(_Knowledge).decode
