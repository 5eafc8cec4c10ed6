"""The schema: numbered steps, each in a transaction of its own; and the row about the file as a whole.

A step `.pre.sql` may be taken while older software runs; opening the store takes all of those. A step `.post.sql` takes
away what older software needs; `migrate` takes it when told that none runs any more, and then older software is refused, in
processes that have the file open as well (decision 015).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import apsw

from turnlog.errors import SchemaTooNew, StoreUnavailable

APPLICATION_ID = 0x7475726E  # "turn"


class SqliteStep(NamedTuple):
    """A step of the schema."""

    number: int
    phase: str
    sql: str


@cache
def steps() -> tuple[SqliteStep, ...]:
    """Return all steps in order."""
    found = sorted((files(__package__) / "migrations").iterdir(), key=lambda entry: entry.name)
    return tuple(
        SqliteStep(int(number), name.split(".")[1], entry.read_text())
        for entry in found
        if (name := entry.name).endswith(".sql") and (number := name.split("_")[0])
    )


SUPPORTED = max(step.number for step in steps())
"""The last step that this software knows."""

_STATE = """
SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema WHERE name = 'store'),
    (SELECT count(*) FROM sqlite_schema)
FROM pragma_application_id, pragma_user_version
"""


class Taken(NamedTuple):
    """The numbers of the last steps that a file has seen."""

    pre: int
    post: int


def taken(connection: apsw.Connection, *, known: int = SUPPORTED) -> Taken:
    """Return the steps that the file has seen. Raises if it is no file of turnlog, or of a newer, incompatible version."""
    application, version, ours, tables = map(int, connection.execute(_STATE).get)  # at one moment: another may migrate
    if application != APPLICATION_ID and tables:
        raise StoreUnavailable("the file is an SQLite database of another application")
    pre, post = connection.execute("SELECT pre, post FROM store").get if ours else (0, 0)
    if max(post, version) > known:
        raise SchemaTooNew(found=max(pre, post, version), supported=known)
    return Taken(pre, post)


def gate(connection: apsw.Connection) -> None:
    """Raise `SchemaTooNew` if newer software has taken an incompatible step since the file was opened."""
    pre, post = connection.execute("SELECT pre, post FROM store").get
    refuse_newer(post, pre)


def refuse_newer(post: int, pre: int = 0) -> None:
    """Raise `SchemaTooNew` if this version does not know the last step `post`."""
    if post > SUPPORTED:
        raise SchemaTooNew(found=max(pre, post), supported=SUPPORTED)


def migrate(connection: apsw.Connection, *, post: bool = False, known: tuple[SqliteStep, ...] | None = None) -> None:
    """Take the missing steps; several processes may do this at once."""
    for step in known or steps():
        if (step.phase == "pre" or post) and _missing(connection, step, known):
            _take(connection, step, known)


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """Run the block in a write transaction, which is rolled back if the block raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # not after the commit, nor after an error by which SQLite itself rolled back
            connection.execute("ROLLBACK")


def _take(connection: apsw.Connection, step: SqliteStep, known: tuple[SqliteStep, ...] | None) -> None:
    with transaction(connection):
        # looked at again under the write lock: another process may have taken the step meanwhile
        if _missing(connection, step, known):
            connection.execute(step.sql).fetchall()
            connection.execute(f"UPDATE store SET {step.phase} = {step.number}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            if step.phase == "post":
                connection.execute(f"PRAGMA user_version = {step.number}")  # what tools and older software look at


def _missing(connection: apsw.Connection, step: SqliteStep, known: tuple[SqliteStep, ...] | None) -> bool:
    found = taken(connection, known=max(step.number for step in known or steps()))
    return step.number > (found.pre if step.phase == "pre" else found.post)


def notice_copy(connection: apsw.Connection, place: str) -> None:
    """Begin a new history if the file that is at `place` is a copy of the one that was used last (decision 015)."""
    if connection.execute("SELECT place FROM store").get != place:
        connection.execute("UPDATE store SET incarnation = random(), place = ?1 WHERE place <> ?1", (place,))


def mark_restored(connection: apsw.Connection) -> None:
    """Give all conversations a new incarnation."""
    connection.execute("UPDATE store SET incarnation = random()")
