"""Import and export: conversations as JSON Lines, one conversation a line.

A line is whole or refused: nothing of a line that breaks a rule is stored. A line that tells what is remembered of a user,
as the export of one ends with, is passed over: memory is made of the log again. Import is idempotent, since every id that a
line does not give follows from the line: a conversation's from its bytes, a message's from the conversation and its place.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

from turnlog import codec
from turnlog.errors import (
    Conflict,
    ConversationExists,
    ConversationNotFound,
    InvalidInput,
    KeyReused,
    NotFound,
    TurnlogError,
)
from turnlog.log.info import ConversationInfo
from turnlog.log.turnlog import Turnlog
from turnlog.memory.user.as_json import known_fields
from turnlog.message import Message
from turnlog.message_input import MessageIn, decode_message, decoded
from turnlog.store import Header, RecordPage
from turnlog.timestamps import format_moment, from_micros, read_time, to_micros
from turnlog.validation import check_id, check_name

LINES_AT_ONCE = 16
_BOM = b"\xef\xbb\xbf"


class LineOutcome(msgspec.Struct, frozen=True):
    """What became of a line: messages `added` now and `present` before; the `error` for which it was refused; or that it was
    `passed` over, as it tells of no conversation.
    """

    number: int
    line: bytes
    conversation_id: str | None = None
    added: int = 0
    present: int = 0
    error: TurnlogError | None = None
    passed: bool = False


class LineCount(msgspec.Struct):
    """What an import did, in sum."""

    conversations: int = 0
    added: int = 0
    present: int = 0
    rejected: int = 0
    passed: int = 0

    def take(self, outcome: LineOutcome) -> None:
        """Count one line in."""
        self.passed += outcome.passed
        self.conversations += outcome.error is None and not outcome.passed
        self.rejected += outcome.error is not None
        self.added += outcome.added
        self.present += outcome.present


class _HeaderIn(msgspec.Struct, frozen=True):
    """The fields of a line beside its messages; `conversation_id` is what other tools call `id`."""

    id: str | None = None
    conversation_id: str | None = None
    user_id: str | None = None
    title: str | None = None
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None
    archived: bool = False
    parent: dict[str, Any] | None = None
    created_at: str | None = None
    updated_at: str | None = None


class Line(msgspec.Struct, frozen=True):
    """A conversation as a line of a file tells it."""

    conversation_id: str
    user_id: str | None
    title: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    archived: bool
    messages: tuple[Message, ...]
    created_at: int | None = None
    updated_at: int | None = None

    def times(self, now: int) -> tuple[int, int]:
        """When the conversation began and was changed last: as the line says, else as its first and last message do."""
        first, last = (
            (to_micros(each.created_at) for each in (self.messages[0], self.messages[-1])) if self.messages else (now, now)
        )
        created = min(first if self.created_at is None else self.created_at, now)
        updated = min(last if self.updated_at is None else self.updated_at, now)
        return created, max(created, updated)


_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def read_line(data: bytes) -> Line:
    """The conversation in one line of JSON. Unknown fields go to the metadata. Raises `InvalidInput`."""
    return _line(decoded(_decode_object, data), data)


def _line(fields: dict[str, Any], data: bytes) -> Line:
    messages = fields.pop("messages", None)
    if not isinstance(messages, list):
        raise InvalidInput("messages", "must be a list of messages")
    told = decoded(lambda known: msgspec.convert(known, _HeaderIn), _gather(fields, _HeaderIn.__struct_fields__))
    if told.id is not None and told.conversation_id not in (None, told.id):
        raise InvalidInput("conversation_id", "must be the same as id")
    named = told.id if told.id is not None else told.conversation_id
    conversation_id = _derived(data.strip()) if named is None else check_id("id", named)
    return Line(
        conversation_id,
        told.user_id,
        told.title,
        tuple(told.tags or ()),
        told.metadata or {},
        told.archived,
        tuple(_message(conversation_id, index, message) for index, message in enumerate(messages)),
        None if told.created_at is None else read_time("created_at", told.created_at),
        None if told.updated_at is None else read_time("updated_at", told.updated_at),
    )


def _message(conversation_id: str, index: int, fields: Any) -> Message:
    try:
        if not isinstance(fields, dict):
            raise InvalidInput("", "must be a JSON object")
        told = _gather(fields, MessageIn.__struct_fields__)
        if told.get("id") is None:
            told["id"] = _derived(f"{conversation_id} {index}".encode())
        message = decode_message(told)
        # the words are gone that could be counted again
        return msgspec.structs.replace(message, tokens=told.get("tokens")) if message.redacted else message
    except InvalidInput as error:
        raise error.within(f"messages[{index}]") from None


def _gather(fields: dict[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """The known fields, and the others in `metadata` under their names; one that says null says nothing."""
    others = {name: value for name, value in fields.items() if name not in known and value is not None}
    told = {name: value for name, value in fields.items() if name in known}
    if not others:
        return told
    metadata = told.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise InvalidInput("metadata", "must be a JSON object")
    for name in others:
        if name in metadata:
            raise InvalidInput(name, "is in metadata too, where fields that are not known here go")
    return told | {"metadata": metadata | others}


def _derived(content: bytes) -> str:
    return str(UUID(bytes=blake2b(content, digest_size=16).digest()))


async def import_lines(log: Turnlog, lines: Iterator[bytes], tell: Callable[[LineOutcome], None]) -> LineCount:
    """Store the conversations in `lines`, some at a time, and `tell` what became of each line.

    A line that is refused does not stop the others. Raises what the store raises when it cannot go on; what was stored
    until then stays, and importing the same lines again adds the rest.
    """
    count = LineCount()
    numbered = enumerate(lines, 1)
    turn = asyncio.Lock()

    async def work() -> None:
        while True:
            async with turn:
                number, data = await asyncio.to_thread(next, numbered, (0, b""))
            if not number:
                return
            data = data.removeprefix(_BOM) if number == 1 else data
            if data.strip():
                outcome = await _import(log, number, data)
                count.take(outcome)
                tell(outcome)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(LINES_AT_ONCE):
                group.create_task(work())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return count


def _is_memory(fields: dict[str, Any]) -> bool:
    """Whether a line tells what is remembered of a user."""
    return fields.keys() == {"user_id", "memory"} and isinstance(fields["memory"], dict)


async def _import(log: Turnlog, number: int, data: bytes) -> LineOutcome:
    try:
        fields = decoded(_decode_object, data)
        if _is_memory(fields):
            return LineOutcome(number, data, passed=True)
        line = _line(fields, data)
        added = await _store(log, line)
    except (InvalidInput, NotFound, Conflict) as error:
        return LineOutcome(number, data, error=error)
    return LineOutcome(number, data, line.conversation_id, added, len(line.messages) - added)


async def _store(log: Turnlog, line: Line) -> int:
    """Put what is not there yet of `line` into the log; how many messages that were."""
    size = log.settings.messages_per_call
    chunks = [line.messages[at : at + size] for at in range(0, len(line.messages), size)] or [()]
    if len(chunks) > 1:
        _check_whole(log, line.messages)
    added = 0
    if await _begin(log, line, chunks[0]):
        added = len({message.id for message in chunks.pop(0)})
    conversation = log.conversation(line.conversation_id)
    engine = conversation.engine
    for chunk in chunks:
        if chunk:
            records = await engine.records(chunk, engine.clock())
            # decision 055: the time of the line, not of the import
            added += (await engine.store.append(conversation.key, records, now=line.times(engine.clock())[1])).stored
    if line.archived and not (await conversation.info()).archived:
        await conversation.update(archived=True)
    return added


def _check_whole(log: Turnlog, messages: Sequence[Message]) -> None:
    """Refuse a line whose last part would be refused before its first part is stored."""
    digests: dict[str, bytes] = {}
    for index, message in enumerate(messages):
        try:
            digest = codec.encode(message, tokens=0, limits=log.settings.limits).digest
        except InvalidInput as error:
            raise error.within(f"messages[{index}]") from None
        if digests.setdefault(message.id, digest) != digest:
            raise KeyReused(message_id=message.id, seq=list(digests).index(message.id) + 1)


async def _begin(log: Turnlog, line: Line, messages: Sequence[Message]) -> bool:
    """Create the conversation with these messages and the times of the line; False when it is there already."""
    conversation = log.conversation(line.conversation_id)
    engine = conversation.engine
    if line.user_id is not None:
        check_name("user_id", line.user_id)
    told = engine.header_changes(
        {"title": line.title, "tags": line.tags, "metadata": line.metadata, "archived": line.archived}
    )
    now = engine.clock()
    header = Header(line.conversation_id, *line.times(now), line.user_id, **told)
    try:
        await engine.store.create(log.tenant, header, await engine.records(messages, now) if messages else ())
    except ConversationExists:
        return False
    return True


async def export_one(log: Turnlog, conversation_id: str) -> AsyncIterator[bytes]:
    """The line of one conversation, piece by piece. Raises `ConversationNotFound` before the first piece."""
    opened = False
    async for page in log.conversation(conversation_id).pages():
        if not opened:
            yield _opening(page)
        separator = b"," if opened and page.records else b""
        yield separator + codec.list_to_json(page.records)[1:-1]
        opened = True
    yield b"]}\n"


async def export_all(log: Turnlog, *, user_id: str | None = None, tag: str | None = None) -> AsyncIterator[bytes]:
    """The lines of all conversations that match, piece by piece; `b"]}\\n"` ends each."""
    async for header in every_header(log, user_id=user_id, tag=tag):
        try:
            async for piece in export_one(log, header.id):
                yield piece
        except ConversationNotFound:  # deleted since it was listed
            continue


async def export_user(log: Turnlog, user_id: str) -> AsyncIterator[bytes]:
    """All of a user, piece by piece: the lines of their conversations, archived ones too, then one line with what is
    remembered of them, `{"user_id", "memory": {…}}`. It is there for a user whom nobody knows as well.
    """
    async for piece in export_all(log, user_id=user_id):
        yield piece
    known = await log.user(user_id).memory()
    memory = await asyncio.to_thread(known_fields, user_id, known, closed=True)
    yield msgspec.json.encode({"user_id": memory.pop("user_id"), "memory": memory}) + b"\n"


async def every_header(
    log: Turnlog, *, user_id: str | None = None, tag: str | None = None
) -> AsyncIterator[ConversationInfo]:
    """Every conversation that was there at the beginning, once, also one that moves in the listing meanwhile."""
    began, since = from_micros(log.clock()), None
    size = min(100, log.settings.messages_per_call)
    seen: set[str] = set()
    found = True
    while found:
        found, cursor, more = False, None, True
        while more:
            page = await log.conversations(user_id=user_id, tag=tag, updated_since=since, cursor=cursor, limit=size)
            for header in page:
                if header.id not in seen and header.created_at <= began:
                    seen.add(header.id)
                    found = True
                    yield header
            cursor, more = page.next_cursor, page.next_cursor is not None
        since = began


def conversation_fields(conversation: Header | ConversationInfo) -> dict[str, Any]:
    """A conversation as JSON shows it, in the words of the HTTP service."""
    info = ConversationInfo.of(conversation) if isinstance(conversation, Header) else conversation
    fields: dict[str, Any] = msgspec.to_builtins(info)
    return fields | {
        "created_at": format_moment(info.created_at),
        "updated_at": format_moment(info.updated_at),
    }


_OF_THIS_STORE = ("head", "incarnation", "revision", "tokens")
"""Fields of a conversation that say nothing in another store."""


def _opening(page: RecordPage) -> bytes:
    fields = conversation_fields(page.header)
    told = {name: value for name, value in fields.items() if value and name not in _OF_THIS_STORE}
    return msgspec.json.encode(told)[:-1] + b',"messages":['
