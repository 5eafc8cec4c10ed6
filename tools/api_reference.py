"""Writes `docs/reference/api.md` from the docstrings and signatures of what `turnlog` exports.

python tools/api_reference.py            # write the page
python tools/api_reference.py --check    # exit with 1 if it is not up to date
"""

import inspect
import re
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

import msgspec

import turnlog

PAGE = Path(__file__).parents[1] / "docs/reference/api.md"
_PLAIN = (str, int, float, bool, tuple, type(None))
HEAD = """# Python API

Every name that `turnlog` exports, made from its docstrings by `python tools/api_reference.py`. `turnlog.sync` has the
same classes with blocking methods.
"""


def page() -> str:
    """The whole page."""
    parts: dict[str, list[str]] = {"Functions": [], "Classes": [], "Messages": [], "Errors": [], "Ports": [], "Types": []}
    for name in turnlog.__all__:
        value = getattr(turnlog, name)
        parts[_section(value)].append("\n".join(_entry(name, value)))
    return HEAD + "".join(f"\n## {title}\n\n" + "\n\n".join(entries) + "\n" for title, entries in parts.items() if entries)


def _section(value: Any) -> str:
    if inspect.isfunction(value):
        return "Functions"
    if not inspect.isclass(value):
        return "Types"
    if issubclass(value, Exception):
        return "Errors"
    if getattr(value, "_is_protocol", False):
        return "Ports"
    return "Messages" if value.__module__ == "turnlog.message" else "Classes"


def _entry(name: str, value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        yield f"### `{name}{_signature(value) if callable(value) else ''}`"
        yield _text(value) if callable(value) else f"One of: {', '.join(f'`{each}`' for each in get_args(value))}."
        return
    yield f"### `{name}`"
    yield _text(value)
    members = [*_fields(value), *_methods(value)]
    if members:
        yield ""
        yield from members


def _fields(kind: type) -> Iterator[str]:
    if not issubclass(kind, msgspec.Struct):
        return
    for field in msgspec.structs.fields(kind):
        default = "" if field.required else f" = {_default(field)}"
        yield f"- `{field.name}: {_type(field.type)}{default}`"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        return repr(field.default.value if isinstance(field.default, Enum) else field.default)
    made = field.default_factory() if callable(field.default_factory) else ...
    return repr(made) if not made or isinstance(made, dict) else "…"


def _methods(kind: type) -> Iterator[str]:
    for name, member in vars(kind).items():
        if name.startswith("_") or not (member := _callable(member)):
            continue
        if isinstance(member, property):
            yield f"- `.{name}`: {_first(member)}"
        elif inspect.isfunction(member):
            wait = "await " if inspect.iscoroutinefunction(member) else ""
            yield f"- `{wait}.{name}{_signature(member)}`: {_text(member)}"


def _callable(member: Any) -> Any:
    if isinstance(member, staticmethod | classmethod):
        return member.__func__
    return member if isinstance(member, property) or inspect.isfunction(member) else None


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    shown = [_shown(each) for name, each in signature.parameters.items() if name not in ("self", "cls")]
    return _type(str(signature.replace(parameters=shown)))


def _shown(parameter: inspect.Parameter) -> inspect.Parameter:
    """A parameter whose default is shown only if it is a plain value: others may hold what is of this machine alone."""
    if parameter.default is inspect.Parameter.empty or isinstance(parameter.default, _PLAIN):
        return parameter
    return parameter.replace(default=...)


def _type(annotation: Any) -> str:
    """An annotation as it is written: without modules, and without addresses of defaults."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"<(?:function|class|object)[^>]*>|Ellipsis", "…", text)
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])|\b(?:typing|collections\.abc|datetime|builtins)\.", "", text).replace(
        "'", ""
    )


def _first(value: Any) -> str:
    return _text(value).split(". ")[0].rstrip(".") + "."


def _text(value: Any) -> str:
    return " ".join((inspect.getdoc(value) or "").split())


def main() -> int:
    """Write the page, or compare it."""
    made = page()
    if "--check" in sys.argv[1:]:
        same = PAGE.exists() and PAGE.read_text() == made
        print("up to date" if same else "docs/reference/api.md is not up to date: run python tools/api_reference.py")
        return not same
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
