"""How a user's book lies in the store, and how it is read: decision 046.

A book is a conversation of a tenant that nobody can name (`<tenant>!users`). Its log holds corrections. Its snapshots are
derived, and go with each erasure, which gives the book a new epoch:

- `page-00` to `page-63`: what each conversation contributes, on the page that its id falls on;
- `candidates`: the newest items of all pages, of which the digest is made;
- `digest`: what contexts tell of the user;
- `corrections`: the corrections up to a seq, so that only those behind it are read one by one.

A snapshot that cannot be read counts as none. A record of the log that cannot be read is an error: corrections are derived
from nothing and cannot be made anew.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import NamedTuple, TypeVar
from zlib import crc32

import msgspec

from turnlog import codec
from turnlog.codec import Record
from turnlog.errors import ConversationDeleted, ConversationExists, ConversationNotFound, CorruptRecord, SnapshotMoved
from turnlog.fold import snapshots
from turnlog.memory.user.candidates import Candidates
from turnlog.memory.user.digest import UserDigest
from turnlog.memory.user.items import Correction, corrected
from turnlog.memory.user.model import Contribution
from turnlog.store import Header, Key, Snapshot, Store

Name = tuple[str, int]
PAGES: tuple[Name, ...] = tuple((f"page-{number:02}", 2) for number in range(64))
CANDIDATES: Name = ("candidates", 2)
DIGEST: Name = ("digest", 2)
CORRECTIONS: Name = ("corrections", 1)
PAGE_MAX = 24
"""Conversations on one page: those that were touched last. Three times what a page of a full book has on average."""
TAIL_MAX = 200
"""Corrections that are read one by one; behind more, the snapshot `corrections` is written anew."""
_UNLIMITED = 1 << 60

T = TypeVar("T")
logger = logging.getLogger(__name__)
encode = msgspec.json.Encoder(order="deterministic").encode
_decode_page = msgspec.json.Decoder(dict[str, Contribution]).decode
_decode_candidates = msgspec.json.Decoder(Candidates).decode
_decode_digest = msgspec.json.Decoder(UserDigest).decode


class Corrections(msgspec.Struct, frozen=True):
    """The last correction of each fact, and by fact the seqs of the records that have words of it."""

    last: dict[str, Correction] = {}
    words: dict[str, tuple[int, ...]] = {}


_decode_corrections = msgspec.json.Decoder(Corrections).decode


class UserBook(NamedTuple):
    """A book as of one moment: `epoch` is None before it is begun; `snapshots` are those of this epoch.

    `records` are the newest of the log, from behind the corrections that a snapshot has; `unreadable` tells why there are
    none.
    """

    key: Key
    epoch: int | None = None
    head: int = 0
    updated_at: int = 0
    snapshots: Mapping[Name, Snapshot] = {}
    records: Sequence[Record] = ()
    unreadable: CorruptRecord | None = None

    def watermark(self, name: Name) -> int:
        """How often the snapshot was written at this epoch; of `corrections`, the seq up to which it has them."""
        return self.snapshots[name].watermark if name in self.snapshots else 0

    def page(self, name: Name) -> dict[str, Contribution] | None:
        """What the conversations on a page contribute; None for a page that cannot be read."""
        return self._read(name, _decode_page) if name in self.snapshots else {}

    def candidates(self) -> Candidates | None:
        """None where there are none that can be read."""
        return self._read(CANDIDATES, _decode_candidates)

    def digest(self) -> UserDigest | None:
        """None where there is none that can be read."""
        return self._read(DIGEST, _decode_digest)

    def _read(self, name: Name, decode: Callable[[bytes], T]) -> T | None:
        return decoded(self.snapshots[name].state, decode) if name in self.snapshots else None


def decoded(state: bytes, decode: Callable[[bytes], T]) -> T | None:
    """A derived state, None for one that cannot be read: it decayed, or newer software wrote it."""
    try:
        return decode(state)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        logger.warning("something derived of a user cannot be read and is made anew: %s", error)
        return None


def read_digest(state: bytes) -> UserDigest | None:
    """A digest, None for one that cannot be read."""
    return decoded(state, _decode_digest)


def page_of(conversation_id: str) -> Name:
    """The page that a conversation is on."""
    return PAGES[crc32(conversation_id.encode()) % len(PAGES)]


def latest(contributions: Mapping[str, Contribution], most: int) -> dict[str, Contribution]:
    """Those that were touched last."""
    kept = sorted(contributions, key=lambda id_: (contributions[id_].at, id_), reverse=True)[:most]
    return {id_: contributions[id_] for id_ in sorted(kept)}


def hidden_name(user_id: str) -> str:
    """What a user's books are called, which does not tell who the user is."""
    return blake2b(user_id.encode(), digest_size=16).hexdigest()


def place(tenant: str, name: str, generation: int) -> Key:
    """Where the book of this name lies, after so many less one that were erased."""
    return Key(f"{tenant}!users", name if generation == 1 else f"{name}.{generation}")


