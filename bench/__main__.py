"""`python -m bench [--quick] [--no-peers] [--cache DIR] [SECTION …]` prints Markdown, writes it and JSON to results/."""

import argparse
import sys
import tempfile
from pathlib import Path

import msgspec

from bench import context, disk, flat, growth, memory, replay, service, storage, stores, writers
from bench.measure import Options, Table, environment, load, markdown
from bench.peers import remote

SECTIONS = {
    "sqlite": writers.run,
    "flat": flat.run,
    "disk": disk.run,
    "http": service.run,
    "stores": stores.run,
    "growth": growth.run,
    "storage": storage.run,
    "replay": replay.run,
    "context": context.run,
    "http-postgres": service.run_postgres,
    "memory": memory.run,
}
BESIDE_PEERS = {"stores", "growth"}
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="short rounds and no conversation over 10,000 messages")
    parser.add_argument("--no-peers", action="store_true", help="leave out the systems in .venv-peers")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "turnlog-bench")
    given = parser.parse_args()
    sections = given.sections or list(SECTIONS)
    if unknown := set(sections) - set(SECTIONS):
        parser.error(f"unknown section {min(unknown)}")
    given.cache.mkdir(parents=True, exist_ok=True)
    around, tables = environment(), {}
    if not given.no_peers and BESIDE_PEERS & set(sections):
        around["peers"] = remote.versions()
    report = ["# Measured\n", *(f"- {key}: {value}" for key, value in around.items()), ""]
    print("\n".join(report), flush=True)
    for name in sections:
        with tempfile.TemporaryDirectory(dir=given.cache) as scratch:
            tables[name] = _under_load(name, Options(given.quick, Path(scratch), given.cache, not given.no_peers))
        report.append(markdown(tables[name]))
        print(report[-1], flush=True)
    whole = len(tables) == len(SECTIONS) and not given.quick and not given.no_peers
    _save(around, tables, "\n".join(report), latest=whole)
    return 0 if all(goal.reached for table in tables.values() for goal in table.goals) else 1


def _under_load(name: str, options: Options) -> Table:
    """The section's outcome, with what the machine was doing before and after."""
    before = load()
    table = SECTIONS[name](options)
    return msgspec.structs.replace(table, note=f"{table.note} Load average {before} before, {load()} after.")


def _save(around: dict[str, str], tables: dict[str, Table], report: str, *, latest: bool) -> None:
    RESULTS.mkdir(exist_ok=True)
    stamp = around["when"].replace(":", "")[:17]
    text = msgspec.json.format(msgspec.json.encode({"environment": around, "tables": tables}))
    (RESULTS / f"{stamp}.json").write_bytes(text)
    if latest:
        (RESULTS / "latest.md").write_text(report)


if __name__ == "__main__":
    sys.exit(main())
