"""What the service refuses beside the errors of the library."""

from turnlog.errors import Conflict, NotFound, TurnlogError


class UnsupportedMedia(TurnlogError):
    """The body is in a form that the service does not read."""

    code = "unsupported_media_type"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class ReceiveTimeout(TurnlogError):
    """The body did not arrive in time."""

    code = "request_timeout"
    retryable = True

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"the body did not arrive within {limit_s:g} seconds")
        self.limit_s = limit_s


class PreconditionFailed(Conflict):
    """`If-Match` lists no tag that the conversation has. Nothing was changed."""

    code = "precondition_failed"


class RequestKeyReused(Conflict):
    """The idempotency key was used for another request, which made this conversation. Nothing was changed."""

    code = "key_reused"

    def __init__(self, conversation_id: str) -> None:
        super().__init__(f"this Idempotency-Key made conversation {conversation_id!r} with another request")
        self.conversation_id = conversation_id


class PageNotFound(NotFound):
    """There is no such page."""
