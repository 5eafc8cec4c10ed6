"""`Turnlog` and `Conversation`: the two objects that a user holds."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Any, Literal, Self
from uuid import UUID

import msgspec

from turnlog import codec, formats
from turnlog.context.memory_config import MemoryConfig
from turnlog.context.parts import Memory
from turnlog.context.policy import ContextPolicy, override, preset
from turnlog.context.result import Context
from turnlog.errors import (
    ConversationDeleted,
    CorruptRecord,
    HistoryMoved,
    InvalidInput,
    MessageNotFound,
    TooLarge,
    TranscriptDiverged,
)
from turnlog.fold import Fold, catch_up, newest, snapshots
from turnlog.ids import uuid7
from turnlog.integrity.digest import Digest, Integrity, digest_of
from turnlog.integrity.verify import Inspection, inspect, remake
from turnlog.llm.port import LLM
from turnlog.log import assembly
from turnlog.log.reconcile import match_ids, match_words
from turnlog.log.user import User
from turnlog.memory.defaults import TOLD, Remembered, readable, remembered, shipped
from turnlog.memory.user.digest import Gist
from turnlog.message import Message
from turnlog.settings import Settings
from turnlog.shielding import finished
from turnlog.store import Appended, Fault, Header, Key, Page, Position, Store
from turnlog.tokens import Counter, counter_of_model, estimate
from turnlog.validation import INTEGER_MAX, check_id, check_name

Clock = Callable[[], int]
"""Microseconds since 1970 UTC."""


def system_clock() -> int:
    """The machine's clock."""
    return time.time_ns() // 1000


_SIMPLE = (int, str, type(None))
_ASKED_MAX = 256
"""So many ways to ask for a context are remembered, so that the usual ones are checked once."""
_TURN_WEIGHT = 256 << 10
"""What is worked on in one go, in bytes of messages, before others have their turn."""
_RECORD_WEIGHT = 2 << 10
"""What a message costs beside its bytes, as bytes."""
_COMPARED = 500
"""Messages that are compared in one go."""
_CONTEXT_OPTIONS: dict[str, Any] = {
    "budget": None,
    "max_messages": None,
    "policy": None,
    "model": None,
    "format": "openai",
    "tools": (),
    "memory": None,
}


def _deployed(changes: Mapping[str, Any]) -> ContextPolicy:
    """The policy of a deployment. Raises `InvalidInput` that names the setting and the field."""
    try:
        return override(preset("full"), changes)
    except InvalidInput as error:
        raise error.within("context_policy") from None


_FIELD_OF_OPTION = {"budget": "budget_tokens", "max_messages": "max_messages"}


Policy = str | Mapping[str, Any] | ContextPolicy | MemoryConfig
"""How a call names a policy: a preset, some fields, or all of them."""


def _changes(policy: Policy | None, options: Mapping[str, int | None]) -> Mapping[str, Any]:
    """What a call changes of the policy; its own options win over the policy that it names."""
    if isinstance(policy, MemoryConfig):
        policy = policy.policy
    if isinstance(policy, ContextPolicy):
        policy = {"preset": "window", **msgspec.structs.asdict(policy)}
    if not isinstance(policy, str | Mapping | None):
        raise InvalidInput("policy", "must be the name of a preset, fields of a policy, a ContextPolicy or a MemoryConfig")
    changes: dict[str, Any] = {"preset": policy} if isinstance(policy, str) else dict(policy or {})
    for option, value in options.items():
        if value is not None:
            changes[_FIELD_OF_OPTION[option]] = value
    return changes


def _changed(policy: ContextPolicy, changes: Mapping[str, Any], options: Mapping[str, int | None]) -> ContextPolicy:
    """`policy` with `changes`. Raises `InvalidInput` that names the option which asked for what cannot be."""
    if not changes:
        return policy
    try:
        return override(policy, changes)
    except InvalidInput as error:
        for option, field in _FIELD_OF_OPTION.items():
            if error.field == field and options[option] is not None:
                raise InvalidInput(option, error.rule) from None
        raise error.within("policy") from None


class Listing(msgspec.Struct, frozen=True):
    """A page of conversations, latest first; `next_cursor` asks for the next page, None when this is the last."""

    headers: list[Header]
    next_cursor: str | None


class Synced(msgspec.Struct, frozen=True):
    """What `sync` did: how many messages of the transcript were in the log and how many were added to it.

    `diverged_at` is the seq at which the transcript says something else; then the rest went to the fork `forked_to`.
    """

    conversation_id: str
    matched: int
    appended: int
    head: int
    diverged_at: int | None = None
    forked_to: str | None = None


