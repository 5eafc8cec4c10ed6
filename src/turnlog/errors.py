"""Every error that turnlog raises on purpose.

    TurnlogError
    ├── InvalidInput             a value breaks a rule; names the field and the rule
    │   ├── TooLarge             a value is over a limit
    │   └── InvalidJson          what was sent is no JSON in UTF-8
    ├── NotFound
    │   ├── ConversationNotFound
    │   │   └── ConversationDeleted      it was there; its id stays dead
    │   ├── MessageNotFound
    │   └── FactNotFound
    ├── Conflict                 somebody else was first; nothing was written
    │   ├── HeadMoved
    │   ├── HistoryMoved
    │   ├── RevisionMoved
    │   ├── KeyReused
    │   ├── ConversationExists
    │   ├── SnapshotMoved
    │   └── TranscriptDiverged
    ├── BudgetTooSmall           what must be in a context costs more than its budget
    ├── StoreUnavailable         the store cannot answer now; retrying is safe
    ├── StoreFailed              the store's engine refuses something; retrying will not help
    ├── LLMUnavailable           the language model cannot answer now; asking again later is safe
    ├── LLMRefused               the language model's endpoint does not take such a request
    ├── LLMReplyInvalid          what the language model replied cannot be used
    ├── MissingExtra             a package of an extra is not installed
    ├── SchemaTooNew             the data was written by a newer turnlog
    └── CorruptRecord            stored bytes are not what was written

Each class has a stable `code`; what happened is in its attributes, which `facts` collects. `retryable` says
whether the same call may succeed later without anybody changing it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar


class TurnlogError(Exception):
    """Root of all errors; catch it to catch everything turnlog raises on purpose."""

    code: ClassVar[str] = "turnlog_error"
    retryable: ClassVar[bool] = False

    @property
    def facts(self) -> dict[str, Any]:
        """The values that matter, by name, ready for JSON."""
        return dict(vars(self))


class InvalidInput(TurnlogError, ValueError):
    """A value breaks a rule. Nothing was stored."""

    code = "invalid_input"

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule

    def within(self, place: str) -> "InvalidInput":
        """The same error, seen from a value that holds this one at `place`."""
        inner = self.field if self.field.startswith("[") else f".{self.field}"
        return InvalidInput(place + inner if self.field else place, self.rule)


class TooLarge(InvalidInput):
    """A value is over the named limit."""

    code = "too_large"

    def __init__(self, field: str, *, limit: int, actual: int, unit: str) -> None:
        super().__init__(field, f"must have at most {limit} {unit}, has {actual}")
        self.limit = limit
        self.actual = actual
        self.unit = unit

    def within(self, place: str) -> "TooLarge":
        inner = InvalidInput.within(self, place)
        return TooLarge(inner.field, limit=self.limit, actual=self.actual, unit=self.unit)


class InvalidJson(InvalidInput):
    """What was sent is no JSON in UTF-8."""

    code = "invalid_json"

    def __init__(self, rule: str) -> None:
        super().__init__("body", rule)


class NotFound(TurnlogError):
    """What was asked for is not there."""

    code = "not_found"


class ConversationNotFound(NotFound):
    """There is no conversation with this id."""

    code = "conversation_not_found"

    def __init__(self, conversation_id: str) -> None:
        super().__init__(f"there is no conversation {conversation_id!r}")
        self.conversation_id = conversation_id


class ConversationDeleted(ConversationNotFound):
    """The conversation was deleted; its id takes no more messages and is never used again."""

    code = "conversation_deleted"

    def __init__(self, conversation_id: str) -> None:
        NotFound.__init__(self, f"conversation {conversation_id!r} was deleted and its id stays dead")
        self.conversation_id = conversation_id


class MessageNotFound(NotFound):
    """The conversation has no message at this seq."""

    code = "message_not_found"

    def __init__(self, conversation_id: str, seq: int) -> None:
        super().__init__(f"conversation {conversation_id!r} has no message {seq}")
        self.conversation_id = conversation_id
        self.seq = seq


class FactNotFound(NotFound):
    """The user has no fact with this id."""

    code = "fact_not_found"

    def __init__(self, fact_id: str) -> None:
        super().__init__(f"there is no fact {fact_id!r}")
        self.fact_id = fact_id


class Conflict(TurnlogError):
    """The call was made on a state that is no longer so. Nothing was written."""

    code = "conflict"


class HeadMoved(Conflict):
    """`expect_head` was not the head."""

    code = "head_moved"

    def __init__(self, *, expected: int, actual: int) -> None:
        super().__init__(f"the head is {actual}, not {expected}")
        self.expected = expected
        self.actual = actual


class HistoryMoved(Conflict):
    """The conversation's history went back, or may have, since the caller saw it: by a restore, or a failover."""

    code = "history_moved"

    def __init__(self, *, expected: str, actual: str) -> None:
        super().__init__(f"the incarnation is {actual}, not {expected}: the history may have gone back, read it anew")
        self.expected = expected
        self.actual = actual


