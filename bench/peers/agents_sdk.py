"""OpenAI Agents SDK: its three sessions."""

from collections.abc import Sequence

from agents.extensions.memory import RedisSession, SQLAlchemySession
from agents.memory import SQLiteSession
from agents.memory.session import Session
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import create_async_engine

from bench.peers.peer import CONNECTIONS, LAST, TEXT, sqlalchemy_url

_ITEM = {"role": "user", "content": TEXT}


class _Sessions:
    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    async def open(self, url: str) -> None:
        self._url = url

    def _session(self, name: str) -> Session:
        raise NotImplementedError

    async def fill(self, names: Sequence[str], length: int) -> None:
        for name in names:
            self._sessions[name] = self._session(name)
            await self._sessions[name].add_items([_ITEM] * length)

    async def append(self, name: str) -> None:
        await self._sessions[name].add_items([_ITEM])

    async def last(self, name: str) -> int:
        return len(await self._sessions[name].get_items(limit=LAST))


class OnPostgres(_Sessions):
    async def open(self, url: str) -> None:
        self._engine = create_async_engine(sqlalchemy_url(url), pool_size=CONNECTIONS, max_overflow=0, pool_timeout=300)

    def _session(self, name: str) -> Session:
        return SQLAlchemySession(name, engine=self._engine, create_tables=True)


class OnRedis(_Sessions):
    async def open(self, url: str) -> None:
        self._client = Redis.from_url(url)

    def _session(self, name: str) -> Session:
        return RedisSession(name, redis_client=self._client, key_prefix="agents")


class OnSqlite(_Sessions):
    def _session(self, name: str) -> Session:
        return SQLiteSession(name, self._url)
