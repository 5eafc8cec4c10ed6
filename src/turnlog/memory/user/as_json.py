"""What is remembered, as JSON shows it: times as RFC 3339 in UTC, everything else as it is."""

from typing import Any

import msgspec

from turnlog.memory.user.digest import UserDigest
from turnlog.memory.user.items import KnownFact, Source
from turnlog.memory.user.model import UserMemory
from turnlog.timestamps import format_time

_VALID = ("valid_from", "valid_to")
_NAMES = {"at": "recorded_at"}


def shown(value: Any) -> Any:
    """`value`, a state of a fold or a part of it, for JSON: all its fields.

    Times of turnlog's own values are text, None where they are not known; somebody else's state is what msgspec makes of it.
    """
    if isinstance(value, Source):
        return value._asdict()
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    if not isinstance(value, msgspec.Struct) or not type(value).__module__.startswith("turnlog."):
        return msgspec.to_builtins(value)
    return {_NAMES.get(name, name): _field(name, each) for name, each in msgspec.structs.asdict(value).items()}


def digest_fields(known: UserDigest) -> dict[str, Any]:
    """The memory that contexts and conversations show, for JSON: every item with its `text`, without its sources."""
    return {
        "user_name": known.user_name,
        "user_preferences": [{"text": text, "polarity": polarity} for polarity, text in known.preferences],
        "current_topic": known.topic,
        "entities": [{"text": text} for text in known.entities],
        "facts": [{"text": text} for text in known.facts],
        "pending_tasks": [{"text": text} for text in known.tasks],
    }


def known_fields(user_id: str, known: UserMemory, *, closed: bool = False) -> dict[str, Any]:
    """What is known of a user, for JSON; with `closed`, facts that hold no longer as well."""
    return {
        "user_id": user_id,
        "user_name": known.user_name,
        "user_preferences": shown(known.user_preferences),
        "current_topic": known.current_topic,
        "pending_tasks": shown(known.pending_tasks),
        "entities": shown(known.entities),
        "facts": shown(known.history() if closed else known.facts),
    }


def facts_fields(user_id: str, known: UserMemory, moment: int) -> dict[str, Any]:
    """The facts that held at `moment`, in microseconds since 1970 UTC, as far as is known now, for JSON."""
    facts: tuple[KnownFact, ...] = known.facts_at(moment)
    return {"user_id": user_id, "as_of": format_time(moment), "facts": shown(facts)}


def _field(name: str, value: Any) -> Any:
    if isinstance(value, int) and (name in _VALID or name == "at" or name.endswith("_at")):
        return format_time(value) if value or name in _VALID else None
    return shown(value)
