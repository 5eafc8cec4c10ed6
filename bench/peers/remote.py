"""The peers as the bench sees them: a program each, in the environment that `make bench-peers` makes."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, NamedTuple

_ROOT = Path(__file__).parents[2]
_ENVIRONMENT = _ROOT / ".venv-peers"
_TIMEOUT_S = 300
_QUIET = {"LANGSMITH_TRACING": "false", "OPENAI_AGENTS_DISABLE_TRACING": "1"}
PACKAGES = (
    "openai-agents",
    "langgraph",
    "langgraph-checkpoint-postgres",
    "langgraph-checkpoint-sqlite",
    "langchain-postgres",
    "google-adk",
    "sqlalchemy",
)


class Peer(NamedTuple):
    """A system and where its program is."""

    name: str
    engine: str
    module: str
    kind: str


PEERS = (
    Peer("OpenAI Agents SQLAlchemySession", "postgres", "agents_sdk", "OnPostgres"),
    Peer("LangGraph AsyncPostgresSaver", "postgres", "langgraph_state", "OnPostgres"),
    Peer("LangChain PostgresChatMessageHistory", "postgres", "langchain_history", "OnPostgres"),
    Peer("ADK DatabaseSessionService", "postgres", "adk_sessions", "OnPostgres"),
    Peer("naive: one JSON value", "postgres", "naive", "OnPostgres"),
    Peer("OpenAI Agents RedisSession", "redis", "agents_sdk", "OnRedis"),
    Peer("naive: one JSON value", "redis", "naive", "OnRedis"),
    Peer("OpenAI Agents SQLiteSession", "sqlite", "agents_sdk", "OnSqlite"),
    Peer("LangGraph AsyncSqliteSaver", "sqlite", "langgraph_state", "OnSqlite"),
    Peer("naive: one JSON value", "sqlite", "naive", "OnSqlite"),
)


class Remote:
    """A running program; takes one command at a time."""

    def __init__(self, peer: Peer, process: asyncio.subprocess.Process, log: Path) -> None:
        self.peer = peer
        self._process = process
        self._log = log

    async def fill(self, names: Sequence[str], length: int) -> None:
        await self._ask(do="fill", names=names, length=length)

    async def write(self, names: Sequence[str], seconds: float) -> tuple[int, float, float]:
        """How many appends, in how many seconds, with how many of CPU, a writer for each name made."""
        found = await self._ask(do="write", names=names, seconds=seconds)
        return found["count"], found["seconds"], found["cpu_s"]

    async def time(self, what: str, name: str, calls: int) -> list[float]:
        """Milliseconds of each call of `append` or `last`."""
        times: list[float] = (await self._ask(do="time", what=what, name=name, calls=calls))["ms"]
        return times

    async def _ask(self, **command: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), _TIMEOUT_S)
        if not line:
            raise RuntimeError(f"{self.peer.name} on {self.peer.engine} ended:\n{self._log.read_text()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def running(peer: Peer, url: str, scratch: Path) -> AsyncIterator[Remote]:
    """The program of `peer` on `url`, ended afterwards."""
    log = scratch / f"{peer.module}-{peer.kind}.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            _python(), "-m", "bench.peers.program", peer.module, peer.kind, url,
            cwd=_ROOT, env={**os.environ, **_QUIET}, stdin=PIPE, stdout=PIPE, stderr=errors, limit=1 << 24,
        )  # fmt: skip
    try:
        yield Remote(peer, process, log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def versions() -> str:
    """The peers' releases."""
    [folder] = _python().parents[1].glob("lib/python3*/site-packages")
    found = {each.name.lower(): each.version for each in distributions(path=[str(folder)])}
    return ", ".join(f"{name} {found[name]}" for name in PACKAGES)


def _python() -> Path:
    python = _ENVIRONMENT / "bin" / "python"
    if not python.exists():
        raise SystemExit("the peers are not installed: run `make bench-peers`, or leave them out with --no-peers")
    return python
