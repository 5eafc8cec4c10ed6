"""The rules of the house, as far as a program can check them."""

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import turnlog

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
LINES_MAX = 40
LONGER = {
    "_of_messages": "a table of routes",
    "_of_conversations": "a table of routes",
    "_of_users": "a table of routes",
    "_of_memory": "a table of routes",
}
"""Functions that may be longer, each with its reason."""
PLACES = ["/[w]ork/", "/[r]oot/", r"[p]ypi\.org", r"[p]ythonhosted\.org"]
"""Machine paths and package indexes, written so that this file does not find itself."""
FORBIDDEN = re.compile("|".join(PLACES))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_imports_go_one_way() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_function_fits_on_a_screen() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": lines
        for path in SOURCES
        for node in functions(path)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > LINES_MAX and node.name not in LONGER
    }
    assert long == {}


def test_all_is_sorted_and_complete() -> None:
    assert list(turnlog.__all__) == sorted(turnlog.__all__)
    tree = ast.parse((ROOT / "src/turnlog/__init__.py").read_text())
    [typed] = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for node in typed.body if isinstance(node, ast.ImportFrom)]
    typed_homes = {alias.asname or alias.name: (node.module, alias.name) for node in imports for alias in node.names}
    assert set(turnlog.__all__) == set(typed_homes)
    assert typed_homes == turnlog._PLACES


def test_every_error_is_public() -> None:
    errors = importlib.import_module("turnlog.errors")
    defined = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert defined <= set(turnlog.__all__)


def test_no_module_is_named_for_nothing() -> None:
    nameless = {"utils", "util", "common", "helpers", "helper", "manager", "base", "misc"}
    assert [str(path) for path in SOURCES if path.stem in nameless or path.parent.name in nameless] == []


def test_a_checkout_names_no_machine_and_no_package_index() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in tracked()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("name", ["run", "dev", "peers"])
def test_lock_pins_and_hashes_everything_and_names_no_place(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if entry and not entry.startswith("#")]
    assert entries
    assert [entry for entry in entries if "==" not in entry.split()[0] or "--hash=sha256:" not in entry] == []


HEAVY = {
    "apsw", "cryptography", "hiredis", "httpx", "httpx2", "imagesize", "openai", "psycopg", "pydantic", "quicktok", "rich",
    "starlette", "tokenizers", "uvicorn", "turnlog.context", "turnlog.extraction", "turnlog.log", "turnlog.memory",
    "turnlog.stores", "turnlog.wiring",
}  # fmt: skip
DRIVERS = HEAVY - {"apsw"} - {name for name in HEAVY if name.startswith("turnlog.")}


def loaded_by(program: str) -> set[str]:
    """The modules of `HEAVY`, and click, that are loaded once `program` ran."""
    watched = sorted(HEAVY | {"click"})
    told = (
        f"import sys\ntry:\n    {program}\nfinally:\n    print('\\n' + ' '.join(n for n in {watched} if n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_core_loads_no_driver_and_no_framework() -> None:
    assert loaded_by("import turnlog") == set()
    assert loaded_by("import turnlog; [getattr(turnlog, name) for name in turnlog.__all__]") & (DRIVERS | {"click"}) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["completion", "bash"], ["nonsense"]])
def test_help_loads_nothing_but_the_command_line(arguments: list[str]) -> None:
    assert loaded_by(f"sys.argv = ['turnlog', *{arguments}]; from turnlog.cli import main; main()") == {"click"}


def test_a_command_loads_no_driver_that_it_does_not_use(tmp_path: Path) -> None:
    command = ["list", "--json", "--store", f"sqlite:///{tmp_path}/none.db"]
    assert loaded_by(f"sys.argv = ['turnlog', *{command}]; from turnlog.cli import main; main()") & DRIVERS == set()


def test_the_table_of_commands_says_what_the_commands_say() -> None:
    from turnlog.cli.app import COMMANDS, Deferred

    for path, (place, summary) in COMMANDS.items():
        loaded = Deferred("", place, summary).load()
        assert loaded.name == path.rpartition(" ")[2]
        assert (loaded.help or "").startswith(summary), path
