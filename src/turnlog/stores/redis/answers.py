"""Converts refusals of scripts to errors."""

from typing import Any

from turnlog.errors import ConversationDeleted, ConversationExists, ConversationNotFound, CorruptRecord, StoreFailed
from turnlog.store import Key


def refuse(key: Key, answer: Any) -> None:
    """Raise what `answer` says of the conversation, unless it refuses nothing, or something that the caller knows better."""
    match answer[0]:
        case b"gone":
            raise ConversationNotFound(key.conversation_id)
        case b"dead":
            raise ConversationDeleted(key.conversation_id)
        case b"exists":
            raise ConversationExists(key.conversation_id)
        case b"torn":
            raise CorruptRecord(seq=answer[1], reason="it is missing")
        case b"failed":
            kind, _, rest = answer[1].decode(errors="replace").partition(" ")
            if kind == "TORN":
                raise CorruptRecord(seq=int(rest), reason="it is missing")
            raise StoreFailed(f"{kind} {rest}")
