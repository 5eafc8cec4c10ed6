"""Poisons of this kind of store: keys of another type, numbers that are none, records that went."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import hiredis

from support.poisons import Poison, Stage
from turnlog.store import Key
from turnlog.stores.redis import keys
from turnlog.stores.redis.cluster import read_url
from turnlog.stores.redis.connection import Address


def _exchange(address: Address, command: tuple[Any, ...]) -> Any:
    with socket.create_connection(address, timeout=10) as line:
        line.sendall(hiredis.pack_command(command))
        reader = hiredis.Reader()
        while (answer := reader.gets()) is False:
            reader.feed(line.recv(1 << 16))
        return answer


def _ask(url: str, *command: Any) -> Any:
    """The answer of the server that keeps the command's key."""
    answer = _exchange(read_url(url).seeds[0], command)
    if isinstance(answer, hiredis.ReplyError) and str(answer).startswith("MOVED"):
        host, _, port = str(answer).split(" ")[2].rpartition(":")
        answer = _exchange(Address(host or "127.0.0.1", int(port)), command)
    assert not isinstance(answer, hiredis.ReplyError), answer
    return answer


def _poison(name_of: Callable[[Stage], str], *spoil: tuple[Any, ...]) -> Poison:
    """A key spoilt by commands, each without the key's name, and put back afterwards."""

    @asynccontextmanager
    async def poison(stage: Stage) -> AsyncIterator[None]:
        name = name_of(stage)
        kept = await asyncio.to_thread(_ask, stage.url, "DUMP", name)
        for command, *args in spoil:
            await asyncio.to_thread(_ask, stage.url, command, name, *args)
        try:
            yield
        finally:
            await asyncio.to_thread(_ask, stage.url, "DEL", name)
            if kept is not None:
                await asyncio.to_thread(_ask, stage.url, "RESTORE", name, 0, kept)

    return poison


def _of(kind: str) -> Callable[[Stage], str]:
    return lambda stage: keys.of(stage.key, kind)[0]


def _shard(kind: str) -> Callable[[Stage], str]:
    def name(stage: Stage) -> str:
        count = keys.SHARDS if read_url(stage.url).cluster else 1
        return keys.shard(Key(*stage.key), count) + kind

    return name


def _field(field: str, value: str) -> Poison:
    return _poison(_of("h"), ("HSET", field, value))


POISONS: dict[str, Callable[[Stage], AbstractAsyncContextManager[None]]] = {
    "a header of another type": _poison(_of("h"), ("DEL",), ("SET", "x")),
    "records of another type": _poison(_of("l"), ("DEL",), ("SET", "x")),
    "ids of another type": _poison(_of("i"), ("DEL",), ("SET", "x")),
    "a head that is no number": _field("n", "many"),
    "a head at the end of all numbers": _field("n", str(2**53)),
    "a head behind the last record": _field("n", "9"),
    "a base that is no number": _field("b", "x"),
    "a time that is no number": _field("u", "soon"),
    "records that went": _poison(_of("l"), ("DEL",)),
    "a record that went": _poison(_of("l"), ("RPOP",)),
    "a list of another type": _poison(_shard(":u"), ("DEL",), ("SET", "x")),
    "arrivals of another type": _poison(_shard(":a"), ("DEL",), ("SET", "x")),
}
