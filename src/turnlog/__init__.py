"""turnlog keeps the state of conversations for AI assistants.

The log is the truth; memory is folded from it; a context is a view of both. `connect` gives a `Turnlog`, which gives
`Conversation`s and `User`s.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnlog.codec import Record
    from turnlog.context.exchanges import LeftOut
    from turnlog.context.policy import ContextPolicy
    from turnlog.context.request import ContextOptions, MemoryConfig
    from turnlog.context.result import Coverage, Entry, SectionCost
    from turnlog.context.sections import Memory, Recalled
    from turnlog.errors import (
        BudgetTooSmall,
        Conflict,
        ConversationDeleted,
        ConversationExists,
        ConversationNotFound,
        CorruptRecord,
        FactNotFound,
        HeadMoved,
        HistoryMoved,
        InvalidInput,
        InvalidJson,
        KeyReused,
        LLMRefused,
        LLMReplyInvalid,
        LLMUnavailable,
        MessageNotFound,
        MissingExtra,
        NotFound,
        RevisionMoved,
        SchemaTooNew,
        SnapshotMoved,
        StoreFailed,
        StoreUnavailable,
        TooLarge,
        TranscriptDiverged,
        TurnlogError,
    )
    from turnlog.fold import Fold, Section
    from turnlog.integrity.digest import Digest, Integrity
    from turnlog.integrity.verify import Inspection
    from turnlog.llm.port import LLM, Completion, Prompt
    from turnlog.log.assembly import Context
    from turnlog.log.conversation import Conversation, Expected, Turn
    from turnlog.log.engine import HeaderChanges
    from turnlog.log.info import ConversationInfo, Page, Parent
    from turnlog.log.reconcile import Reconciled
    from turnlog.log.turnlog import Turnlog
    from turnlog.log.user import Erased, User
    from turnlog.memory.defaults import Remembered
    from turnlog.memory.defaults import SharedKnowledge as Knowledge
    from turnlog.memory.summary.fold import Summary
    from turnlog.memory.user.digest import UserDigest
    from turnlog.memory.user.items import Correction, KnownEntity, KnownFact, KnownPreference, KnownTask, Source
    from turnlog.memory.user.model import ConversationContext, UserMemory
    from turnlog.message import (
        Audio,
        File,
        Image,
        Message,
        MessageFields,
        Reasoning,
        Refusal,
        Text,
        ToolCall,
        ToolResult,
        Usage,
        assistant,
        developer,
        system,
        tool,
        user,
    )
    from turnlog.settings import Settings
    from turnlog.store import Appended, Fault, Header, Key, Position, Receipt, Recent, RecordPage, Snapshot, Stale, Store
    from turnlog.validation import Limits
    from turnlog.wiring import connect

__version__ = "0.1.0"

__all__ = [
    "Appended",
    "Audio",
    "BudgetTooSmall",
    "Completion",
    "Conflict",
    "Context",
    "ContextOptions",
    "ContextPolicy",
    "Conversation",
    "ConversationContext",
    "ConversationDeleted",
    "ConversationExists",
    "ConversationInfo",
    "ConversationNotFound",
    "Correction",
    "CorruptRecord",
    "Coverage",
    "Digest",
    "Entry",
    "Erased",
    "Expected",
    "FactNotFound",
    "Fault",
    "File",
    "Fold",
    "HeadMoved",
    "Header",
    "HeaderChanges",
    "HistoryMoved",
    "Image",
    "Inspection",
    "Integrity",
    "InvalidInput",
    "InvalidJson",
    "Key",
    "KeyReused",
    "Knowledge",
    "KnownEntity",
    "KnownFact",
    "KnownPreference",
    "KnownTask",
    "LLM",
    "LLMRefused",
    "LLMReplyInvalid",
    "LLMUnavailable",
    "LeftOut",
    "Limits",
    "Memory",
    "MemoryConfig",
    "Message",
    "MessageFields",
    "MessageNotFound",
    "MissingExtra",
    "NotFound",
    "Page",
    "Parent",
    "Position",
    "Prompt",
    "Reasoning",
    "Recalled",
    "Receipt",
    "Recent",
    "Reconciled",
    "Record",
    "RecordPage",
    "Refusal",
    "Remembered",
    "RevisionMoved",
    "SchemaTooNew",
    "Section",
    "SectionCost",
    "Settings",
    "Snapshot",
    "SnapshotMoved",
    "Source",
    "Stale",
    "Store",
    "StoreFailed",
    "StoreUnavailable",
    "Summary",
    "Text",
    "TooLarge",
    "ToolCall",
    "ToolResult",
    "TranscriptDiverged",
    "Turn",
    "Turnlog",
    "TurnlogError",
    "Usage",
    "User",
    "UserDigest",
    "UserMemory",
    "assistant",
    "connect",
    "developer",
    "system",
    "tool",
    "user",
]

_HOMES = {
    "codec": "Record",
    "context.exchanges": "LeftOut",
    "context.policy": "ContextPolicy",
    "context.request": "ContextOptions MemoryConfig",
    "context.result": "Coverage Entry SectionCost",
    "context.sections": "Memory Recalled",
    "errors": (
        "BudgetTooSmall Conflict ConversationDeleted ConversationExists ConversationNotFound CorruptRecord "
        "FactNotFound HeadMoved HistoryMoved InvalidInput InvalidJson KeyReused LLMRefused LLMReplyInvalid "
        "LLMUnavailable MessageNotFound MissingExtra NotFound RevisionMoved SchemaTooNew SnapshotMoved "
        "StoreFailed StoreUnavailable TooLarge TranscriptDiverged TurnlogError"
    ),
    "fold": "Fold Section",
    "integrity.digest": "Digest Integrity",
    "integrity.verify": "Inspection",
    "llm.port": "LLM Completion Prompt",
    "log.assembly": "Context",
    "log.conversation": "Conversation Expected Turn",
    "log.engine": "HeaderChanges",
    "log.info": "ConversationInfo Page Parent",
    "log.reconcile": "Reconciled",
    "log.turnlog": "Turnlog",
    "log.user": "Erased User",
    "memory.defaults": "Knowledge=SharedKnowledge Remembered",
    "memory.summary.fold": "Summary",
    "memory.user.digest": "UserDigest",
    "memory.user.items": "Correction KnownEntity KnownFact KnownPreference KnownTask Source",
    "memory.user.model": "ConversationContext UserMemory",
    "message": (
        "Audio File Image Message MessageFields Reasoning Refusal Text ToolCall ToolResult Usage assistant "
        "developer system tool user"
    ),
    "settings": "Settings",
    "store": "Appended Fault Header Key Position Receipt Recent RecordPage Snapshot Stale Store",
    "validation": "Limits",
    "wiring": "connect",
}
"""The module of each public name; `Public=Private` where a module has another name for it."""
_PLACES = {
    public: (f"turnlog.{module}", private or public)
    for module, names in _HOMES.items()
    for public, _, private in (name.partition("=") for name in names.split())
}


if not TYPE_CHECKING:  # a type checker would take any name for one of the module's

    def __getattr__(name: str) -> Any:
        """Import the module of a public name when the name is first used: `turnlog --help` needs none of them."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, attribute = _PLACES[name]
        value = globals()[name] = getattr(import_module(module), attribute)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
