"""What may go into a digest: the newest names, preferences, requests and facts of all of a user's conversations.

They are kept so that a digest is made without a look at all conversations, of which there may be hundreds: decision 046.
What many conversations say in the same words is here once, as it was said last, so that it does not crowd out the rest.

Law: after any `with_` the first `BOUNDS` of each kind are those of `candidates_of` all conversations. Twice as many are
kept, so that the first stay complete when some go. Where older items are needed `with_` says so, and they are to be made
anew from all conversations.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
from msgspec.structs import replace

from turnlog.memory.user.items import KnownFact, KnownName, KnownPreference, KnownTask, is_preference
from turnlog.memory.user.model import Contribution, facts_of, names_of, preferences_of, tasks_of


class DigestBounds(NamedTuple):
    """Of how many of the newest items of each kind a digest is made."""

    names: int = 4
    preferences: int = 45
    tasks: int = 30
    facts: int = 90


BOUNDS = DigestBounds()


class Candidates(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest items of each kind, the newest first, each with its first source. Facts are those beside names and
    preferences, closed ones too.

    `cut` names the kinds of which there are older items; `repeated` marks items that an older conversation states as well.
    """

    names: tuple[KnownName, ...] = ()
    preferences: tuple[KnownPreference, ...] = ()
    tasks: tuple[KnownTask, ...] = ()
    facts: tuple[KnownFact, ...] = ()
    cut: tuple[str, ...] = ()
    repeated: tuple[int, ...] = ()

    def with_(self, changed: Mapping[str, Contribution]) -> "Candidates | None":
        """The candidates once the conversations `changed` contribute this and no more; None when older ones are needed."""
        lists: dict[str, _List] = {}
        same = True
        for kind, most in BOUNDS._asdict().items():
            before = _List.of(self, kind)
            after = before.with_(list(_items(kind, changed)), changed.keys())
            if after is None or (after.cut and len(after.items) < most):
                return None
            same &= after is before
            lists[kind] = after
        return self if same else _candidates(lists)


def candidates_of(contributions: Mapping[str, Contribution]) -> Candidates:
    """The candidates of all these conversations."""
    return _candidates({kind: _List.made(kind, _items(kind, contributions)) for kind in DigestBounds._fields})


class _List(NamedTuple):
    """Candidates of one kind."""

    kind: str
    items: Sequence[Any] = ()
    cut: bool = False
    repeated: frozenset[int] = frozenset()

    @classmethod
    def of(cls, found: Candidates, kind: str) -> "_List":
        return cls(kind, getattr(found, kind), kind in found.cut, frozenset(found.repeated))

    @classmethod
    def made(cls, kind: str, items: Iterable[Any], *, cut: bool = False, repeated: frozenset[int] = frozenset()) -> "_List":
        """Of `items` that say the same, the newest, and of all these twice as many as a digest is made of."""
        newest: dict[tuple[Any, ...], Any] = {}
        again = set()
        for item in sorted(items, key=_RANKS[kind]):
            if newest.setdefault(_KEYS[kind](item), item) is not item:
                again.add(_mark(kind, item))
        kept = list(newest.values())[: 2 * getattr(BOUNDS, kind)]
        marks = {_mark(kind, item) for item in kept} & (again | repeated) if again or repeated else ()
        return cls(kind, kept, cut or len(newest) > len(kept), frozenset(marks))

    def with_(self, fresh: Sequence[Any], changed: Iterable[str]) -> "_List | None":
        """The list when the conversations `changed` have the `fresh` items; None when older ones are needed."""
        rank, key, changed = _RANKS[self.kind], _KEYS[self.kind], set(changed)
        said = {(key(item), item.sources[0].conversation_id): rank(item) for item in reversed(fresh)}
        left, gone = [], []
        for item in self.items:
            id_ = item.sources[0].conversation_id
            if id_ not in changed:
                left.append(item)
                continue
            gone.append(item)
            if _mark(self.kind, item) in self.repeated and not said.get((key(item), id_), _LAST) <= rank(item):
                return None  # it may be the turn of an older conversation that says the same
        if self.cut:  # what is older than all that is here may not be the newest of what is not
            oldest, here = rank(self.items[-1]), {key(item) for item in left}
            fresh = [item for item in fresh if rank(item) <= oldest or key(item) in here]
        if gone == sorted(fresh, key=rank):
            return self
        return self.made(self.kind, [*left, *fresh], cut=self.cut, repeated=self.repeated)


def _candidates(lists: Mapping[str, _List]) -> Candidates:
    return Candidates(
        **{kind: tuple(it.items) for kind, it in lists.items()},
        cut=tuple(kind for kind, it in lists.items() if it.cut),
        repeated=tuple(sorted(set().union(*(it.repeated for it in lists.values())))),
    )


def _items(kind: str, contributions: Mapping[str, Contribution]) -> Iterable[Any]:
    for id_, contribution in contributions.items():
        for item in _OF[kind](id_, contribution):
            yield replace(item, sources=item.sources[:1])


def _other_facts(id_: str, contribution: Contribution) -> Iterable[KnownFact]:
    return (fact for fact in facts_of(id_, contribution) if fact.slot != "name" and not is_preference(fact.text))


def _mark(kind: str, item: Any) -> int:
    """Stands for what the item says; two that share a mark cost work, no more."""
    return crc32(repr(_KEYS[kind](item)).encode(errors="surrogatepass"), len(kind))


_LAST = (float("inf"),)
"""A rank behind all others."""
_OF: dict[str, Callable[[str, Contribution], Iterable[Any]]] = {
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
_KEYS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "names": lambda it: (it.text, it.asked),
    "preferences": lambda it: (it.polarity, it.text.casefold()),
    "tasks": lambda it: (it.text.casefold(),),
    # one that tells since when stays beside one that does not
    "facts": lambda it: (it.id, 0 if it.valid_from == it.recorded_at else it.valid_from, it.valid_to is None),
}
