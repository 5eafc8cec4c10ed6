"""A clock that stands still until it is told otherwise."""

_START = 1_700_000_000_000_000


class FakeClock:
    """Gives the same moment, in microseconds since 1970 UTC, until `advance` moves it; fits `Turnlog(clock=…)`."""

    def __init__(self, now: int = _START) -> None:
        self.now = now

    def __call__(self) -> int:
        """The moment."""
        return self.now

    def advance(self, *, seconds: float = 0.0, micros: int = 0) -> int:
        """Move on, or back if negative; the new moment."""
        self.now += round(seconds * 1_000_000) + micros
        return self.now
