"""Whose turn it is. A lane is what waits for one fold in one tenant; nothing here knows a store or a clock."""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from turnlog.fold import Fold
from turnlog.store import Key, Stale

LOOK_AHEAD = 1000
"""Conversations that are asked for at once, beside those that are known not to be ready."""
WHOLE = 300 * 1_000_000
"""How often all conversations are looked at, in microseconds: in between, those that were touched."""
SLACK = 600 * 1_000_000
"""How far the clocks of who writes may be behind, in microseconds, without a conversation having to wait for that."""


class Lane:
    """What waits for `fold` in `tenant`: `ready` to be worked on from the last to the first, `running`, `pausing` until a
    moment unless many messages wait, `resting` until a moment, or `idle`, and not asked about until a moment.

    Who rests or pauses is looked at again by itself: it is behind, and nobody may touch it any more.
    """

    def __init__(self, tenant: str, fold: Fold[Any]) -> None:
        self.tenant = tenant
        self.fold = fold
        self.ready: list[str] = []
        self.running: set[str] = set()
        self.pausing: dict[str, int] = {}
        self.resting: dict[str, int] = {}
        self.idle: dict[str, int] = {}
        self.rested: list[str] = []
        self.touched_since = 0
        self.whole_at = 0
        self.scanned_at = 0
        self.scan_at = 0
        self.cut_short = False
        self.served = 0

    def wanted(self, now: int) -> int:
        """How many to ask the store for, so that those that cannot be worked on hide none that can.

        When the clock has gone back, nobody's rest is known any more.
        """
        # decision 041: moments of a clock that was ahead would keep everybody resting until it gets there again
        if now < self.scanned_at:
            self.pausing, self.resting, self.idle, self.whole_at = {}, {}, {}, 0
        for rests in (self.pausing, self.resting):
            over = [id_ for id_, until in rests.items() if until <= now]
            self.rested += over
            for id_ in over:
                del rests[id_]
        self.idle = {id_: until for id_, until in self.idle.items() if until > now}
        # the store does not know who rests; as many more are asked for, or they would fill every answer
        return LOOK_AHEAD + len(self.pausing) + len(self.resting) + len(self.idle) + len(self.running)

    def since(self, now: int) -> int:
        """From which touch on the store has to look: 0, at everything."""
        return 0 if now >= self.whole_at else self.touched_since

    def take_in(self, found: Sequence[Stale], wanted: int, waiting: int, salt: int, *, begun: int, since: int) -> None:
        """Make ready what was found behind and who has rested; `waiting` messages end a pause. The scan began at `begun` and
        looked from `since` on.

        The order follows from `salt`: all lanes of a worker have the same, so that its folds read a conversation one soon
        after the other, and another worker another one.
        """
        ready = [
            stale.conversation_id
            for stale in found
            if stale.conversation_id not in self.resting
            and stale.conversation_id not in self.idle
            and (stale.conversation_id not in self.pausing or stale.head - stale.watermark >= waiting)
        ]
        self.ready = [id_ for id_ in dict.fromkeys([*ready, *self.rested, *self.ready]) if id_ not in self.running]
        self.rested = []
        self.ready.sort(key=lambda id_: crc32(id_.encode(), salt))
        self.cut_short = len(found) >= wanted
        if not self.cut_short:
            # decision 041: a writer whose clock is behind touches with a time that lies before this scan
            self.touched_since = max(begun - SLACK, 0)
            self.whole_at = self.whole_at if since else begun + WHOLE

    def forget(self) -> None:
        """Know of nobody who is ready; look at everything next."""
        self.ready.clear()
        self.cut_short = False
        self.whole_at = 0

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

    def end(self, key: Key, *, rest_until: int = 0, pausing: bool = False, idle: bool = False, more: bool = False) -> None:
        """Its turn is over; with `more` it is ready again, behind the others."""
        self.running.discard(key.conversation_id)
        if rest_until:
            rests = self.pausing if pausing else self.idle if idle else self.resting
            rests[key.conversation_id] = rest_until
        elif more:
            # taken from the end: this is behind all others, so that a long log delays nobody by more than a turn
            self.ready.insert(0, key.conversation_id)

    def retry(self, key: Key) -> None:
        """Make it ready now, before all others, unless it is worked on."""
        self.resting.pop(key.conversation_id, None)
        self.idle.pop(key.conversation_id, None)
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
