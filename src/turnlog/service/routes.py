"""The one table of routes: routing, the checks of query parameters and the OpenAPI document all come from it."""

from typing import Any, NamedTuple

import msgspec

from turnlog.log.info import ConversationInfo
from turnlog.message_input import MessageIn
from turnlog.service import conversations, examples, memory, messages, pages, requests, responses
from turnlog.service.query import Choice, Flag, Number, Parameter, String, Time
from turnlog.service.request import Handler
from turnlog.settings import Settings
from turnlog.store import Receipt

PAGE_DEFAULT = 50


class Result(NamedTuple):
    """A successful answer: its schema and when it is given."""

    schema: Any
    says: str
    example: Any
    etag: bool = False
    media_type: str = "application/json"


class Operation(NamedTuple):
    """One method on one path. `request` holds the forms that its body may have; `conflicts` are the statuses of its own
    problems beside those that follow from its other fields.
    """

    method: str
    path: str
    handler: Handler
    tag: str
    summary: str
    description: str
    results: dict[int, Result]
    conflicts: tuple[int, ...] = ()
    request: tuple[type, ...] = ()
    request_example: Any = None
    body_needed: bool = True
    query: tuple[Parameter, ...] = ()
    headers: tuple[str, ...] = ()
    writes: bool = False

    @property
    def errors(self) -> list[int]:
        """The statuses of every problem that it may answer."""
        found = {422, 500, 503, *self.conflicts}
        found |= {400, 408, 413, 415} if self.request else set()
        found |= {404} if "{" in self.path else set()
        found |= {410} if self.writes else set()
        found |= {412} if "If-Match" in self.headers else set()
        return sorted(found)


CONVERSATIONS = "/v1/conversations"
ONE = CONVERSATIONS + "/{conversation_id}"
MESSAGES = ONE + "/messages"
USER = "/v1/users/{user_id}"
FACTS = USER + "/facts"
_PAGE = Number("limit", "Most items of the page.", minimum=1, default=PAGE_DEFAULT)
_CURSOR = String("cursor", "The `next_cursor` of the page before; the other parameters must stay the same.")
_FILTERS = (
    _PAGE,
    _CURSOR,
    String("tag", "Only conversations with this tag."),
    Flag("archived", "Only archived conversations, or only others."),
    Time("updated_since", "Only conversations that were updated at this time or later."),
)
_TOLD = {"text": "lives in Lisbon", "slot": "home", "value": "Lisbon", "valid_from": "2026-05-01"}
_RECEIPT = Receipt | list[Receipt]
_NEW_CONVERSATION = {"user_id": "ana", "title": "Lisbon", "tags": ["travel"], "metadata": {"channel": "web"}}