class Turnlog:
    """The conversations of one tenant in one store. Opens and closes the store; use it as an async context manager.

    `folds` are the kinds of memory that are kept beside the log's digest; None stands for those that turnlog ships,
    which work by rules, and better with `llm`, which is closed with the store. Somebody has to run them: `turnlog serve`,
    `turnlog worker`, a `turnlog.worker.Runner`, or `Conversation.catch_up`.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings | None = None,
        *,
        clock: Clock = system_clock,
        count_tokens: Counter = estimate,
        folds: Sequence[Fold[Any]] | None = None,
        llm: LLM | None = None,
    ) -> None:
        self.store = store
        self.settings = settings or Settings()
        self.clock = clock
        self.count_tokens = count_tokens
        self.tenant = check_id("tenant", self.settings.tenant)
        self.limits = self.settings.limits
        self._llm = llm
        self.integrity = Integrity(self.settings.integrity_key.encode(errors="surrogatepass"))
        self.folds = (*(shipped(llm) if folds is None else folds), self.integrity)
        self._told = readable([fold for fold in self.folds if fold.name in TOLD])
        self._users: dict[str, str] = {}  # conversations, and the books of their users
        self._asked: dict[tuple[object, ...], assembly.Wanted] = {}
        self._gate: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self.policy = _deployed(self.settings.context_policy)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Open the store, also again after `close`. Raises `StoreUnavailable` or `SchemaTooNew`.

        Several tasks may do so at once: when any of them returns, it is open.
        """
        async with self._alone():
            await self.store.open()

    async def close(self) -> None:
        """Finish what was accepted, and close the store. Closing twice is fine."""
        async with self._alone():
            try:
                await self.store.close()
            finally:
                if self._llm is not None:
                    await self._llm.close()

    def _alone(self) -> asyncio.Lock:
        """What lets one task at a time open or close. A loop after the first, or one in a forked process, has its own."""
        loop = asyncio.get_running_loop()
        if self._gate is None or self._gate[0] is not loop:
            self._gate = loop, asyncio.Lock()
        return self._gate[1]

    async def ping(self) -> None:
        """Return if the store can be written to now, else raise `StoreUnavailable`."""
        await self.store.ping()

    def conversation(self, conversation_id: str) -> "Conversation":
        """A handle on a conversation, there or not; does no I/O."""
        return Conversation(self, check_id("conversation_id", conversation_id))

    def user(self, user_id: str) -> User:
        """A handle on a user, known or not; does no I/O."""
        check_name("user_id", user_id)
        versions, limits = self._told, self.settings.limits
        return User(self.store, self.tenant, user_id, clock=self.clock, versions=versions, limits=limits)

    async def create(
        self,
        *messages: Message,
        conversation_id: str | None = None,
        user_id: str | None = None,
        title: str | None = None,
        tags: Sequence[str] = (),
        metadata: dict[str, Any] | None = None,
    ) -> "Conversation":
        """Begin a conversation, with its first messages if given, all or nothing.

        Raises `ConversationExists` for an id in use, `ConversationDeleted` for one that was.
        """
        conversation = self.conversation(conversation_id if conversation_id is not None else uuid7())
        if user_id is not None:
            check_name("user_id", user_id)
        told = self._check_changes({"title": title, "tags": tags, "metadata": metadata or {}})
        now = self.clock()
        header = Header(conversation.id, now, now, user_id, **told)
        await self.store.create(self.tenant, header, await self._records(messages, now) if messages else ())
        return conversation

    async def conversations(
        self,
        *,
        user_id: str | None = None,
        tag: str | None = None,
        archived: bool | None = None,
        updated_since: int | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Listing:
        """Conversations that match, latest `updated_at` first. A `cursor` belongs to the query that it came from."""
        check_limit(limit, self.settings.messages_per_call)
        if updated_since is not None:
            check_seq("updated_since", updated_since)
        for field, name in (("user_id", user_id), ("tag", tag)):
            if name is not None:
                check_name(field, name)
        query = _query_mark([self.tenant, user_id, tag, archived, updated_since])
        headers = await self.store.list_headers(
            self.tenant,
            user_id=user_id,
            tag=tag,
            archived=archived,
            updated_since=updated_since,
            after=None if cursor is None else _read_cursor(cursor, query),
            limit=limit + 1,
        )
        more = len(headers) > limit
        del headers[limit:]
        last = headers[-1] if headers else None
        return Listing(headers, _cursor(Position(last.updated_at, last.id), query) if more and last else None)

    def _check_changes(self, changes: dict[str, Any]) -> dict[str, Any]:
        """The changes of a header, checked; `tags` in the form in which they are kept."""
        checked = dict(changes)
        if checked.get("title") is not None:
            check_name("title", checked["title"], length_max=500)
        if "tags" in checked:
            checked["tags"] = self._check_tags(checked["tags"])
        if "metadata" in checked:
            if not isinstance(checked["metadata"], dict):
                raise InvalidInput("metadata", "must be a JSON object")
            codec.check_metadata(checked["metadata"], self.limits)
        if not isinstance(checked.get("archived", False), bool):
            raise InvalidInput("archived", "must be true or false")
        return checked

    def _check_tags(self, tags: Sequence[str]) -> tuple[str, ...]:
        if isinstance(tags, str) or not isinstance(tags, Sequence):
            raise InvalidInput("tags", "must be a list of names")
        if len(tags) > self.settings.tags:
            raise TooLarge("tags", limit=self.settings.tags, actual=len(tags), unit="tags")
        return tuple(dict.fromkeys(check_name(f"tags[{index}]", tag) for index, tag in enumerate(tags)))

    def _wanted_by(self, options: Mapping[str, Any]) -> assembly.Wanted:
        if unknown := options.keys() - _CONTEXT_OPTIONS.keys():
            raise InvalidInput(min(unknown), "is no option of a context")
        return self._wanted(**{**_CONTEXT_OPTIONS, **options})

    def _wanted(
        self,
        budget: int | None,
        max_messages: int | None,
        policy: Policy | None,
        model: str | None,
        format: str,
        tools: Sequence[Mapping[str, Any]],
        memory: Memory | None,
    ) -> assembly.Wanted:
        asked = (budget, max_messages, policy, model, format)
        simple = not tools and memory is None and all(type(each) in _SIMPLE for each in asked)
        if simple and (known := self._asked.get(asked)):
            return known
        formats.overhead((), format)
        count = self.count_tokens if model is None else counter_of_model(model)
        options = {"budget": budget, "max_messages": max_messages}
        changes = _changes(policy, options)
        wanted = assembly.Wanted(
            self.policy,
            changes,
            _changed(self.policy, changes, options),
            self.count_tokens,
            count,
            format,
            tools,
            memory,
            self._told,
            self.settings.context_messages,
            self.settings.context_bytes,
        )
        if simple:
            if len(self._asked) >= _ASKED_MAX:
                self._asked.clear()
            self._asked[asked] = wanted
        return wanted

    async def _records(
        self, messages: Sequence[Message], now: int, *, salt: bytes = b"", limit: int | None = None
    ) -> list[codec.Record]:
        """The messages as they are stored; while there are many or large ones, others have their turn in between."""
        limit = limit or self.settings.messages_per_call
        if not messages:
            raise InvalidInput("messages", "must not be empty")
        if len(messages) > limit:
            raise TooLarge("messages", limit=limit, actual=len(messages), unit="messages")
        records, weight = [], 0
        for index, message in enumerate(messages):
            record = self._record(index, message, salt, now)
            records.append(record)
            weight += len(record.body) + _RECORD_WEIGHT
            if weight > _TURN_WEIGHT:
                weight = 0
                await asyncio.sleep(0)  # decision 047: 8 MB in one go would stop everybody for 100 ms
        return records

    def _record(self, index: int, message: Message, salt: bytes, now: int) -> codec.Record:
        if not isinstance(message, Message):
            raise InvalidInput(f"messages[{index}]", "must be a Message")
        tokens = self.count_tokens(message) if message.tokens is None else message.tokens
        try:
            return codec.encode(message, tokens=tokens, limits=self.limits, salt=salt, received_at=now)
        except InvalidInput as error:
            raise error.within(f"messages[{index}]") from None


class Turn(msgspec.Struct, frozen=True):
    """What a turn did: where the messages stand, and the context right behind them."""

    appended: Appended
    context: Context


class Conversation:
    """A handle on one conversation. Every method raises `ConversationNotFound` when it is not there."""

    def __init__(self, log: Turnlog, conversation_id: str) -> None:
        self.log = log
        self.id = conversation_id
        self.key = Key(log.tenant, conversation_id)

    async def append(
        self, *messages: Message, expect_head: int | None = None, idempotency_key: str | None = None
    ) -> Appended:
        """Put messages at the end, all or nothing; where they stand when this returns they stay.

        A message whose id is already there is not stored again, so a retry is safe; with another body it is `KeyReused`.
        With `expect_head`, nothing is written unless that is the head: `HeadMoved`. With an `idempotency_key`, the
        messages get ids that follow from it and their places, so that the whole call can be repeated.
        """
        now = self.log.clock()
        return await self._append(await self._batch(messages, idempotency_key, now), now, expect_head)

    def _batch(self, messages: Sequence[Message], idempotency_key: str | None, now: int) -> Awaitable[list[codec.Record]]:
        if idempotency_key is None:
            return self.log._records(messages, now)
        return self.log._records(keyed(messages, idempotency_key), now, salt=str(len(messages)).encode())

    def _append(self, records: Sequence[codec.Record], now: int, expect_head: int | None) -> Awaitable[Appended]:
        if expect_head is not None:
            check_seq("expect_head", expect_head)
        return self.log.store.append(self.key, records, now=now, expect_head=expect_head)

    async def header(self) -> Header:
        """What is known of the conversation beside its messages."""
        return await self.log.store.get(self.key)

    async def expect(self, incarnation: str) -> Header:
        """The header, if the history is still the one of this `incarnation`, else `HistoryMoved`.

        What was seen before it moved, heads and seqs among it, may name other messages now.
        """
        header = await self.header()
        if header.incarnation != incarnation:
            raise HistoryMoved(expected=incarnation, actual=header.incarnation)
        return header

    async def read(self, *, after: int = 0, before: int | None = None, limit: int = 50, newest: bool = False) -> Page:
        """Up to `limit` records with after < seq < before: the first of them, or with `newest` the last.

        They weigh `page_bytes` of the settings together at most; `more` tells whether there are others within the bounds.
        """
        check_limit(limit, self.log.settings.messages_per_call)
        check_seq("after", after)
        if before is not None:
            check_seq("before", before)
        return await self.log.store.read(
            self.key, after=after, before=before, limit=limit, bytes_max=self.log.settings.page_bytes, newest=newest
        )

    async def messages(
        self, *, after: int = 0, before: int | None = None, limit: int = 50, newest: bool = False
    ) -> list[Message]:
        """`read`, decoded, and page after page until there are `limit` messages or no more."""
        records: list[codec.Record] = []
        more = True
        while more and len(records) < limit:
            page = await self.read(after=after, before=before, limit=limit - len(records), newest=newest)
            more = page.more
            if newest:
                records = page.records + records
                before = records[0].seq if records else before
            else:
                records += page.records
                after = records[-1].seq if records else after
        return [codec.decode(record) for record in records]

    async def record(self, seq: int) -> codec.Record:
        """The record at `seq`. Raises `MessageNotFound`."""
        return (await self._at(seq))[1]

    async def _at(self, seq: int) -> tuple[Header, codec.Record]:
        check_seq("seq", seq)
        page = await self.log.store.read(self.key, after=max(seq - 1, 0), before=seq + 1, limit=1)
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
        """As `header`; of one that decayed, what is left of it, for an erasure."""
        try:
            return await self.header()
        except CorruptRecord as error:
            if not isinstance(error.record, Header):
                raise
            return error.record

    async def pages(self, *, after: int = 0) -> AsyncIterator[Page]:
        """The whole log from `after` on, page by page."""
        more = True
        while more:
            page = await self.read(after=after, limit=self.log.settings.messages_per_call)
            more = page.more
            after += len(page.records)
            yield page

    async def context(
        self,
        *,
        budget: int | None = None,
        max_messages: int | None = None,
        policy: Policy | None = None,
        model: str | None = None,
        format: str = "openai",
        tools: Sequence[Mapping[str, Any]] = (),
        memory: Memory | None = None,
    ) -> Context:
        """What to send to a model now, within `budget` tokens: instructions, memory, and the recent window.

        `policy` names a preset or changes fields of the policy that the deployment and the conversation's metadata set;
        `budget` and `max_messages` change two more. `model` tells whose tokenizer counts (default: the one by which
        messages are counted when they are appended), `format` how the context will be rendered, `tools` the schemas that
        will be sent with it, `memory` what is known beside the log (default: what the folds know).
        Raises `BudgetTooSmall`.
        """
        wanted = self.log._wanted(budget, max_messages, policy, model, format, tools, memory)
        found = await assembly.read(self.log.store, self.key, wanted, self.log._users)
        return await assembly.context(self.log.store, self.key, wanted, found, self.log._users)

    async def turn(
        self, /, *messages: Message, expect_head: int | None = None, idempotency_key: str | None = None, **options: Any
    ) -> Turn:
        """`append`, and the `context` behind it with these `options`, in one round trip: both calls are under way at once.

        A context that does not fit raises `BudgetTooSmall` when the messages are stored; a repetition stores nothing more.
        """
        wanted = self.log._wanted_by(options)
        now = self.log.clock()
        records = await self._batch(messages, idempotency_key, now)
        users = self.log._users
        reading = asyncio.ensure_future(assembly.read(self.log.store, self.key, wanted, users))
        try:
            appended = await self._append(records, now, expect_head)
            read = await reading
            log = assembly.joined(read.log, records, appended, now)
        finally:
            reading.cancel()
            reading.add_done_callback(_seen)
        found = await assembly.read(self.log.store, self.key, wanted, users) if log is None else read._replace(log=log)
        return Turn(appended, await assembly.context(self.log.store, self.key, wanted, found, users))

    async def catch_up(self) -> dict[str, Remembered]:
        """Fold what is behind, now; what is remembered then. Raises what a fold raised, once the others are done."""
        store, folds = self.log.store, self.log.folds
        done = await asyncio.gather(*(catch_up(store, self.key, fold) for fold in folds), return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, BaseException):
                raise outcome
        return await self.memory()

    async def memory(self) -> dict[str, Remembered]:
        """What each fold remembers of the conversation, by its name."""
        folds, versions = self.log.folds, readable(self.log.folds)
        header, found = await snapshots(self.log.store, self.key, versions)
        stored = newest(versions, found, header.epoch)
        return {fold.name: remembered(fold, stored, header) for fold in folds}

    async def known(self) -> Gist:
        """What is known of the user from all their conversations, and of this one its topic and entities."""
        return await assembly.known(self.log.store, self.key, self.log._told, self.log._users)

    async def update(
        self, /, *, expect_revision: int | None = None, expect_head: int | None = None, **changes: Any
    ) -> Header:
        """Set `title`, `tags`, `metadata` or `archived`. Raises `RevisionMoved` or `HeadMoved` if an expectation fails."""
        return await finished(self._update(changes, expect_revision, expect_head))

    async def _update(self, changes: dict[str, Any], expect_revision: int | None, expect_head: int | None) -> Header:
        unknown = changes.keys() - {"title", "tags", "metadata", "archived"}
        if unknown:
            raise InvalidInput(min(unknown), "cannot be changed")
        header = await self.log.store.update(
            self.key,
            self.log._check_changes(changes),
            now=self.log.clock(),
            expect_revision=expect_revision,
            expect_head=expect_head,
        )
        if "archived" in changes and header.user_id is not None:
            await self.log.user(header.user_id).gather()
        return header

    async def fork(self, *, at: int | None = None, conversation_id: str | None = None) -> "Conversation":
        """A new conversation that shares this one's log up to seq `at` (default: all of it), copying nothing."""
        header = await self.header()
        if at is not None:
            check_seq("at", at)
        fork = self.log.conversation(conversation_id if conversation_id is not None else uuid7())
        now = self.log.clock()
        seq = header.head if at is None else at
        await self.log.store.fork(
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

    async def redact(self, seq: int) -> None:
        """Erase what message `seq` says, and what was derived from it; its place, id, time and role stay.

        Doing it twice is fine. A record that decayed is erased as well. Once begun, it is finished before a cancellation.
        """
        await finished(self._redact(seq))

    async def _redact(self, seq: int) -> None:
        header, record = await self._to_erase(seq)
        await self.log.store.redact(self.key, codec.tombstone(record), now=self.log.clock())
        if header.user_id is not None:
            await self.log.user(header.user_id).renew()

    async def delete(self) -> None:
        """Erase the conversation, and what was derived from it. Its id stays dead; forks keep what they share.

        Once begun, it is finished before a cancellation.
        """
        await finished(self._delete())

    async def _delete(self) -> None:
        try:
            header = await self._header_left()
        except ConversationDeleted:
            await self.log.store.delete(self.key, now=self.log.clock())  # an erasure may not have reached the files
            raise
        if header.user_id is not None:
            # archived first, and taken out of what is known: a crash leaves what can be deleted again
            with suppress(CorruptRecord):  # a header that decayed: nothing reads it, and no gathering finds what it taught
                await self.log.store.update(self.key, {"archived": True}, now=self.log.clock())
            await self.log.user(header.user_id).renew()
        self.log._users.pop(self.id, None)
        await self.log.store.delete(self.key, now=self.log.clock())
        if header.user_id is not None and await self.log.user(header.user_id).tells_of(self.id):
            await self.log.user(header.user_id).renew()  # somebody brought it back from the archive meanwhile

    async def verify(self, *, against: Digest | None = None) -> list[Fault]:
        """What is wrong with the log as it is stored, each with its seq (0: as a whole); empty when nothing is.

        `against`: a digest that was kept elsewhere.
        """
        return (await self.inspect(against=against)).faults

    async def inspect(self, *, against: Digest | None = None) -> Inspection:
        """`verify`, with what was erased since and how far the log could be compared; changes nothing.

        Raises `InvalidInput` for a digest of another conversation.
        """
        return await inspect(self.log.store, self.key, self.log.integrity, against=against)

    async def digest(self) -> Digest:
        """A digest of the log up to its head, to be kept elsewhere; brings the integrity state up to date first.

        Raises `InvalidInput` if that state was made with another key, `CorruptRecord` if a new message is not intact.
        """
        header = await self.header()  # before the log is read: what goes back meanwhile shows as another incarnation
        return digest_of(header, await catch_up(self.log.store, self.key, self.log.integrity, batch=1000))

    async def digest_anew(self) -> Digest:
        """A digest of the log as it is now, which becomes what its integrity state knows, whatever that knew before.

        For when the key was changed, or faults were looked into. Raises `SnapshotMoved` if somebody folds meanwhile.
        """
        header = await self.header()
        return digest_of(header, await remake(self.log.store, self.key, self.log.integrity))

    async def sync(
        self, transcript: Sequence[Message], *, by_id: bool, on_divergence: Literal["error", "fork"] = "error"
    ) -> Synced:
        """Store what is new in `transcript`, the caller's whole view of the conversation from its first message on.

        `by_id`: messages are matched by their ids; otherwise by what they say, from the first one on. A transcript that
        says something else than the log raises `TranscriptDiverged`, or goes to a fork that shares what is common.
        """
        now = self.log.clock()
        records = await self.log._records(transcript, now, limit=self.log.settings.transcript_messages)
        stored = [record async for page in self.pages() for record in page.records]
        matched, diverged_at = match_ids(stored, records) if by_id else await _match_words(stored, transcript)
        fresh = records[matched:]
        if diverged_at is not None and on_divergence == "error":
            raise TranscriptDiverged(diverged_at)
        base = len(stored) if diverged_at is None else diverged_at - 1
        target = self if diverged_at is None else await self.fork(at=base)
        if fresh:
            await self.log.store.append(target.key, fresh, now=now, expect_head=base)
        forked_to = None if target is self else target.id
        return Synced(self.id, matched, len(fresh), base + len(fresh), diverged_at, forked_to)


async def _match_words(stored: Sequence[codec.Record], transcript: Sequence[Message]) -> tuple[int, int | None]:
    """`match_words`, with a turn for others now and then."""
    same = 0
    for first in range(0, min(len(stored), len(transcript)), _COMPARED):
        matched, parted_at = match_words(stored[first : first + _COMPARED], transcript[first : first + _COMPARED])
        same += matched
        if parted_at is not None:
            return same, same + 1
        await asyncio.sleep(0)
    return same, None


def _seen(reading: "asyncio.Future[assembly.Found]") -> None:
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


def check_seq(field: str, seq: int) -> None:
    """Refuse what is not a place in a log, or the one before the first."""
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq <= INTEGER_MAX:
        raise InvalidInput(field, "must be a whole number from 0 on")


def check_limit(limit: int, maximum: int, *, field: str = "limit") -> None:
    """Refuse a page of less than one or of more than `maximum`."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= maximum:
        raise InvalidInput(field, f"must be a whole number from 1 to {maximum}")


def _query_mark(parts: list[Any]) -> str:
    """What a cursor remembers of the query that it belongs to."""
    return blake2b(msgspec.json.encode(parts), digest_size=6).hexdigest()


def _cursor(position: Position, query: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((query, *position))).decode().rstrip("=")


def _read_cursor(cursor: str, query: str) -> Position:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        found, updated_at, conversation_id = msgspec.json.decode(text, type=tuple[str, int, str])
    except (ValueError, msgspec.MsgspecError):
        raise InvalidInput("cursor", "must be a next_cursor that this service gave out") from None
    if found != query:
        raise InvalidInput("cursor", "belongs to another query")
    return Position(updated_at, conversation_id)
