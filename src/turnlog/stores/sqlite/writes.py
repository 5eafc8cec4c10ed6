"""Functions of the writing lane; each runs inside the transaction of a whole batch."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias, cast

import apsw
import msgspec

from turnlog.codec import ERASED, Record, intact
from turnlog.errors import (
    ConversationDeleted,
    ConversationExists,
    ConversationNotFound,
    HeadMoved,
    MessageNotFound,
    RevisionMoved,
    SnapshotMoved,
    TurnlogError,
)
from turnlog.store import Appended, Header, Key, Snapshot
from turnlog.stores.append import Known, decide_append
from turnlog.stores.sqlite.connection import SQL
from turnlog.stores.sqlite.reads import decayed, find, find_to_erase, header_row, row_at
from turnlog.stores.sqlite.schema import SUPPORTED
from turnlog.stores.sqlite.thread import ThreadJob

_to_json = msgspec.json.Encoder().encode
_from_json = msgspec.json.decode
_COLUMNS = 11
ROWS_PER_STATEMENT = 64
ROWS_PER_STEP = 500
"""How many rows of a deleted conversation one transaction removes; other writers wait for it."""
_HEADS_REMEMBERED = 10_000


Head: TypeAlias = tuple[int, int, int]
"""The number and the incarnation of a conversation, and the seq of its last message."""


class AppendJob(ThreadJob):
    """An append; its result is an `Appended`."""

    key: Key
    records: Sequence[Record]
    now: int
    expect_head: int | None

    def forget(self) -> None:
        self.done = self.result = self.error = None
        self.records = ()


class Heads:
    """Where unforked conversations ended when they were appended to last.

    That may be past: the statement that adds a row looks at the head itself, and whether the number is still that
    conversation's, since a restore under an open store gives numbers anew.
    """

    def __init__(self) -> None:
        self._heads: dict[Key, Head] = {}

    def get(self, key: Key) -> Head | None:
        """Return the remembered head, or None."""
        return self._heads.get(key)

    def remember(self, heads: Mapping[Key, Head]) -> None:
        """Remember these heads, and forget the oldest ones beyond the limit."""
        self._heads.update(heads)
        while len(self._heads) > _HEADS_REMEMBERED:
            # the oldest goes: a dict keeps its order, and a head that is missing costs one look
            del self._heads[next(iter(self._heads))]

    def forget(self, keys: Iterable[Key | None]) -> None:
        """Forget the heads of these conversations, so that the next append reads them from the file."""
        for key in keys:
            if key is not None:
                self._heads.pop(key, None)


class Rows:
    """Rows to insert, as the values of a statement, and the resulting heads of conversations that are no forks."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.heads: dict[Key, Head] = {}

    def add(self, n: int, incarnation: int, seq: int, record: Record, now: int) -> None:
        """Add the record at `seq` of conversation `n`."""
        self.values += (
            n, incarnation, seq, record.created_at, record.tokens, record.version, record.digest, record.checksum, record.id,
            record.body, now,
        )  # fmt: skip


class _Log:
    """The head of a conversation while a batch is decided, and the ids that it is known to contain."""

    __slots__ = ("deleted", "forked", "head", "incarnation", "known", "n")

    def __init__(self, n: int, incarnation: int, head: int, deleted: int, parent: int | None) -> None:
        self.n = n
        self.incarnation = incarnation
        self.head = head
        self.deleted = deleted
        self.forked = parent is not None
        self.known: dict[str, Known] = {}


def decide_from_memory(heads: Heads, jobs: Sequence[ThreadJob]) -> Rows | None:
    """What a crowd of appends adds if nobody else appended meanwhile and no id is there yet, with their results filled in.

    None if the heads that are remembered do not tell, or if it is too much for one statement.
    """
    rows = Rows()
    for job in jobs:
        if type(job) is not AppendJob:
            return None
        at = rows.heads.get(job.key) or heads.get(job.key)
        # decision 002: what is remembered may be past, so a mismatch proves nothing and is decided under the lock
        if at is None or job.expect_head not in (None, at[2]) or len(job.records) > ROWS_PER_STATEMENT:
            return None
        n, incarnation, head = at
        job.result = _appended(head, job.records)
        for seq, record in enumerate(job.records, head + 1):
            rows.add(n, incarnation, seq, record, job.now)
        # the next append of the same conversation in this batch goes on from here
        rows.heads[job.key] = n, incarnation, head + len(job.records)
    return rows if len(rows.values) <= ROWS_PER_STATEMENT * _COLUMNS else None


