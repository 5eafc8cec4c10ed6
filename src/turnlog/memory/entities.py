"""Entities: the people, places, organisations, products, addresses and days that the user named, each once."""

import unicodedata
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from turnlog.extraction.document import Kind
from turnlog.memory.extraction import ExtractedMention, Utterance

SEQS_MAX = 64
"""Messages that are kept as the sources of one entity: the newest."""
ENTITIES_MAX = 500
"""Entities that are kept; the ones seen last longest ago go first."""
ALIASES_MAX = 20


class Entity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person or thing that the user named in `count` messages, first in `first_seen` and last in `last_seen`.

    `aliases` are the other forms of its name. `seqs` holds the newest `SEQS_MAX` messages. `at` is when it was last named,
    in microseconds since 1970 UTC.
    """

    text: str
    kind: Kind
    seqs: tuple[int, ...]
    count: int
    first_seen: int
    last_seen: int
    aliases: tuple[str, ...] = ()
    at: int = 0


def reduced(entities: tuple[Entity, ...], utterances: Iterable[Utterance]) -> tuple[Entity, ...]:
    """The entities after `utterances`."""
    mentioned = [
        (utterance, utterance.extraction.mentions)
        for utterance in utterances
        if utterance.extraction and utterance.extraction.mentions
    ]
    if not mentioned:
        return entities
    index = _Index(entities)
    for utterance, mentions in mentioned:
        for mention in mentions:
            index.add(mention, utterance.seq, utterance.at)
    return index.entities()


def most_relevant(entities: Sequence[Entity], count: int) -> list[Entity]:
    """The `count` entities that were named most often and most recently, the most relevant first."""
    span = max((entity.last_seen for entity in entities), default=1)
    return sorted(entities, key=lambda it: (-it.count * (1 + it.last_seen / span), -it.last_seen, it.text))[:count]


class _Index:
    """Entities by the forms of their names, for one step."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._entities = list(entities)
        self._places: dict[str, int] = {}
        self._people: dict[str, set[int]] = {}
        for place, entity in enumerate(self._entities):
            self._index(entity, place)

    def add(self, mention: ExtractedMention, seq: int, at: int) -> None:
        """Count a mention in the message `seq`, stored at `at`: once, however often it stands there."""
        place = self._place(mention)
        if place is None:
            entity = Entity(mention.text, mention.kind, (seq,), 1, seq, seq, at=at)
            self._index(entity, len(self._entities))
            self._entities.append(entity)
            return
        entity = self._entities[place]
        if entity.last_seen != seq:
            entity = replace(entity, seqs=(*entity.seqs, seq)[-SEQS_MAX:], count=entity.count + 1, last_seen=seq, at=at)
        self._entities[place] = entity = _with_form(entity, mention.text)
        self._index(entity, place)

    def entities(self) -> tuple[Entity, ...]:
        """The entities in the order in which they were first named."""
        over = len(self._entities) - ENTITIES_MAX
        if over <= 0:
            return tuple(self._entities)
        oldest = set(sorted(range(len(self._entities)), key=lambda place: (self._entities[place].last_seen, place))[:over])
        return tuple(entity for place, entity in enumerate(self._entities) if place not in oldest)

    def _place(self, mention: ExtractedMention) -> int | None:
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


def _with_form(entity: Entity, text: str) -> Entity:
    """The entity with `text` among its names: a longer name of a person becomes the name, the shorter one an alias."""
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
