"""What differs between two states of a fold, whatever they hold: both are walked as JSON.

Objects are walked field by field. Items of lists are added or removed; two items that share their `id`, or else
their `text` or `name`, are one item, which changed if they differ. Anything else is one value, which changed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

CHANGES_MAX = 20
"""Changes of one conversation that are told one by one."""
_NAMES = ("id", "text", "name")
_encode = msgspec.json.Encoder(order="deterministic").encode


class Change(msgspec.Struct, frozen=True):
    """An item at the dotted `path` in the state; `before` and `after` are JSON values, None where there is no item."""

    kind: Literal["added", "removed", "changed"]
    path: str
    before: Any = None
    after: Any = None


class Difference(msgspec.Struct, frozen=True):
    """How many items were added, removed and changed, and the first of these changes."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    changes: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def plus(self, other: "Difference", *, limit: int = CHANGES_MAX) -> "Difference":
        """Both together, with the first `limit` changes."""
        changes = (*self.changes, *other.changes)[:limit]
        return Difference(self.added + other.added, self.removed + other.removed, self.changed + other.changed, changes)


def diff(before: bytes | None, after: bytes | None, *, limit: int = CHANGES_MAX) -> Difference:
    """How the stored state `after` differs from `before`; None stands for no state. The first `limit` changes are told."""
    if before == after:
        return Difference()
    changes = list(_walk("", *_read(before, after)))
    counts = Counter(change.kind for change in changes)
    return Difference(counts["added"], counts["removed"], counts["changed"], tuple(changes[:limit]))


def _read(*states: bytes | None) -> list[Any]:
    """The states as JSON; one that is none as its length, and one that is not there as empty."""
    read = [None if state is None else _json(state) for state in states]
    empty: Any = {} if any(isinstance(state, dict) for state in read) else None
    return [empty if state is None else state for state in read]


def _json(state: bytes) -> Any:
    try:
        return msgspec.json.decode(state)
    except msgspec.DecodeError:
        return f"{len(state)} bytes"


def _walk(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys((*before, *after)):
            yield from _walk(f"{path}.{name}" if path else name, before.get(name), after.get(name))
    elif isinstance(before, list | None) and isinstance(after, list | None):
        yield from _lists(path, before or [], after or [])
    elif before is None or after is None:
        yield Change("added" if before is None else "removed", path, before, after)
    elif before != after or not path:
        yield Change("changed", path, before, after)


def _lists(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    """What was added to a list, removed from it and changed in it; the order of the items does not matter."""
    # an item that only changed stands on both sides: they are paired by what names them, and the rest is new or gone
    new = dict(enumerate(_without(after, before)))
    by_name = {name: place for place, item in new.items() if (name := _name(item))}
    for item in _without(before, after):
        place = by_name.pop(_name(item) or ("", ""), None)
        if place is None:
            yield Change("removed", path, before=item)
        else:
            yield Change("changed", path, item, new.pop(place))
    yield from (Change("added", path, after=item) for item in new.values())


def _without(items: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """Return the items that `others` lacks; an item that occurs more often in `items` is returned for each time more."""
    left = Counter(map(_encode, others))
    kept = []
    for item in items:
        text = _encode(item)
        if left[text] > 0:
            left[text] -= 1
        else:
            kept.append(item)
    return kept


def _name(item: Any) -> tuple[str, str] | None:
    """What an item is known by, None if by nothing but itself."""
    if not isinstance(item, dict):
        return None
    return next(((name, item[name]) for name in _NAMES if isinstance(item.get(name), str)), None)
