"""Query parameters: described once, for the checks and for the OpenAPI document."""

import re
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from turnlog.errors import InvalidInput
from turnlog.timestamps import from_micros, read_time
from turnlog.validation import INTEGER_MAX, check_text

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
_SPACE_FOR_PLUS = re.compile(r"(\d\d:\d\d[^ ]*) (\d\d:?\d\d)$")


class Number(NamedTuple):
    """A whole number."""

    name: str
    says: str
    minimum: int = 0
    maximum: int = INTEGER_MAX
    default: int | None = None

    def read(self, text: str) -> int:
        """The value of `text`. Raises `InvalidInput`."""
        if not _NUMBER.fullmatch(text) or not self.minimum <= int(text) <= self.maximum:
            raise InvalidInput(self.name, f"must be a whole number from {self.minimum} to {self.maximum}")
        return int(text)

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        default = {} if self.default is None else {"default": self.default}
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum, **default}


class Choice(NamedTuple):
    """One of some words; the first of them is the default."""

    name: str
    says: str
    words: tuple[str, ...]

    @property
    def default(self) -> str:
        """The value when the parameter is not given."""
        return self.words[0]

    def read(self, text: str) -> str:
        """`text`, if it is one of the words. Raises `InvalidInput`."""
        if text not in self.words:
            raise InvalidInput(self.name, f"must be one of {', '.join(self.words)}")
        return text

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string", "enum": list(self.words), "default": self.default}


class Flag(NamedTuple):
    """true or false."""

    name: str
    says: str
    default: bool | None = None

    def read(self, text: str) -> bool:
        """The value of `text`. Raises `InvalidInput`."""
        if text not in ("true", "false"):
            raise InvalidInput(self.name, "must be true or false")
        return text == "true"

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "boolean"}


class String(NamedTuple):
    """Any text."""

    name: str
    says: str
    default: str | None = None

    def read(self, text: str) -> str:
        """`text`. Raises `InvalidInput` when it is empty or cannot be stored."""
        check_text(self.name, text)
        if not text:
            raise InvalidInput(self.name, "must not be empty")
        return text

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string", "minLength": 1}


class Time(NamedTuple):
    """A day or a time with a time zone."""

    name: str
    says: str
    default: datetime | None = None

    def read(self, text: str) -> datetime:
        """The value of `text`. Raises `InvalidInput`."""
        # an unescaped + of a time zone arrives as a space
        return from_micros(read_time(self.name, _SPACE_FOR_PLUS.sub(r"\1+\2", text)))

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON Schema."""
        return {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}


Parameter = Number | Choice | Flag | String | Time


def read_query(text: bytes, parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """The value of every parameter, its default when it is not given. Raises `InvalidInput` with its name."""
    known = {parameter.name: parameter for parameter in parameters}
    values = {name: parameter.default for name, parameter in known.items()}
    given: set[str] = set()
    for name, value in _pairs(text):
        if name not in known:
            raise InvalidInput(name or "query", "is no parameter of this route")
        if name in given:
            raise InvalidInput(name, "is given twice")
        given.add(name)
        values[name] = known[name].read(value)
    return values


def _pairs(text: bytes) -> list[tuple[str, str]]:
    if not text:
        return []
    try:
        return parse_qsl(text.decode("ascii"), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError:
        raise InvalidInput("query", "must be percent-encoded UTF-8 of at most 100 parameters") from None
