"""Every type that a caller meets is exported and documented, and every parameter has a type."""

import inspect
import typing
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest

import turnlog

EXPORTED = {name: getattr(turnlog, name) for name in turnlog.__all__}


def _functions(kind: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class that turnlog wrote, and its constructor."""
    for name, member in inspect.getmembers(kind):
        function = member.fget if isinstance(member, property) else inspect.unwrap(getattr(member, "__func__", member))
        own = str(getattr(function, "__module__", "")).startswith("turnlog")
        if inspect.isfunction(function) and own and (name == "__init__" or not name.startswith("_")):
            yield f"{kind.__name__}.{name}", function


def _types(hint: Any) -> Iterator[type]:
    """The classes of turnlog that an annotation names."""
    origin = typing.get_origin(hint)
    for kind in (hint, origin):
        if inspect.isclass(kind) and kind.__module__.startswith("turnlog"):
            yield kind
    for part in get_args(hint):
        for each in part if isinstance(part, list) else [part]:
            yield from _types(each)


ROOTS = (turnlog.Turnlog, turnlog.Conversation, turnlog.User, turnlog.Store, turnlog.LLM, turnlog.Settings)
INTERNAL = {
    "Context.account": "what `explain` is made from",
    "Context.compaction": "what the next context begins with",
    "Digest.seen": "what an inspection compares",
    "UserMemory.contributions": "what is merged",
    "Conversation.__init__": "a `Turnlog` makes it",
    "User.__init__": "a `Turnlog` makes it",
    "Integrity": "a fold, whose methods the worker calls",
}
"""Members that a caller has no need of, and why they are there."""


def _hints_of(kind: type) -> Iterator[tuple[str, Any]]:
    """The annotations of a class's fields, methods and properties, each with its place."""
    fields = {} if kind in ROOTS else get_type_hints(kind, include_extras=True)
    yield from ((f"{kind.__name__}.{name}", hint) for name, hint in fields.items() if not name.startswith("_"))
    for place, function in _functions(kind):
        yield from ((place, hint) for hint in get_type_hints(function, include_extras=True).values())


def _met() -> dict[type, str]:
    """Every class of turnlog that a caller meets, from the handles on, and where it is met first."""
    met: dict[type, str] = {}
    ahead: list[type] = list(ROOTS)
    while ahead:
        for place, hint in _hints_of(ahead.pop()):
            for kind in () if place in INTERNAL else _types(hint):
                if kind not in met:
                    met[kind] = place
                    ahead += [] if kind.__name__ in INTERNAL else [kind]
    return met


MET = _met()


@pytest.mark.parametrize("kind", sorted(MET, key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_a_type_that_a_caller_meets_is_exported_and_documented(kind: type) -> None:
    assert EXPORTED.get(kind.__name__) is kind, f"met at {MET[kind]}"
    assert (kind.__doc__ or "").strip(), f"met at {MET[kind]}"
    assert not kind.__doc__.startswith(f"{kind.__name__}("), "the docstring is the signature"  # type: ignore[union-attr]


def _calls() -> dict[str, Any]:
    called = {name: value for name, value in EXPORTED.items() if inspect.isfunction(value)}
    for kind in {*ROOTS, *MET}:
        if kind.__name__ not in INTERNAL:
            called |= dict(_functions(kind))
    return called


CALLS = _calls()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_parameter_has_a_type_and_every_call_a_docstring(name: str) -> None:
    function = CALLS[name]
    hints = get_type_hints(function)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in ("self", "cls", "_"):
            assert hints.get(parameter.name, Any) is not Any, parameter.name
    assert name.endswith("__init__") or (function.__doc__ or "").strip()
