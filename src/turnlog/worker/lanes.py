"""Whose turn it is. A lane is what waits for one fold in one tenant; nothing here knows a store or a clock."""

from collections.abc import Sequence
from random import Random
from typing import Any

from turnlog.fold import Fold
from turnlog.ports import Key, Stale

LOOK_AHEAD = 1000
"""Conversations that are asked for at once, beside those that are known not to be ready."""


class Lane:
    """What waits for `fold` in `tenant`: `ready` to be worked on from the last to the first, `running`, `pausing` until a
    moment unless many messages wait, or `resting` until a moment.
    """

    def __init__(self, tenant: str, fold: Fold[Any]) -> None:
        self.tenant = tenant
        self.fold = fold
        self.ready: list[str] = []
        self.running: set[str] = set()
        self.pausing: dict[str, int] = {}
        self.resting: dict[str, int] = {}
        self.scanned_at = 0
        self.scan_at = 0
        self.cut_short = False
        self.served = 0

    def wanted(self, now: int) -> int:
        """How many to ask the store for, so that those that cannot be worked on hide none that can.

        When the clock has gone back, nobody's rest is known any more.
        """
        if now < self.scanned_at:
            self.pausing, self.resting = {}, {}
        self.pausing = {id_: until for id_, until in self.pausing.items() if until > now}
        self.resting = {id_: until for id_, until in self.resting.items() if until > now}
        return LOOK_AHEAD + len(self.pausing) + len(self.resting) + len(self.running)

    def take_in(self, found: Sequence[Stale], wanted: int, waiting: int, random: Random) -> None:
        """Make ready what was found behind, in an order that another worker is unlikely to follow; `waiting` messages end
        a pause.
        """
        self.ready = [
            stale.conversation_id
            for stale in found
            if stale.conversation_id not in self.running
            and stale.conversation_id not in self.resting
            and (stale.conversation_id not in self.pausing or stale.head - stale.watermark >= waiting)
        ]
        random.shuffle(self.ready)
        self.cut_short = len(found) >= wanted

    def due_at(self, now: int) -> int:
        """When to ask the store again: when it is time, or at once if there was more than it was asked for or the clock has
        gone back.
        """
        return 0 if self.cut_short or now < self.scanned_at else self.scan_at

    def begin(self, turn: int) -> Key:
        """Take one that is ready, in the runner's turn of this number."""
        id_ = self.ready.pop()
        self.running.add(id_)
        self.served = turn
        return Key(self.tenant, id_)

    def end(self, key: Key, *, rest_until: int = 0, pausing: bool = False, more: bool = False) -> None:
        """Its turn is over; with `more` it is ready again, behind the others."""
        self.running.discard(key.conversation_id)
        if rest_until:
            (self.pausing if pausing else self.resting)[key.conversation_id] = rest_until
        elif more:
            self.ready.insert(0, key.conversation_id)

    def retry(self, key: Key) -> None:
        """Make it ready now, before all others, unless it is worked on."""
        self.resting.pop(key.conversation_id, None)
        if key.conversation_id not in self.running:
            self.ready.append(key.conversation_id)


def next_lane(lanes: Sequence[Lane]) -> Lane | None:
    """The lane whose turn it is: of the tenant that has the fewest places, then of its fold with the fewest, then the one
    that was served longest ago; None when nothing is ready.
    """
    places: dict[str, int] = {}
    for lane in lanes:
        places[lane.tenant] = places.get(lane.tenant, 0) + len(lane.running)
    ready = [lane for lane in lanes if lane.ready]
    return min(ready, key=lambda lane: (places[lane.tenant], len(lane.running), lane.served), default=None)
