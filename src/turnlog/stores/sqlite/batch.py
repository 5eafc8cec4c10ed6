"""What a lane does with the jobs that it took: one transaction for all of them."""

from collections.abc import Sequence

import apsw

from turnlog.errors import TurnlogError
from turnlog.ports import Key
from turnlog.stores.sqlite.engine import Desk, empty_wal, translate
from turnlog.stores.sqlite.lane import Call, Empty, Job, Save
from turnlog.stores.sqlite.writing import Append, decide_all, decide_from_memory, insert

_HEADS_REMEMBERED = 10_000


class Reader:
    """Reads; all jobs of a batch see one moment."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def close(self) -> None:
        """Let go of the connection."""
        self.desk.close()

    def work_off(self, jobs: list[Job]) -> None:
        """Do the jobs, each a `Call`."""
        try:
            self._in_transaction(jobs)
        except (apsw.Error, TurnlogError) as error:
            _fail(self.desk, jobs, error)

    def _in_transaction(self, jobs: list[Job]) -> None:
        connection = self.desk.connection()
        connection.execute("BEGIN")
        for job in jobs:
            _call(job, connection)
        connection.execute("COMMIT")


class Writer:
    """Writes; a batch is durable as a whole, or none of it happened. One of saves alone is durable when the next is, or
    sooner.

    A batch of appends whose conversations' heads are remembered is a single statement: the table itself refuses it if
    another process moved a head meanwhile, or if an id is already there. Everything else is decided under the write lock.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._heads: dict[Key, tuple[int, int]] = {}
        self._relaxed: apsw.Connection | None = None

    def close(self) -> None:
        """Let go of the connection."""
        self.desk.close()

    def work_off(self, jobs: list[Job]) -> None:
        """Do the jobs, in their order; what empties the WAL comes last."""
        emptying = [job for job in jobs if type(job) is Empty]
        changes = [job for job in jobs if type(job) is not Empty] if emptying else jobs
        if changes:
            self._commit(changes)
        if emptying:
            self._empty(emptying)

    def _commit(self, jobs: list[Job]) -> None:
        try:
            self._sync(jobs)
            if not self._from_memory(jobs):
                self._in_transaction(jobs)
        except (apsw.Error, TurnlogError) as error:
            self._heads.clear()
            _fail(self.desk, jobs, error)

    def _sync(self, jobs: list[Job]) -> None:
        """Have the next commit wait for the disk unless it is of saves alone."""
        connection = self.desk.connection()
        relaxed = all(type(job) is Save for job in jobs)
        if relaxed != (self._relaxed is connection):
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if relaxed else 'FULL'}")
            self._relaxed = connection if relaxed else None

    def _empty(self, jobs: Sequence[Job]) -> None:
        try:
            emptied = empty_wal(self.desk.connection())
        except (apsw.Error, TurnlogError) as error:
            _fail(self.desk, jobs, error)
        else:
            for job in jobs:
                job.result = emptied

    def _from_memory(self, jobs: list[Job]) -> bool:
        rows = decide_from_memory(self._heads, jobs)
        if rows is None:
            return False
        try:
            insert(self.desk.connection(), rows)
        except apsw.ConstraintError:
            return False
        self._heads.update(rows.heads)
        return True

    def _in_transaction(self, jobs: list[Job]) -> None:
        connection = self.desk.connection()
        connection.execute("BEGIN IMMEDIATE")
        self._heads.clear()
        appends: list[Append] = []
        for job in jobs:
            if isinstance(job, Append):
                appends.append(job)
                continue
            self._append(connection, appends)
            appends = []
            _in_savepoint(job, connection)
        self._append(connection, appends)
        connection.execute("COMMIT")

    def _append(self, connection: apsw.Connection, appends: list[Append]) -> None:
        if appends:
            rows = decide_all(connection, appends)
            insert(connection, rows)
            self._heads.update(rows.heads)


def _in_savepoint(job: Job, connection: apsw.Connection) -> None:
    connection.execute("SAVEPOINT job")
    _call(job, connection)
    if job.error is not None:
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _call(job: Job, connection: apsw.Connection) -> None:
    assert isinstance(job, Call)
    try:
        job.result = job.work(connection)
    except TurnlogError as error:
        job.error = error


def _fail(desk: Desk, jobs: Sequence[Job], error: apsw.Error | TurnlogError) -> None:
    """None of the jobs happened; those that were refused may have been so because of one that did not happen either."""
    desk.recover(error)
    for job in jobs:
        job.result, job.error = None, translate(error) if isinstance(error, apsw.Error) else error
