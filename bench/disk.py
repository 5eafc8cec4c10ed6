"""Bytes on disk per message, beside the bytes of its content."""

import asyncio
from pathlib import Path
from random import Random

import turnlog
from bench.measure import Goal, Options, Table

_CONVERSATIONS = 50


def run(options: Options) -> Table:
    per_conversation = options.pick(200, 40)
    random = Random(7)
    sizes = {f"{size}": [size] * per_conversation for size in (200, 300, 1000)}
    sizes["mixed"] = [min(20_000, int(random.lognormvariate(5.3, 1.2)) + 1) for _ in range(per_conversation)]
    rows: list[tuple[str, ...]] = []
    goals, samples = [], {}
    for name, lengths in sizes.items():
        content = sum(lengths) / len(lengths)
        stored = asyncio.run(_stored(options.scratch / f"{name}.db", lengths)) / (len(lengths) * _CONVERSATIONS)
        samples[name] = [content, stored]
        rows.append((name, f"{content:.0f}", f"{stored:.0f}", f"{stored - content:.0f}", f"{stored / content:.2f}"))
        goals.append(Goal(f"{name}: bytes stored / (1.7 x content + 150)", stored / (1.7 * content + 150), 1.0))
    note = (
        f"Size of the checkpointed file over its {per_conversation * _CONVERSATIONS:,} messages in {_CONVERSATIONS} "
        "conversations that grow side by side: bodies, ids, indexes and headers. Mixed: log-normal, 1 to 20,000 bytes."
    )
    columns = ("content", "content bytes", "stored bytes", "more", "times")
    return Table("SQLite: bytes on disk per message", note, columns, rows, goals, samples)


async def _stored(path: Path, lengths: list[int]) -> int:
    """The size of a file whose conversations hold messages of these lengths; closing it checkpoints."""
    async with turnlog.connect(f"sqlite:///{path}") as log:
        crowd = [await log.create() for _ in range(_CONVERSATIONS)]
        for length in lengths:
            await asyncio.gather(*(conversation.append(turnlog.user("x" * length)) for conversation in crowd))
    assert not path.with_name(path.name + "-wal").exists()
    return path.stat().st_size