class RevisionMoved(Conflict):
    """The conversation's header was changed since the revision that the caller saw."""

    code = "revision_moved"

    def __init__(self, *, expected: int, actual: int) -> None:
        super().__init__(f"the header is at revision {actual}, not {expected}")
        self.expected = expected
        self.actual = actual


class KeyReused(Conflict):
    """A message id (or idempotency key) is already there with another body."""

    code = "key_reused"

    def __init__(self, *, message_id: str, seq: int) -> None:
        super().__init__(f"message id {message_id!r} is already at seq {seq} with another body")
        self.message_id = message_id
        self.seq = seq


class ConversationExists(Conflict):
    """A conversation with this id is already there."""

    code = "conversation_exists"

    def __init__(self, conversation_id: str, *, of_another_user: bool = False) -> None:
        whose = ", of another user_id" if of_another_user else ""
        super().__init__(f"conversation {conversation_id!r} already exists{whose}")
        self.conversation_id = conversation_id


class SnapshotMoved(Conflict):
    """A fold's snapshot is no longer at the watermark, or the log no longer at the erase epoch, that the save names."""

    code = "snapshot_moved"

    def __init__(self, *, watermark: int, epoch: int) -> None:
        super().__init__(f"the snapshot is at watermark {watermark}, the log at erase epoch {epoch}")
        self.watermark = watermark
        self.epoch = epoch


class TranscriptDiverged(Conflict):
    """A transcript says something else than the log at `diverged_at`."""

    code = "transcript_diverged"

    def __init__(self, diverged_at: int) -> None:
        super().__init__(f"the transcript differs from the log at seq {diverged_at}")
        self.diverged_at = diverged_at


class BudgetTooSmall(TurnlogError):
    """What must be in a context (instructions, pinned messages, the newest turns) costs `missing` tokens more than `budget`.

    `needed` is the least budget that would do, the reserve for the reply included.
    """

    code = "budget_too_small"

    def __init__(self, *, budget: int, needed: int) -> None:
        missing = needed - budget
        super().__init__(f"the context needs at least {needed} tokens, {missing} more than its budget of {budget}")
        self.budget = budget
        self.needed = needed
        self.missing = missing


class StoreUnavailable(TurnlogError):
    """The store cannot answer now. An append that got this may or may not be stored; repeating it is safe."""

    code = "store_unavailable"
    retryable = True

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store is unavailable: {reason}")
        self.reason = reason


class StoreFailed(TurnlogError):
    """The store's engine refuses something, for a reason that no other error names and that retrying will not mend."""

    code = "store_failed"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store failed: {reason}")
        self.reason = reason


class LLMUnavailable(TurnlogError):
    """The language model cannot answer now: no connection, too slow, too busy, or a fault of its own."""

    code = "llm_unavailable"
    retryable = True

    def __init__(self, reason: str) -> None:
        super().__init__(f"the language model is unavailable: {reason}")
        self.reason = reason


class LLMRefused(TurnlogError):
    """The language model's endpoint does not take such a request: a wrong address, key, model or size."""

    code = "llm_refused"

    def __init__(self, *, status: int, reason: str) -> None:
        super().__init__(f"the language model's endpoint refused with HTTP status {status}: {reason}")
        self.http_status = status
        self.reason = reason


class LLMReplyInvalid(TurnlogError):
    """What the language model replied cannot be used, and did not get better in so many `tries`."""

    code = "llm_reply_invalid"

    def __init__(self, reason: str, *, tries: int = 1) -> None:
        super().__init__(f"the language model gave no usable reply in {tries} tries: {reason}")
        self.reason = reason
        self.tries = tries


class MissingExtra(TurnlogError):
    """A package that an extra of turnlog brings is not installed."""

    code = "missing_extra"

    def __init__(self, extra: str) -> None:
        super().__init__(f"this needs the extra {extra!r}: pip install 'turnlog[{extra}]'")
        self.extra = extra


@contextmanager
def needs_extra(extra: str, *packages: str) -> Iterator[None]:
    """Raise `MissingExtra` when an import within fails because one of `packages` is not installed, or not whole."""
    try:
        yield
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] not in packages:
            raise
        raise MissingExtra(extra) from error


class SchemaTooNew(TurnlogError):
    """The data was written by a newer turnlog than this one."""

    code = "schema_too_new"

    def __init__(self, *, found: int, supported: int) -> None:
        super().__init__(f"the data has schema {found}; this turnlog knows up to {supported}: upgrade turnlog")
        self.found = found
        self.supported = supported


class CorruptRecord(TurnlogError):
    """Stored bytes are not what was written. `record` is the record as it was found, or of a header (seq 0) what is left of
    it, None where nothing can be made of it: enough to erase it.
    """

    code = "corrupt_record"

    def __init__(self, *, seq: int, reason: str, record: object = None) -> None:
        super().__init__(f"the record at seq {seq} is corrupt: {reason}")
        self.seq = seq
        self.reason = reason
        self.record = record

    @property
    def facts(self) -> dict[str, Any]:
        return {"seq": self.seq, "reason": self.reason}
