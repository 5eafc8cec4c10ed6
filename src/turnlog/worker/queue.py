"""Decides which conversation is folded next. A lane holds what waits for one fold in one tenant; no I/O, no clock."""

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from turnlog.fold import Fold
from turnlog.store import Key, Stale

LOOK_AHEAD = 1000
"""Conversations that one scan asks for, in addition to those that are known not to be ready."""
WHOLE = 300 * 1_000_000
"""Microseconds between scans of all conversations; scans in between see those that were touched since the last one."""
SLACK = 600 * 1_000_000
"""Microseconds by which the clocks of writers may be behind without delaying a conversation."""


class Lane:
    """The conversations that wait for `fold` in `tenant`.

    A conversation is `ready` (taken from the end of the list), `running`, `pausing` until a time unless many messages wait,
    `resting` until a time after a failure, or `idle` and ignored until a time. The lane itself makes conversations ready
    again whose pause or rest is over, since the store may not report them: nobody has touched them since.
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
        """Return how many conversations to ask the store for, so that those that cannot be folded now hide none that can.

        If the clock has gone back, all rests and pauses are forgotten.
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
        """Return the time from which on the store has to look at touched conversations; 0 for all."""
        return 0 if now >= self.whole_at else self.touched_since

    def take_in(self, found: Sequence[Stale], wanted: int, waiting: int, salt: int, *, begun: int, since: int) -> None:
        """Make conversations ready that a scan found behind or whose rest is over; `waiting` messages end a pause.
        The scan began at `begun` and covered conversations touched since `since`.

        The order is a hash with `salt`, which all lanes of a worker share: its folds read a conversation soon after each
        other, and two workers seldom want the same one.
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
        """Forget the ready conversations and scan everything next."""
        self.ready.clear()
        self.cut_short = False
        self.whole_at = 0

    def due_at(self, now: int) -> int:
        """Return when to scan again: as planned, or at once if the last scan was cut short or the clock has gone back."""
        return 0 if self.cut_short or now < self.scanned_at else self.scan_at

    def begin(self, turn: int) -> Key:
        """Take a ready conversation; `turn` is the runner's count of turns."""
        id_ = self.ready.pop()
        self.running.add(id_)
        self.served = turn
        return Key(self.tenant, id_)

    def end(self, key: Key, *, rest_until: int = 0, pausing: bool = False, idle: bool = False, more: bool = False) -> None:
        """End the turn of a conversation; with `more` it is ready again, behind the others."""
        self.running.discard(key.conversation_id)
        if rest_until:
            rests = self.pausing if pausing else self.idle if idle else self.resting
            rests[key.conversation_id] = rest_until
        elif more:
            # taken from the end: this is behind all others, so that a long log delays nobody by more than a turn
            self.ready.insert(0, key.conversation_id)

    def retry(self, key: Key) -> None:
        """Make a conversation ready before all others, unless it is running."""
        self.resting.pop(key.conversation_id, None)
        self.idle.pop(key.conversation_id, None)
        if key.conversation_id not in self.running:
            self.ready.append(key.conversation_id)


def next_lane(lanes: Sequence[Lane]) -> Lane | None:
    """Return the lane to serve next: of the tenant with the fewest running jobs, then of its fold with the fewest, then the
    one served longest ago; None if nothing is ready (decision 041).
    """
    places: dict[str, int] = {}
    for lane in lanes:
        places[lane.tenant] = places.get(lane.tenant, 0) + len(lane.running)
    ready = [lane for lane in lanes if lane.ready]
    return min(ready, key=lambda lane: (places[lane.tenant], len(lane.running), lane.served), default=None)
