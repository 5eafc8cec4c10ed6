"""Poisons of this kind of store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import psycopg

from support.poisons import Poison, Stage

_INT8_MAX = 2**63 - 1


def _execute(url: str, *statements: str, key: tuple[str, str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement, key if "%s" in statement else None)  # type: ignore[arg-type]


def _changed(*before: str, after: tuple[str, ...]) -> Poison:
    """Statements that poison the conversation, and those that take the poison away; `%s` and `%s` are tenant and id."""

    @asynccontextmanager
    async def poison(stage: Stage) -> AsyncIterator[None]:
        await asyncio.to_thread(_execute, stage.url, *before, key=tuple(stage.key))
        try:
            yield
        finally:
            await asyncio.to_thread(_execute, stage.url, *after, key=tuple(stage.key))

    return poison


def _held(lock: str) -> Poison:
    """A statement of a session that does not come to an end."""

    @asynccontextmanager
    async def poison(stage: Stage) -> AsyncIterator[None]:
        connection = await asyncio.to_thread(psycopg.connect, stage.url)
        try:
            await asyncio.to_thread(connection.execute, lock, tuple(stage.key))  # type: ignore[arg-type]
            yield
        finally:
            await asyncio.to_thread(connection.close)

    return poison


_ITS_LOG = "(SELECT log FROM turnlog.conversation WHERE tenant = %s AND id = %s)"


def _trigger(raises: str) -> Poison:
    """An operator's trigger on messages fails for the conversation, as a check or a full disk does."""
    function = (
        "CREATE OR REPLACE FUNCTION public.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF new.log = (SELECT log"
        f" FROM public.poisoned) THEN RAISE EXCEPTION USING ERRCODE = '{raises}', MESSAGE = 'poisoned'; END IF;"
        " RETURN new; END $$"
    )
    return _changed(
        f"CREATE TABLE public.poisoned AS SELECT * FROM {_ITS_LOG} AS p",
        function,
        "CREATE TRIGGER poison BEFORE INSERT ON turnlog.message FOR EACH ROW EXECUTE FUNCTION public.poison()",
        after=("DROP TRIGGER poison ON turnlog.message", "DROP TABLE public.poisoned"),
    )


_colliding: Callable[[Stage], AbstractAsyncContextManager[None]] = _changed(
    # every id of the conversation gets one hash, and that is taken: as if a client had found ids whose hashes collide
    "CREATE OR REPLACE FUNCTION public.collide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.log = (SELECT log FROM"
    " public.poisoned) THEN new.mark := 7; END IF; RETURN new; END $$",
    f"CREATE TABLE public.poisoned AS SELECT * FROM {_ITS_LOG} AS p",
    "UPDATE turnlog.message SET mark = 7 WHERE seq = 1 AND log = (SELECT log FROM public.poisoned)",
    "CREATE TRIGGER collide BEFORE INSERT ON turnlog.message FOR EACH ROW EXECUTE FUNCTION public.collide()",
    after=("DROP TRIGGER collide ON turnlog.message", "DROP TABLE public.poisoned"),
)

POISONS: dict[str, Poison] = {
    "row locked": _held("SELECT FROM turnlog.conversation WHERE tenant = %s AND id = %s FOR UPDATE"),
    "row deleted by who has not committed": _held("DELETE FROM turnlog.conversation WHERE tenant = %s AND id = %s"),
    "next message held by who has not committed": _held(
        "INSERT INTO turnlog.message SELECT log, 0, 0, head + 1, 0, 0, 0, 1, '', '', '' FROM turnlog.conversation"
        " WHERE tenant = %s AND id = %s"
    ),
    "head at the end of all numbers": _changed(
        f"UPDATE turnlog.conversation SET head = {_INT8_MAX} WHERE tenant = %s AND id = %s",
        after=("UPDATE turnlog.conversation SET head = 2 WHERE tenant = %s AND id = %s",),
    ),
    "a row behind the head": _changed(
        "INSERT INTO turnlog.message SELECT log, 0, 0, head + 1, 0, 0, 0, 1, '', '', '' FROM turnlog.conversation"
        " WHERE tenant = %s AND id = %s",
        after=(f"DELETE FROM turnlog.message WHERE seq > 2 AND log = {_ITS_LOG}",),
    ),
    "ids that collide": _colliding,
    "an operator's check": _trigger("23514"),
    "disk full": _trigger("53100"),
    "canceled": _trigger("57014"),
    "data that is corrupt": _trigger("XX001"),
}