async def open_book(store: Store, tenant: str, user_id: str, names: Iterable[Name]) -> UserBook:
    """The living book with these snapshots and the newest corrections; one round trip."""
    generation, wanted = 1, [CORRECTIONS, *names]
    while True:
        key = place(tenant, hidden_name(user_id), generation)
        try:
            return await _opened(store, key, wanted)
        except ConversationDeleted:  # the user was erased, and came back
            generation += 1
        except ConversationNotFound:
            return UserBook(key)


async def _opened(store: Store, key: Key, wanted: Sequence[Name]) -> UserBook:
    records: Sequence[Record] = ()
    unreadable = None
    try:
        end = await store.recent(key, tokens=_UNLIMITED, limit=TAIL_MAX, folds=wanted)
        header, found, records = end.header, end.snapshots, end.records
    except CorruptRecord as error:
        unreadable = error
        header, found = await _snapshots(store, key, wanted)
    living = {
        name: snapshot
        for name, snapshot in zip(wanted, found, strict=False)
        if snapshot is not None and snapshot.epoch == header.epoch
    }
    return UserBook(key, header.epoch, header.head, header.updated_at, living, records, unreadable)


async def _snapshots(store: Store, key: Key, wanted: Sequence[Name]) -> tuple[Header, tuple[Snapshot | None, ...]]:
    """`snapshots`, also of a book whose header decayed, which can still be erased."""
    try:
        return await snapshots(store, key, wanted)
    except CorruptRecord as error:
        if not isinstance(error.record, Header):
            raise
        return error.record, (None,) * len(wanted)


async def begin_book(store: Store, tenant: str, user_id: str, names: Iterable[Name]) -> UserBook:
    """The book, which is begun if it is not there."""
    names = list(names)
    while (book := await open_book(store, tenant, user_id, names)).epoch is None:
        try:
            await store.create(book.key.tenant, Header(book.key.conversation_id, 0, 0))
            return book._replace(epoch=0)
        except (ConversationExists, ConversationDeleted):  # another was faster
            continue
    return book


async def contributions_of(book: UserBook) -> dict[str, Contribution] | None:
    """What all pages that were read have; None if one cannot be read. A full book takes milliseconds, so others go first
    in between.
    """
    contributions: dict[str, Contribution] = {}
    for name in PAGES:
        page = book.page(name)
        if page is None:
            return None
        contributions |= page
        if page:
            await asyncio.sleep(0)
    return contributions


async def corrections(store: Store, book: UserBook) -> Corrections:
    """All corrections, however many there are. Raises `CorruptRecord` if one cannot be read, and `SnapshotMoved` if
    something was erased meanwhile.
    """
    if book.unreadable is not None:
        raise book.unreadable
    stored = book.snapshots.get(CORRECTIONS)
    known = decoded(stored.state, _decode_corrections) if stored else None
    since = stored.watermark if stored and known is not None else 0
    tail = [record for record in book.records if record.seq > since]
    if len(tail) < book.head - since:
        tail = await _records(store, book, since)
    found = await _joined(known or Corrections(), tail, book.updated_at)
    if len(tail) > TAIL_MAX and book.epoch is not None:
        snapshot = Snapshot(tail[-1].seq, book.epoch, encode(found))
        with suppress(SnapshotMoved, ConversationNotFound):  # another was faster
            await store.save_snapshot(book.key, *CORRECTIONS, snapshot, expect_watermark=book.watermark(CORRECTIONS))
    return found


async def _records(store: Store, book: UserBook, since: int) -> list[Record]:
    """The log of the book behind `since`, as it was at the book's epoch."""
    found: list[Record] = []
    more = True
    while more:
        page = await store.read(book.key, after=since + len(found), limit=TAIL_MAX)
        if page.header.epoch != book.epoch:
            raise SnapshotMoved(watermark=0, epoch=page.header.epoch)
        found += page.records
        more = page.more
    return found


async def _joined(known: Corrections, records: Sequence[Record], touched_at: int) -> Corrections:
    said: list[Correction] = []
    for place_, record in enumerate(records, 1):
        if (correction := _correction(record, touched_at)) is not None:
            said.append(correction)
        if place_ % TAIL_MAX == 0:
            await asyncio.sleep(0)
    words = dict(known.words)
    for it in said:
        if it.text is not None:
            words[it.id] = (*words.get(it.id, ()), it.seq)
    return Corrections(corrected(known.last, said), words)


def _correction(record: Record, touched_at: int) -> Correction | None:
    """What a record of the log says, None for one that was erased. One from the future is of a wrong clock, and bounded by
    when the book was touched last.
    """
    message = codec.decode(record)
    fact = message.metadata.get("fact")
    if message.redacted or fact is None:
        return None
    at = min(record.created_at, touched_at)
    try:
        return msgspec.convert({**fact, "seq": record.seq, "at": at}, Correction)
    except msgspec.ValidationError as error:
        raise CorruptRecord(seq=record.seq, reason=str(error), record=record) from error
