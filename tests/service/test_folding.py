"""The process that folds: beside the service, by itself as `turnlog worker`, or within the service."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

import turnlog
from support.service import Service, command_of, serving

PATIENCE_S = 60.0
SAID = "My name is Ada."
TURNLOG = [sys.executable, "-m", "turnlog"]
FOLDING = {"TURNLOG_FOLD": "process", "TURNLOG_FOLD_PAUSE_S": "0"}


def folding(service: Service) -> int | None:
    """The pid of the folding process beside the service, if it lives."""
    children = Path(f"/proc/{service.process.pid}/task").glob("*/children")
    found = [int(pid) for child in children for pid in child.read_text().split()]
    return next((pid for pid in found if b"turnlog.worker_process" in command_of(pid)), None)


def alive(pid: int) -> bool:
    with suppress(OSError):
        os.kill(pid, 0)
        return b"turnlog" in command_of(pid)
    return False


def wait_until(true: object) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)


async def named(url: str, id_: str) -> str | None:
    async with turnlog.connect(url) as log:
        return (await log.conversation(id_).known()).user_name


async def say(url: str, id_: str, text: str = SAID) -> None:
    async with turnlog.connect(url) as log:
        await log.create(turnlog.user(text), id=id_)


@pytest.mark.parametrize("workers", [1, 2])
def test_serve_folds_in_a_process_beside_it_that_comes_again_and_ends_with_it(workers: int, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/turnlog.db"
    with serving(url, workers=workers, directory=tmp_path, environ=FOLDING) as service:
        asyncio.run(say(url, "c1"))
        wait_until(lambda: asyncio.run(named(url, "c1")) == "Ada")
        first = folding(service)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        asyncio.run(say(url, "c2"))
        wait_until(lambda: asyncio.run(named(url, "c2")) == "Ada")
        second = folding(service)
        assert second not in (None, first)
        service.process.terminate()
        service.process.wait(PATIENCE_S)
        assert second is not None
        wait_until(lambda: not alive(second))


def test_the_folding_process_ends_when_its_service_is_killed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/turnlog.db"
    with serving(url, workers=1, directory=tmp_path, environ=FOLDING) as service:
        wait_until(lambda: folding(service) is not None)
        pid = folding(service)
        assert pid is not None
        service.process.kill()
        service.process.wait(PATIENCE_S)
        wait_until(lambda: not alive(pid))


@pytest.mark.parametrize("where", ["inline", "off"])
def test_serve_folds_within_itself_or_not_at_all_if_told_so(where: str, tmp_path: Path) -> None:
    url, environ = f"sqlite:///{tmp_path}/turnlog.db", {"TURNLOG_FOLD": where, "TURNLOG_FOLD_PAUSE_S": "0"}
    with serving(url, workers=1, directory=tmp_path, environ=environ) as service:
        asyncio.run(say(url, "c1"))
        if where == "inline":
            wait_until(lambda: asyncio.run(named(url, "c1")) == "Ada")
        else:
            time.sleep(1.5)
            assert asyncio.run(named(url, "c1")) is None
        assert folding(service) is None


def test_a_worker_folds_for_its_tenants_and_stops_when_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/turnlog.db"
    command = [sys.executable, "-m", "turnlog", "worker", "--store", url, "--tenant", "one", "--tenant", "two", "--json"]
    environ = {**os.environ, "TURNLOG_FOLD_PAUSE_S": "0"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ) as worker:
        assert worker.stdout is not None
        assert json.loads(worker.stdout.readline()) == {"tenants": ["one", "two"], "pid": worker.pid}

        async def say_and_see(tenant: str) -> None:
            async with turnlog.connect(url, settings=turnlog.Settings(tenant=tenant)) as log:
                talk = await log.create(turnlog.user(SAID))
                async with asyncio.timeout(PATIENCE_S):
                    while (await talk.known()).user_name != "Ada":  # noqa: ASYNC110
                        await asyncio.sleep(0.05)

        for tenant in ("two", "one"):
            asyncio.run(say_and_see(tenant))
        worker.terminate()
        assert worker.wait(PATIENCE_S) == 0


@contextmanager
def worker_of(url: str, environ: dict[str, str]) -> Iterator[None]:
    """A `turnlog worker` that must end well when it is told to."""
    with subprocess.Popen([*TURNLOG, "worker", "--store", url], env={**os.environ, **environ}) as worker:
        try:
            yield
        finally:
            worker.terminate()
            assert worker.wait(PATIENCE_S) == 0


def test_a_fold_that_a_setting_names_works_in_every_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/turnlog.db"
    found = f"{Path(__file__).parents[1]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    own = {"TURNLOG_FOLDS": "support.sample_folds:Questions", "TURNLOG_FOLD_PAUSE_S": "0", "PYTHONPATH": found}
    with (
        serving(url, workers=1, directory=tmp_path, environ=own) as service,
        worker_of(url, own),
        httpx.Client(base_url=service.url) as client,
    ):
        asyncio.run(say(url, "c1", "Is it far?"))
        wait_until(lambda: '["Is it far?"]' in client.get("/v1/conversations/c1/memory").text)
        answer = client.post("/v1/conversations/c1/context", json={"explain": True}).json()
        assert answer["messages"][0]["content"] == "Open questions:\nIs it far?"
        assert "questions" in {entry["section"] for entry in answer["explain"] if entry["included"]}
        assert "questions" in {section["name"] for section in answer["sections"]}
        off = client.post("/v1/conversations/c1/context", json={"policy": {"sections": {"questions": 0}}}).json()
        assert "questions" not in {section["name"] for section in off["sections"]}
        assert "questions" in client.get("/v1/memory").text
        for command in (["context", "c1", "--explain"], ["memory", "show", "c1"], ["memory", "status"]):
            done = subprocess.run([*TURNLOG, *command, "--store", url], env={**os.environ, **own}, capture_output=True)
            assert b"questions" in done.stdout, done.stderr


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["list"]])
def test_no_process_starts_with_a_fold_that_cannot_be(command: list[str], tmp_path: Path) -> None:
    environ = {**os.environ, "TURNLOG_STORE": f"sqlite:///{tmp_path}/turnlog.db", "TURNLOG_FOLDS": "no.such:Fold"}
    asyncio.run(say(environ["TURNLOG_STORE"], "c1"))
    done = subprocess.run([*TURNLOG, *command], env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == (
        "turnlog: folds: 'no.such:Fold' in TURNLOG_FOLDS cannot be imported: "
        "ModuleNotFoundError: No module named 'no' [invalid_input]\n"
    )
