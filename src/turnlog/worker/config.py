"""How hard a runner works, and when it leaves a conversation alone."""

from random import Random
from typing import Annotated

import msgspec

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class WorkerConfig(msgspec.Struct, frozen=True):
    """What a `Runner` may be told. All times are in seconds."""

    concurrency: Count = 8
    """Conversations that are worked on at once."""
    batch: Count = 200
    """Most messages in one step."""
    pause_s: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """How long nobody must have touched a conversation before it is folded, unless `backlog_min` messages wait."""
    backlog_min: Count = 50
    """How many messages of a busy conversation are folded without waiting for its pause."""
    turn_s: Positive = 1.0
    """How long a conversation keeps its place; after the step that is under way then, it is another's turn."""
    step_s: Positive = 300.0
    """How long a step may take before it has failed."""
    poll_s: Positive = 1.0
    """How often the store is asked for conversations that are behind."""
    backoff_s: Positive = 1.0
    """How long a conversation rests after its first failure; twice as long after each further one."""
    backoff_max_s: Positive = 3600.0
    """The longest such rest."""
    stop_s: Positive = 8.0
    """How long steps under way may go on after `stop`; then they are broken off, and done again by whoever comes next."""
    recheck_s: Positive = 30.0
    """How long a resting conversation is not looked at: a retry by hand from another process is seen that late."""

    def rest(self, failures: int, random: Random) -> int:
        """How long to rest after so many failures in a row, in microseconds: of the doubled time, half to all."""
        longest = min(self.backoff_max_s, self.backoff_s * 2.0 ** min(failures - 1, 60))
        return micros(longest * random.uniform(0.5, 1.0))


def micros(seconds: float) -> int:
    """In microseconds."""
    return round(seconds * 1_000_000)
