"""LangGraph: a plain MessagesState under its checkpointers. An append is one turn, saved when the call returns."""

from collections.abc import Sequence
from typing import Any

import aiosqlite
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from bench.peers.peer import CONNECTIONS, LAST, TEXT

_MESSAGE = {"role": "user", "content": TEXT}


def _nothing(state: MessagesState) -> dict[str, Any]:
    return {}


class _Graph:
    def _compile(self, saver: Any) -> None:
        graph = StateGraph(MessagesState)
        graph.add_node("nothing", _nothing)
        graph.add_edge(START, "nothing")
        graph.add_edge("nothing", END)
        self._graph = graph.compile(checkpointer=saver)

    async def _turn(self, name: str, messages: list[dict[str, str]]) -> None:
        await self._graph.ainvoke({"messages": messages}, {"configurable": {"thread_id": name}}, durability="exit")

    async def fill(self, names: Sequence[str], length: int) -> None:
        for name in names:
            await self._turn(name, [_MESSAGE] * length)

    async def append(self, name: str) -> None:
        await self._turn(name, [_MESSAGE])

    async def last(self, name: str) -> int:
        state = await self._graph.aget_state({"configurable": {"thread_id": name}})
        return len(state.values["messages"][-LAST:])


class OnPostgres(_Graph):
    async def open(self, url: str) -> None:
        options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
        pool = AsyncConnectionPool(url, min_size=CONNECTIONS, max_size=CONNECTIONS, kwargs=options, open=False, timeout=300)
        await pool.open(wait=True)
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        self._compile(saver)


class OnSqlite(_Graph):
    async def open(self, url: str) -> None:
        saver = AsyncSqliteSaver(await aiosqlite.connect(url))
        await saver.setup()
        self._compile(saver)
