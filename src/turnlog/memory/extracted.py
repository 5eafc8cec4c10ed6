"""All that a list of messages teaches by rules, for whoever has no store and no folds."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from turnlog.memory.entities import EntitiesState, named
from turnlog.memory.facts import FactsState, stated
from turnlog.memory.hearing import by_rules
from turnlog.memory.profile import ProfileState, profiled
from turnlog.message import Message


class Extracted(NamedTuple):
    """The states of the folds `profile`, `entities` and `facts` after the messages."""

    profile: ProfileState
    entities: EntitiesState
    facts: FactsState


def extract_all(messages: Iterable[Message]) -> Extracted:
    """What `messages`, a conversation from its beginning, teach by rules; one without a seq has its place from 1 on."""
    talk = by_rules(None, [message if message.seq else replace(message, seq=seq) for seq, message in enumerate(messages, 1)])
    return Extracted(profiled(ProfileState(), talk), named(EntitiesState(), talk), stated(FactsState(), talk))
