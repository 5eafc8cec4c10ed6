"""What each process of a service takes, read from /proc."""

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

SAMPLE_S = 2.0


class Sample(NamedTuple):
    """At `at_s` after the beginning: megabytes in memory and megabytes that are its own, descriptors, threads, and the
    seconds of a processor that it has had.
    """

    at_s: float
    rss_mb: float
    own_mb: float
    descriptors: int
    threads: int
    cpu_s: float


class Watch:
    """Samples of all processes below `root`, by role; `replaced` tells of those that ended, `lost` of pids by role."""

    def __init__(self, root: int) -> None:
        self.root = root
        self.samples: dict[str, list[Sample]] = {}
        self.replaced: list[str] = []
        self._pids: dict[str, int] = {}
        self._begun = time.monotonic()

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            self.sample()
            await asyncio.sleep(SAMPLE_S)

    def sample(self) -> None:
        """Take one sample of each process."""
        at_s = time.monotonic() - self._begun
        for role, pid in self._processes().items():
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                self.samples.setdefault(role, []).append(_sample(pid, at_s))

    def _processes(self) -> dict[str, int]:
        pids = {role_of(pid): pid for pid in descendants(self.root)}
        workers = sorted(pid for pid in descendants(self.root) if role_of(pid) == "worker")
        pids.pop("worker", None)
        pids.pop("", None)
        pids |= {f"worker {n}": pid for n, pid in enumerate(workers, 1)}
        for role, pid in self._pids.items():
            if pids.get(role) != pid:
                self.replaced.append(f"{role} ({pid})")
        self._pids = pids
        return {"serving": self.root, **pids}


def descendants(pid: int) -> list[int]:
    """The processes below `pid`."""
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (thread / "children").read_text().split()):
                found += [child, *descendants(child)]
    return found


def role_of(pid: int) -> str:
    """`folding`, `worker`, or nothing."""
    with suppress(FileNotFoundError, ProcessLookupError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        return "folding" if b"turnlog.worker_process" in command else "worker" if b"spawn_main" in command else ""
    return ""


def _sample(pid: int, at_s: float) -> Sample:
    place = Path(f"/proc/{pid}")
    rollup = dict(line.split()[:2] for line in (place / "smaps_rollup").read_text().splitlines()[1:])
    status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
    own = int(rollup["Private_Clean:"]) + int(rollup["Private_Dirty:"])
    opened = sum(1 for _ in (place / "fd").iterdir())
    user, system = (place / "stat").read_text().rpartition(")")[2].split()[11:13]
    cpu_s = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return Sample(at_s, int(rollup["Rss:"]) / 1024, own / 1024, opened, int(status["Threads"]), cpu_s)
