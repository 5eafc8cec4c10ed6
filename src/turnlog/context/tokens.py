"""How many tokens a message costs a model."""

from collections.abc import Callable
from math import ceil

from turnlog.message import Audio, File, Image, Message, Part, Reasoning, ToolCall, ToolResult

TokenCounter = Callable[[Message], int]

MESSAGE_OVERHEAD = 4
MEDIA_TOKENS = 768
_BYTES_PER_TOKEN = 4


def estimate(message: Message) -> int:
    """About the tokens of `message` in a model whose tokenizer is not known: a quarter of its UTF-8 bytes, tool calls and
    results included, and a fixed price for each picture, sound or file and for the message itself."""
    content = message.content
    if isinstance(content, str):
        return MESSAGE_OVERHEAD + _text(content)
    return MESSAGE_OVERHEAD + sum(map(_part, content))


def _text(text: str) -> int:
    size = len(text) if text.isascii() else len(text.encode())
    return ceil(size / _BYTES_PER_TOKEN)


def _part(part: Part) -> int:
    match part:
        case Image() | Audio() | File():
            return MEDIA_TOKENS
        case ToolCall():
            return MESSAGE_OVERHEAD + _text(part.name) + _text(part.arguments)
        case ToolResult():
            return _text(part.content) if isinstance(part.content, str) else sum(map(_part, part.content))
        case Reasoning():
            return _text(part.payload)
    return _text(part.text)
