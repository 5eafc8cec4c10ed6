"""A language model that says what a script tells it to."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from turnlog.llm.port import Completion, Prompt
from turnlog.message import Usage

Script = Callable[[Prompt], Any] | Sequence[Any]
"""What to reply: a function of the prompt, or one reply after another, the last of them for ever."""


class ScriptedLLM:
    """An `LLM` in this process; it keeps the `prompts` that it was given.

    A reply is text, a `Completion`, an exception to raise, or anything else, which is told as JSON.
    """

    def __init__(self, script: Script, *, model: str = "scripted", window: int = 16_000) -> None:
        self.model = model
        self.window = window
        self.prompts: list[Prompt] = []
        self._next = follow(script)

    async def complete(self, prompt: Prompt) -> Completion:
        self.prompts.append(prompt)
        reply = self._next(prompt)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, Completion):
            return reply
        text = as_text(reply)
        return Completion(text, self.model, Usage(sum(map(words, prompt.turns)), words(text)))

    async def close(self) -> None:
        pass


def follow(script: Script) -> Callable[[Prompt], Any]:
    """The script as a function of the prompt."""
    if callable(script):
        return script
    replies = list(script)
    return lambda _: replies.pop(0) if len(replies) > 1 else replies[0]


def as_text(reply: Any) -> str:
    """Text as it is, anything else as JSON."""
    return reply if isinstance(reply, str) else msgspec.json.encode(reply).decode()


def words(text: str) -> int:
    """What the scripted models count as tokens."""
    return len(text.split())


def said(prompt: Prompt) -> list[dict[str, Any]]:
    """The messages, or pieces of them, that a prompt of turnlog's own asks about: objects with `seq`, `role` and `text`."""
    return [item for item in data_of(prompt) if "role" in item]


def data_of(prompt: Prompt) -> list[dict[str, Any]]:
    """All objects that it asks about, one a line: those of the last turn that has any."""
    for turn in reversed(prompt.turns[::2]):
        if lines := [line for line in turn.splitlines() if line.startswith("{")]:
            return [msgspec.json.decode(line) for line in lines]
    return []
