"""A counter: the tokens of a message with all that a prompt adds to its words.

The rules are those of OpenAI's cookbook, "How to count tokens with tiktoken"; what it leaves out is counted from above.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unicodedata import combining, normalize

import msgspec

from turnlog.message import Audio, File, Image, Message, Part, Reasoning, ToolCall, ToolResult
from turnlog.tokens import media

_UNFIT = re.compile(r"[^a-zA-Z0-9_-]+")


def speaker(name: str | None) -> str | None:
    """`name` as OpenAI takes it: 1 to 64 letters without accents, digits, _ and -; None if nothing of it is left."""
    if name is None:
        return None
    if not name.isascii():
        name = "".join(character for character in normalize("NFKD", name) if not combining(character))
    return _UNFIT.sub("_", name)[:64].strip("_") or None


TokenCounter = Callable[[Message], int]

MESSAGE_OVERHEAD = 4
"""Tokens around a message: three, and its role, which is one token for each role that there is."""
REPLY_PRIMING = 3
"""Tokens that begin the reply; once for a prompt."""
_NAME = 1
_CALL = 12
"""Around a call: in OpenAI's harmony format its start, the speaker, the channel, the recipient, the type and its end."""
_RESULT = 12
"""Around a result: a message of its own, which names the tool and the channel again."""


class Counter(msgspec.Struct, frozen=True):
    """Counts for one family of models; call it with a message.

    `name` gives the same counter back from `counter`. `text` counts the tokens of a text; `exact` tells that it does so by
    the model's own tokenizer. Pictures follow the vendor's rule, and cost its maximum where their size is not known. The
    cost of sound and of files that are no text is always an estimate, and that of reasoning an upper bound. A name costs
    what it does word for word or as OpenAI takes it, whichever is more.
    """

    name: str
    exact: bool
    text: Callable[[str], int]
    image: media.ImageRule
    schemas: Callable[[Sequence[Mapping[str, Any]], Callable[[str], int]], int]
    overhead: int = MESSAGE_OVERHEAD

    def __call__(self, message: Message) -> int:
        """The tokens that `message` adds to a prompt."""
        content = message.content
        tokens = self.overhead + (self.text(content) if isinstance(content, str) else self._parts(content))
        if message.name is not None:
            tokens += _NAME + max(self.text(message.name), self.text(speaker(message.name) or ""))
        return tokens

    def tools(self, schemas: Sequence[Mapping[str, Any]]) -> int:
        """The tokens that the tools offered to the model add to a prompt, in the form of any of the formats."""
        return self.schemas(schemas, self.text) if schemas else 0

    def __repr__(self) -> str:
        return f"Counter({self.name!r})"

    def _parts(self, parts: Sequence[Part]) -> int:
        """Each part, and a token for each seam between two."""
        return sum(map(self._part, parts)) + len(parts) - 1

    def _part(self, part: Part) -> int:
        match part:
            case ToolCall():
                return _CALL + self.text(part.name) + self.text(part.arguments)
            case ToolResult():
                content = part.content
                return _RESULT + (self.text(content) if isinstance(content, str) else self._parts(content))
            case Reasoning():
                return self.text(part.payload)
            case Image():
                return self.image(media.size(part))
            case Audio():
                return media.sound(part)
            case File():
                return media.document(part, self.text)
        return self.text(part.text)
