"""The protocol `Store` and the values that cross it.

A store keeps three things for each tenant: conversation headers, logs of records, and snapshots of folds. It never
reads the body of a record. Every method is one round trip and raises nothing but `TurnlogError`.
`turnlog.testing.StoreContract` tests these promises.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import msgspec

from turnlog.codec import Record
from turnlog.timestamps import from_micros

PAGE_BYTES = 8 << 20
"""Default limit of the bytes of all bodies that one call reads."""


class Key(NamedTuple):
    """Names a conversation. Every stored key begins with the tenant."""

    tenant: str
    conversation_id: str


class Header(msgspec.Struct, frozen=True, omit_defaults=False):
    """The header of a conversation. Times are in microseconds since 1970 UTC.

    `head` is the seq of the last message, 0 when there is none; `revision` counts changes of the header made by people;
    `epoch` counts erasures that touched the log. A fork names its `parent` and reads through to it up to `parent_seq`.
    `incarnation` (16 hexadecimal digits, made by the store) names this history of the log: while it stays the same, a seq
    that was acknowledged still names the same message. It is new when the history may have gone back: after a restore of
    the store's data, or a failover that may have lost a tail. `tokens` is the sum over all messages as they were appended,
    of those too that a fork shares; a redaction does not lower it (decision 058).
    """

    id: str
    created_at: int
    updated_at: int
    user_id: str | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    parent: str | None = None
    parent_seq: int = 0
    head: int = 0
    revision: int = 1
    epoch: int = 0
    archived: bool = False
    version: int = 1
    incarnation: str = ""
    tokens: int = 0


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """Where a message stands in the log, and its time in UTC."""

    id: str
    seq: int
    created_at: datetime


class Appended(msgspec.Struct, frozen=True, gc=False):
    """The result of an append: the id, seq and time (microseconds since 1970 UTC) of each message, and how many were stored
    by this call. `receipts` has the same with `datetime`s.
    """

    ids: tuple[str, ...]
    seqs: tuple[int, ...]
    times_us: tuple[int, ...]
    stored: int

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """One receipt for each message, in the order of the call."""
        return tuple(map(Receipt, self.ids, self.seqs, map(from_micros, self.times_us)))

    @property
    def head(self) -> int:
        """The head right after this batch was stored."""
        return max(self.seqs)

    @property
    def replayed(self) -> bool:
        """Whether everything had been stored before."""
        return self.stored == 0


class RecordPage(msgspec.Struct, frozen=True):
    """Records in ascending order of seq, with the header as it was at that moment.

    `more` tells whether the log goes on in the direction of reading, within the bounds of seq that were asked for.
    """

    header: Header
    records: list[Record]
    more: bool


class Position(NamedTuple):
    """The position where a page of a listing ended. Listings are sorted by `updated_at`, then id, both descending."""

    updated_at: int
    conversation_id: str


class Snapshot(msgspec.Struct, frozen=True):
    """A fold's state after the messages up to `watermark`, taken at an erase `epoch`."""

    watermark: int
    epoch: int
    state: bytes


class Stale(NamedTuple):
    """A conversation with messages that a fold has not seen, or has seen before an erasure."""

    conversation_id: str
    head: int
    watermark: int
    epoch: int


class Recent(msgspec.Struct, frozen=True):
    """The end of a log and what folds know of it, as of one moment: all that a context is made of.

    `records` are the last ones in ascending order of seq, up to the head; `pinned` are records from before them;
    `snapshots` are those that were asked for, None for one that is not there. `cut` tells that `bytes_max` alone kept
    older records out.
    """

    header: Header
    records: list[Record]
    pinned: list[Record]
    snapshots: tuple[Snapshot | None, ...]
    cut: bool = False


class Fault(NamedTuple):
    """A fault that `verify` found; `seq` is 0 if it concerns the conversation as a whole."""

    seq: int
    what: str


class Finding(NamedTuple):
    """Something that bears on what a store promises: its name, its value here, and what that means.

    `warn` weakens a promise or costs something, `bad` breaks a promise.
    """

    name: str
    value: str
    verdict: Literal["ok", "warn", "bad"]
    meaning: str


class SchemaVersion(NamedTuple):
    """The schema version of the stored data, 0 for none, and the version that this software writes."""

    found: int
    supported: int


