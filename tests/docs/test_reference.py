"""Nothing is undocumented, and nothing is documented that is gone."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import msgspec

from turnlog import Settings, TurnlogError
from turnlog.cli.app import COMMANDS
from turnlog.service.routes import table

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
    page = (DOCS / "reference/settings.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| `TURNLOG_(\w+)` \| `([^`]*)`", page, re.MULTILINE)
    told = {name: default for name, _, default in rows}
    assert told == {name: str(value) for name, value in msgspec.structs.asdict(Settings()).items()}
    assert [name for name, variable, _ in rows if variable != name.upper()] == []


def test_every_error_code_is_documented() -> None:
    importlib.import_module("turnlog.service.problems")
    assert first_column("reference/errors.md") == {error.code for error in leaves(TurnlogError)}


def test_every_route_is_documented_and_none_that_is_gone() -> None:
    told = re.findall(rf"\b({METHODS}) (/(?:[\w/{{}}.-]*[\w}}])?)", (DOCS / "reference/http.md").read_text())
    served = {(operation.method, shape(operation.path)) for operation in table(Settings())}
    assert {(method, shape(path)) for method, path in told} == served


def test_every_command_is_documented() -> None:
    rows = re.findall(r"^\| `turnlog ([a-z ]*[a-z])", (DOCS / "reference/cli.md").read_text(), re.MULTILINE)
    assert set(rows) == {*COMMANDS, "completion"}


def shape(path: str) -> str:
    """A path with the names of its parameters left out."""
    return re.sub(r"{\w+}", "{}", path)


def test_the_python_reference_is_made_from_the_docstrings_of_today() -> None:
    done = subprocess.run(
        [sys.executable, DOCS.parent / "tools/api_reference.py", "--check"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