def _appended(head: int, records: Sequence[Record]) -> Appended:
    """Return the answer to an append at `head` of records that are all new."""
    if len(records) == 1:
        [record] = records
        return Appended((record.id,), (head + 1,), (record.created_at,), 1)
    ids, times = zip(*[(record.id, record.created_at) for record in records], strict=True)
    return Appended(ids, tuple(range(head + 1, head + 1 + len(ids))), times, len(ids))


def decide_all(connection: apsw.Connection, appends: Sequence[AppendJob]) -> Rows:
    """Decide the appends in order: return the rows to insert, and fill in the result or error of each."""
    rows = Rows()
    for append, log in zip(appends, _look(connection, appends), strict=True):
        append.result = None
        try:
            _decide(append, log, rows)
        except TurnlogError as error:
            append.error = error
    return rows


def _decide(append: AppendJob, log: _Log | None, rows: Rows) -> None:
    if log is None:
        raise ConversationNotFound(append.key.conversation_id)
    if log.deleted:
        raise ConversationDeleted(append.key.conversation_id)
    if log.head < 0:
        raise decayed(append.key.conversation_id)
    append.result, fresh = decide_append(log.head, append.records, log.known, append.expect_head)
    for seq, record in fresh:
        rows.add(log.n, log.incarnation, seq, record, append.now)
        # an append later in this batch that brings the same id is a replay of this one
        log.known[record.id] = Known(seq, record.digest, record.created_at)
    log.head += len(fresh)
    # decision 002: a fork's ids are also its parents', which the primary key does not see; it is decided under the lock
    if not log.forked:
        rows.heads[append.key] = log.n, log.incarnation, log.head


def _look(connection: apsw.Connection, appends: Sequence[AppendJob]) -> list[_Log | None]:
    """Return the log of each append, None if its conversation does not exist."""
    places: dict[Key, int] = {}
    wanted = [(places.setdefault(append.key, len(places)), record.id) for append in appends for record in append.records]
    found = connection.execute(SQL["look"], (_text(list(places)), _text(wanted))).get
    states, known = _from_json(found)
    logs = {place: _Log(*state) for place, *state in states}
    for at, seq, digest, created_at in known:
        place, id_ = wanted[at]
        logs[place].known[id_] = Known(seq, bytes.fromhex(digest), created_at)
    return [logs.get(places[append.key]) for append in appends]


def insert(connection: apsw.Connection, rows: Rows) -> None:
    """Insert the rows. Raises `apsw.ConstraintError` if a head has moved or an id exists."""
    size = ROWS_PER_STATEMENT * _COLUMNS
    for start in range(0, len(rows.values), size):
        values = rows.values[start : start + size]
        count = len(values) // _COLUMNS
        # seven statements serve all sizes: rows of NULLs, which the trigger passes over, fill up to a power of two
        padded = 1 << (count - 1).bit_length()
        connection.execute(_insert_sql(padded), values + [None] * ((padded - count) * _COLUMNS))


@cache
def _insert_sql(rows: int) -> str:
    marks = ",".join("?" * _COLUMNS)
    # the first row alone asks whether newer software has migrated the file: all of a statement see one moment
    return f"INSERT INTO append VALUES ({marks},{SUPPORTED})" + f",({marks},NULL)" * (rows - 1)


def _text(value: object) -> str:
    return _to_json(value).decode()


def touch(connection: apsw.Connection) -> None:
    """Write a value that the file already holds, to learn whether it accepts writes."""
    # reading back what is there and writing it takes the write lock and the disk, and changes nothing
    connection.execute(f"PRAGMA user_version = {connection.execute('PRAGMA user_version').get}")


def create(connection: apsw.Connection, tenant: str, header: Header, records: Sequence[Record]) -> Appended | None:
    key = Key(tenant, header.id)
    _refuse_if_there(connection, key)
    _add(connection, tenant, header)
    if not records:
        return None
    append = AppendJob(key, records, header.updated_at, None)
    insert(connection, decide_all(connection, [append]))
    if append.error is not None:
        raise append.error
    return cast(Appended, append.result)


def _refuse_if_there(connection: apsw.Connection, key: Key) -> None:
    try:
        find(connection, key)
    except ConversationDeleted:
        raise
    except ConversationNotFound:
        return
    raise ConversationExists(key.conversation_id)


