"""The roster of entities: each once, under all the forms in which it is named."""

import unicodedata
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from turnlog.extraction.document import Kind
from turnlog.memory.heard import HeardMention

SEQS_MAX = 64
"""Messages that are kept as the sources of one entity: the newest."""
ENTITIES_MAX = 500
"""Entities that are kept: of more, those that were last seen longest ago go."""
ALIASES_MAX = 20


class Entity(msgspec.Struct, frozen=True, omit_defaults=True):
    """Someone or something that the user named in `count` messages, the first and the last of which are told.

    `aliases` are the other forms in which it was named. `seqs` holds the newest `SEQS_MAX` messages; older ones lie
    between `first_seen` and the least of them. `at` is when it was last named, in microseconds since 1970 UTC.
    """

    text: str
    kind: Kind
    seqs: tuple[int, ...]
    count: int
    first_seen: int
    last_seen: int
    aliases: tuple[str, ...] = ()
    at: int = 0


class Roster:
    """Entities being gathered. It belongs to one step of the fold."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._entities = list(entities)
        self._places: dict[str, int] = {}
        self._people: dict[str, set[int]] = {}
        for place, entity in enumerate(self._entities):
            self._index(entity, place)

    def note(self, mention: HeardMention, seq: int, at: int = 0) -> None:
        """Count `mention` in the message `seq` of the time `at`: once, however often it stands there."""
        place = self._place(mention)
        if place is None:
            entity = Entity(mention.text, mention.kind, (seq,), 1, seq, seq, at=at)
            self._index(entity, len(self._entities))
            self._entities.append(entity)
            return
        known = self._entities[place]
        if known.last_seen != seq:
            known = replace(known, seqs=(*known.seqs, seq)[-SEQS_MAX:], count=known.count + 1, last_seen=seq, at=at)
        self._entities[place] = entity = _named(known, mention.text)
        self._index(entity, place)

    def entities(self) -> tuple[Entity, ...]:
        """The entities, in the order in which they were first seen."""
        over = len(self._entities) - ENTITIES_MAX
        if over <= 0:
            return tuple(self._entities)
        oldest = set(sorted(range(len(self._entities)), key=lambda place: (self._entities[place].last_seen, place))[:over])
        return tuple(entity for place, entity in enumerate(self._entities) if place not in oldest)

    def _place(self, mention: HeardMention) -> int | None:
        """Where the entity is that `mention` names: by its own form, or as part of the one full name that fits."""
        place = self._places.get(_key(mention.kind, mention.text))
        if place is not None or mention.kind != "PERSON":
            return place
        words = _fold(mention.text).split()
        if len(words) == 1:
            fitting = self._people.get(words[0], set())
        else:
            ends = (words[0], words[-1])
            fitting = {at for word in ends for at in self._people.get(word, ()) if self._is_single(at, word)}
        return next(iter(fitting)) if len(fitting) == 1 else None

    def _is_single(self, place: int, word: str) -> bool:
        return _fold(self._entities[place].text) == word

    def _index(self, entity: Entity, place: int) -> None:
        for form in (entity.text, *entity.aliases):
            self._places.setdefault(_key(entity.kind, form), place)
        if entity.kind == "PERSON":
            words = _fold(entity.text).split()
            for word in (words[0], words[-1]):
                self._people.setdefault(word, set()).add(place)


def _named(entity: Entity, text: str) -> Entity:
    """`entity` with the form `text` among its names: a longer name of a person becomes the name, the shorter an alias."""
    if text == entity.text or text in entity.aliases or len(entity.aliases) >= ALIASES_MAX:
        return entity
    if entity.kind == "PERSON" and len(text.split()) > len(entity.text.split()):
        return replace(entity, text=text, aliases=(*entity.aliases, entity.text))
    return replace(entity, aliases=(*entity.aliases, text))


def _key(kind: str, text: str) -> str:
    return f"{kind}:{text.casefold() if kind == 'URL' else _fold(text)}"


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)) or text
