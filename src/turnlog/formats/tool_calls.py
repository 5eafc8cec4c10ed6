"""The tool calls of one rendering: which of them wait for a result, and the ids that the provider gets to see.

A provider refuses a result whose call is not right before it, a call that was never answered although the conversation
went on, an id that it could not have made itself, and an id that is used twice. An id depends on the calls before it
alone, so what follows never changes how a message was rendered.
"""

import re
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from turnlog.errors import InvalidInput
from turnlog.message import Role, ToolCall, ToolResult
from turnlog.validation import check_json

INSTRUCTING = ("system", "developer")
NOT_JSON = "_raw"
"""The key under which arguments that are no JSON object are handed over where a provider wants one."""

_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")
_DIGEST_CHARS = 8


class Call(NamedTuple):
    """A call as the provider knows it: its id there, and the name of the tool."""

    id: str
    name: str


class Calls:
    """Follows the messages of one rendering in order. `fit` matches the ids that the provider takes, `chars_max` long."""

    def __init__(self, fit: re.Pattern[str], *, chars_max: int) -> None:
        self._fit = fit
        self._chars_max = chars_max
        self._used: dict[str, int] = {}
        self._index = 0
        self._interrupted = False
        self.waiting: dict[str, list[Call]] = {}

    def follow(self, index: int, role: Role) -> None:
        """The message at `index` comes next. Raises `InvalidInput` when it leaves a call behind without its result.

        Instructions may stand behind the last calls of all, which are pending; no result may follow them.
        """
        self._index = index
        if not self.waiting or role == "tool":
            return
        if role not in INSTRUCTING:
            left = next(iter(self.waiting))
            raise InvalidInput(f"messages[{index}]", f"comes before the result of the tool call {left!r}")
        self._interrupted = True

    def make(self, call: ToolCall) -> str:
        """The id that the provider gets to see for `call`, which waits for its result from now on."""
        made = Call(self._id(call.id), call.name)
        self.waiting.setdefault(call.id, []).append(made)
        return made.id

    def answer(self, result: ToolResult) -> Call:
        """The call that `result` answers. Raises `InvalidInput` when no call waits for it."""
        calls = self.waiting.get(result.call_id)
        if calls is None or self._interrupted:
            rule = f"has a result for {result.call_id!r}, and no such call without a result is right before it"
            raise InvalidInput(f"messages[{self._index}]", rule)
        call = calls.pop(0)
        if not calls:
            del self.waiting[result.call_id]
        return call

    def _id(self, id: str) -> str:
        uses = self._used.get(id)
        if uses is None and len(id) <= self._chars_max and self._fit.fullmatch(id):
            self._used[id] = 0
            return id
        stem = _UNFIT.sub("_", id)[: self._chars_max - _DIGEST_CHARS - 1]
        uses = uses or 0
        while (made := f"{stem}_{_digest(f'{uses}:{id}')}") in self._used:
            uses += 1
        self._used[id] = uses + 1
        self._used[made] = 0
        return made


def tool_name(name: str, *, chars_max: int = 64) -> str:
    """`name` as a provider takes it: letters, digits, _ and -; what else it holds becomes _."""
    return _UNFIT.sub("_", name)[:chars_max]


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is, None for anything else: no JSON, another value, or one that JSON cannot carry back."""
    try:
        value = msgspec.json.decode(text)
        check_json("arguments", value)
    except (msgspec.DecodeError, InvalidInput, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def arguments_object(arguments: str) -> dict[str, Any]:
    """The arguments of a call as an object: what is no object is kept word for word under `_raw`."""
    if not arguments.strip():
        return {}
    found = json_object(arguments)
    return {NOT_JSON: arguments} if found is None else found


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=_DIGEST_CHARS // 2).hexdigest()
