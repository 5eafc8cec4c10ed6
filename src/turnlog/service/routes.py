"""The one table of routes: routing, the checks of query parameters and the OpenAPI document all come from it."""

from typing import Any, NamedTuple

import msgspec

from turnlog.message_input import MessageIn
from turnlog.service import examples, handlers, memory, schemas
from turnlog.service.query import Choice, Flag, Number, Parameter, Word
from turnlog.service.request import Handler
from turnlog.settings import Settings


class Result(NamedTuple):
    """A successful answer: its schema and when it is given."""

    schema: Any
    says: str
    example: Any
    etag: bool = False
    media_type: str = "application/json"


class Operation(NamedTuple):
    """One method on one path. `request` holds the forms its body may have; `errors` are the statuses of its own problems."""

    method: str
    path: str
    handler: Handler
    summary: str
    results: dict[int, Result]
    errors: tuple[int, ...] = ()
    request: tuple[type, ...] = ()
    request_example: Any = None
    body_needed: bool = True
    query: tuple[Parameter, ...] = ()
    headers: tuple[str, ...] = ()
    writes: bool = False


CONVERSATIONS = "/v1/conversations"
ONE = "/v1/conversations/{conversation_id}"
USER = "/v1/users/{user_id}"
MESSAGES = ONE + "/messages"
_READ = (404, 422)
_WRITE = (400, 404, 410, 413, 415, 422)


def table(settings: Settings) -> tuple[Operation, ...]:
    """Every operation, the ones that are called most first."""
    page = Number("limit", "Most items of the page.", minimum=1, maximum=settings.messages_per_call, default=50)
    return (*_of_messages(page), *_of_conversations(page), *_of_memory(), *_of_users(), *_of_service())


def _of_messages(page: Number) -> tuple[Operation, ...]:
    return (
        Operation(
            "POST",
            MESSAGES,
            handlers.append,
            "Append one message or several, all or nothing",
            {
                201: Result(schemas.Receipt | list[schemas.Receipt], "Stored.", examples.RECEIPT, etag=True),
                200: Result(
                    schemas.Receipt | list[schemas.Receipt], "All of it had been stored before.", examples.RECEIPT, etag=True
                ),
            },
            (*_WRITE, 412),
            (MessageIn, schemas.MessageBatch),
            examples.MESSAGE,
            headers=("Idempotency-Key", "If-Match"),
            writes=True,
        ),
        Operation(
            "POST",
            ONE + "/context",
            handlers.context,
            "The context for the next model call",
            {200: Result(schemas.ContextAnswer, "What to send to the model.", examples.CONTEXT)},
            (400, 404, 413, 415, 422),
            (schemas.ContextRequest,),
            {"budget": 8000, "format": "anthropic", "policy": {"preset": "full", "min_turns": 1}, "explain": True},
            body_needed=False,
        ),
        Operation(
            "POST",
            ONE + "/turn",
            handlers.turn,
            "Append messages, and the context behind them",
            {
                201: Result(schemas.TurnAnswer, "Stored.", examples.TURN, etag=True),
                200: Result(schemas.TurnAnswer, "All of it had been stored before.", examples.TURN, etag=True),
            },
            (*_WRITE, 412),
            (schemas.TurnRequest,),
            {"messages": [examples.MESSAGE], "budget": 8000, "model": "gpt-4o"},
            headers=("Idempotency-Key", "If-Match"),
            writes=True,
        ),
        Operation(
            "GET",
            MESSAGES,
            handlers.read,
            "A page of messages",
            {200: Result(schemas.MessagePage, "The messages.", examples.PAGE)},
            _READ,
            query=(
                page,
                Number("offset", "How many messages to pass over, from the end where the order begins."),
                Number("after", "Only messages with a higher seq."),
                Number("before", "Only messages with a lower seq."),
                Choice("order", "By seq, ascending or descending.", ("asc", "desc")),
            ),
        ),
        Operation(
            "GET",
            MESSAGES + "/{seq}",
            handlers.message,
            "One message",
            {200: Result(schemas.StoredMessage, "The message.", examples.STORED)},
            _READ,
        ),
        Operation(
            "DELETE",
            MESSAGES + "/{seq}",
            handlers.redact,
            "Redact a message: erase what it says, keep its place",
            {200: Result(schemas.Redacted, "What it said is gone.", {"seq": 1, "redacted": True})},
            _READ,
        ),
        Operation(
            "POST",
            ONE + "/reconcile",
            handlers.reconcile,
            "Store what is new in the client's whole transcript",
            {200: Result(schemas.ReconcileAnswer, "What was done.", examples.RECONCILED)},
            (*_WRITE, 409),
            (schemas.ReconcileRequest,),
            {"messages": [examples.MESSAGE], "on_divergence": "error"},
            writes=True,
        ),
    )


