"""`tools/house.py` counts what it says, on a small tree made up for it."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "house.py"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    package = tmp_path / "made"
    (package / "rooms").mkdir(parents=True)
    for name in ("__init__.py", "rooms/__init__.py"):
        (package / name).write_text("")
    return package


def measured(package: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, SCRIPT, package], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout


def figure(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(name)).strip().removeprefix(name).split()[0]


CLEAN = '''"""A docstring of
# two lines, of which none is a comment."""

X = 1  # why it is one
"""What X is."""


def f() -> int:  # noqa: D103
    # why two
    return 2  # pragma: no cover  # why it is not covered


def table() -> list[int]:
    """A table may be long."""
    one = 1
    return [
'''


def test_a_tree_within_its_bounds_passes(tree: Path) -> None:
    (tree / "clean.py").write_text(CLEAN + "        one,\n" * 50 + "    ]\n")
    code, text = measured(tree)
    assert figure(text, "with a comment") == "3"
    assert figure(text, "of code") == str(5 + 51 + 1)
    assert figure(text, "lines, longest") == "55"
    assert figure(text, "over 40 lines, tables aside") == "0"
    assert "lines, 90th percentile" in text
    assert "BROKEN" in text
    (tree / "short.py").write_text("".join(f"def f{i}() -> None: ...\n" for i in range(20)))
    assert measured(tree)[0] == 0
    assert code == 1


def test_a_long_function_is_named(tree: Path) -> None:
    (tree / "long.py").write_text("def f(x):\n" + "    x += 1\n" * 40 + "    return [x]\n")
    code, text = measured(tree)
    assert code == 1
    assert f"{tree}/long.py:1 f: 42 lines" in text


def test_cycles_of_files_are_found_wherever_the_import_stands(tree: Path) -> None:
    (tree / "one.py").write_text("from made import two\n")
    (tree / "two.py").write_text("def f():\n    from .three import x\n")
    (tree / "three.py").write_text("import made.one\nx = 1\n")
    text = measured(tree)[1]
    assert "made.one <-> made.three <-> made.two" in text
    assert figure(text, "import cycles of files") == "1"


def test_a_cycle_of_packages_needs_no_cycle_of_files(tree: Path) -> None:
    (tree / "rooms" / "first.py").write_text("import made.hall\n")
    (tree / "rooms" / "second.py").write_text("")
    (tree / "hall.py").write_text("from made.rooms.second import x\n")
    text = measured(tree)[1]
    assert figure(text, "import cycles of files") == "0"
    assert "made.hall <-> made.rooms" in text


@pytest.mark.parametrize("how", ["except:", "except Exception:", "except (OSError, BaseException) as error:"])
def test_broad_excepts_are_counted(tree: Path, how: str) -> None:
    (tree / "broad.py").write_text(f"try:\n    pass\n{how}\n    pass\n" * 5)
    code, text = measured(tree)
    assert (code, figure(text, "broad excepts")) == (1, "5")
    assert f"{tree}/broad.py:3" in text


def test_a_suppressed_exception_counts_and_a_named_one_does_not(tree: Path) -> None:
    (tree / "broad.py").write_text(
        "with contextlib.suppress(Exception):\n    pass\ntry:\n    pass\nexcept ValueError:\n    pass\n"
    )
    assert figure(measured(tree)[1], "broad excepts") == "1"


def test_a_class_name_that_is_used_twice_is_named_and_a_blocking_twin_is_not(tree: Path) -> None:
    (tree / "one.py").write_text("class Page: ...\nclass User: ...\n")
    (tree / "rooms" / "two.py").write_text("class Page: ...\n")
    (tree / "sync.py").write_text("class User: ...\n")
    text = measured(tree)[1]
    assert figure(text, "class names used twice") == "1"
    assert "Page: made.one, made.rooms.two" in text


def test_a_directory_without_python_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no Python files" in done.stderr