class Store(Protocol):
    """Keeps the logs. Safe to share between tasks; several handles and processes may work on the same data.

    A method on a conversation that is not there raises `ConversationNotFound`; on one that was deleted,
    `ConversationDeleted`. When the engine cannot answer it raises `StoreUnavailable`; when it refuses for a reason that
    retrying will not mend, `StoreFailed`. A record that is not what was written never leaves a store: `CorruptRecord`.

    Calls for different conversations may travel together, and none suffers from another's failure: what one conversation's
    data, locks or ids do to an append of it stays with it.
    """

    async def open(self) -> None:
        """Connect, and bring the schema up to date. Raises `SchemaTooNew` when newer software wrote the data."""

    async def close(self) -> None:
        """Finish accepted calls, then release all resources. Closing twice has no effect."""

    async def ping(self) -> None:
        """Return if the store accepts writes now; raise `StoreUnavailable` if not."""

    async def create(self, tenant: str, header: Header, records: Sequence[Record] = ()) -> Appended | None:
        """Add a conversation with its first records, all or nothing.

        Raises `ConversationExists`; for an id that was deleted, `ConversationDeleted`.
        """

    async def append(self, key: Key, records: Sequence[Record], *, now: int, expect_head: int | None = None) -> Appended:
        """Put records at the end of the log, all or nothing, at the next seqs.

        A record whose id is already in the log is not stored again: its seq is the one that it has, or `KeyReused` if the
        digests differ (`codec.ERASED` in the log matches any). A batch that is wholly there already is answered
        whatever `expect_head` says; otherwise `expect_head` must be the head, or `HeadMoved`.
        The same id twice in one batch counts as the same message. `records` must not be empty.
        """

    async def get(self, key: Key) -> Header:
        """The header."""

    async def read(
        self,
        key: Key,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        bytes_max: int = PAGE_BYTES,
        newest: bool = False,
    ) -> RecordPage:
        """Up to `limit` records with after < seq < before: the first of them, or with `newest` the last.

        Their bodies weigh `bytes_max` together at most, but one record comes if there is one. No call holds much more than
        that in memory, here or on the server.
        """

    async def recent(
        self,
        key: Key,
        *,
        tokens: int,
        limit: int,
        bytes_max: int = PAGE_BYTES,
        pinned: Sequence[int] = (),
        folds: Sequence[tuple[str, int]] = (),
    ) -> Recent:
        """The newest records up to the first one that makes them cost more than `tokens` together, at most `limit`, and of
        no more than `bytes_max` together, but one record if there is one.

        When the first of `folds`, each a name and a version, has a snapshot of the log's epoch, what lies before its
        watermark is not read either. Of the seqs `pinned`, those that are in the log and not among the newest records come
        as well, in ascending order, whatever they weigh.
        """

    async def update(
        self,
        key: Key,
        changes: dict[str, Any],
        *,
        now: int,
        expect_revision: int | None = None,
        expect_head: int | None = None,
    ) -> Header:
        """Set `title`, `tags`, `metadata` or `archived`; the revision grows by one.

        Raises `RevisionMoved` or `HeadMoved` when an expectation fails, and changes nothing.
        """

    async def list_headers(
        self,
        tenant: str,
        *,
        user_id: str | None = None,
        tag: str | None = None,
        archived: bool | None = None,
        updated_since: int | None = None,
        after: Position | None = None,
        limit: int,
    ) -> list[Header]:
        """The matching headers, latest first, after the position `after`."""

    async def fork(self, key: Key, header: Header) -> Header:
        """Add a conversation that shares the log of `key` up to `header.parent_seq`, copying nothing.

        Its log reads through to the parent's: same seqs, same ids. Raises `MessageNotFound` when the parent ends before.
        """

    async def redact(self, key: Key, tombstone: Record, *, now: int) -> int:
        """Put `tombstone` in the place of the record at its seq, wherever that is kept; the new erase epoch.

        All its fields are stored, so that a record that had decayed is whole again. Every conversation that shows the record
        gets a new epoch, and its snapshots go. Doing it twice changes nothing more.
        """

    async def move_epoch(self, key: Key, *, now: int) -> int:
        """Give this log a new erase epoch, which drops all its snapshots; the new epoch. Forks keep theirs."""

    async def delete(self, key: Key, *, now: int) -> None:
        """Erase a conversation: header, log and snapshots. Its id cannot be used again. Messages that a fork shows stay."""

    async def load_snapshot(self, key: Key, fold: str, version: int) -> Snapshot | None:
        """The last saved state of this version of a fold, or None."""

    async def save_snapshot(self, key: Key, fold: str, version: int, snapshot: Snapshot, *, expect_watermark: int) -> None:
        """Save if the stored watermark is `expect_watermark` (0: nothing stored) and the log's epoch `snapshot.epoch`.

        Raises `SnapshotMoved` otherwise, and changes nothing. A stored snapshot of an older epoch counts as watermark 0.
        """

    async def drop_snapshots(self, key: Key, fold: str, *, below: int) -> None:
        """Drop the states of versions of a fold before `below`."""

    async def stale(self, tenant: str, fold: str, version: int, *, limit: int, since: int = 0) -> list[Stale]:
        """Conversations that this version of a fold should look at, longest untouched first.

        Those whose `updated_at` lies before `since` may be left out, which a store uses where it makes the call cheaper.
        """

    async def verify(self, key: Key) -> list[Fault]:
        """Gaps, records that do not match their checksum, a header that does not match its rows."""


@runtime_checkable
class Doctor(Protocol):
    """An ability of a store: to tell what it promises as it is configured, whether it is open or not."""

    async def doctor(self) -> list[Finding]:
        """What was found; changes nothing. Raises `StoreUnavailable` when the engine cannot be asked."""


@runtime_checkable
class Sweeper(Protocol):
    """An ability of a store: to finish what a crash or a failover left half done, and to take what was erased out of files
    that keep it for longer than the store shows it.
    """

    async def sweep(self, *, now: int) -> int:
        """How many conversations had something to put right; safe beside everything else, whether the store is open or not.
        Writers may have to wait.

        Raises `SchemaTooNew` when newer software wrote the data.
        """


@runtime_checkable
class Restorable(Protocol):
    """An ability of a store: to be told that its data was put back to an earlier state, where it cannot see that itself."""

    async def mark_restored(self) -> None:
        """Give every conversation a new incarnation; whether the store is open or not."""


@runtime_checkable
class Residue(Protocol):
    """An ability of a store: to tell where its engine may still keep bytes of what was erased."""

    async def residue(self) -> tuple[str, ...]:
        """One sentence for each place, with what ends that; empty where nothing is left (decision 012)."""


@runtime_checkable
class Versioned(Protocol):
    """An ability of a store: to tell and change the form of the stored data, whether it is open or not."""

    async def schema_version(self) -> SchemaVersion:
        """Both versions; changes nothing. Raises `SchemaTooNew` when newer software wrote the data."""

    async def migrate(self) -> None:
        """Bring the data up to date, also by steps that older software would not survive."""
