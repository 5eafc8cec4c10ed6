"""Nothing is undocumented, and nothing is documented that is gone."""

import importlib
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from turnlog import Settings, TurnlogError

DOCS = Path(__file__).parents[2] / "docs"
METHODS = "GET|POST|PATCH|PUT|DELETE"


def first_column(page: str) -> set[str]:
    """What the tables of a page name in their first column."""
    return set(re.findall(r"^\| `([^`]+)`", (DOCS / page).read_text(), re.MULTILINE))


def leaves(kind: type[TurnlogError]) -> set[type[TurnlogError]]:
    return {kind}.union(*map(leaves, kind.__subclasses__()))


def test_every_setting_is_documented() -> None:
    fields = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    assert first_column("reference/settings.md") == set(fields)


def test_every_documented_default_is_the_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `TURNLOG_(\w+)` \| `([^`]*)`", (DOCS / "reference/settings.md").read_text(), re.MULTILINE)
    told = {name: default for name, _, default in rows}
    assert told == {field.name: str(field.default) for field in msgspec.structs.fields(Settings)}
    assert [name for name, variable, _ in rows if variable != name.upper()] == []


def test_every_error_code_is_documented() -> None:
    for module in ("turnlog.service", "turnlog.service.problems"):
        if importlib.util.find_spec(module):
            importlib.import_module(module)
    assert first_column("reference/errors.md") == {error.code for error in leaves(TurnlogError)}


def test_every_route_is_documented() -> None:
    told = set(re.findall(rf"\b({METHODS}) (/[\w/{{}}.-]*)", (DOCS / "reference/http.md").read_text()))
    missing = served() - told
    gone = {(method, path) for method, path in told if path.startswith("/v1") and "{" not in path or path.count("{")} - served()
    assert (missing, gone) == (set(), set())


def test_every_command_is_documented() -> None:
    typer = pytest.importorskip("typer")
    cli: Any = importlib.import_module("turnlog.cli")
    app = next(value for value in vars(cli).values() if isinstance(value, typer.Typer))
    names = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    told = set(re.findall(r"turnlog (\w+)", (DOCS / "reference/cli.md").read_text()))
    assert names - told == set()


def served() -> set[tuple[str, str]]:
    """Method and path of each route, as the service describes itself."""
    return {
        (method.upper(), path)
        for path, operations in specification()["paths"].items()
        for method in operations
        if method.upper() in METHODS.split("|")
    }


def specification() -> dict[str, Any]:
    openapi: Any = importlib.import_module("turnlog.service.openapi")
    return dict(openapi.specification())
