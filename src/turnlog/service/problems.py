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
from turnlog.service.request import Answer, Request

RETRY_AFTER_S = 1

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
    Conflict: 409,
    BudgetTooSmall: 422,
    StoreUnavailable: 503,
    StoreFailed: 500,
    MissingExtra: 422,
    LLMUnavailable: 503,
    LLMRefused: 502,
    LLMReplyInvalid: 502,
    CorruptRecord: 500,
    TurnlogError: 500,
}

TITLES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
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


class UnsupportedMedia(TurnlogError):
    """The body is in a form that the service does not read."""

    code = "unsupported_media_type"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


STATUSES[UnsupportedMedia] = 415


def of_error(error: TurnlogError, call: Request) -> Answer:
    """The answer that tells a client of `error`."""
    status = _status(error, call)
    facts = error.facts
    detail = f"{error.field}: {error.rule}" if isinstance(error, InvalidInput) else str(error)
    headers = ((b"retry-after", str(RETRY_AFTER_S).encode()),) if status == 503 else ()
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
        **(facts or {}),
    }
    return Answer(status, msgspec.json.encode(document), headers, b"application/problem+json")
