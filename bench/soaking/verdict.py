"""Whether what was measured is flat."""

import statistics
from collections import Counter
from collections.abc import Sequence

from bench.measure import Goal, percentile
from bench.soaking.traffic import Answer
from bench.soaking.watch import Sample

_SLOW = {"refresh", "export", "erase user"}
"""What takes as long as there is to do."""
P99_FLOOR_S = 0.050
"""Below this, how long requests take is a matter of what else the machine does."""


def window(samples: Sequence[Sample], field: str, begin_s: float, end_s: float) -> float:
    """The median of `field` in the samples between two moments."""
    values = [getattr(sample, field) for sample in samples if begin_s <= sample.at_s <= end_s]
    return statistics.median(values) if values else 0.0


class Soaked:
    """What came of `seconds` of traffic, judged from `warm_s` on in windows of `window_s`."""

    def __init__(
        self, samples: dict[str, list[Sample]], answers: Sequence[Answer], begun: float, seconds: float, warm_s: float
    ) -> None:
        self.samples = samples
        self.answers = answers
        self.begun = begun
        self.seconds = seconds
        self.warm_s = warm_s
        self.window_s = min(60.0, seconds / 8)

    def goals(
        self,
        *,
        growth_mb_per_minute: float,
        growth_mb_per_cpu_s: float,
        end_ratio: float,
        p99_ratio: float,
        replaced: int,
        broken: int,
    ) -> list[Goal]:
        """Each bound, and what was measured."""
        goals = []
        for role, samples in self.samples.items():
            first, half, last = (
                self._at(samples, "rss_mb", place) for place in (self.warm_s, self.seconds / 2, self.seconds)
            )
            minutes = (self.seconds - self.warm_s - self.window_s) / 60
            goals.append(Goal(f"{role}: growth, MB a minute", (last - first) / minutes, growth_mb_per_minute))
            worked = self._at(samples, "cpu_s", self.seconds) - self._at(samples, "cpu_s", self.warm_s)
            goals.append(Goal(f"{role}: growth, MB a second of work", (last - first) / max(worked, 1), growth_mb_per_cpu_s))
            goals.append(Goal(f"{role}: at the end, times half time", last / half, end_ratio))
            if role == "folding":
                goals.append(Goal("folding: seconds of work", worked, 1.0, at_least=True))
            for field in ("descriptors", "threads"):
                before, after = (self._at(samples, field, place) for place in (self.seconds / 2, self.seconds))
                goals.append(Goal(f"{role}: more {field} than at half time", after - before, 3))
        early, late = (
            self._p99(min(self.warm_s, self.seconds / 4), self.seconds / 2),
            self._p99(self.seconds / 2, self.seconds),
        )
        goals.append(Goal("p99 of the second half, times the first", late / max(early, P99_FLOOR_S), p99_ratio))
        statuses = Counter(answer.status for answer in self.answers)
        goals.append(Goal("answers 5xx", sum(count for status, count in statuses.items() if status >= 500), 0))
        goals.append(Goal("processes replaced", replaced, 0))
        goals.append(Goal("connections broken", broken, 0))
        return goals

    def rows(self) -> list[tuple[str, ...]]:
        """Minute by minute: requests, their p50 and p99, and for each process its memory, descriptors and threads."""
        rows = []
        step = max(60.0, self.seconds / 30)
        for n in range(round(self.seconds / step)):
            begin, end = n * step, (n + 1) * step
            took = self._took(begin, end)
            row = [f"{end / 60:.0f}", f"{len(took) / step:.0f}", _ms(took, 50), _ms(took, 99)]
            for samples in self.samples.values():
                fields = ("rss_mb", "own_mb", "descriptors", "threads")
                rss, own, fds, threads = (window(samples, field, begin, end) for field in fields)
                within = [sample.cpu_s for sample in samples if begin <= sample.at_s <= end] or [0.0]
                row.append(f"{rss:.1f} ({own:.1f}), {fds:.0f}, {threads:.0f}, {within[-1] - within[0]:.1f}")
            rows.append(tuple(row))
        return rows

    def columns(self) -> tuple[str, ...]:
        """The names of what is in the rows."""
        return (
            "minute",
            "requests/s",
            "p50 ms",
            "p99 ms",
            *(f"{role}: RSS (own) MB, fds, threads, work s" for role in self.samples),
        )

    def _at(self, samples: Sequence[Sample], field: str, place_s: float) -> float:
        """`field` in the window that begins at the warm mark, or ends at any other place."""
        begin = place_s if place_s == self.warm_s else place_s - self.window_s
        return window(samples, field, begin, begin + self.window_s)

    def _took(self, begin_s: float, end_s: float) -> list[float]:
        return [each.seconds for each in self.answers if begin_s <= each.at - self.begun < end_s and each.what not in _SLOW]

    def _p99(self, begin_s: float, end_s: float) -> float:
        """The median of the windows' p99: one slow moment of the machine is in one of them."""
        edges = [begin_s + n * self.window_s for n in range(int((end_s - begin_s) / self.window_s))]
        windows = [took for edge in edges if (took := self._took(edge, edge + self.window_s))]
        return statistics.median(percentile(took, 99) for took in windows) if windows else 0.0


def _ms(took: Sequence[float], percent: int) -> str:
    return f"{percentile(took, percent) * 1000:.1f}" if took else "-"