_MESSAGE_OPERATIONS = (
    Operation(
        "POST",
        MESSAGES,
        messages.append,
        "messages",
        "Append messages",
        "Appends one message, or several under `messages`, all or nothing. A batch is answered with a list of receipts.",
        {
            201: Result(_RECEIPT, "The messages are stored.", examples.RECEIPT, etag=True),
            200: Result(_RECEIPT, "All messages had been stored before.", examples.RECEIPT, etag=True),
        },
        request=(MessageIn, requests.MessageBatch),
        request_example=examples.MESSAGE,
        headers=("Idempotency-Key", "If-Match"),
        writes=True,
    ),
    Operation(
        "POST",
        ONE + "/context",
        conversations.context,
        "contexts",
        "Get the context for the next model call",
        "Chooses what to send to the model within a token budget: instructions, memory and the newest messages.",
        {200: Result(responses.ContextAnswer, "The context.", examples.CONTEXT)},
        request=(requests.ContextBody,),
        request_example={
            "budget": 8000,
            "format": "anthropic",
            "policy": {"preset": "full", "min_turns": 1},
            "explain": True,
        },
        body_needed=False,
    ),
    Operation(
        "POST",
        ONE + "/turn",
        conversations.turn,
        "contexts",
        "Append messages and get the context",
        "Does what an append and a context do, in one call. A budget that turns out too small is refused when the messages "
        "are stored already.",
        {
            201: Result(responses.TurnAnswer, "The messages are stored.", examples.TURN, etag=True),
            200: Result(responses.TurnAnswer, "All messages had been stored before.", examples.TURN, etag=True),
        },
        request=(requests.TurnRequest,),
        request_example={"messages": [examples.MESSAGE], "budget": 8000, "model": "gpt-4o"},
        headers=("Idempotency-Key", "If-Match"),
        writes=True,
    ),
    Operation(
        "GET",
        MESSAGES,
        messages.read,
        "messages",
        "List messages",
        "Lists the messages of a conversation by seq. `after` and `before` bound the seqs; `offset` skips messages instead.",
        {200: Result(responses.MessagePage, "A page of messages.", examples.PAGE)},
        (409,),
        query=(
            _PAGE,
            _CURSOR,
            Number("offset", "How many messages to skip, from the end where the order begins."),
            Number("after", "Only messages with a higher seq."),
            Number("before", "Only messages with a lower seq."),
            Choice("order", "By seq, ascending or descending.", ("asc", "desc")),
        ),
    ),
    Operation(
        "GET",
        MESSAGES + "/{seq}",
        messages.message,
        "messages",
        "Get a message",
        "Returns the message as it is stored.",
        {200: Result(responses.StoredMessage, "The message.", examples.STORED)},
    ),
    Operation(
        "DELETE",
        MESSAGES + "/{seq}",
        messages.redact,
        "messages",
        "Redact a message",
        "Erases the content of a message and what was derived from it. Its place, id, time and role stay.",
        {200: Result(responses.Redacted, "The content is erased.", {"seq": 1, "redacted": True})},
        headers=("If-Match",),
        writes=True,
    ),
    Operation(
        "POST",
        ONE + "/reconcile",
        messages.reconcile,
        "messages",
        "Store what is new in a transcript",
        "Compares the client's whole transcript with the log and appends its new end. With `on_divergence` `fork`, a "
        "transcript that differs goes to a fork.",
        {200: Result(responses.ReconcileAnswer, "What was done.", examples.RECONCILED)},
        (409,),
        request=(requests.ReconcileRequest,),
        request_example={"messages": [examples.MESSAGE], "on_divergence": "error"},
        headers=("If-Match",),
        writes=True,
    ),
)

_CONVERSATION_OPERATIONS = (
    Operation(
        "POST",
        CONVERSATIONS,
        conversations.create,
        "conversations",
        "Create a conversation",
        "Creates a conversation, with its first messages if there are any, all or nothing.",
        {
            201: Result(ConversationInfo, "The conversation is created.", examples.CREATED, etag=True),
            200: Result(ConversationInfo, "A repetition: it had been created.", examples.CREATED, etag=True),
        },
        (409,),
        request=(requests.CreateConversation,),
        request_example={"id": examples.CREATED["id"], **_NEW_CONVERSATION},
        body_needed=False,
        headers=("Idempotency-Key",),
        writes=True,
    ),
    Operation(
        "GET",
        CONVERSATIONS,
        conversations.listing,
        "conversations",
        "List conversations",
        "Lists conversations, the one that was updated last first.",
        {200: Result(responses.ConversationPage, "A page of conversations.", examples.CONVERSATIONS)},
        query=(*_FILTERS, String("user_id", "Only conversations of this user.")),
    ),
    Operation(
        "PUT",
        ONE,
        conversations.ensure,
        "conversations",
        "Get or create a conversation",
        "Creates a conversation with this id, or returns the one that is there, if it is of the same user.",
        {
            201: Result(ConversationInfo, "The conversation is created.", examples.CREATED, etag=True),
            200: Result(ConversationInfo, "The conversation was there.", examples.INFO, etag=True),
        },
        (409,),
        request=(requests.CreateConversation,),
        request_example=_NEW_CONVERSATION,
        body_needed=False,
        writes=True,
    ),
    Operation(
        "GET",
        ONE,
        conversations.state,
        "conversations",
        "Get a conversation",
        "Returns a conversation with its memory and its newest messages.",
        {
            200: Result(responses.ConversationState, "The conversation.", examples.STATE, etag=True),
            304: Result(None, "The client has it: `If-None-Match` lists its ETag.", None, etag=True),
        },
        query=(_PAGE._replace(says="How many of the newest messages to show."),),
        headers=("If-None-Match",),
    ),
    Operation(
        "PATCH",
        ONE,
        conversations.change,
        "conversations",
        "Change a conversation",
        "Changes `title`, `tags`, `metadata` or `archived`; raises the revision.",
        {200: Result(ConversationInfo, "The conversation as it is now.", examples.INFO, etag=True)},
        request=(requests.ChangeConversation,),
        request_example={"title": "Porto", "archived": False},
        headers=("If-Match",),
        writes=True,
    ),
    Operation(
        "DELETE",
        ONE,
        conversations.delete,
        "conversations",
        "Erase a conversation",
        "Erases a conversation and what was derived from it. Its id is never used again; forks keep what they share.",
        {200: Result(responses.Deleted, "The conversation is erased.", {"deleted": True})},
        headers=("If-Match",),
        writes=True,
    ),
    Operation(
        "POST",
        ONE + "/fork",
        conversations.fork,
        "conversations",
        "Fork a conversation",
        "Creates a conversation that shares this one's log up to a seq, and copies its title, tags, metadata and user.",
        {
            201: Result(ConversationInfo, "The fork is created.", examples.FORKED, etag=True),
            200: Result(ConversationInfo, "A repetition: it had been created.", examples.FORKED, etag=True),
        },
        (409,),
        request=(requests.ForkRequest,),
        request_example={"at": 1},
        body_needed=False,
        headers=("Idempotency-Key", "If-Match"),
        writes=True,
    ),
)

