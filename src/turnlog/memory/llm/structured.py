"""Asks a language model for a value: the reply is checked, asked for again with what was wrong, and cached for minutes."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from turnlog.errors import LLMReplyInvalid
from turnlog.llm.port import LLM, Completion, Prompt

TRIES = 3
"""How often a model is asked for one thing, at most."""
SHOWN_MAX = 2000
"""Characters of an invalid reply that are shown to the model again."""

CUT = "it was cut short; say less"
"""The reason for which a reply that is too long cannot be used."""

T = TypeVar("T")
_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)


class Unfit(Exception):
    """What a check of a reply raises: its text tells the model what was wrong."""


async def ask(
    llm: LLM, prompt: Prompt, kind: type[T], *, check: Callable[[T], None] | None = None, tries: int = TRIES
) -> tuple[T, str]:
    """The value of type `kind`, a Struct, that the model replies to `prompt`, and the name of the model that did.

    `check` may raise `Unfit`. Raises `LLMReplyInvalid` when no reply of `tries` will do, and what the model raises.
    """
    asked = replace(prompt, schema=schema_of(kind))
    wrong = ""
    for _ in range(tries):
        shown = ""
        try:
            completion = await llm.complete(asked)
            shown = completion.text
            value = read(completion, kind)
            if check is not None:
                check(value)
            return value, completion.model
        except LLMReplyInvalid as error:
            wrong = error.reason
        except Unfit as error:
            wrong = str(error)
        asked = _again(prompt, asked, shown, wrong)
    raise LLMReplyInvalid(wrong, tries=tries)


def read(completion: Completion, kind: type[T]) -> T:
    """The value in a reply, which may stand in a fence of Markdown. Raises `Unfit`."""
    if completion.cut:
        raise Unfit(CUT)
    if not completion.text.strip():
        raise Unfit("it is empty")
    fenced = _FENCED.fullmatch(completion.text)
    try:
        return msgspec.json.decode(fenced[1] if fenced else completion.text, type=kind)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise Unfit(str(error)) from None


def schema_of(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema of a Struct, with an object for its root and a type everywhere, as endpoints want it."""
    (root,), definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    own = _typed(definitions.pop(root["$ref"].rpartition("/")[2]))
    return {**own, "$defs": _typed(definitions)} if definitions else own


def _typed(schema: Any) -> Any:
    """The schema, in which alternatives of texts say that they are texts."""
    if isinstance(schema, list):
        return list(map(_typed, schema))
    if not isinstance(schema, dict):
        return schema
    typed = {"type": "string"} if "enum" in schema and "type" not in schema else {}
    return {**typed, **{name: _typed(value) for name, value in schema.items()}}


def _again(prompt: Prompt, asked: Prompt, shown: str, wrong: str) -> Prompt:
    """The prompt with the last reply and what was wrong with it; the same again when there was none to show."""
    if not shown.strip():
        return asked
    told = (
        f"That reply cannot be used: {wrong}. Reply again to the message before it, as one JSON object that fits the schema."
    )
    return replace(asked, turns=(*prompt.turns, shown[:SHOWN_MAX], told))


CACHED_MAX = 256
CACHED_S = 600.0


class ReplyCache(Generic[T]):
    """Keeps up to `limit` values in this process, each for `seconds`, and then no byte of it (law 11).

    Callers who ask for one key at once share one call. A failed call is not kept; one that nobody waits for is cancelled.
    """

    def __init__(self, *, limit: int = CACHED_MAX, seconds: float = CACHED_S) -> None:
        self._limit = limit
        self._seconds = seconds
        self._tasks: dict[object, asyncio.Task[T]] = {}
        self._waiting: dict[asyncio.Task[T], int] = {}

    async def get(self, key: object, make: Callable[[], Awaitable[T]]) -> T:
        """The value for `key`, from `make` if it is not there."""
        task = self._tasks.get(key)
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            task = self._begin(key, make)
        self._waiting[task] = self._waiting.get(task, 0) + 1
        try:
            return await asyncio.shield(task)
        finally:
            self._leave(task)

    def _begin(self, key: object, make: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        async def made() -> T:
            return await make()

        while len(self._tasks) >= self._limit:
            self._tasks.pop(next(iter(self._tasks)))
        task = self._tasks[key] = asyncio.create_task(made())
        task.add_done_callback(lambda done: self._done(key, done))
        return task

    def _leave(self, task: asyncio.Task[T]) -> None:
        self._waiting[task] -= 1
        if not self._waiting[task]:
            del self._waiting[task]
            task.cancel()  # does nothing to one that is done

    def _done(self, key: object, task: asyncio.Task[T]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._forget(key, task)
        else:
            task.get_loop().call_later(self._seconds, self._forget, key, task)

    def _forget(self, key: object, task: asyncio.Task[T]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]
