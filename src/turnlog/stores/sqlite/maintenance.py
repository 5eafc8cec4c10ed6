"""Operations on the whole file, on a separate connection, whether the store is open or not."""

from collections.abc import Callable
from typing import TypeVar

import apsw

from turnlog.stores.sqlite import schema, writes
from turnlog.stores.sqlite.connection import Desk, translate, vacuum

T = TypeVar("T")


def bring_up_to_date(desk: Desk) -> None:
    """Create a missing file, and take all steps of the schema. Raises `TurnlogError`."""
    _on(desk, lambda connection: None, post=True)


def mark_restored(desk: Desk) -> None:
    """Give all conversations a new incarnation. Raises `TurnlogError`."""
    _on(desk, lambda connection: _in_transaction(connection, schema.mark_restored))


def sweep(desk: Desk, *, busy_timeout_s: float) -> int:
    """Finish deletions, also of what no link between rows leads to, and write the file anew; how many there were. Raises
    `TurnlogError`.
    """

    def work(connection: apsw.Connection) -> int:
        count = 0
        # decision 015: a decayed link may have cut rows off from the grave that led to them
        _in_transaction(connection, writes.trim_again)
        while (n := _in_transaction(connection, writes.trim_next)) is not None:
            count += 1
            while n is not None:
                n = _in_transaction(connection, lambda connection, n=n: writes.trim(connection, n))  # type: ignore[misc]
        # decision 012: page splits leave copies of old text between rows; only a new file is without them
        vacuum(connection, busy_timeout_s=busy_timeout_s)
        return count

    return _on(desk, work)


def _on(desk: Desk, work: Callable[[apsw.Connection], T], *, post: bool = False) -> T:
    try:
        return work(desk.connection(post=post))
    except apsw.Error as error:
        raise translate(error) from error
    finally:
        desk.close()


def _in_transaction(connection: apsw.Connection, work: Callable[[apsw.Connection], T]) -> T:
    with schema.transaction(connection):
        schema.gate(connection)
        return work(connection)