_MEMORY_OPERATIONS = (
    Operation(
        "GET",
        ONE + "/memory",
        memory.conversation_memory,
        "memory",
        "Get the memory of a conversation",
        "Returns the state of each fold, how far it is behind, and what failed.",
        {200: Result(responses.ConversationMemory, "Fold by fold.", examples.CONVERSATION_MEMORY)},
    ),
    Operation(
        "POST",
        ONE + "/memory/refresh",
        memory.refresh,
        "memory",
        "Fold what is behind now",
        "Folds new messages for at most `wait_s` seconds and returns the memory then.",
        {200: Result(responses.ConversationMemory, "Fold by fold.", examples.CONVERSATION_MEMORY)},
        (409, 502),
        request=(requests.RefreshRequest,),
        request_example={"wait_s": 10},
        body_needed=False,
        writes=True,
    ),
    Operation(
        "POST",
        ONE + "/memory/retry",
        memory.retry_fold,
        "memory",
        "Retry a fold that failed",
        "Lets the next worker try the fold at once instead of at `retry_at`.",
        {200: Result(responses.Retried, "Whether it was waiting.", {"retried": True})},
        (409,),
        request=(requests.RetryRequest,),
        request_example={"fold": "summary"},
        writes=True,
    ),
    Operation(
        "GET",
        "/v1/memory",
        memory.memory_status,
        "memory",
        "Get the state of the folds",
        "Returns how far each fold is behind, what failed, and what language models cost.",
        {200: Result(responses.MemoryStatus, "Fold by fold.", examples.MEMORY_STATUS)},
        query=(Number("limit", "Conversations that are looked at for each fold.", minimum=1, maximum=1000, default=1000),),
    ),
)

