"""`python -m bench.soak [--store KIND|URL] [--minutes N] [--rate R] [--workers N]`: mixed traffic on a real service.

Prints what each process takes minute by minute, and whether it stays flat; writes the same, and JSON, to results/.
KIND is sqlite, postgres, valkey or cluster, of which a real server is begun. Ends with 1 if a bound was broken.
"""

import argparse
import asyncio
import contextlib
import math
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from tests.support.postgres import postgres
from tests.support.service import Service, serving
from tests.support.valkey import valkey, valkey_cluster

from bench.measure import Table, environment, load, markdown
from bench.soaking.traffic import Traffic
from bench.soaking.verdict import Soaked
from bench.soaking.watch import Watch

RESULTS = Path(__file__).parent / "results"
WARM_S = 300.0
"""From here on memory is to be flat; half of a shorter run."""
FOLDING = {"TURNLOG_FOLD": "process", "TURNLOG_FOLD_PAUSE_S": "0.5"}


@contextlib.contextmanager
def store(kind: str, scratch: Path) -> Iterator[str]:
    """The URL of a store of this kind."""
    if kind == "sqlite":
        yield f"sqlite:///{scratch}/soak.db"
    elif kind == "postgres":
        with postgres(scratch / "postgres", fsync="on", synchronous_commit="on") as database:
            yield database.url()
    elif kind == "valkey":
        with valkey() as server:
            yield server.url
    elif kind == "cluster":
        with valkey_cluster() as cluster:
            yield cluster.url
    else:
        yield kind


async def soak(service: Service, seconds: float, rate: float, seed: int) -> tuple[Soaked, Traffic, Watch]:
    """Keep the service busy, and look on."""
    traffic, watch = Traffic(service.url, rate=rate, seed=seed), Watch(service.process.pid)
    begun = time.monotonic()
    both = asyncio.gather(traffic.run(), watch.run())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(both, seconds)
    return Soaked(watch.samples, traffic.answers, begun, seconds, min(WARM_S, seconds / 2)), traffic, watch


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak")
    parser.add_argument("--store", default="sqlite", help="sqlite, postgres, valkey, cluster, or a URL")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--growth", type=float, default=1.0, help="megabytes a minute that a process may grow by")
    parser.add_argument("--growth-by-work", type=float, default=math.inf, help="megabytes for each second of a processor")
    parser.add_argument("--end", type=float, default=1.1, help="of its size at half time that a process may end with")
    parser.add_argument("--p99", type=float, default=2.0, help="of the first half that the second half's p99 may be")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the report goes")
    given = parser.parse_args()
    before = load()
    with tempfile.TemporaryDirectory(prefix="turnlog-soak-") as scratch, store(given.store, Path(scratch)) as url:
        with serving(url, workers=given.workers, directory=Path(scratch), environ=FOLDING) as service:
            soaked, traffic, watch = asyncio.run(soak(service, given.minutes * 60, given.rate, given.seed))
        complaints = (Path(scratch) / "service.log").read_text()
    goals = soaked.goals(
        growth_mb_per_minute=given.growth,
        growth_mb_per_cpu_s=given.growth_by_work,
        end_ratio=given.end,
        p99_ratio=given.p99,
        replaced=len(watch.replaced),
        broken=traffic.broken,
    )
    note = (
        f"{given.minutes:g} minutes, {given.rate:g} requests a second, workers: {given.workers}. "
        f"Load average {before} before, {load()} after. Answers: "
        + ", ".join(f"{what} {count}" for what, count in sorted(traffic.counts.items()))
    )
    samples = {role: [list(sample) for sample in taken] for role, taken in watch.samples.items()}
    slowest = sorted(traffic.answers, key=lambda answer: -answer.seconds)[:100]
    table = Table(f"Soak of {given.store}", note, soaked.columns(), soaked.rows(), goals, {})
    report = markdown(table)
    print(report, complaints[-2000:], sep="\n", flush=True)
    _save(
        given.results,
        report,
        {
            "environment": environment(),
            "table": table,
            "samples": samples,
            "slowest": slowest,
            "complaints": complaints[-100_000:],
        },
    )
    return 0 if all(goal.reached for goal in goals) else 1


def _save(results: Path, report: str, everything: dict[str, object]) -> None:
    results.mkdir(exist_ok=True)
    name = f"soak-{time.strftime('%Y-%m-%dT%H%M%S')}"
    (results / f"{name}.md").write_text(report)
    (results / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(everything)))


if __name__ == "__main__":
    sys.exit(main())
