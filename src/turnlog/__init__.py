"""turnlog keeps the state of conversations for AI assistants.

The log is the truth; memory is folded from it; a context is a view of both. `connect` gives a `Turnlog`, which gives
`Conversation`s and `User`s.
"""

from turnlog.codec import Record
from turnlog.context.memory_config import MemoryConfig
from turnlog.context.parts import Memory
from turnlog.context.policy import ContextPolicy
from turnlog.context.result import Context
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
from turnlog.fold import Fold
from turnlog.llm.port import LLM
from turnlog.log.conversation import Conversation, Turn
from turnlog.log.info import ConversationInfo, Parent
from turnlog.log.pagination import Page
from turnlog.log.reconcile import Reconciled
from turnlog.log.turnlog import Turnlog
from turnlog.log.user import Erased, User
from turnlog.memory.defaults import Remembered
from turnlog.memory.summary.fold import Summary
from turnlog.memory.user.model import ConversationContext, UserMemory
from turnlog.memory.user.sharing import SharedEntities as Entities
from turnlog.memory.user.sharing import SharedFacts as Facts
from turnlog.memory.user.sharing import SharedProfile as Profile
from turnlog.message import (
    Audio,
    File,
    Image,
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
from turnlog.settings import Settings
from turnlog.store import Appended, Header, Receipt, RecordPage, Store
from turnlog.validation import Limits
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
    "ConversationContext",
    "ConversationDeleted",
    "ConversationExists",
    "ConversationInfo",
    "ConversationNotFound",
    "CorruptRecord",
    "Entities",
    "Erased",
    "FactNotFound",
    "Facts",
    "File",
    "Fold",
    "HeadMoved",
    "Header",
    "HistoryMoved",
    "Image",
    "InvalidInput",
    "InvalidJson",
    "KeyReused",
    "LLM",
    "LLMRefused",
    "LLMReplyInvalid",
    "LLMUnavailable",
    "Limits",
    "Memory",
    "MemoryConfig",
    "Message",
    "MessageNotFound",
    "NotFound",
    "Page",
    "Parent",
    "Profile",
    "Reasoning",
    "Receipt",
    "Reconciled",
    "Record",
    "RecordPage",
    "Refusal",
    "Remembered",
    "RevisionMoved",
    "SchemaTooNew",
    "Settings",
    "SnapshotMoved",
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
    "UserMemory",
    "assistant",
    "connect",
    "developer",
    "system",
    "tool",
    "user",
]
