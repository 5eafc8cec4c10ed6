"""turnlog keeps the state of conversations for AI assistants.

The log is the truth; a context is a view of it. `connect` gives a `Turnlog`, which gives `Conversation`s.
"""

from turnlog.context.outcome import Context
from turnlog.context.parts import Memory
from turnlog.context.policy import ContextPolicy
from turnlog.errors import (
    BudgetTooSmall,
    Conflict,
    ConversationDeleted,
    ConversationExists,
    ConversationNotFound,
    CorruptRecord,
    HeadMoved,
    InvalidInput,
    InvalidJson,
    KeyReused,
    MessageNotFound,
    NotFound,
    RevisionMoved,
    SchemaTooNew,
    SnapshotMoved,
    StoreUnavailable,
    TooLarge,
    TranscriptDiverged,
    TurnlogError,
)
from turnlog.log import Conversation, Listing, Synced, Turn, Turnlog
from turnlog.message import (
    Audio,
    File,
    Image,
    Limits,
    Message,
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
from turnlog.ports import Appended, Header, Store
from turnlog.settings import Settings
from turnlog.wiring import connect

__version__ = "0.1.0"

__all__ = [
    "Appended",
    "Audio",
    "BudgetTooSmall",
    "Conflict",
    "Context",
    "ContextPolicy",
    "Conversation",
    "ConversationDeleted",
    "ConversationExists",
    "ConversationNotFound",
    "CorruptRecord",
    "File",
    "HeadMoved",
    "Header",
    "Image",
    "InvalidInput",
    "InvalidJson",
    "KeyReused",
    "Limits",
    "Listing",
    "Memory",
    "Message",
    "MessageNotFound",
    "NotFound",
    "Reasoning",
    "Refusal",
    "RevisionMoved",
    "SchemaTooNew",
    "Settings",
    "SnapshotMoved",
    "Store",
    "StoreUnavailable",
    "Synced",
    "Text",
    "TooLarge",
    "ToolCall",
    "ToolResult",
    "TranscriptDiverged",
    "Turn",
    "Turnlog",
    "TurnlogError",
    "Usage",
    "assistant",
    "connect",
    "developer",
    "system",
    "tool",
    "user",
]
