"""What a lane does with the jobs that it took: one transaction for all of them, as long as none of them spoils it."""

from collections.abc import Callable, Iterable, Sequence

import apsw

from turnlog.errors import TurnlogError
from turnlog.store import Key
from turnlog.stores.sqlite import schema
from turnlog.stores.sqlite.connection import MACHINE, STORE_WIDE, Desk, attempt, empty_wal, translate
from turnlog.stores.sqlite.thread import Call, Empty, Job, Save
from turnlog.stores.sqlite.writes import Append, Head, Heads, decide_all, decide_from_memory, insert

_SICK_REMEMBERED = 1000
_FAILURES_IN_A_ROW = 3

Tell = Callable[[Sequence[Job]], None]


class Reader:
    """Reads; all jobs of a batch see one moment."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def close(self) -> None:
        """Let go of the connection."""
        self.desk.close()

    def work_off(self, jobs: list[Job], tell: Tell) -> None:
        """Do the jobs, each a `Call`; what one of them finds out of order does nothing to the others."""
        error = attempt(lambda: self._read(jobs))
        if error is not None:
            self.desk.recover(error)
            _fail(jobs, error)
        tell(jobs)

    def _read(self, jobs: Sequence[Job]) -> None:
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


class Writer:
    """Writes; a batch is durable as a whole, or none of it happened. One of saves alone is durable when the next is, or
    sooner.

    A batch of appends whose conversations' heads are remembered is a single statement: the table itself refuses it if a head
    moved meanwhile, if a number is another conversation's, or if an id is already there. Everything else is decided under
    the write lock.

    When the engine refuses a batch, its members go alone; a conversation that fails alone, too, goes behind the others until
    a change of it succeeds (decision 015).
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

    def work_off(self, jobs: list[Job], tell: Tell) -> None:
        """Do the jobs: in their order, but those of sick conversations behind all others, and what empties the WAL last."""
        emptying = [job for job in jobs if type(job) is Empty]
        # decision 015: who failed alone may fail again, and must not roll back the batch of the others
        sick = [job for job in jobs if job.key in self._sick] if self._sick else []
        if emptying or sick:
            jobs = [job for job in jobs if type(job) is not Empty and job.key not in self._sick]
        if jobs:
            self._together(jobs, tell)
        self._each(sick, tell)
        self._empty(emptying, tell)

    def _together(self, jobs: Sequence[Job], tell: Tell) -> None:
        """All jobs in one transaction, or else each in its own."""
        error = self._try(jobs)
        if error is not None and len(jobs) > 1 and not isinstance(error, STORE_WIDE):
            # decision 015: nobody knows whose fault it was, so each goes alone, and the innocent are acknowledged
            self._each(jobs, tell)
        else:
            self._end(jobs, error)
            tell(jobs)

    def _each(self, jobs: Sequence[Job], tell: Tell) -> None:
        """Each job in a transaction of its own, as long as the machine is not at fault."""
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

    def _end(self, jobs: Sequence[Job], error: Exception | None) -> None:
        """Note whether a job that went alone may travel with others the next time."""
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

    def _try(self, jobs: Sequence[Job]) -> Exception | None:
        """Do the jobs in one transaction; what stood in the way, after which none of them happened."""
        for job in jobs:
            job.result = job.error = None
        error = attempt(lambda: self._write(jobs))
        if error is not None:
            self._heads.forget(job.key for job in jobs)
            self.desk.recover(error)
        return error

    def _write(self, jobs: Sequence[Job]) -> None:
        connection = self.desk.connection(lately=True)
        if connection is not self._connection:  # perhaps of another file, in which other heads have these numbers
            self._heads, self._connection, self._relaxed = Heads(), connection, False
        self._sync(connection, jobs)
        if not self._from_memory(connection, jobs):
            self._in_transaction(connection, jobs)
        self.desk.check()  # what is in a file without a name is not acknowledged

    def _sync(self, connection: apsw.Connection, jobs: Sequence[Job]) -> None:
        """Have the next commit wait for the disk unless it is of saves alone."""
        # decision 041: a save can be folded again, so its commit need not wait for the disk
        relaxed = all(isinstance(job, Save) for job in jobs)
        if relaxed != self._relaxed:
            connection.execute(f"PRAGMA synchronous = {'NORMAL' if relaxed else 'FULL'}")
            self._relaxed = relaxed

    def _empty(self, jobs: Sequence[Job], tell: Tell) -> None:
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

    def _from_memory(self, connection: apsw.Connection, jobs: Sequence[Job]) -> bool:
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

    def _in_transaction(self, connection: apsw.Connection, jobs: Sequence[Job]) -> None:
        # IMMEDIATE, since a read that turns into a write fails at once when another process wrote in between
        connection.execute("BEGIN IMMEDIATE")
        schema.gate(connection)
        heads: dict[Key, Head] = {}
        appends: list[Append] = []
        for job in jobs:
            if isinstance(job, Append):
                appends.append(job)
                continue
            heads |= _append(connection, appends)
            appends = []
            _in_savepoint(job, connection)
        heads |= _append(connection, appends)
        connection.execute("COMMIT")
        self._heads.remember(heads)


def _append(connection: apsw.Connection, appends: list[Append]) -> dict[Key, Head]:
    """Append all; the heads after that."""
    if not appends:
        return {}
    rows = decide_all(connection, appends)
    insert(connection, rows)
    return rows.heads


def _in_savepoint(job: Job, connection: apsw.Connection) -> None:
    # decision 015: a job that is refused undoes itself, and the others of the transaction stay
    connection.execute("SAVEPOINT job")
    broken = _call(job, connection)
    if isinstance(broken, STORE_WIDE + MACHINE):
        raise broken
    if job.error is not None:
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")


def _call(job: Job, connection: apsw.Connection) -> Exception | None:
    """Do the job; an error that is none of ours."""
    assert isinstance(job, Call) and job.work is not None
    work = job.work

    def call() -> None:
        job.result = work(connection)

    error = attempt(call)
    if error is not None:
        job.error = translate(error)
    return None if isinstance(error, TurnlogError) else error


def _fail(jobs: Iterable[Job], error: Exception) -> None:
    """None of the jobs happened; those that were refused may have been so because of one that did not happen either."""
    for job in jobs:
        job.result, job.error = None, translate(error)
