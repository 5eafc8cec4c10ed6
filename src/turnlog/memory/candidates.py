"""What may go into a gist: the newest names, preferences, requests and facts of all of a user's conversations.

They are kept so that a gist is made without a look at all conversations, of which there may be hundreds: decision 046.

Law: after any `with_` the first `BOUNDS` of each kind are those of `candidates_of` all conversations. Twice as many are
kept, so that the first stay complete when some go; once they are not, `with_` says so, and they are to be made anew from all
conversations.
"""

from collections.abc import Callable, Iterable, Mapping
from heapq import nsmallest
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from turnlog.memory.items import KnownFact, KnownName, KnownPreference, KnownTask, is_preference
from turnlog.memory.known import Taught, facts_of, names_of, preferences_of, tasks_of


class Bounds(NamedTuple):
    """Of how many of the newest items of each kind a gist is made."""

    names: int = 8
    preferences: int = 60
    tasks: int = 40
    facts: int = 120


BOUNDS = Bounds()


class Candidates(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest items of each kind, the newest first, each with its first source; `cut` names the kinds of which there are
    older ones. Facts are those beside names and preferences, closed ones too.
    """

    names: tuple[KnownName, ...] = ()
    preferences: tuple[KnownPreference, ...] = ()
    tasks: tuple[KnownTask, ...] = ()
    facts: tuple[KnownFact, ...] = ()
    cut: tuple[str, ...] = ()

    def with_(self, changed: Mapping[str, Taught]) -> "Candidates | None":
        """The candidates once the conversations `changed` teach this, and nothing else; None when older ones are needed."""
        kinds: dict[str, Any] = {}
        cut = []
        for kind, most in BOUNDS._asdict().items():
            left = [item for item in getattr(self, kind) if item.sources[0].conversation_id not in changed]
            was_cut = kind in self.cut
            oldest = _RANKS[kind](getattr(self, kind)[-1]) if was_cut else None
            fresh = [item for item in _items(kind, changed) if oldest is None or _RANKS[kind](item) <= oldest]
            if was_cut and len(left) + len(fresh) < most:
                return None
            kinds[kind] = _newest(kind, [*left, *fresh], most)
            if was_cut or len(left) + len(fresh) > 2 * most:
                cut.append(kind)
        return Candidates(**kinds, cut=tuple(cut))


def candidates_of(taught: Mapping[str, Taught]) -> Candidates:
    """The candidates of all these conversations."""
    found = {kind: list(_items(kind, taught)) for kind in Bounds._fields}
    cut = tuple(kind for kind, most in BOUNDS._asdict().items() if len(found[kind]) > 2 * most)
    return Candidates(**{kind: _newest(kind, found[kind], getattr(BOUNDS, kind)) for kind in found}, cut=cut)


def _items(kind: str, taught: Mapping[str, Taught]) -> Iterable[Any]:
    for id_, told in taught.items():
        for item in _OF[kind](id_, told):
            yield replace(item, sources=item.sources[:1])


def _newest(kind: str, items: Iterable[Any], most: int) -> tuple[Any, ...]:
    return tuple(nsmallest(2 * most, items, key=_RANKS[kind]))


def _other_facts(id_: str, told: Taught) -> Iterable[KnownFact]:
    return (fact for fact in facts_of(id_, told) if fact.slot != "name" and not is_preference(fact.text))


_OF: dict[str, Callable[[str, Taught], Iterable[Any]]] = {
    "names": names_of,
    "preferences": preferences_of,
    "tasks": tasks_of,
    "facts": _other_facts,
}
_RANKS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "names": lambda it: (not it.asked, -it.at, it.sources, it.text),
    "preferences": lambda it: (-it.at, it.sources, it.text, it.polarity),
    "tasks": lambda it: (-it.at, it.sources, it.text),
    # a fact that ended says so to others when it ended, however long ago it was learned
    "facts": lambda it: (-max(it.recorded_at, it.valid_to or 0), it.sources, it.id, it.text, it.valid_from or 0),
}