def _add(
    connection: apsw.Connection, tenant: str, header: Header, *, parent: int | None = None, last: int | None = None
) -> None:
    n = connection.execute(
        SQL["add_conversation"],
        (
            tenant, header.id, header.user_id, header.created_at, header.updated_at, header.archived, parent,
            header.parent_seq, header.parent_seq, header.version, header.title, _text(header.tags), _text(header.metadata),
            header.epoch, last,
        ),
    ).get  # fmt: skip
    connection.execute(SQL["add_tags"], (n, tenant, _text(header.tags)))


def update(
    connection: apsw.Connection,
    key: Key,
    changes: dict[str, Any],
    now: int,
    expect_revision: int | None,
    expect_head: int | None,
) -> Header:
    place, header = find(connection, key)
    if expect_revision is not None and expect_revision != header.revision:
        raise RevisionMoved(expected=expect_revision, actual=header.revision)
    if expect_head is not None and expect_head != header.head:
        raise HeadMoved(expected=expect_head, actual=header.head)
    new = msgspec.structs.replace(header, **changes)
    connection.execute(SQL["update_header"], (place.n, new.title, _text(new.tags), _text(new.metadata), new.archived))
    connection.execute(SQL["touch"], (place.n, now))
    connection.execute(SQL["drop_tags"], (place.n, key.tenant, _text(header.tags)))
    connection.execute(SQL["add_tags"], (place.n, key.tenant, _text(new.tags)))
    return find(connection, key)[1]


def fork(connection: apsw.Connection, key: Key, header: Header) -> Header:
    place, parent = find(connection, key)
    if not 0 <= header.parent_seq <= parent.head:
        raise MessageNotFound(key.conversation_id, header.parent_seq)
    new = Key(key.tenant, header.id)
    _refuse_if_there(connection, new)
    # decision 002: the fork's chain begins at the parent's row, so that it costs one header
    row = row_at(connection, place, parent.head, header.parent_seq)[0] if header.parent_seq else None
    _add(connection, key.tenant, msgspec.structs.replace(header, epoch=parent.epoch), parent=place.n, last=row)
    return find(connection, new)[1]


def redact(connection: apsw.Connection, key: Key, tombstone: Record, now: int) -> int:
    place, header = find_to_erase(connection, key)
    seq = tombstone.seq
    if not 1 <= seq <= header.head:
        raise MessageNotFound(key.conversation_id, seq)
    row, there = row_at(connection, place, header.head, seq)
    # decision 004: erased before; one that decayed meanwhile is written anew
    if there is not None and there.digest == ERASED and intact(there):
        return header.epoch
    owner = connection.execute(SQL["owner"], (place.n, seq)).get
    connection.execute(
        SQL["blank_row"],
        (
            row, owner, seq, tombstone.id, tombstone.created_at, tombstone.tokens, tombstone.body, tombstone.digest,
            tombstone.checksum, tombstone.version,
        ),
    )  # fmt: skip
    connection.execute(SQL["name_row"], (tombstone.id, owner, row))
    # decision 004: each conversation that shows the row gets an epoch, or a fold would keep what it read there
    shows: list[Any] = connection.execute(SQL["shows"], (owner, seq)).fetchall()
    for (n,) in shows:
        _next_epoch(connection, n, now)
    return header.epoch + 1


def move_epoch(connection: apsw.Connection, key: Key, now: int) -> int:
    place, header = find_to_erase(connection, key)
    _next_epoch(connection, place.n, now)
    return header.epoch + 1


def _next_epoch(connection: apsw.Connection, n: int, now: int) -> None:
    connection.execute(SQL["next_epoch"], (n,))
    connection.execute(SQL["touch"], (n, now))
    connection.execute(SQL["drop_snapshots"], (n,))


class Dead(NamedTuple):
    """A deleted conversation whose rows `trim` has to remove; `again` if it was deleted before."""

    n: int
    again: bool


def bury(connection: apsw.Connection, key: Key, now: int) -> Dead:
    """Delete a conversation except its rows, which nothing shows any more and `trim` removes (decision 015)."""
    row = header_row(connection, key)
    # decision 015: a crash, or another caller, left it dead with rows; this call finishes that
    if row is not None and row[2] == 1:
        return Dead(row[1], again=True)
    place, header = find_to_erase(connection, key)
    connection.execute(SQL["drop_tags"], (place.n, key.tenant, _text(header.tags)))
    if row is not None and row[11] != "[]" and not header.tags:  # they decayed: a look at all tags finds them
        connection.execute(SQL["drop_all_tags"], (place.n, key.tenant))
    connection.execute(SQL["drop_snapshots"], (place.n,))
    connection.execute(SQL["bury"], (place.n, now))
    return Dead(place.n, again=False)


