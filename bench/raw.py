"""PostgreSQL and Redis through their asyncio drivers and nothing else: what the stores are measured against."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

import asyncpg
from redis.asyncio import Redis

CONNECTIONS = 16
_TABLES = """
CREATE TABLE head (conversation int PRIMARY KEY, seq int NOT NULL);
CREATE TABLE log (conversation int, seq int, body text NOT NULL, PRIMARY KEY (conversation, seq));
CREATE TABLE loose (id int, seq int, body text NOT NULL, PRIMARY KEY (id, seq));
"""
_FILL = """
WITH heads AS (INSERT INTO head SELECT c, $2 FROM generate_series(0, $1 - 1) c)
INSERT INTO log SELECT c, s, $3 FROM generate_series(0, $1 - 1) c, generate_series(1, $2) s
"""
_ONE = "INSERT INTO loose VALUES ($1, $2, $3)"
_ROWS = "INSERT INTO loose SELECT * FROM unnest($1::int[], $2::int[], $3::text[])"
_TURN = """
WITH given AS (SELECT * FROM unnest($1::int[], $2::text[]) AS given (conversation, body)),
moved AS (
    UPDATE head SET seq = head.seq + 1 FROM given WHERE head.conversation = given.conversation
    RETURNING head.conversation, head.seq, given.body
)
INSERT INTO log SELECT conversation, seq, body FROM moved
"""

Once = Callable[[], Awaitable[int]]


class RawPostgres:
    """asyncpg with prepared statements, a commit each, on dedicated connections."""

    async def open(self, url: str, *, writers: int, length: int, text: str) -> None:
        self._connections = [await asyncpg.connect(url) for _ in range(CONNECTIONS)]
        first = self._connections[0]
        await first.execute(_TABLES)
        await first.execute(_FILL, writers, length, text)
        await first.execute("INSERT INTO loose SELECT * FROM log")
        self._ones = [await connection.prepare(_ONE) for connection in self._connections]
        self._rows, self._turn = await first.prepare(_ROWS), await first.prepare(_TURN)
        self._names, self._texts = list(range(writers)), [text] * writers
        self._seq, self._text = length, text

    async def close(self) -> None:
        for connection in self._connections:
            await connection.close()

    async def single_rows(self, seconds: float) -> int:
        """Every connection inserts a row and commits, over and over, as many conversations as there are writers."""
        share = len(self._names) // CONNECTIONS
        count = await together([self._single(at, at * share, share) for at in range(CONNECTIONS)], seconds)
        self._seq += count
        return count

    async def turns(self, seconds: float) -> int:
        """On one connection, a row for each conversation at its next seq, in one commit."""
        return await together([self._one_turn], seconds)

    async def batches(self, seconds: float) -> int:
        """On one connection, as many rows in one commit."""
        return await together([self._one_batch], seconds)

    async def lone(self) -> None:
        """One row, one commit."""
        self._seq += 1
        await self._ones[0].fetch(0, self._seq, self._text)

    async def lone_turn(self) -> None:
        """One row at the next seq of its conversation, one commit."""
        await self._turn.fetch([0], [self._text])

    def _single(self, at: int, first: int, share: int) -> Once:
        count, seq, statement = 0, self._seq, self._ones[at]

        async def insert() -> int:
            nonlocal count
            count += 1
            await statement.fetch(first + count % share, seq + count, self._text)
            return 1

        return insert

    async def _one_turn(self) -> int:
        await self._turn.fetch(self._names, self._texts)
        return len(self._names)

    async def _one_batch(self) -> int:
        self._seq += 1
        await self._rows.fetch(self._names, [self._seq] * len(self._names), self._texts)
        return len(self._names)


class RawRedis:
    """redis.asyncio with hiredis: one list a conversation."""

    async def open(self, url: str, *, writers: int, length: int, text: str) -> None:
        self._clients = [Redis.from_url(url, single_connection_client=True) for _ in range(writers)]
        self._keys, self._text = [f"raw:{at}" for at in range(writers)], text
        for client, key in zip(self._clients, self._keys, strict=True):
            await client.rpush(key, *[text] * length)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()

    async def single_pushes(self, seconds: float) -> int:
        """Every writer has a connection and pushes one message at a time."""
        return await together([self._single(at) for at in range(len(self._clients))], seconds)

    async def pipelines(self, seconds: float) -> int:
        """One connection pushes to all conversations in one round trip."""
        return await together([self._pipeline], seconds)

    async def lone(self) -> None:
        """One message, one round trip."""
        await self._clients[0].rpush(self._keys[0], self._text)

    def _single(self, at: int) -> Once:
        client, key = self._clients[at], self._keys[at]

        async def push() -> int:
            await client.rpush(key, self._text)
            return 1

        return push

    async def _pipeline(self) -> int:
        pipeline = self._clients[0].pipeline(transaction=False)
        for key in self._keys:
            pipeline.rpush(key, self._text)
        await pipeline.execute()
        return len(self._keys)


async def together(calls: Sequence[Once], seconds: float) -> int:
    """Each call again and again, all at once, until the time is over; what they counted."""
    until = perf_counter() + seconds

    async def repeat(call: Once) -> int:
        count = 0
        while perf_counter() < until:
            count += await call()
        return count

    return sum(await asyncio.gather(*map(repeat, calls)))