_USER_OPERATIONS = (
    Operation(
        "GET",
        USER + "/conversations",
        conversations.listing,
        "users",
        "List a user's conversations",
        "Lists the conversations of a user, the one that was updated last first.",
        {200: Result(responses.ConversationPage, "A page of conversations.", examples.CONVERSATIONS)},
        query=_FILTERS,
    ),
    Operation(
        "GET",
        USER + "/memory",
        memory.user_memory,
        "users",
        "Get the memory of a user",
        "Returns what is remembered of a user from all their conversations. An unknown user has an empty memory.",
        {200: Result(responses.UserMemoryAnswer, "The memory.", examples.USER_MEMORY)},
        query=(Time("as_of", "Show the facts that held at this time."),),
    ),
    Operation(
        "POST",
        FACTS,
        memory.add_fact,
        "users",
        "Add a fact about a user",
        "Adds a fact. Corrections survive rebuilds.",
        {201: Result(responses.FactAnswer, "The fact.", examples.FACT)},
        (409,),
        request=(requests.FactRequest,),
        request_example=_TOLD,
    ),
    Operation(
        "PUT",
        FACTS + "/{fact_id}",
        memory.correct_fact,
        "users",
        "Correct a fact about a user",
        "Replaces a fact. Corrections survive rebuilds.",
        {200: Result(responses.FactAnswer, "The fact as it is now.", examples.FACT)},
        (409,),
        request=(requests.FactRequest,),
        request_example=_TOLD,
    ),
    Operation(
        "DELETE",
        FACTS + "/{fact_id}",
        memory.forget_fact,
        "users",
        "Forget a fact about a user",
        "Removes a fact; it is not learned again from the messages that are there.",
        {200: Result(responses.Deleted, "The fact is removed.", {"deleted": True})},
        (409,),
    ),
    Operation(
        "GET",
        USER + "/export",
        memory.export_of_user,
        "users",
        "Export a user",
        "Returns all conversations of a user and their memory, as JSON Lines.",
        {200: Result(Any, "One conversation per line, then the memory.", examples.EXPORTED, False, "application/x-ndjson")},
    ),
    Operation(
        "DELETE",
        USER,
        memory.erase_user,
        "users",
        "Erase a user",
        "Erases all conversations of a user and their memory, and returns a receipt. Safe to repeat.",
        {200: Result(responses.ErasureReceipt, "The receipt.", examples.ERASED)},
        (409,),
    ),
)

_SERVICE_OPERATIONS = (
    Operation(
        "GET",
        "/health",
        pages.health,
        "service",
        "Check the process",
        "Answers as long as the process does; the store is not asked.",
        {200: Result(responses.Health, "The process answers.", msgspec.to_builtins(responses.Health()))},
    ),
    Operation(
        "GET",
        "/ready",
        pages.ready,
        "service",
        "Check the store",
        "Answers 200 when the store can be written to.",
        {200: Result(responses.Ready, "The store answers.", msgspec.to_builtins(responses.Ready()))},
    ),
    Operation(
        "GET",
        "/",
        pages.landing,
        "service",
        "Get the landing page",
        "Returns a page with links to the API page, the OpenAPI document and the health check.",
        {200: Result(str, "The page.", "<!doctype html>", False, "text/html")},
    ),
    Operation(
        "GET",
        "/docs",
        pages.api_page,
        "service",
        "Get the API page",
        "Returns Swagger UI for this service. It loads nothing from other hosts.",
        {200: Result(str, "The page.", "<!doctype html>", False, "text/html")},
    ),
    Operation(
        "GET",
        "/docs/{asset}",
        pages.asset,
        "service",
        "Get a file of the API page",
        "Returns a script or a style sheet of the API page.",
        {200: Result(str, "The file.", "", False, "text/javascript")},
    ),
    Operation(
        "GET",
        "/openapi.json",
        pages.openapi,
        "service",
        "Get the OpenAPI document",
        "Returns the document that describes this service.",
        {200: Result(dict[str, Any], "The document.", {"openapi": "3.1.0"})},
    ),
)

_OPERATIONS = (*_MESSAGE_OPERATIONS, *_CONVERSATION_OPERATIONS, *_MEMORY_OPERATIONS, *_USER_OPERATIONS, *_SERVICE_OPERATIONS)


def table(settings: Settings) -> tuple[Operation, ...]:
    """Every operation, with the limits of `settings`."""
    most = settings.messages_per_call
    return tuple(it._replace(query=tuple(_limited(each, most) for each in it.query)) for it in _OPERATIONS)


def _limited(parameter: Parameter, most: int) -> Parameter:
    if not isinstance(parameter, Number) or parameter.default != PAGE_DEFAULT:
        return parameter
    return parameter._replace(maximum=most, default=min(PAGE_DEFAULT, most))
