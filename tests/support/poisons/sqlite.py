"""What decays in a file, or is done to it by others, so that one conversation cannot be appended to."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import apsw

from support.poisons import Poison, Stage

NUMBER = "(SELECT n FROM conversation WHERE tenant = ?1 AND id = ?2)"
HIGHEST = (1 << 63) - 1


@contextmanager
def beside(stage: Stage) -> Iterator[apsw.Connection]:
    """A connection past the store."""
    connection = apsw.Connection(stage.url.removeprefix("sqlite:///"))
    connection.set_busy_timeout(10_000)
    try:
        yield connection
    finally:
        connection.close()


def column(name: str, value: object) -> Poison:
    """The column of the header is `value` for a while."""

    @asynccontextmanager
    async def poison(stage: Stage) -> AsyncIterator[None]:
        with beside(stage) as file:
            before = file.execute(f"SELECT {name} FROM conversation WHERE tenant = ? AND id = ?", stage.key).get
            change = f"UPDATE conversation SET {name} = ?3 WHERE tenant = ?1 AND id = ?2"
            file.execute(change, (*stage.key, value))
        yield
        with beside(stage) as file:
            file.execute(change, (*stage.key, before))

    return poison


def trigger(how: str) -> Poison:
    """A change of the header is refused; `how` says what becomes of the statement or transaction."""

    @asynccontextmanager
    async def poison(stage: Stage) -> AsyncIterator[None]:
        with beside(stage) as file:
            n = file.execute(f"SELECT {NUMBER}", stage.key).get
            file.execute(
                f"CREATE TRIGGER poison BEFORE UPDATE ON conversation WHEN NEW.n = {n} "
                f"BEGIN SELECT RAISE({how}, 'poison'); END"
            )
        yield
        with beside(stage) as file:
            file.execute("DROP TRIGGER poison")

    return poison


def row(before: str, after: str) -> Poison:
    """A row that is in the way; statements are given tenant, id and number of the conversation as ?1 to ?3."""

    @asynccontextmanager
    async def poison(stage: Stage) -> AsyncIterator[None]:
        with beside(stage) as file:
            n = file.execute(f"SELECT {NUMBER}", stage.key).get
            file.execute(before, {"n": n})
        yield
        with beside(stage) as file:
            file.execute(after, {"n": n})

    return poison


POISONS: dict[str, Callable[[Stage], AbstractAsyncContextManager[None]]] = {
    "a head that is the highest number": column("head", HIGHEST),
    "a head that is beyond what an append can reach": column("head", HIGHEST - 1),
    "a parent that is itself": row(
        "UPDATE conversation SET parent = n, parent_seq = 2 WHERE n = :n",
        "UPDATE conversation SET parent = NULL, parent_seq = 0 WHERE n = :n",
    ),
    "a mark that is there already": row(
        "UPDATE conversation SET head = 63 WHERE n = :n; INSERT INTO mark VALUES (:n, 64, 1)",
        "DELETE FROM mark WHERE conversation = :n; UPDATE conversation SET head = 2 WHERE n = :n",
    ),
    "a refusal that ends the statement": trigger("ABORT"),
    "a refusal that leaves half of the statement": trigger("FAIL"),
    "a refusal that ends the transaction": trigger("ROLLBACK"),
}
"""Poisons of this kind of store."""
