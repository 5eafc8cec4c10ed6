"""The schema: numbered steps, each in a transaction of its own, one process at a time.

A step `.pre.sql` may be taken while older software runs; opening the store takes all of those. A step `.post.sql` takes
away what older software needs; `migrate` takes it when told that none runs any more, and then older software is refused.
"""

from functools import cache
from importlib.resources import files
from secrets import token_bytes
from typing import NamedTuple

from turnlog.errors import SchemaTooNew
from turnlog.store import SchemaVersion
from turnlog.stores.postgres.connection import Pool, PostgresWire
from turnlog.stores.postgres.encoding import ints, number

_BEGIN = """
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL lock_timeout = 0;
SELECT pg_advisory_xact_lock(1953853038, 1);
DO $$ BEGIN
    IF to_regnamespace('turnlog') IS NULL THEN  -- IF NOT EXISTS asks for the right to create it, also where it is there
        CREATE SCHEMA turnlog;
    END IF;
    IF to_regclass('turnlog.schema') IS NULL THEN
        CREATE TABLE turnlog.schema (
            pre int4 NOT NULL, post int4 NOT NULL, secret bytea NOT NULL, incarnation int8 NOT NULL);
        INSERT INTO turnlog.schema VALUES (0, 0, '\\x{secret}', {incarnation});
    END IF;
END $$;
"""


class PostgresStep(NamedTuple):
    """A step of the schema."""

    number: int
    phase: str
    sql: str


@cache
def steps() -> tuple[PostgresStep, ...]:
    """Return all steps in order."""
    found = sorted((files(__package__) / "migrations").iterdir(), key=lambda entry: entry.name)
    return tuple(
        PostgresStep(int(number), name.split(".")[1], entry.read_text())
        for entry in found
        if (name := entry.name).endswith(".sql") and (number := name.split("_")[0])
    )


async def migrate(pool: Pool, *, post: bool = False, known: tuple[PostgresStep, ...] = steps()) -> None:
    """Take the missing steps. Raises `SchemaTooNew` if newer software has taken an incompatible one."""
    phases = ("pre", "post") if post else ("pre",)
    async with pool.lease() as wire:
        for number, phase, sql in known:
            if phase in phases and await _missing(wire, number, phase, known):
                await _take(wire, number, phase, sql, known)


async def version(pool: Pool, *, known: tuple[PostgresStep, ...] = steps()) -> SchemaVersion:
    """Return the last compatible step that was taken, and the last known. Raises `SchemaTooNew` as `migrate` does."""
    async with pool.lease() as wire:
        pre, post = await _taken(wire)
    return SchemaVersion(pre, _check(pre, post, known))


async def secret(pool: Pool) -> bytes:
    """Return the key of the hashes of names, which the first migration creates (decision 014)."""
    [[found]] = await pool.ask("SELECT secret FROM turnlog.schema", binary=True)
    return found or b""


async def mark_restored(pool: Pool) -> None:
    """Give all conversations a new incarnation."""
    await pool.ask("UPDATE turnlog.schema SET incarnation = $1", number(random_int8()))


def random_int8() -> int:
    """Return a random number of 64 bits, signed."""
    return int.from_bytes(token_bytes(8), "big", signed=True)


async def _take(wire: PostgresWire, number: int, phase: str, sql: str, known: tuple[PostgresStep, ...]) -> None:
    # an advisory lock, not a row: the first process of all finds no table to lock
    await wire.run(_BEGIN.format(secret=token_bytes(32).hex(), incarnation=random_int8()))
    # asked again under the lock: another process may have taken the step while this one waited
    if await _missing(wire, number, phase, known):
        await wire.run(f"{sql}; UPDATE turnlog.schema SET {phase} = {number};")
    await wire.run("COMMIT")


async def _missing(wire: PostgresWire, number: int, phase: str, known: tuple[PostgresStep, ...]) -> bool:
    pre, post = await _taken(wire)
    _check(pre, post, known)
    return number > (pre if phase == "pre" else post)


def _check(pre: int, post: int, known: tuple[PostgresStep, ...]) -> int:
    """Return the last known step. Raises `SchemaTooNew` if a later, incompatible one was taken."""
    supported = max(step.number for step in known)
    if post > supported:
        raise SchemaTooNew(found=pre, supported=supported)
    return supported


async def _taken(wire: PostgresWire) -> tuple[int, int]:
    """Return the last pre and post steps that were taken."""
    if (await wire.ask("SELECT to_regclass('turnlog.schema')", ()))[0][0] is None:
        return 0, 0
    rows = await wire.ask("SELECT ARRAY[pre, post] FROM turnlog.schema", ())
    pre, post = ints(rows[0][0])
    return pre, post
