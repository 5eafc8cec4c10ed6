"""The operations on memory: of conversations, of users, and corrections."""

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from turnlog.jsonl import export_user
from turnlog.llm import spent
from turnlog.llm.port import Spent
from turnlog.log.conversation import Conversation
from turnlog.memory.user import model
from turnlog.memory.user.as_json import facts_fields, known_fields, shown
from turnlog.memory.user.digest import UserDigest
from turnlog.service.request import Answer, Request, Stream
from turnlog.service.requests import FactRequest, RefreshRequest, RetryRequest
from turnlog.service.responses import (
    ConversationMemory,
    Deleted,
    ErasureReceipt,
    FoldFailure,
    FoldMemory,
    FoldProgress,
    ItemText,
    LLMUsage,
    MemoryAnswer,
    MemoryStatus,
    PreferenceText,
    Retried,
)
from turnlog.timestamps import format_moment, format_time, from_micros, micros_of, read_time
from turnlog.worker import Failure, FoldStatus, failure, retry, status
from turnlog.worker.status import named

_json = msgspec.json.Encoder().encode
_fact = msgspec.json.Decoder(FactRequest).decode
_refresh = msgspec.json.Decoder(RefreshRequest).decode
_retry = msgspec.json.Decoder(RetryRequest).decode


def memory_of(known: UserDigest) -> MemoryAnswer:
    """What is remembered, in the form that conversations and contexts show."""
    return MemoryAnswer(
        known.user_name,
        tuple(PreferenceText(polarity, text) for polarity, text in known.preferences),
        known.topic,
        _items(known.entities),
        _items(known.facts),
        _items(known.tasks),
    )


def _items(texts: tuple[str, ...]) -> tuple[ItemText, ...]:
    return tuple(map(ItemText, texts))


_NOTHING = UserDigest()
_NOTHING_JSON = _json(MemoryAnswer())


def memory_json(known: UserDigest) -> bytes:
    """`memory_of` as JSON."""
    return _NOTHING_JSON if known == _NOTHING else _json(memory_of(known))


async def conversation_memory(call: Request) -> Answer:
    """The state of each fold."""
    return Answer(200, _json(await _folds_of(call.conversation)))


async def memory_status(call: Request) -> Answer:
    """How far the folds are behind, and what they cost."""
    log = call.log
    found = await status(log.store, log.tenant, log.folds, limit=call.query["limit"])
    costs = {period: _usage(sums) for period, sums in (await spent(log.store, log.tenant)).items()}
    return Answer(200, _json(MemoryStatus(tuple(map(_progress, found)), costs)))


async def refresh(call: Request) -> Answer:
    """Fold what is behind, as far as the time allows."""
    conversation, given = call.conversation, await call.decode(_refresh, default=b"{}")
    try:
        async with asyncio.timeout(given.wait_s):
            await conversation.catch_up()
    except TimeoutError:
        pass  # the answer shows how far the folds came
    return Answer(200, _json(await _folds_of(conversation)))


async def retry_fold(call: Request) -> Answer:
    """Try a fold that failed at once."""
    conversation, given = call.conversation, await call.decode(_retry)
    fold = named(call.log.folds, given.fold)
    return Answer(200, _json(Retried(await retry(call.log.store, conversation.key, fold))))


async def user_memory(call: Request) -> Answer:
    """What is remembered of a user."""
    user_id = call.path["user_id"]
    known, moment = await call.log.user(user_id).memory(), micros_of("as_of", call.query["as_of"])
    # decision 046: the items of hundreds of conversations are merged here, which would stop other requests
    return Answer(200, await asyncio.to_thread(_known, user_id, known, moment))


async def add_fact(call: Request) -> Answer:
    """Add a fact about a user."""
    return Answer(201, _json(await _correct(call, None)))


async def correct_fact(call: Request) -> Answer:
    """Correct a fact about a user."""
    return Answer(200, _json(await _correct(call, call.path["fact_id"])))


async def forget_fact(call: Request) -> Answer:
    """Forget a fact about a user."""
    await call.log.user(call.path["user_id"]).forget(call.path["fact_id"])
    return Answer(200, _json(Deleted()))


async def erase_user(call: Request) -> Answer:
    """Erase a user."""
    gone = await call.log.user(call.path["user_id"]).erase()
    fields = msgspec.structs.asdict(gone) | {"erased_at": format_moment(gone.erased_at)}
    return Answer(200, _json(ErasureReceipt(**fields)))


async def export_of_user(call: Request) -> Stream:
    """All data of a user, as JSON Lines."""
    user = call.log.user(call.path["user_id"])
    pieces = export_user(call.log, user.id)
    return Stream(await anext(pieces, b""), pieces, b"application/x-ndjson")


def _known(user_id: str, known: model.UserMemory, moment: int | None) -> bytes:
    fields = known_fields(user_id, known)
    if moment is not None:
        fields |= facts_fields(user_id, known, moment)
    return _json(fields)


async def _folds_of(conversation: Conversation) -> ConversationMemory:
    log, found = conversation.engine, await conversation.memory()
    failed = [await failure(log.store, conversation.key, fold) for fold in log.folds]
    folds = {name: FoldMemory(**msgspec.structs.asdict(each)) for name, each in found.items()}
    return ConversationMemory(conversation.id, folds, tuple(map(_failure, filter(None, failed))))


def _usage(sums: Spent) -> LLMUsage:
    fields = msgspec.structs.asdict(sums)
    del fields["tenant"]
    return LLMUsage(**fields)


def _progress(found: FoldStatus) -> FoldProgress:
    fields = msgspec.structs.asdict(found) | {"failures": tuple(map(_failure, found.failures))}
    return FoldProgress(**fields)


def _failure(failed: Failure) -> FoldFailure:
    return FoldFailure(
        failed.conversation_id,
        failed.fold,
        failed.version,
        failed.watermark,
        failed.failures,
        failed.error,
        format_time(failed.failed_at),
        format_time(failed.retry_at),
    )


async def _correct(call: Request, fact_id: str | None) -> dict[str, Any]:
    user, given = call.log.user(call.path["user_id"]), await call.decode(_fact)
    since, until = _moment("valid_from", given.valid_from), _moment("valid_to", given.valid_to)
    known = await user.correct(
        given.text, fact=fact_id, slot=given.slot, value=given.value, valid_from=since, valid_to=until
    )
    fields: dict[str, Any] = shown(known)
    return fields


def _moment(field: str, text: str | None) -> datetime | None:
    return None if text is None else from_micros(read_time(field, text))
