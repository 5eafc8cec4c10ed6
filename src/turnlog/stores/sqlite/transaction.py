"""Executes the jobs of a lane: all in one transaction, or each in its own if one of them fails (decision 015)."""

from collections.abc import Callable, Iterable, Sequence

import apsw

from turnlog.errors import TurnlogError
from turnlog.store import Key
from turnlog.stores.sqlite import schema
from turnlog.stores.sqlite.connection import MACHINE, STORE_WIDE, Desk, attempt, empty_wal, translate
from turnlog.stores.sqlite.thread import Empty, Save, ThreadCall, ThreadJob
from turnlog.stores.sqlite.writes import AppendJob, Head, Heads, decide_all, decide_from_memory, insert

_SICK_REMEMBERED = 1000
_FAILURES_IN_A_ROW = 3

Tell = Callable[[Sequence[ThreadJob]], None]


class Reader:
    """Executes reads; all jobs of a batch see the same snapshot of the file."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def close(self) -> None:
        """Let go of the connection."""
        self.desk.close()

    def work_off(self, jobs: list[ThreadJob], tell: Tell) -> None:
        """Execute the jobs, each a `Call`; an error of one does not affect the others."""
        error = attempt(lambda: self._read(jobs))
        if error is not None:
            self.desk.recover(error)
            _fail(jobs, error)
        tell(jobs)

    def _read(self, jobs: Sequence[ThreadJob]) -> None:
        connection = self.desk.connection()
        broken = None
        for job in jobs:
            if not connection.in_transaction:  # at first, and when an error ended it
                connection.execute("BEGIN")
            broken = _call(job, connection) or broken
        if broken is None:
            connection.execute("COMMIT")
        else:
            self.desk.recover(broken)


class FileWriter:
    """Executes writes. A batch is durable as a whole or not at all; a batch of saves alone becomes durable with the next one
    at the latest.

    A batch of appends to conversations whose heads are remembered is one statement: the table refuses it if a head has
    moved, if a number belongs to another conversation, or if an id exists. Everything else is decided under the write lock.

    If the engine refuses a batch, its members are executed one by one. A conversation that fails alone, too, comes after the
    others until a change of it succeeds (decision 015).
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._heads = Heads()
        self._sick: dict[Key, None] = {}
        self._connection: apsw.Connection | None = None
        self._relaxed = False

    def close(self) -> None:
        """Let go of the connection."""
        self.desk.close()

    def work_off(self, jobs: list[ThreadJob], tell: Tell) -> None:
        """Execute the jobs in order, but those of failing conversations after all others, and `Empty` last."""
        emptying = [job for job in jobs if type(job) is Empty]
        # decision 015: who failed alone may fail again, and must not roll back the batch of the others
        sick = [job for job in jobs if job.key in self._sick] if self._sick else []
        if emptying or sick:
            jobs = [job for job in jobs if type(job) is not Empty and job.key not in self._sick]
        if jobs:
            self._together(jobs, tell)
        self._each(sick, tell)
        self._empty(emptying, tell)

    def _together(self, jobs: Sequence[ThreadJob], tell: Tell) -> None:
        """Execute all jobs in one transaction, or each in its own if that fails."""
        error = self._try(jobs)
        if error is not None and len(jobs) > 1 and not isinstance(error, STORE_WIDE):
            # decision 015: nobody knows whose fault it was, so each goes alone, and the innocent are acknowledged
            self._each(jobs, tell)
        else:
            self._end(jobs, error)
            tell(jobs)

    def _each(self, jobs: Sequence[ThreadJob], tell: Tell) -> None:
        """Execute each job in its own transaction, until an error shows that all would fail."""
        failures = 0
        for at, job in enumerate(jobs):
            error = self._try([job])
            # decision 015: the third error of the disk in a row is the disk's: 64 time limits one after the other would be
            # worse
            failures = failures + 1 if isinstance(error, MACHINE) else 0
            if error is not None and (isinstance(error, STORE_WIDE) or failures == _FAILURES_IN_A_ROW):
                _fail(jobs[at:], error)
                tell(jobs[at:])
                return
            self._end([job], error)
            tell([job])

    def _end(self, jobs: Sequence[ThreadJob], error: Exception | None) -> None:
        """Remember whether the conversation of a job that was executed alone may join a batch again."""
        if error is not None:
            _fail(jobs, error)
        if len(jobs) > 1 or (key := jobs[0].key) is None:
            return
        if error is None:
            self._sick.pop(key, None)
        elif not isinstance(error, STORE_WIDE):
            self._sick[key] = None
            if len(self._sick) > _SICK_REMEMBERED:
                del self._sick[next(iter(self._sick))]

    def _try(self, jobs: Sequence[ThreadJob]) -> Exception | None:
        """Execute the jobs in one transaction; return the error that undid all of them, or None."""
        for job in jobs:
            job.result = job.error = None
        error = attempt(lambda: self._write(jobs))
        if error is not None:
            self._heads.forget(job.key for job in jobs)
            self.desk.recover(error)
        return error

    def _write(self, jobs: Sequence[ThreadJob]) -> None:
        connection = self.desk.connection(lately=True)
        if connection is not self._connection:  # perhaps of another file, in which other heads have these numbers
            self._heads, self._connection, self._relaxed = Heads(), connection, False
        self._sync(connection, jobs)
        if not self._from_memory(connection, jobs):
            self._in_transaction(connection, jobs)
        self.desk.check()  # what is in a file without a name is not acknowledged

    def _sync(self, connection: apsw.Connection, jobs: Sequence[ThreadJob]) -> None:
        """Let the next commit wait for the disk, unless all jobs are saves."""
        # decision 041: a save can be folded again, so its commit need not wait for the disk
        relaxed = all(isinstance(job, Save) for job in jobs)
        if relaxed != self._relaxed:
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if relaxed else 'FULL'}")
            self._relaxed = relaxed

    def _empty(self, jobs: Sequence[ThreadJob], tell: Tell) -> None:
        if not jobs:
            return

        def work() -> None:
            emptied = empty_wal(self.desk.connection())
            self.desk.check()
            for job in jobs:
                job.result = emptied

        error = attempt(work)
        if error is not None:
            self.desk.recover(error)
            _fail(jobs, error)
        tell(jobs)

    def _from_memory(self, connection: apsw.Connection, jobs: Sequence[ThreadJob]) -> bool:
        rows = decide_from_memory(self._heads, jobs)
        if rows is None:
            return False
        try:
            insert(connection, rows)
        # decision 002: a head moved, or an id is there: nothing was written, and the batch is decided under the lock
        except apsw.ConstraintError:
            self._heads.forget(rows.heads)
            return False
        self._heads.remember(rows.heads)
        return True

    def _in_transaction(self, connection: apsw.Connection, jobs: Sequence[ThreadJob]) -> None:
        # IMMEDIATE, since a read that turns into a write fails at once when another process wrote in between
        connection.execute("BEGIN IMMEDIATE")
        schema.gate(connection)
        heads: dict[Key, Head] = {}
        appends: list[AppendJob] = []
        for job in jobs:
            if isinstance(job, AppendJob):
                appends.append(job)
                continue
            heads |= _append(connection, appends)
            appends = []
            _in_savepoint(job, connection)
        heads |= _append(connection, appends)
        connection.execute("COMMIT")
        self._heads.remember(heads)


def _append(connection: apsw.Connection, appends: list[AppendJob]) -> dict[Key, Head]:
    """Append all; return the heads after that."""
    if not appends:
        return {}
    rows = decide_all(connection, appends)
    insert(connection, rows)
    return rows.heads


def _in_savepoint(job: ThreadJob, connection: apsw.Connection) -> None:
    # decision 015: a job that is refused undoes itself, and the others of the transaction stay
    connection.execute("SAVEPOINT job")
    broken = _call(job, connection)
    if isinstance(broken, STORE_WIDE + MACHINE):
        raise broken
    if job.error is not None:
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _call(job: ThreadJob, connection: apsw.Connection) -> Exception | None:
    """Execute the job; return the error if it is not a `TurnlogError`."""
    assert isinstance(job, ThreadCall) and job.work is not None
    work = job.work

    def call() -> None:
        job.result = work(connection)

    error = attempt(call)
    if error is not None:
        job.error = translate(error)
    return None if isinstance(error, TurnlogError) else error


def _fail(jobs: Iterable[ThreadJob], error: Exception) -> None:
    """Fail all jobs, also those that were refused: the job that made them fail was undone with them."""
    for job in jobs:
        job.result, job.error = None, translate(error)
