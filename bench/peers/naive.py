"""The naive design: a conversation is one JSON value; an append loads it, adds to it and saves it."""

import json
import sqlite3
from collections.abc import Sequence

import asyncpg
from redis.asyncio import Redis

from bench.peers.peer import CONNECTIONS, LAST, TEXT

_MESSAGE = {"role": "user", "content": TEXT}


def _value(length: int) -> str:
    return json.dumps([_MESSAGE] * length)


def _longer(value: str | bytes) -> str:
    return json.dumps([*json.loads(value), _MESSAGE])


def _last(value: str | bytes) -> int:
    return len(json.loads(value)[-LAST:])


class OnPostgres:
    async def open(self, url: str) -> None:
        self._pool = await asyncpg.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS)
        await self._pool.execute("CREATE TABLE conversation (id text PRIMARY KEY, body text)")

    async def fill(self, names: Sequence[str], length: int) -> None:
        rows = [(name, _value(length)) for name in names]
        await self._pool.executemany("INSERT INTO conversation VALUES ($1, $2)", rows)

    async def append(self, name: str) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            body = await connection.fetchval("SELECT body FROM conversation WHERE id = $1 FOR UPDATE", name)
            await connection.execute("UPDATE conversation SET body = $2 WHERE id = $1", name, _longer(body))

    async def last(self, name: str) -> int:
        return _last(await self._pool.fetchval("SELECT body FROM conversation WHERE id = $1", name))


class OnRedis:
    async def open(self, url: str) -> None:
        self._client = Redis.from_url(url)

    async def fill(self, names: Sequence[str], length: int) -> None:
        for name in names:
            await self._client.set(f"naive:{name}", _value(length))

    async def append(self, name: str) -> None:
        key = f"naive:{name}"
        await self._client.set(key, _longer(await self._client.get(key)))

    async def last(self, name: str) -> int:
        return _last(await self._client.get(f"naive:{name}"))


class OnSqlite:
    async def open(self, url: str) -> None:
        self._file = sqlite3.connect(url)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = FULL")
        self._file.execute("CREATE TABLE conversation (id TEXT PRIMARY KEY, body TEXT)")

    async def fill(self, names: Sequence[str], length: int) -> None:
        with self._file:
            self._file.executemany("INSERT INTO conversation VALUES (?, ?)", [(name, _value(length)) for name in names])

    async def append(self, name: str) -> None:
        with self._file:
            self._file.execute("UPDATE conversation SET body = ? WHERE id = ?", (_longer(self._body(name)), name))

    async def last(self, name: str) -> int:
        return _last(self._body(name))

    def _body(self, name: str) -> str:
        [body] = self._file.execute("SELECT body FROM conversation WHERE id = ?", (name,)).fetchone()
        return str(body)
