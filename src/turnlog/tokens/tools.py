"""The tokens of tool schemas, in the form of any of the formats."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

Schema = Mapping[str, Any]
Count = Callable[[str], int]

_PROPERTIES = 3
_PROPERTY = 3
_ENUM = -3
_ENUM_ITEM = 3
_FUNCTIONS_END = 12
_RULED = {"type", "description", "enum"}
_SHOWN_OTHERWISE = {"type", "properties", "required", "additionalProperties", "$schema"}


class Declared(msgspec.Struct, frozen=True):
    """The rule of OpenAI's cookbook ("token counts for chat completions with tool calls"), `start` being the model's.

    It covers flat parameters with type, description and enum. Whatever else a schema holds counts as its JSON text.
    """

    start: int

    def __call__(self, schemas: Sequence[Schema], text: Count) -> int:
        """The tokens of all schemas together."""
        return _FUNCTIONS_END + sum(self._function(schema, text) for schema in schemas)

    def _function(self, schema: Schema, text: Count) -> int:
        function = schema.get("function", schema)
        name = function.get("name") if isinstance(function, Mapping) else None
        parameters = (function.get("parameters") or function.get("input_schema") or {}) if name else {}
        properties = (parameters.get("properties") or {}) if isinstance(parameters, Mapping) else None
        if not isinstance(name, str) or not isinstance(properties, Mapping):
            return self.start + text(_json(schema))
        tokens = self.start + text(f"{name}:{_description(function)}") + _others(parameters, _SHOWN_OTHERWISE, text)
        if properties:
            tokens += _PROPERTIES + sum(_property(key, value, text) for key, value in properties.items())
        return tokens


class AsJson(msgspec.Struct, frozen=True):
    """Each schema as its JSON text, and what the vendor's own words around the tools cost."""

    words: int = 0

    def __call__(self, schemas: Sequence[Schema], text: Count) -> int:
        """The tokens of all schemas together."""
        return self.words + sum(_FUNCTIONS_END + text(_json(schema)) for schema in schemas)


def _property(name: str, schema: Any, text: Count) -> int:
    if not isinstance(schema, Mapping):
        return _PROPERTY + text(f"{name}:{_json(schema)}")
    kind = schema.get("type", "")
    line = f"{name}:{kind if isinstance(kind, str) else _json(kind)}:{_description(schema)}"
    tokens = _PROPERTY + text(line) + _others(schema, _RULED, text)
    if "enum" in schema:
        choices = schema["enum"] if isinstance(schema["enum"], list | tuple) else [schema["enum"]]
        items = (item if isinstance(item, str) else _json(item) for item in choices)
        tokens += _ENUM + sum(_ENUM_ITEM + text(item) for item in items)
    return tokens


def _description(schema: Schema) -> str:
    return str(schema.get("description", "")).removesuffix(".")


def _others(schema: Schema, known: set[str], text: Count) -> int:
    others = {key: value for key, value in schema.items() if key not in known}
    return text(_json(others)) if others else 0


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
