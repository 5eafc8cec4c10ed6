"""`python -m bench.against COMMIT [--rounds N] [SECTION …]`: the sections of that commit and of this tree, in turn.

Each side runs its own `bench --quick --no-peers` in its own process, with its own cache; the sides take turns, and which
one begins alternates. A line of the report is one series of samples that both sides have: the medians of both, and the
median over the rounds of how much faster this tree is (above 1: faster). Series of bare drivers run no line of turnlog:
how far they are from 1 is the noise of the run. The exit code is 1 when a series of turnlog is below `BOUND`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from bench.measure import median, ratios

BOUND = 0.95
SECTIONS = ("sqlite", "stores", "http", "context", "memory")
TREE = Path(__file__).parents[1]
COSTS = ("µs", " ms", "idle", "busy", "beside")
"""What the names of series that count time have in them; the others are rates."""
CONTROLS = ("bare", "driver", "ratio by round", "loads")
Series = dict[str, list[float]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.against")
    parser.add_argument("commit")
    parser.add_argument("sections", nargs="*", metavar="SECTION", default=SECTIONS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_intermixed_args()
    slow = False
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch, "base")
        _git("worktree", "add", "--detach", "--quiet", str(base), options.commit)
        try:
            print(f"# {options.commit} and this tree, {options.rounds} rounds\n")
            for section in options.sections:
                slow |= _report(section, *_compare(section, base, Path(scratch), options.rounds))
        finally:
            _git("worktree", "remove", "--force", str(base))
    return int(slow)


def _compare(section: str, base: Path, scratch: Path, rounds: int) -> tuple[Series, Series]:
    """The medians of each series, a value a round, of both sides."""
    before: Series = defaultdict(list)
    after: Series = defaultdict(list)
    for turn in range(rounds):
        sides = [(base, before), (TREE, after)]
        for tree, medians in sides if turn % 2 == 0 else reversed(sides):
            for name, value in _run(tree, section, scratch / f"cache-{tree.name}").items():
                medians[name].append(value)
    return before, after


def _run(tree: Path, section: str, cache: Path) -> dict[str, float]:
    """Run a section in `tree`; the medians of its series, and of its rates that stand in the table alone."""
    results = tree / "bench" / "results"
    seen = set(results.glob("*.json"))
    command = [sys.executable, "-m", "bench", "--quick", "--no-peers", "--cache", str(cache), section]
    environment = {**os.environ, "PYTHONPATH": f"{tree}{os.pathsep}{tree / 'src'}"}
    ran = subprocess.run(command, check=False, cwd=tree, env=environment, capture_output=True, text=True)
    written = set(results.glob("*.json")) - seen
    if not written:  # its exit code is 1 when a goal is missed, which is nothing to stop at
        raise SystemExit(f"{section} of {tree} has no result:\n{ran.stderr}")
    table = json.loads(written.pop().read_bytes())["tables"][section]
    rates = {row[0]: float(row[1].replace(",", "")) for row in table["rows"] if row[0].endswith("a CPU second")}
    return {name: median(values) for name, values in table["samples"].items() if values} | rates


def _report(section: str, before: Series, after: Series) -> bool:
    print(f"## {section}\n\n| series | before | after | after / before as speed |\n| --- | ---: | ---: | ---: |")
    slow = False
    for name in (name for name in before if name in after):
        faster = ratios(after[name], before[name])
        if any(word in name for word in COSTS):
            faster = [1 / ratio for ratio in faster]
        below = median(faster) < BOUND and not any(word in name for word in CONTROLS)
        spread = f"{median(faster):.2f} ({min(faster):.2f} to {max(faster):.2f})"
        print(
            f"| {name} | {median(before[name]):,.2f} | {median(after[name]):,.2f} | {spread}{', SLOWER' if below else ''} |"
        )
        slow |= below
    print(flush=True)
    return slow


def _git(*command: str) -> None:
    subprocess.run(["git", "-C", str(TREE), *command], check=True)


if __name__ == "__main__":
    sys.exit(main())
