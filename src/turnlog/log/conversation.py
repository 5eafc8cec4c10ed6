"""`Conversation`: a handle on one conversation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Literal, TypedDict, Unpack
from uuid import UUID

import msgspec

from turnlog import codec
from turnlog.context.request import ContextOptions
from turnlog.errors import (
    ConversationDeleted,
    CorruptRecord,
    HeadMoved,
    HistoryMoved,
    InvalidInput,
    MessageNotFound,
    RevisionMoved,
    TranscriptDiverged,
)
from turnlog.fold import catch_up, newest, snapshots
from turnlog.ids import uuid7
from turnlog.integrity.digest import Digest, digest_of
from turnlog.integrity.verify import Inspection, inspect, remake
from turnlog.log import assembly
from turnlog.log.assembly import Context
from turnlog.log.engine import Engine, HeaderChanges
from turnlog.log.info import ConversationInfo, Page, cursor_of, query_mark, read_cursor
from turnlog.log.reconcile import Reconciled, match_ids, match_words_in_turns
from turnlog.memory.defaults import Remembered, readable, remembered
from turnlog.memory.user.digest import UserDigest
from turnlog.message import Message
from turnlog.message_input import MessageLike, as_messages
from turnlog.shielding import shielded
from turnlog.store import Appended, Fault, Header, Key, RecordPage
from turnlog.validation import check_id, check_limit, check_name, check_seq


class Expected(TypedDict, total=False):
    """What must hold, or nothing is done: `expect_head`, else `HeadMoved`; `expect_revision`, else `RevisionMoved`;
    `expect_incarnation`, else `HistoryMoved`. None expects nothing.
    """

    expect_head: int | None
    expect_revision: int | None
    expect_incarnation: str | None


def as_expected(header: Header, expected: Expected) -> Header:
    """`header`, if it is as `expected`. Raises what `Expected` says."""
    head, revision, incarnation = map(expected.get, ("expect_head", "expect_revision", "expect_incarnation"))
    if incarnation not in (None, header.incarnation):
        raise HistoryMoved(expected=str(incarnation), actual=header.incarnation)
    if isinstance(revision, int) and revision != header.revision:
        raise RevisionMoved(expected=revision, actual=header.revision)
    if isinstance(head, int) and head != header.head:
        raise HeadMoved(expected=head, actual=header.head)
    return header


class Turn(msgspec.Struct, frozen=True):
    """What a turn did: where the messages stand, and the context right behind them."""

    appended: Appended
    context: Context


class Conversation:
    """A handle on one conversation. Every method raises `ConversationNotFound` when it is not there."""

    def __init__(self, engine: Engine, conversation_id: str) -> None:
        self.engine = engine
        self.id = conversation_id
        self.key = Key(engine.tenant, conversation_id)

    def __repr__(self) -> str:
        return f"Conversation({self.id!r})"

    async def append(
        self, *messages: MessageLike, expect_head: int | None = None, idempotency_key: str | None = None
    ) -> Appended:
        """Put messages at the end, all or nothing; where they stand when this returns they stay.

        A text stands for a user's message, a dict for the fields of a message as JSON has them.

        A message whose id is already there is not stored again, so a retry is safe; with another body it is `KeyReused`.
        With `expect_head`, nothing is written unless that is the head: `HeadMoved`. With an `idempotency_key`, the
        messages get ids that follow from it and their places instead of their own, so that the whole call can be repeated.
        """
        now = self.engine.clock()
        return await self._append(await self._batch(messages, idempotency_key, now), now, expect_head)

    def _batch(self, given: Sequence[MessageLike], idempotency_key: str | None, now: int) -> Awaitable[list[codec.Record]]:
        messages = as_messages(given)
        if idempotency_key is None:
            return self.engine.records(messages, now)
        return self.engine.records(keyed(messages, idempotency_key), now, salt=str(len(messages)).encode())

    def _append(self, records: Sequence[codec.Record], now: int, expect_head: int | None) -> Awaitable[Appended]:
        if expect_head is not None:
            check_seq("expect_head", expect_head)
        return self.engine.store.append(self.key, records, now=now, expect_head=expect_head)

    async def info(self, **expected: Unpack[Expected]) -> ConversationInfo:
        """What is known of the conversation beside its messages, if it is as `expected`.

        Heads and seqs that were seen in another incarnation may name other messages now.
        """
        return ConversationInfo.of(as_expected(await self._header(), expected))

    async def _header(self) -> Header:
        return await self.engine.store.get(self.key)

    async def read(self, *, after: int = 0, before: int | None = None, limit: int = 50, newest: bool = False) -> RecordPage:
        """Up to `limit` records with after < seq < before: the first of them, or with `newest` the last.

        They weigh `page_bytes` of the settings together at most; `more` tells whether there are others within the bounds.
        """
        check_limit(limit, self.engine.settings.messages_per_call)
        check_seq("after", after)
        if before is not None:
            check_seq("before", before)
        return await self.engine.store.read(
            self.key, after=after, before=before, limit=limit, bytes_max=self.engine.settings.page_bytes, newest=newest
        )

    async def messages(
        self,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 50,
        newest: bool = False,
        cursor: str | None = None,
    ) -> Page[Message]:
        """Up to `limit` messages with after < seq < before, in ascending order: the first, or with `newest` the last.

        A `cursor` belongs to the query that it came from; with `newest`, the next page has what lies before this one.
        """
        page = await self.records(after=after, before=before, limit=limit, newest=newest, cursor=cursor)
        records, more = list(page), page.next_cursor
        while more is not None and len(records) < limit:  # a read has a limit in bytes as well
            page = await self.records(after=after, before=before, limit=limit - len(records), newest=newest, cursor=more)
            records, more = [*page, *records] if newest else [*records, *page], page.next_cursor
        return Page.of([codec.decode(record) for record in records], cursor=more)

    async def records(
        self,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int = 50,
        newest: bool = False,
        cursor: str | None = None,
    ) -> Page[codec.Record]:
        """As `messages`, in the stored form and by one read: a page that is shorter than `limit` need not be the last."""
        query = query_mark([self.id, after, before, newest])
        if cursor is not None:
            [seq] = read_cursor(cursor, query, tuple[int])
            after, before = (after, seq) if newest else (seq, before)
        page = await self.read(after=after, before=before, limit=limit, newest=newest)
        edge = page.records[0 if newest else -1].seq if page.records else 0
        return Page.of(page.records, cursor=cursor_of(query, edge) if page.more and page.records else None)

    async def record(self, seq: int) -> codec.Record:
        """The record at `seq`. Raises `MessageNotFound`."""
        return (await self._at(seq))[1]

    async def _at(self, seq: int) -> tuple[Header, codec.Record]:
        check_seq("seq", seq)
        page = await self.engine.store.read(self.key, after=max(seq - 1, 0), before=seq + 1, limit=1)
        if seq < 1 or not page.records:
            raise MessageNotFound(self.id, seq)
        return page.header, page.records[0]

    async def _to_erase(self, seq: int) -> tuple[Header, codec.Record]:
        """As `_at`, but a record that decayed comes as it was found, or as nothing but a place."""
        try:
            return await self._at(seq)
        except CorruptRecord as error:
            header = await self._header_left()
            if isinstance(error.record, codec.Record):
                return header, error.record
            return header, codec.Record(uuid7(), header.created_at, 0, b"", codec.ERASED, 0, seq=seq)

    async def _header_left(self) -> Header:
        """As `_header`; of one that decayed, what is left of it, for an erasure."""
        try:
            return await self._header()
        except CorruptRecord as error:
            if not isinstance(error.record, Header):
                raise
            return error.record

    async def pages(self, *, after: int = 0) -> AsyncIterator[RecordPage]:
        """The whole log from `after` on, page by page."""
        more = True
        while more:
            page = await self.read(after=after, limit=self.engine.settings.messages_per_call)
            more = page.more
            after += len(page.records)
            yield page

    async def context(self, **options: Unpack[ContextOptions]) -> Context:
        """What a model sees on the next call, by the policy of the deployment, the conversation and these `options`.

        Memory is what the folds have stored, as far as they have come. Raises `BudgetTooSmall` when the messages that must
        be shown do not fit.
        """
        request = self.engine.request(options)
        loaded = await assembly.read(self.engine.store, self.key, request, self.engine.books)
        return await assembly.context(self.engine.store, self.key, request, loaded, self.engine.books)

    async def turn(
        self,
        /,
        *messages: MessageLike,
        expect_head: int | None = None,
        idempotency_key: str | None = None,
        **options: Unpack[ContextOptions],
    ) -> Turn:
        """`append`, and the `context` behind it with these `options`, in one round trip: both calls are under way at once.

        A context that does not fit raises `BudgetTooSmall` when the messages are stored; a repetition stores nothing more.
        """
        wanted = self.engine.request(options)
        now = self.engine.clock()
        records = await self._batch(messages, idempotency_key, now)
        users = self.engine.books
        reading = asyncio.ensure_future(assembly.read(self.engine.store, self.key, wanted, users))
        try:
            appended = await self._append(records, now, expect_head)
            read = await reading
            log = assembly.joined(read.log, records, appended, now)
        finally:
            reading.cancel()
            reading.add_done_callback(_seen)
        found = await assembly.read(self.engine.store, self.key, wanted, users) if log is None else read._replace(log=log)
        return Turn(appended, await assembly.context(self.engine.store, self.key, wanted, found, users))

    async def catch_up(self) -> dict[str, Remembered]:
        """Fold what is behind, now; what is remembered then. Raises what a fold raised, once the others are done."""
        store, folds = self.engine.store, self.engine.folds
        done = await asyncio.gather(*(catch_up(store, self.key, fold) for fold in folds), return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, BaseException):
                raise outcome
        return await self.memory()

    async def memory(self) -> dict[str, Remembered]:
        """What each fold remembers of the conversation, by its name."""
        folds, versions = self.engine.folds, readable(self.engine.folds)
        header, found = await snapshots(self.engine.store, self.key, versions)
        stored = newest(versions, found, header.epoch)
        return {fold.name: remembered(fold, stored, header) for fold in folds}

    async def known(self) -> UserDigest:
        """What is known of the user from all their conversations, and of this one its topic and entities."""
        return await assembly.known(self.engine.store, self.key, self.engine.versions, self.engine.books)

    async def update(
        self, /, *, expect_revision: int | None = None, expect_head: int | None = None, **changes: Unpack[HeaderChanges]
    ) -> ConversationInfo:
        """Set `title`, `tags`, `metadata` or `archived`. Raises `RevisionMoved` or `HeadMoved` if an expectation fails."""
        return ConversationInfo.of(await shielded(self._update(changes, expect_revision, expect_head)))

    async def _update(self, changes: HeaderChanges, expect_revision: int | None, expect_head: int | None) -> Header:
        unknown = changes.keys() - {"title", "tags", "metadata", "archived"}
        if unknown:
            raise InvalidInput(min(unknown), "cannot be changed")
        header = await self.engine.store.update(
            self.key,
            self.engine.header_changes(changes),
            now=self.engine.clock(),
            expect_revision=expect_revision,
            expect_head=expect_head,
        )
        if "archived" in changes and header.user_id is not None:
            await self.engine.user(header.user_id).gather()
        return header

    async def fork(self, *, at: int | None = None, id: str | None = None, **expected: Unpack[Expected]) -> "Conversation":
        """A new conversation that shares this one's log up to seq `at` (default: all of it), copying nothing.

        It has the title, tags, metadata and user of this one.
        """
        header = as_expected(await self._header(), expected)
        if at is not None:
            check_seq("at", at)
        fork = Conversation(self.engine, check_id("id", id) if id is not None else uuid7())
        now = self.engine.clock()
        seq = header.head if at is None else at
        await self.engine.store.fork(
            self.key,
            Header(
                fork.id,
                now,
                now,
                header.user_id,
                header.title,
                header.tags,
                header.metadata,
                parent=self.id,
                parent_seq=seq,
                head=seq,
            ),
        )
        return fork

    async def redact(self, seq: int, **expected: Unpack[Expected]) -> None:
        """Erase what message `seq` says, and what was derived from it; its place, id, time and role stay.

        Doing it twice is fine. A record that decayed is erased as well. Once begun, it is finished before a cancellation.
        """
        await shielded(self._redact(seq, expected))

    async def _redact(self, seq: int, expected: Expected) -> None:
        header, record = await self._to_erase(seq)
        as_expected(header, expected)  # what is appended meanwhile changes nothing at `seq`
        await self.engine.store.redact(self.key, codec.tombstone(record), now=self.engine.clock())
        if header.user_id is not None:
            await self.engine.user(header.user_id).renew()

    async def delete(self, **expected: Unpack[Expected]) -> None:
        """Erase the conversation, and what was derived from it. Its id stays dead; forks keep what they share.

        What is appended after the expectations were met goes as well. Once begun, it is finished before a cancellation.
        """
        await shielded(self._delete(expected))

    async def _delete(self, expected: Expected) -> None:
        try:
            header = await self._header_left()
        except ConversationDeleted:
            await self.engine.store.delete(self.key, now=self.engine.clock())  # an erasure may not have reached the files
            raise
        as_expected(header, expected)
        if header.user_id is not None:
            # archived first, and taken out of what is known: a crash leaves what can be deleted again
            with suppress(CorruptRecord):  # a header that decayed: nothing reads it, and no gathering finds what it taught
                await self._archive(expected)
            await self.engine.user(header.user_id).renew()
        self.engine.books.pop(self.id, None)
        await self.engine.store.delete(self.key, now=self.engine.clock())
        if header.user_id is not None and await self.engine.user(header.user_id).tells_of(self.id):
            await self.engine.user(header.user_id).renew()  # somebody brought it back from the archive meanwhile

    async def _archive(self, expected: Expected) -> None:
        head, revision = expected.get("expect_head"), expected.get("expect_revision")
        now = self.engine.clock()
        await self.engine.store.update(self.key, {"archived": True}, now=now, expect_head=head, expect_revision=revision)

    async def verify(self, *, against: Digest | None = None) -> list[Fault]:
        """What is wrong with the log as it is stored, each with its seq (0: as a whole); empty when nothing is.

        `against`: a digest that was kept elsewhere.
        """
        return (await self.inspect(against=against)).faults

    async def inspect(self, *, against: Digest | None = None) -> Inspection:
        """`verify`, with what was erased since and how far the log could be compared; changes nothing.

        Raises `InvalidInput` for a digest of another conversation.
        """
        return await inspect(self.engine.store, self.key, self.engine.integrity, against=against)

    async def digest(self) -> Digest:
        """A digest of the log up to its head, to be kept elsewhere; brings the integrity state up to date first.

        Raises `InvalidInput` if that state was made with another key, `CorruptRecord` if a new message is not intact.
        """
        header = await self._header()  # before the log is read: what goes back meanwhile shows as another incarnation
        return digest_of(header, await catch_up(self.engine.store, self.key, self.engine.integrity, batch=1000))

    async def digest_anew(self) -> Digest:
        """A digest of the log as it is now, which becomes what its integrity state knows, whatever that knew before.

        For when the key was changed, or faults were looked into. Raises `SnapshotMoved` if somebody folds meanwhile.
        """
        header = await self._header()
        return digest_of(header, await remake(self.engine.store, self.key, self.engine.integrity))

    async def reconcile(
        self,
        transcript: Sequence[MessageLike],
        *,
        by_id: bool,
        on_divergence: Literal["error", "fork"] = "error",
        **expected: Unpack[Expected],
    ) -> Reconciled:
        """Store what is new in `transcript`, the caller's whole view of the conversation from its first message on.

        `by_id`: messages are matched by their ids; otherwise by what they say, from the first one on. A transcript that
        says something else than the log raises `TranscriptDiverged`, or goes to a fork that shares what is common.
        """
        now = self.engine.clock()
        messages = as_messages(transcript, field="transcript")
        records = await self.engine.records(messages, now, limit=self.engine.settings.transcript_messages)
        if expected:
            as_expected(await self._header(), expected)
        stored = [record async for page in self.pages() for record in page.records]
        if (head := expected.get("expect_head")) not in (None, len(stored)):
            raise HeadMoved(expected=head or 0, actual=len(stored))
        matched, diverged_at = match_ids(stored, records) if by_id else await match_words_in_turns(stored, messages)
        fresh = records[matched:]
        if diverged_at is not None and on_divergence == "error":
            raise TranscriptDiverged(diverged_at)
        base = len(stored) if diverged_at is None else diverged_at - 1
        target = self if diverged_at is None else await self.fork(at=base)
        if fresh:
            await self.engine.store.append(target.key, fresh, now=now, expect_head=base)
        forked_to = None if target is self else target.id
        return Reconciled(self.id, matched, len(fresh), base + len(fresh), diverged_at, forked_to)


def _seen(reading: "asyncio.Future[assembly.Loaded]") -> None:
    """Take note of how a reading that nobody waits for any more ended: the append has told of the same."""
    if not reading.cancelled():
        reading.exception()


def keyed(messages: Sequence[Message], key: str) -> tuple[Message, ...]:
    """The messages with ids that follow from an idempotency key and their places."""
    check_name("idempotency_key", key, length_max=255)
    return tuple(
        msgspec.structs.replace(message, id=str(UUID(bytes=blake2b(f"{index} {key}".encode(), digest_size=16).digest())))
        for index, message in enumerate(messages)
    )