def _of_conversations(page: Number) -> tuple[Operation, ...]:
    newest = page._replace(name="messages", says="How many of the newest messages to show.")
    return (
        Operation(
            "POST",
            CONVERSATIONS,
            handlers.create,
            "Begin a conversation",
            {201: Result(schemas.ConversationCreated, "It was begun.", examples.CREATED, etag=True)},
            (400, 409, 410, 413, 415, 422),
            (schemas.CreateConversation,),
            {"user_id": "ana", "title": "Lisbon", "tags": ["travel"], "metadata": {"channel": "web"}},
            body_needed=False,
            writes=True,
        ),
        Operation(
            "GET",
            ONE,
            handlers.state,
            "A conversation: header, memory, newest messages",
            {200: Result(schemas.ConversationState, "Its state.", examples.STATE, etag=True)},
            _READ,
            query=(newest,),
        ),
        Operation(
            "PATCH",
            ONE,
            handlers.change,
            "Change title, tags, metadata or archived",
            {200: Result(schemas.ConversationInfo, "The header as it is now.", examples.INFO, etag=True)},
            (*_WRITE, 412),
            (schemas.ChangeConversation,),
            {"title": "Porto", "archived": False},
            headers=("If-Match",),
            writes=True,
        ),
        Operation(
            "DELETE",
            ONE,
            handlers.delete,
            "Erase a conversation; its id stays dead",
            {200: Result(schemas.Deleted, "It is gone.", {"deleted": True})},
            _READ,
        ),
        Operation(
            "POST",
            ONE + "/fork",
            handlers.fork,
            "A new conversation that shares this one's log up to a seq",
            {201: Result(schemas.ConversationInfo, "The fork.", examples.FORKED, etag=True)},
            (*_WRITE, 409),
            (schemas.ForkRequest,),
            {"at": 1},
            body_needed=False,
            writes=True,
        ),
        Operation(
            "GET",
            USER + "/conversations",
            handlers.listing,
            "A user's conversations, latest first",
            {200: Result(schemas.ConversationList, "A page of them.", {"data": [examples.INFO], "next_cursor": None})},
            _READ,
            query=(
                page,
                Word("cursor", "The next_cursor of the page before."),
                Word("tag", "Only those with this tag."),
                Flag("archived", "Only archived ones, or only others."),
            ),
        ),
    )


def _of_memory() -> tuple[Operation, ...]:
    remembered = {200: Result(schemas.ConversationMemory, "Fold by fold.", examples.CONVERSATION_MEMORY)}
    return (
        Operation(
            "GET",
            ONE + "/memory",
            memory.conversation_memory,
            "What each fold remembers of a conversation",
            remembered,
            _READ,
        ),
        Operation(
            "GET",
            "/v1/memory",
            memory.memory_status,
            "How memory keeps up with what is said, and what it costs",
            {200: Result(schemas.MemoryStatus, "Fold by fold.", examples.MEMORY_STATUS)},
            query=(
                Number("limit", "Conversations that are looked at for each fold.", minimum=1, maximum=1000, default=1000),
            ),
        ),
        Operation(
            "POST",
            ONE + "/memory/refresh",
            memory.refresh,
            "Fold what is behind now, and tell what is remembered then",
            remembered,
            _READ,
            query=(Number("wait", "How many seconds it may take.", minimum=1, maximum=60, default=10),),
        ),
        Operation(
            "POST",
            ONE + "/memory/retry",
            memory.retry_fold,
            "Try a fold that failed at once",
            {200: Result(schemas.Retried, "It is tried when a worker comes by.", {"retried": True})},
            (*_WRITE, 409),
            (schemas.RetryRequest,),
            {"fold": "summary"},
        ),
    )


def _of_users() -> tuple[Operation, ...]:
    facts, errors = USER + "/facts", (400, 404, 409, 413, 415, 422)
    told = {"text": "lives in Lisbon", "slot": "home", "value": "Lisbon", "valid_from": "2026-05-01T00:00:00Z"}
    return (
        Operation(
            "GET",
            USER + "/memory",
            memory.user_memory,
            "What is known of a user from all their conversations",
            {200: Result(schemas.UserMemory, "What is known.", examples.USER_MEMORY)},
            _READ,
            query=(Word("as_of", "The facts that held at this time."),),
        ),
        Operation(
            "POST",
            facts,
            memory.add_fact,
            "Tell a fact about a user",
            {201: Result(schemas.FactOut, "It is known.", examples.FACT)},
            errors,
            (schemas.FactRequest,),
            told,
        ),
        Operation(
            "PUT",
            facts + "/{fact_id}",
            memory.correct_fact,
            "Put a fact about a user right; it stands whatever is rebuilt",
            {200: Result(schemas.FactOut, "As it is known now.", examples.FACT)},
            errors,
            (schemas.FactRequest,),
            told,
        ),
        Operation(
            "DELETE",
            facts + "/{fact_id}",
            memory.forget_fact,
            "Take a fact about a user back",
            {200: Result(schemas.Deleted, "It is not known any more.", {"deleted": True})},
            (404, 409, 422),
        ),
        Operation(
            "GET",
            USER + "/export",
            memory.export_of_user,
            "All of a user's, as JSON Lines",
            {
                200: Result(
                    Any, "A conversation a line, then what is known.", examples.EXPORTED, False, "application/x-ndjson"
                )
            },
            _READ,
        ),
        Operation(
            "DELETE",
            USER,
            memory.erase_user,
            "Erase a person: their conversations and all that is known of them",
            {200: Result(schemas.Receipted, "The receipt.", examples.ERASED)},
            (404, 409, 422),
        ),
    )


def _of_service() -> tuple[Operation, ...]:
    healthy = Result(schemas.Health, "It does.", msgspec.to_builtins(schemas.Health()))
    ready = Result(schemas.Ready, "It does.", msgspec.to_builtins(schemas.Ready()))
    return (
        Operation("GET", "/health", handlers.health, "Whether the process answers", {200: healthy}),
        Operation("GET", "/ready", handlers.ready, "Whether the store answers", {200: ready}),
    )
