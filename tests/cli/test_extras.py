"""What is said where an extra is not installed: a Python that has the core's packages, and those that a test names."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import turnlog

CORE = ["msgspec", "apsw"]
RICH = ["rich", "pygments", "markdown_it", "mdurl"]
COMMANDS = [
    ([], ["--help"], {}, "cli"),
    (["click"], ["list"], {}, "cli"),
    (["click", *RICH], ["serve", "--port", "0"], {}, "server"),
    (["click", "starlette", "anyio", "idna", "typing_extensions"], ["serve", "--port", "0"], {}, "server"),
    (["click"], ["list", "--json", "--store", "postgresql://localhost/x"], {}, "postgres"),
    (["click"], ["list", "--json", "--store", "redis://localhost"], {}, "redis"),
    (["click"], ["worker"], {"TURNLOG_LLM_MODEL": "m"}, "llm"),
    (["click"], ["worker"], {"TURNLOG_TOKENIZER": "gpt-4o"}, "tokens"),
    (["click"], ["worker"], {"TURNLOG_TOKENIZER": "hf:x.json"}, "hf"),
]
PROGRAMS = [
    ("turnlog.connect('postgresql://localhost/x')", "postgres"),
    ("turnlog.connect('redis://localhost')", "redis"),
    ("from turnlog.stores.postgres import PostgresStore", "postgres"),
    ("from turnlog.service import create_app", "server"),
    ("turnlog.connect('ram:', settings=turnlog.Settings(llm_model='m'))", "llm"),
    ("turnlog.connect('ram:', settings=turnlog.Settings(tokenizer='o200k_base'))", "tokens"),
]


def python(folder: Path, packages: list[str], arguments: list[str], **environ: str) -> "subprocess.CompletedProcess[str]":
    """Python without its site packages: `folder` holds those that there are."""
    for package in packages:
        found = importlib.util.find_spec(package)
        assert found is not None and found.origin is not None
        origin = Path(found.origin)
        source = origin.parent if origin.name == "__init__.py" or package == "apsw" else origin
        (folder / source.name).symlink_to(source)
    path = os.pathsep.join([str(Path(turnlog.__file__).parents[1]), str(folder)])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TURNLOG_")}
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        env=kept | {"PYTHONPATH": path, "TURNLOG_STORE": f"sqlite:///{folder}/x.db"} | environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(("packages", "arguments", "environ", "extra"), COMMANDS)
def test_a_command_ends_with_1_and_one_line(
    tmp_path: Path, packages: list[str], arguments: list[str], environ: dict[str, str], extra: str
) -> None:
    if arguments == ["list"]:
        (tmp_path / "x.db").touch()
    ran = python(tmp_path, [*CORE, *packages], ["-m", "turnlog", *arguments], **environ)
    told = f"turnlog: this needs the extra '{extra}': pip install 'turnlog[{extra}]' [missing_extra]\n"
    if "--json" in arguments:
        told = f"\"detail\":\"this needs the extra '{extra}': pip install 'turnlog[{extra}]'\""
    assert (ran.returncode, ran.stdout) == (1, "")
    assert told in ran.stderr and ran.stderr.count("\n") == 1


@pytest.mark.parametrize(("program", "extra"), PROGRAMS)
def test_the_library_raises_an_error_of_its_own(tmp_path: Path, program: str, extra: str) -> None:
    ran = python(tmp_path, CORE, ["-c", f"import turnlog\ntry: {program}\nexcept turnlog.MissingExtra as e: print(e.extra)"])
    assert (ran.stdout, ran.stderr) == (f"{extra}\n", "")


def test_the_core_works_alone(tmp_path: Path) -> None:
    program = """
        import asyncio, turnlog

        async def main():
            async with turnlog.connect() as log:
                talk = await log.create(turnlog.user("hi"))
                print((await talk.context()).messages[0].text)

        asyncio.run(main())
    """
    (tmp_path / "data").mkdir()
    (tmp_path / "main.py").write_text("\n".join(line[8:] for line in program.splitlines()))
    ran = python(tmp_path, CORE, ["main.py"])
    assert (ran.stdout, ran.stderr) == ("hi\n", "")
