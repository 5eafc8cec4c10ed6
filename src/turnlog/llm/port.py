"""The port `LLM`: a language model, what it is asked and what it replies."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import msgspec

from turnlog.message import Usage


class Prompt(msgspec.Struct, frozen=True):
    """What a language model is asked, under a `name` (letters, digits, `_`, `-`) that changes whenever the wording does.

    `turns` are what user and assistant say in alternation, the user first and last: examples, then the question. With a
    `schema`, a JSON Schema of an object, the reply is to be JSON that fits it. The reply has at most `max_tokens`.
    """

    name: str
    system: str
    turns: tuple[str, ...]
    max_tokens: int
    schema: dict[str, Any] | None = None


class Completion(msgspec.Struct, frozen=True):
    """What a language model replied, and which one did; `cut` tells that it had more to say than it was allowed."""

    text: str
    model: str
    usage: Usage = Usage()
    cut: bool = False


class LLM(Protocol):
    """A language model. Safe to share between tasks.

    It raises `LLMUnavailable` when it cannot answer now, `LLMRefused` when it will not answer this, and `LLMReplyInvalid`
    when what came is no reply; nothing else. That a reply fits the schema is for the caller to check.
    """

    @property
    def model(self) -> str:
        """What it is called."""

    @property
    def window(self) -> int:
        """Most tokens of a prompt and its reply together."""

    async def complete(self, prompt: Prompt) -> Completion:
        """Its reply to `prompt`."""

    async def close(self) -> None:
        """Let go of connections. Closing twice is fine."""


class Spent(msgspec.Struct, frozen=True):
    """What calls of one model for one tenant took: how many there were, how many of them brought no reply, tokens, and
    the cost of these, in the currency in which the prices are told. `cached` is a part of `input`.
    """

    tenant: str
    model: str
    calls: int = 0
    failures: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    cost: float = 0.0


_TENANT: ContextVar[str] = ContextVar("turnlog_tenant", default="")


@contextmanager
def on_behalf_of(tenant: str) -> Iterator[None]:
    """Within it, `acting_for` is `tenant`: also in what is called, and in tasks that are begun there."""
    before = _TENANT.set(tenant)
    try:
        yield
    finally:
        _TENANT.reset(before)


def acting_for() -> str:
    """The tenant for whom work is done now, so that whoever counts its cost need not be told; empty if nobody said."""
    return _TENANT.get()
