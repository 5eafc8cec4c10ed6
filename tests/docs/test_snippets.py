"""What the documentation shows runs as it stands.

A fenced block is run when its first line says `runnable`: ```python runnable or ```bash runnable. Shell snippets find a
service of their own at the address that they name.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.ports import free_port

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(python|bash) runnable\n(.*?)^```", re.MULTILINE | re.DOTALL)
DEFAULT_ADDRESS = "127.0.0.1:8377"


def snippets(language: str) -> list[object]:
    return [
        pytest.param(found[2], id=f"{page.relative_to(ROOT)}:{page.read_text()[: found.start()].count(chr(10)) + 1}")
        for page in PAGES
        for found in FENCE.finditer(page.read_text())
        if found[1] == language
    ]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("service")
    port = free_port()
    command = [Path(sys.executable).with_name("turnlog"), "serve", "--port", str(port), "--store", "sqlite:///docs.db"]
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_for(port, service, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        service.terminate()
        service.wait(timeout=60)


def wait_for(port: int, service: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert service.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the service did not start: " + log.read_text())


@pytest.mark.parametrize("program", snippets("python"))
def test_python_snippet_runs(program: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("script", snippets("bash"))
def test_shell_snippet_runs(script: str, tmp_path: Path, address: str) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(DEFAULT_ADDRESS, address).replace("curl -s ", "curl -sf ")],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
