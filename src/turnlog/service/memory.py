"""What is remembered, over HTTP: of conversations, of users, and what people put right."""

import asyncio
from typing import Any

import msgspec

from turnlog.jsonl import export_user
from turnlog.llm import spent
from turnlog.llm.port import Spent
from turnlog.log.conversation import Conversation
from turnlog.memory.user.as_json import facts_fields, known_fields, shown
from turnlog.memory.user.digest import UserDigest
from turnlog.memory.user.model import UserMemory
from turnlog.service.request import Answer, Request, Stream
from turnlog.service.schemas import (
    ConversationMemory,
    Deleted,
    FactRequest,
    FoldFailure,
    FoldMemory,
    FoldProgress,
    Likings,
    Memory,
    MemoryStatus,
    Receipted,
    Retried,
    RetryRequest,
    SpentOut,
)
from turnlog.timestamps import format_moment, format_time, read_time
from turnlog.worker import Failure, FoldStatus, failure, retry, status
from turnlog.worker.status import named

_json = msgspec.json.Encoder().encode
_fact = msgspec.json.Decoder(FactRequest).decode
_retry = msgspec.json.Decoder(RetryRequest).decode


def memory_of(known: UserDigest) -> Memory:
    """What is known, in the form in which conversations and contexts show it."""
    told: dict[str, list[str]] = {"like": [], "dislike": [], "prefer": []}
    for polarity, text in known.preferences:
        told[polarity].append(text)
    likings = Likings(tuple(told["like"]), tuple(told["dislike"]), tuple(told["prefer"]))
    return Memory(known.user_name, likings, known.topic, known.entities, known.facts, known.tasks)


async def conversation_memory(call: Request) -> Answer:
    """What each fold remembers."""
    return Answer(200, _json(await _remembered(call.conversation)))


async def memory_status(call: Request) -> Answer:
    """How the folds do, and what they cost."""
    log = call.log
    found = await status(log.store, log.tenant, log.folds, limit=call.query["limit"])
    costs = {place: _spent(sums) for place, sums in (await spent(log.store, log.tenant)).items()}
    return Answer(200, _json(MemoryStatus(tuple(map(_status, found)), costs)))


async def refresh(call: Request) -> Answer:
    """Fold what is behind, as far as the time allows."""
    conversation = call.conversation
    try:
        async with asyncio.timeout(call.query["wait"]):
            await conversation.catch_up()
    except TimeoutError:
        pass
    return Answer(200, _json(await _remembered(conversation)))


async def retry_fold(call: Request) -> Answer:
    """Try a fold that failed at once."""
    conversation, given = call.conversation, await call.decode(_retry)
    fold = named(call.log.folds, given.fold)
    return Answer(200, _json(Retried(await retry(call.log.store, conversation.key, fold))))


async def user_memory(call: Request) -> Answer:
    """What is known of a user."""
    user_id, as_of = call.path["user_id"], call.query["as_of"]
    context = await call.log.user(user_id).memory()
    moment = None if as_of is None else read_time("as_of", as_of)
    # in a thread: what hundreds of conversations taught is merged here, which would hold up everybody else
    return Answer(200, await asyncio.to_thread(_known, user_id, context, moment))


async def add_fact(call: Request) -> Answer:
    """Tell a fact about a user."""
    return Answer(201, _json(await _correct(call, None)))


async def correct_fact(call: Request) -> Answer:
    """Put a fact about a user right."""
    return Answer(200, _json(await _correct(call, call.path["fact_id"])))


async def forget_fact(call: Request) -> Answer:
    """Take a fact about a user back."""
    await call.log.user(call.path["user_id"]).forget(call.path["fact_id"])
    return Answer(200, _json(Deleted()))


async def erase_user(call: Request) -> Answer:
    """Erase a person."""
    gone = await call.log.user(call.path["user_id"]).erase()
    told = msgspec.structs.asdict(gone) | {"erased_at": format_moment(gone.erased_at)}
    return Answer(200, _json(Receipted(**told)))


async def export_of_user(call: Request) -> Stream:
    """All of a person's, as JSON Lines."""
    user = call.log.user(call.path["user_id"])
    return Stream(export_user(call.log, user.id), b"application/x-ndjson")


def _known(user_id: str, context: UserMemory, moment: int | None) -> bytes:
    told = known_fields(user_id, context)
    if moment is not None:
        told |= facts_fields(user_id, context, moment)
    return _json(told)


async def _remembered(conversation: Conversation) -> ConversationMemory:
    log, found = conversation.engine, await conversation.memory()
    failed = [await failure(log.store, conversation.key, fold) for fold in log.folds]
    folds = {name: FoldMemory(**msgspec.structs.asdict(told)) for name, told in found.items()}
    return ConversationMemory(conversation.id, folds, tuple(map(_failure, filter(None, failed))))


def _spent(sums: Spent) -> SpentOut:
    told = msgspec.structs.asdict(sums)
    del told["tenant"]
    return SpentOut(**told)


def _status(found: FoldStatus) -> FoldProgress:
    told = msgspec.structs.asdict(found) | {"failures": tuple(map(_failure, found.failures))}
    return FoldProgress(**told)


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
    known = await user.correct(
        given.text,
        fact=fact_id,
        slot=given.slot,
        value=given.value,
        valid_from=given.valid_from,
        valid_to=given.valid_to,
    )
    told: dict[str, Any] = shown(known)
    return told
