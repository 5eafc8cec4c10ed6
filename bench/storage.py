"""Bytes per message on PostgreSQL and Redis, beside the bytes of its content."""

import asyncio
import string
from random import Random

import psycopg

import turnlog
from bench.measure import Goal, Options, Table
from bench.servers import Servers, servers

_CONVERSATIONS = 50
_LETTERS = string.ascii_lowercase + " "
_BOUNDS = {"postgres": (1.6, 120), "redis": (1.3, 100)}
_SIZE = """
SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'
"""


def run(options: Options) -> Table:
    random = Random(7)
    per_conversation = options.pick(1_000, 500)
    sizes = {f"{size}": [size] * per_conversation for size in (200, 1000)}
    sizes["mixed"] = [min(20_000, int(random.lognormvariate(5.3, 1.2)) + 1) for _ in range(per_conversation)]
    rows: list[tuple[str, ...]] = []
    goals, samples = [], {}
    with servers(options) as places:
        for engine, (times, more) in _BOUNDS.items():
            for name, lengths in sizes.items():
                content = sum(lengths) / len(lengths)
                stored = asyncio.run(_stored(engine, places, lengths, random)) / (len(lengths) * _CONVERSATIONS)
                what = f"{engine}, {name}"
                samples[what] = [content, stored]
                rows.append((what, f"{content:.0f}", f"{stored:.0f}", f"{stored - content:.0f}", f"{stored / content:.2f}"))
                share = stored / (times * content + more)
                goals.append(Goal(f"{what}: bytes stored / ({times} x content + {more})", share, 1.0))
    note = (
        f"{per_conversation * _CONVERSATIONS:,} messages of random letters in {_CONVERSATIONS} conversations that grow side "
        "by side, one message an append. PostgreSQL: all tables with their indexes, vacuumed. Valkey: growth of "
        "`used_memory`. Mixed: log-normal, 1 to 20,000 bytes."
    )
    columns = ("content", "content bytes", "stored bytes", "more", "times")
    return Table("PostgreSQL and Redis: bytes per message", note, columns, rows, goals, samples)


async def _stored(engine: str, places: Servers, lengths: list[int], random: Random) -> int:
    """The bytes that conversations with messages of these lengths take."""
    url = places.place(engine)
    async with turnlog.connect(url) as log:
        before = _memory(places) if engine == "redis" else 0
        crowd = [await log.create() for _ in range(_CONVERSATIONS)]
        for length in lengths:
            text = "".join(random.choices(_LETTERS, k=length))
            await asyncio.gather(*(conversation.append(turnlog.user(text)) for conversation in crowd))
        return _memory(places) - before if engine == "redis" else await asyncio.to_thread(_size, url)


def _size(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM")
        found = connection.execute(_SIZE).fetchone()
    assert found is not None
    return int(found[0])


def _memory(places: Servers) -> int:
    lines = places.valkey.ask("INFO", "memory").decode().splitlines()
    return int(next(line for line in lines if line.startswith("used_memory:")).partition(":")[2])
