"""Errors as `application/problem+json` (RFC 9457), with the library's codes: the one place that knows statuses."""

import msgspec

from turnlog.errors import (
    BudgetTooSmall,
    Conflict,
    ConversationDeleted,
    CorruptRecord,
    HeadMoved,
    HistoryMoved,
    InvalidInput,
    InvalidJson,
    KeyReused,
    LLMRefused,
    LLMReplyInvalid,
    LLMUnavailable,
    MissingExtra,
    NotFound,
    RevisionMoved,
    StoreFailed,
    StoreUnavailable,
    TooLarge,
    TurnlogError,
)
from turnlog.service.errors import PreconditionFailed, ReceiveTimeout, RequestKeyReused, UnsupportedMedia
from turnlog.service.request import Answer, Request

RETRY_AFTER_S = 1
_HEADERS = {
    408: ((b"connection", b"close"),),  # what is left of the body must not be read as a request
    503: ((b"retry-after", str(RETRY_AFTER_S).encode()),),
}

STATUSES: dict[type[TurnlogError], int] = {
    InvalidJson: 400,
    TooLarge: 413,
    InvalidInput: 422,
    ConversationDeleted: 410,
    NotFound: 404,
    KeyReused: 422,
    HeadMoved: 412,
    HistoryMoved: 412,
    RevisionMoved: 412,
    PreconditionFailed: 412,
    Conflict: 409,
    BudgetTooSmall: 422,
    StoreUnavailable: 503,
    StoreFailed: 500,
    MissingExtra: 422,
    LLMUnavailable: 503,
    LLMRefused: 502,
    LLMReplyInvalid: 502,
    CorruptRecord: 500,
    UnsupportedMedia: 415,
    ReceiveTimeout: 408,
    RequestKeyReused: 422,
    TurnlogError: 500,
}

TITLES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


def of_error(error: TurnlogError, call: Request) -> Answer:
    """The answer that tells a client of `error`."""
    status = _status(error, call)
    facts = error.facts
    detail = f"{error.field}: {error.rule}" if isinstance(error, InvalidInput) else str(error)
    headers = _HEADERS.get(status, ())
    return problem(status, error.code, detail, retryable=error.retryable, facts=facts, headers=headers)


def _status(error: TurnlogError, call: Request) -> int:
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    if status == 410 and not call.writes:
        return 404
    if status == 412 and call.header(b"if-match") is None:
        return 409
    return status


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    retryable: bool = False,
    facts: dict[str, object] | None = None,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Answer:
    """A problem document; `type` is about:blank, so that `code` alone tells problems of one status apart."""
    document = {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        "code": code,
        "retryable": retryable,
    }
    shown = {**document, **(facts or {}), **document}  # a fact never replaces a member of the problem
    return Answer(status, msgspec.json.encode(shown), headers, b"application/problem+json")
