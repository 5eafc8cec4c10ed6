"""`Turnlog` and `Conversation`: the two objects that a user holds."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from turnlog.errors import ConversationExists, InvalidInput
from turnlog.fold import Fold
from turnlog.ids import uuid7
from turnlog.integrity.digest import Integrity
from turnlog.llm.port import LLM
from turnlog.log.conversation import Conversation
from turnlog.log.engine import Clock, Engine, system_clock
from turnlog.log.info import ConversationInfo, Page, cursor_of, query_mark, read_cursor
from turnlog.log.user import User
from turnlog.message_input import MessageLike, as_messages
from turnlog.settings import Settings
from turnlog.store import Header, Position, Store
from turnlog.timestamps import micros_of
from turnlog.tokens import TokenCounter, estimate
from turnlog.validation import check_id, check_limit, check_name


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
        count_tokens: TokenCounter = estimate,
        folds: Sequence[Fold[Any]] | None = None,
        llm: LLM | None = None,
    ) -> None:
        settings = settings or Settings()
        self._engine = Engine(store, settings, clock=clock, count_tokens=count_tokens, folds=folds, llm=llm)
        self._llm = llm
        self._gate: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    def __repr__(self) -> str:
        return f"Turnlog(tenant={self.tenant!r}, store={type(self.store).__name__})"

    @property
    def store(self) -> Store:
        """The store that was given."""
        return self._engine.store

    @property
    def settings(self) -> Settings:
        """The settings, or those by default."""
        return self._engine.settings

    @property
    def clock(self) -> Clock:
        """Tells the time, in microseconds since 1970 UTC."""
        return self._engine.clock

    @property
    def tenant(self) -> str:
        """Whose conversations these are."""
        return self._engine.tenant

    @property
    def folds(self) -> tuple[Fold[Any], ...]:
        """The kinds of memory, the log's digest among them."""
        return self._engine.folds

    @property
    def integrity(self) -> Integrity:
        """The fold that makes digests of the log."""
        return self._engine.integrity

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
        return Conversation(self._engine, check_id("conversation_id", conversation_id))

    def user(self, user_id: str) -> User:
        """A handle on a user, known or not; does no I/O."""
        return self._engine.user(user_id)

    async def create(
        self,
        *messages: MessageLike,
        id: str | None = None,
        user_id: str | None = None,
        title: str | None = None,
        tags: Sequence[str] = (),
        metadata: dict[str, Any] | None = None,
        exist_ok: bool = False,
    ) -> "Conversation":
        """Begin a conversation, with its first messages if given, all or nothing.

        Raises `ConversationExists` for an id in use, `ConversationDeleted` for one that was. With `exist_ok`, an existing
        conversation is returned as it is; `ConversationExists` then means that it belongs to another `user_id`. First
        messages cannot go with `exist_ok`: append them to what is returned.
        """
        if exist_ok and messages:
            raise InvalidInput("messages", "cannot be given with exist_ok: append them to the returned conversation")
        conversation = Conversation(self._engine, check_id("id", id) if id is not None else uuid7())
        if user_id is not None:
            check_name("user_id", user_id)
        told = self._engine.header_changes({"title": title, "tags": tags, "metadata": metadata or {}})
        now = self.clock()
        header = Header(conversation.id, now, now, user_id, **told)
        records = await self._engine.records(as_messages(messages), now) if messages else ()
        try:
            await self.store.create(self.tenant, header, records)
        except ConversationExists:
            if not exist_ok:
                raise
            if user_id not in (None, (await self.store.get(conversation.key)).user_id):
                raise ConversationExists(conversation.id, of_another_user=True) from None
        return conversation

    async def conversations(
        self,
        *,
        user_id: str | None = None,
        tag: str | None = None,
        archived: bool | None = None,
        updated_since: datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[ConversationInfo]:
        """Conversations that match, latest `updated_at` first. A `cursor` belongs to the query that it came from."""
        check_limit(limit, self.settings.messages_per_call)
        since = micros_of("updated_since", updated_since)
        for field, name in (("user_id", user_id), ("tag", tag)):
            if name is not None:
                check_name(field, name)
        query = query_mark([self.tenant, user_id, tag, archived, since])
        headers = await self.store.list_headers(
            self.tenant,
            user_id=user_id,
            tag=tag,
            archived=archived,
            updated_since=since,
            after=None if cursor is None else read_cursor(cursor, query, Position),
            limit=limit + 1,
        )
        shown = headers[:limit]
        following = cursor_of(query, shown[-1].updated_at, shown[-1].id) if len(headers) > limit else None
        return Page.of([ConversationInfo.of(header) for header in shown], cursor=following)
