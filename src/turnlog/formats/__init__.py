"""Messages as each provider's SDK takes them.

    render(messages, "anthropic")  ->  client.messages.create(model=..., max_tokens=..., **rendered)

What is rendered never depends on what follows it: a longer conversation begins with the items of the shorter one, of which
the last one may have grown. What a provider cannot take is replaced by a mark or left out; docs/reference/formats.md tells.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from turnlog.codec import Record, role
from turnlog.errors import InvalidInput
from turnlog.formats import anthropic, gemini, openai_chat, openai_responses, plain
from turnlog.message import Message
from turnlog.tokens import REPLY_PRIMING

FORMATS: Mapping[str, Callable[[Sequence[Message]], dict[str, Any]]] = MappingProxyType(
    {
        "openai": openai_chat.render,
        "openai-responses": openai_responses.render,
        "anthropic": anthropic.render,
        "gemini": gemini.render,
        "plain": plain.render,
    }
)


_PLACED_INLINE = ("anthropic", "gemini")
_OPENING_TOKENS = 5
_INLINE_TOKENS = 6


def overhead(records: Sequence[Record], format: str) -> int:
    """At most so many tokens does `format` add to those of `records`: what primes the reply, an opening turn, marks around
    instructions that do not stand at the beginning. Raises `InvalidInput` for a format that there is not."""
    _rendering(format)
    if format not in _PLACED_INLINE:
        return REPLY_PRIMING
    instructions = [role(record) in ("system", "developer") for record in records]
    leading = instructions.index(False) if False in instructions else len(instructions)
    return REPLY_PRIMING + _OPENING_TOKENS + _INLINE_TOKENS * sum(instructions[leading:])


def render(messages: Sequence[Message], format: str) -> dict[str, Any]:
    """The keyword arguments with which `messages`, in order, are handed to the SDK that `format` names; JSON throughout.

    Raises `InvalidInput` for a format that there is not, a call without its result or a result without its call.
    """
    return _rendering(format)(messages)


def _rendering(format: str) -> Callable[[Sequence[Message]], dict[str, Any]]:
    try:
        return FORMATS[format]
    except KeyError:
        raise InvalidInput("format", f"must be one of {', '.join(FORMATS)}") from None
