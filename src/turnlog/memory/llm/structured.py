"""To ask a language model for a value: the reply is checked, and asked for again with what was wrong with it."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

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
