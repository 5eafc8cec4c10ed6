"""LangChain: PostgresChatMessageHistory. A history holds a connection for itself; here each serves its turn of names."""

import asyncio
from collections.abc import Sequence
from itertools import cycle
from uuid import NAMESPACE_OID, uuid5

import psycopg
from langchain_core.messages import HumanMessage
from langchain_postgres import PostgresChatMessageHistory

from bench.peers.peer import CONNECTIONS, LAST, TEXT

_TABLE = "history"


class OnPostgres:
    def __init__(self) -> None:
        self._histories: dict[str, tuple[PostgresChatMessageHistory, asyncio.Lock]] = {}

    async def open(self, url: str) -> None:
        connections = [await psycopg.AsyncConnection.connect(url) for _ in range(CONNECTIONS)]
        await PostgresChatMessageHistory.acreate_tables(connections[0], _TABLE)
        self._turns = cycle([(connection, asyncio.Lock()) for connection in connections])

    async def fill(self, names: Sequence[str], length: int) -> None:
        for name in names:
            connection, lock = next(self._turns)
            session = str(uuid5(NAMESPACE_OID, name))
            history = PostgresChatMessageHistory(_TABLE, session, async_connection=connection)
            self._histories[name] = history, lock
            async with lock:
                await history.aadd_messages([HumanMessage(TEXT) for _ in range(length)])

    async def append(self, name: str) -> None:
        history, lock = self._histories[name]
        async with lock:
            await history.aadd_messages([HumanMessage(TEXT)])

    async def last(self, name: str) -> int:
        history, lock = self._histories[name]
        async with lock:
            return len((await history.aget_messages())[-LAST:])
