"""`python -m bench.extraction [DATA.jsonl] [--scorer FILE.py]`: quality and speed of extraction by rules.

The data and the scorer are not part of the project; without them only the speed is measured, which is said aloud.
"""

import argparse
import hashlib
import importlib.util
import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

from turnlog.memory.learn import learn
from turnlog.memory.learned import Learned
from turnlog.message import Message

SHARED = Path(__file__).parents[2] / "shared"
SENTENCES = (
    "Could you move the standup with Renata to Thursday, she is stuck in Rotterdam until noon and her phone is nearly dead.",
    "I really enjoy slow mornings but I can't stand the noise of leaf blowers before breakfast, it ruins the whole day.",
    "so the second build failed again with the same error, and nobody on the team can say what changed since last week.",
    "Here is what happened: the parcel went to the old address, the neighbours signed for it and then left for Portugal.",
    "ok that works, thanks. one more thing about the budget: the numbers in the last column do not add up to the total.",
)


def extract(messages: list[dict[str, str]]) -> dict[str, Any]:
    """What was learned from `messages`, as the scorer wants it."""
    learned = learn(
        Learned(),
        (Message(m["role"], m["content"], id="m", seq=seq) for seq, m in enumerate(messages, 1)),  # type: ignore[arg-type]
    )
    return {
        "user_name": learned.name.text if learned.name else None,
        "preferences": [{"polarity": item.polarity, "text": item.text} for item in learned.current_preferences],
        "entities": [{"text": form, "type": item.kind} for item in learned.entities for form in (item.text, *item.aliases)],
        "pending_tasks": [task.text for task in learned.pending_tasks],
    }


def parts(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """All records; by the hash of their ids those that were seen while the rules were written, and those that were not.

    Only the figures of the unseen tell how well the rules carry: once one of them has been looked at, that is over.
    """
    hashes = {record["id"]: hashlib.sha256(record["id"].encode()).digest() for record in records}
    unseen = [record for record in records if hashes[record["id"]][0] % 2 and hashes[record["id"]][1] % 2]
    return {"all": records, "seen": [record for record in records if record not in unseen], "unseen": unseen}


def quality(data: Path, scorer: Path) -> None:
    spec = importlib.util.spec_from_file_location("scorer", scorer)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    records = [json.loads(line) for line in data.read_text().splitlines()]
    for name, part in parts(records).items():
        table = module.score(part, [extract(record["messages"]) for record in part])
        print(f"\n{name}: {len(part)} records")
        for field, row in table.items():
            figures = "  ".join(f"{key} {row[key]:.3f}" for key in ("precision", "recall", "f1"))
            print(f"  {field:14} {figures}  (labelled {row['gold']}, found {row['found']})")


def speed(count: int = 20_000) -> float:
    """Messages of 200 characters that are learned in a second of processor time, in batches of 100."""
    said = itertools.cycle(f"{a} {b}"[:200] for a in SENTENCES for b in SENTENCES if a != b)
    messages = [Message("user" if seq % 2 else "assistant", next(said), id="m", seq=seq) for seq in range(1, 2 * count + 1)]
    learned, begun = Learned(), time.process_time()
    for start in range(0, len(messages), 100):
        learned = learn(learned, messages[start : start + 100])
    return count / (time.process_time() - begun)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.extraction")
    parser.add_argument("data", nargs="?", type=Path, default=SHARED / "data/extraction.jsonl")
    parser.add_argument("--scorer", type=Path, default=SHARED / "eval/extraction_eval.py")
    given = parser.parse_args()
    if given.data.exists() and given.scorer.exists():
        quality(given.data, given.scorer)
    else:
        print(f"NO QUALITY MEASURED: {given.data} or {given.scorer} is not there", file=sys.stderr)
    print(
        f"\n{speed():,.0f} messages of the user of 200 characters a second of processor time, the assistant's between them"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
