"""How items from several conversations become one view: what is said twice is known once, and the newer holds.

Pure functions over items and the corrections of facts by the facts' ids. Each is linear in its items, or nearly: likeness is
looked for among texts that share a word (`Distinct`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from turnlog.memory.facts import VERBS
from turnlog.memory.profile import SAME, SAME_TASK
from turnlog.memory.similarity import Distinct
from turnlog.memory.user.items import (
    POLARITIES,
    Correction,
    KnownEntity,
    KnownFact,
    KnownName,
    KnownPreference,
    KnownTask,
    as_fact,
    fact_id,
    stands,
)

Corrections = Mapping[str, Correction]
T = TypeVar("T", KnownPreference, KnownTask)


def name_of(names: Iterable[KnownName], corrections: Corrections) -> str | None:
    """How the user is called: by their last wish, else by their last introduction."""
    said = [
        (name.asked, name.at, name.sources, name.text)
        for name in names
        if stands(corrections.get(fact_id("name", name.text, "")), name.at)
    ]
    said += [(True, it.at, (), it.value) for it in corrections.values() if it.holds and it.slot == "name" and it.value]
    return max(said)[-1] if said else None


def preferences(items: Iterable[KnownPreference], corrections: Corrections) -> tuple[KnownPreference, ...]:
    """What the user likes and dislikes, the newest first; of two about one thing the newer holds."""
    found = [item for item in items if stands(corrections.get(_id_of(item)), item.at)]
    for correction in corrections.values():
        verb, _, liked = (correction.text or "").partition(" ")
        if correction.holds and verb in POLARITIES and liked:
            found.append(KnownPreference(POLARITIES[verb], liked, (), correction.at))
    return _each_once(found, SAME)


def tasks(items: Iterable[KnownTask]) -> tuple[KnownTask, ...]:
    """What the user waits for, the newest first."""
    return _each_once(items, SAME_TASK)


def entities(items: Iterable[KnownEntity]) -> tuple[KnownEntity, ...]:
    """Whom and what the user named, the most often and most recently named first."""
    merged: dict[tuple[str, str], list[KnownEntity]] = {}
    for item in items:
        merged.setdefault((item.kind, item.text.casefold()), []).append(item)
    together = (some[0] if len(some) == 1 else _together(some) for some in merged.values())
    return tuple(sorted(together, key=lambda entity: (-entity.count, -entity.at, entity.text)))


def history(derived: Iterable[KnownFact], corrections: Corrections, *, known_at: int | None = None) -> tuple[KnownFact, ...]:
    """All facts, closed ones too, the newest first, with what was put right until `known_at` (None: now)."""
    put_right = {id_: it for id_, it in corrections.items() if known_at is None or it.at <= known_at}
    found = [fact for fact in derived if stands(put_right.get(fact.id), fact.recorded_at)]
    found += [as_fact(correction) for correction in put_right.values() if correction.text is not None]
    return tuple(sorted(_timeline(found), key=lambda fact: (-fact.recorded_at, fact.id)))


def _id_of(item: KnownPreference) -> str:
    return fact_id("", "", f"{VERBS[item.polarity]} {item.text}")


def _each_once(items: Iterable[T], least: float) -> tuple[T, ...]:
    distinct = Distinct(least)
    newest_first = sorted(items, key=lambda item: (-item.at, item.sources, item.text))
    return tuple(item for item in newest_first if distinct.add(item.text))


def _together(some: Sequence[KnownEntity]) -> KnownEntity:
    return KnownEntity(
        some[0].text,
        some[0].kind,
        sum(one.count for one in some),
        tuple(dict.fromkeys(alias for one in some for alias in one.aliases)),
        tuple(source for one in some for source in one.sources),
        max(one.at for one in some),
    )


def _timeline(facts: Iterable[KnownFact]) -> list[KnownFact]:
    """The facts in the order in which they became true: one that is said again once, with all its sources, and in each slot
    an older one ended by the newer.
    """
    kept: list[KnownFact] = []
    again: dict[int, list[KnownFact]] = {}
    holding: dict[str, int] = {}
    said: dict[tuple[str, str], int] = {}
    for fact in sorted(facts, key=lambda fact: (_began(fact), fact.recorded_at, fact.id, fact.sources)):
        slot, stated = fact.slot or fact.id, (fact.id, fact_id(fact.slot, fact.value, fact.text))
        place, before = holding.get(slot), said.get(stated)
        if before is not None and _held(kept[before], _began(fact)):
            kept[before] = _lasting(kept[before], fact)
            again.setdefault(before, []).append(fact)
            if before == place and kept[before].valid_to is not None:
                del holding[slot]
            continue
        said[stated] = len(kept)
        if fact.valid_to is None:
            if place is not None:
                kept[place] = replace(kept[place], valid_to=_began(fact))
            holding[slot] = len(kept)
        kept.append(fact)
    for place, repeated in again.items():
        kept[place] = _said_again(kept[place], repeated)
    return kept


def _held(fact: KnownFact, moment: int) -> bool:
    return fact.valid_to is None or moment < fact.valid_to


def _began(fact: KnownFact) -> int:
    return fact.recorded_at if fact.valid_from is None else fact.valid_from


def _lasting(first: KnownFact, again: KnownFact) -> KnownFact:
    """`first` with the end that it has once it was said `again`."""
    until = again.valid_to if first.valid_to is None else max(first.valid_to, again.valid_to or 0)
    return first if until == first.valid_to else replace(first, valid_to=until)


def _said_again(first: KnownFact, repeated: Sequence[KnownFact]) -> KnownFact:
    """`first` as it was worded last, with all sources: put together once, since a tuple that grows is quadratic."""
    sources = [source for fact in (first, *repeated) for source in fact.sources]
    return replace(
        first,
        text=repeated[-1].text,
        confidence=max(fact.confidence for fact in (first, *repeated)),
        sources=tuple(dict.fromkeys(sources)),
        corrected=any(fact.corrected for fact in (first, *repeated)),
    )
