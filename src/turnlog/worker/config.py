"""Configuration of a runner."""

from random import Random
from typing import Annotated

import msgspec

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class WorkerConfig(msgspec.Struct, frozen=True):
    """Configures a `Runner`. All times are in seconds."""

    concurrency: Count = 8
    """Conversations that are folded at once."""
    batch: Count = 200
    """Most messages in one step."""
    pause_s: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """How long a conversation must be untouched before it is folded, unless `backlog_min` messages wait."""
    backlog_min: Count = 50
    """How many messages of a busy conversation are folded without waiting for its pause."""
    turn_s: Positive = 1.0
    """How long a turn lasts; the step that runs at its end is finished, then another conversation has its turn."""
    step_s: Positive = 300.0
    """How long a step may take before it counts as failed."""
    poll_s: Positive = 1.0
    """How often the store is asked for conversations that are behind."""
    backoff_s: Positive = 1.0
    """How long a conversation rests after its first failure; twice as long after each further one."""
    backoff_max_s: Positive = 3600.0
    """Longest rest after a failure."""
    stop_s: Positive = 8.0
    """How long running steps may go on after `stop`; then they are cancelled, and another worker repeats them."""
    recheck_s: Positive = 30.0
    """How long a resting conversation is ignored; a retry from another process takes effect within this time."""

    def rest(self, failures: int, random: Random) -> int:
        """Return the rest after so many failures in a row, in microseconds: a random half to all of the doubled time."""
        longest = min(self.backoff_max_s, self.backoff_s * 2.0 ** min(failures - 1, 60))
        return micros(longest * random.uniform(0.5, 1.0))


def micros(seconds: float) -> int:
    """Convert seconds to microseconds."""
    return round(seconds * 1_000_000)