def trim(connection: apsw.Connection, n: int) -> int | None:
    """Drop some rows of the dead conversation `n` that no fork shows; which conversation to go on with, None at the end.

    If not all rows that its head promises hang together, those that it wrote are looked for among all rows.
    """
    grave: list[Any] = connection.execute(SQL["grave"], (n,)).fetchall()
    [(deleted, parent, parent_seq, head, last)] = grave
    if deleted != 1:
        return None
    # decision 004: forks may show rows up to here, and one that is dead may be read through by one that lives
    keep = connection.execute(SQL["still_shown"], (n,)).get
    floor = max(keep, parent_seq)
    # decision 015: from the highest seq down, so that after a crash the head still tells what is left
    dropped: list[Any] = connection.execute(SQL["own_rows"], (n, floor, ROWS_PER_STEP)).fetchall()
    if head < 0 or [seq for _, _, seq in dropped] != list(range(head, max(floor, head - ROWS_PER_STEP), -1)):
        found: list[Any] = connection.execute(SQL["all_own_rows"], (n, keep, ROWS_PER_STEP)).fetchall()
        _drop(connection, n, [row for row, _, _ in found])
        if len(found) == ROWS_PER_STEP:
            connection.execute(SQL["cut"], (n, floor + 1, None))  # not so: the next step, too, looks among all rows
            return n
        if not keep:
            connection.execute(SQL["drop_all_ids"], (n,))
        dropped, last = [], None
    elif dropped:
        _drop(connection, n, [row for row, _, _ in dropped])
        _, last, seq = dropped[-1]
        connection.execute(SQL["drop_marks"], (n, seq - 1))
        head = seq - 1
    if len(dropped) == ROWS_PER_STEP:
        # the head moves with the rows, in the same transaction: the next step begins here, in whatever process
        connection.execute(SQL["cut"], (n, head, last))
        return n
    connection.execute(SQL["drop_marks"], (n, keep))
    connection.execute(SQL["cut"], (n, keep, last if keep else None))
    connection.execute(SQL["trimmed"], (n,))
    # decision 004: a dead parent may have held rows for this one alone
    follows: int | None = connection.execute(SQL["again"], (parent,)).get
    return follows


def trim_next(connection: apsw.Connection) -> int | None:
    """Return the number of a deleted conversation with rows to remove, or None."""
    found: int | None = connection.execute(SQL["to_trim"]).get
    return found


def trim_again(connection: apsw.Connection) -> None:
    """Have `trim` work on dead conversations whose rows are still there because nothing pointed to them: all rows are looked
    at.
    """
    connection.execute(SQL["to_trim_again"])


def _drop(connection: apsw.Connection, n: int, rows: list[int]) -> None:
    """Drop these rows of conversation `n`, the last one first.

    A row of the highest number leaves its place behind, since SQLite would give the next message the same number
    (decision 015: `AUTOINCREMENT` would cost each commit a page).
    """
    connection.execute(SQL["drop_ids"], (_text(rows), n))
    if rows and rows[0] == connection.execute(SQL["highest"]).get:
        place = rows.pop(0)
        connection.execute(SQL["hold_place"], (place,))
        connection.execute(SQL["drop_place"])
        connection.execute(SQL["note_place"], (place,))
    connection.execute(SQL["drop_rows"], (_text(rows),))


def drop_versions(connection: apsw.Connection, key: Key, fold: str, below: int) -> None:
    connection.execute(SQL["drop_versions"], (find(connection, key)[0].n, fold, below))


def save_snapshot(
    connection: apsw.Connection, key: Key, fold: str, version: int, snapshot: Snapshot, expect_watermark: int
) -> None:
    place, header = find(connection, key)
    row = connection.execute(SQL["snapshot"], (place.n, fold, version)).fetchone()
    watermark = row[0] if row else 0
    if watermark != expect_watermark or header.epoch != snapshot.epoch:
        raise SnapshotMoved(watermark=watermark, epoch=header.epoch)
    connection.execute(SQL["save_snapshot"], (place.n, fold, version, snapshot.watermark, snapshot.epoch, snapshot.state))
