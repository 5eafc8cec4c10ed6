"""`python -m bench.extraction [DATA.jsonl ...] [--scorer FILE.py] [--chats FILE.jsonl]`: how good, how fast extraction is.

The scorer, the chats and some of the data are not part of the project; what cannot be measured without them is said aloud.
"""

import argparse
import asyncio
import importlib.util
import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from turnlog.fold import BATCH, state_of, stored
from turnlog.memory.knowledge import Knowledge, extract_all
from turnlog.message import Message

OURS = Path(__file__).parents[1] / "tests/data/extraction.jsonl"
SHARED = Path(__file__).parents[2] / "shared"
SENTENCES = (
    "Could you move the standup with Renata to Thursday, she is stuck in Rotterdam until noon and her phone is nearly dead.",
    "I really enjoy slow mornings but I can't stand the noise of leaf blowers before breakfast, it ruins the whole day.",
    "so the second build failed again with the same error, and nobody on the team can say what changed since last week.",
    "Here is what happened: the parcel went to the old address, the neighbours signed for it and then left for Portugal.",
    "ok that works, thanks. one more thing about the budget: the numbers in the last column do not add up to the total.",
)


def extract(messages: list[dict[str, str]]) -> dict[str, Any]:
    """What `messages` teach, as the scorer wants it."""
    found = extract_all(Message(m["role"], m["content"]) for m in messages)  # type: ignore[arg-type]
    profile = found.profile
    return {
        "user_name": profile.name.text if profile.name else None,
        "preferences": [{"polarity": item.polarity, "text": item.text} for item in profile.current_preferences],
        "entities": [{"text": form, "type": item.kind} for item in found.entities for form in (item.text, *item.aliases)],
        "pending_tasks": [task.text for task in profile.pending_tasks],
    }


def quality(data: Path, scorer: Path) -> None:
    """Print precision, recall and F1 of each kind of item in the labelled snippets of `data`."""
    spec = importlib.util.spec_from_file_location("scorer", scorer)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    records = [json.loads(line) for line in data.read_text().splitlines()]
    print(f"\n{data.name}: {len(records)} snippets")
    for field, row in module.score(records, [extract(record["messages"]) for record in records]).items():
        figures = "  ".join(f"{key} {row[key]:.3f}" for key in ("precision", "recall", "f1"))
        print(f"  {field:14} {figures}  (labelled {row['gold']}, found {row['found']})")


def lines(count: int) -> list[Message]:
    """Messages of 200 characters, of which the user and the assistant say one in turn."""
    said = itertools.cycle(f"{a} {b}"[:200] for a in SENTENCES for b in SENTENCES if a != b)
    return [Message("user" if seq % 2 else "assistant", next(said), id="m", seq=seq) for seq in range(1, count + 1)]


def chats(path: Path) -> list[list[Message]]:
    """The conversations of a file in the import format, one a line."""
    return [
        [Message(m["role"], m["content"], id="m", seq=seq) for seq, m in enumerate(json.loads(line)["messages"], 1)]
        for line in path.read_text().splitlines()
    ]


async def folded(messages: list[Message]) -> None:
    """Each batch through the fold `knowledge`, whose state is stored and read back as in a store."""
    fold = Knowledge()
    state = stored(fold, fold.initial())
    for start in range(0, len(messages), BATCH):
        state = stored(fold, await fold.step(state_of(fold, state), messages[start : start + BATCH]))


def speed(conversations: list[list[Message]]) -> float:
    """Messages that go through the fold `knowledge` in a second of processor time."""
    begun = time.process_time()
    for messages in conversations:
        asyncio.run(folded(messages))
    return sum(map(len, conversations)) / (time.process_time() - begun)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.extraction")
    parser.add_argument("data", nargs="*", type=Path, default=[OURS, SHARED / "data/extraction.jsonl"])
    parser.add_argument("--scorer", type=Path, default=SHARED / "eval/extraction_eval.py")
    parser.add_argument("--chats", type=Path, default=SHARED / "data/chats.jsonl")
    given = parser.parse_args()
    for data in given.data:
        if data.exists() and given.scorer.exists():
            quality(data, given.scorer)
        else:
            print(f"NO QUALITY MEASURED: {data} or {given.scorer} is not there", file=sys.stderr)
    unlike = [replace(message, content=f"{message.content} {message.seq}") for message in lines(10_000)]
    print(f"\n{speed([unlike]):8,.0f} messages of 200 characters a second of processor time, every other one the user's")
    if given.chats.exists():
        print(f"{speed(chats(given.chats)):8,.0f} messages a second of {given.chats.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
