"""Requests per second of the service on one worker, beside an endpoint that only parses and answers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from bench.measure import Goal, Options, Table, median, ratios, spread, thousands

CONNECTIONS = 32
_GOALS = {"append": 0.4, "context": 0.3}
_ROUTES = {"append": "append-*/messages", "context": "context-*/context"}
_MESSAGE = json.dumps({"role": "user", "content": "x" * 300}).encode()
_BODIES = {"append": _MESSAGE, "context": b'{"max_messages":20}'}

Sample = tuple[float, float]


class Server:
    """A child process on a port of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def post(self, path: str, body: bytes) -> bytes:
        request = Request(f"http://127.0.0.1:{self.port}/v1/conversations{path}", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=30) as answer:
            content: bytes = answer.read()
        return content

    def cpu_s(self) -> float:
        """User and system time so far (proc(5), fields 14 and 15)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def under_load(self, what: str, directory: Path, seconds: float) -> Sample:
        """Requests per second, and CPU microseconds of the server for each."""
        body = directory / f"{what}.body"
        before = self.cpu_s()
        command = [
            sys.executable,
            "-m",
            "bench.load",
            str(self.port),
            _ROUTES[what],
            str(body),
            str(CONNECTIONS),
            str(seconds),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
        found = json.loads(done.stdout)
        return found["count"] / found["seconds"], (self.cpu_s() - before) / found["count"] * 1e6


@contextmanager
def _serving(kind: str, directory: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "bench.serve", kind, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(process, int(process.stdout.readline()))
        finally:
            process.terminate()


def run(options: Options) -> Table:
    directory, seconds = options.scratch, 4.0 if not options.quick else 1.5
    for what, body in _BODIES.items():
        (directory / f"{what}.body").write_bytes(body)
    found: dict[str, list[Sample]] = {}
    with _serving("turnlog", directory) as ours:
        _fill(ours, directory)
        with _serving("bare", directory) as bare:
            servers = {"bare": bare, "turnlog": ours}
            for turn in range(-1, options.pick(9, 3)):
                for what in _BODIES:
                    for name in sorted(servers, reverse=turn % 2 == 0):
                        sample = servers[name].under_load(what, directory, seconds if turn >= 0 else 0.5)
                        if turn >= 0:
                            found.setdefault(f"{what}, {name}", []).append(sample)
    return _table(found)


def _fill(server: Server, directory: Path) -> None:
    """A conversation for each connection and route; one answer of each kind is kept for the bare endpoint."""
    for place in range(CONNECTIONS):
        server.post("", b'{"conversation_id":"append-%d"}' % place)
        messages = b",".join([_MESSAGE] * 20)
        server.post("", b'{"conversation_id":"context-%d","messages":[%b]}' % (place, messages))
    (directory / "append.json").write_bytes(server.post("/append-0/messages", _MESSAGE))
    (directory / "context.json").write_bytes(server.post("/context-0/context", _BODIES["context"]))


def _table(found: dict[str, list[Sample]]) -> Table:
    rows: list[tuple[str, ...]] = []
    goals = []
    rates = {name: [rate for rate, _ in samples] for name, samples in found.items()}
    costs = {name: [cost for _, cost in samples] for name, samples in found.items()}
    for what, bound in _GOALS.items():
        share = ratios(rates[f"{what}, turnlog"], rates[f"{what}, bare"])
        goals.append(Goal(f"{what}: turnlog / bare, median of rounds", median(share), bound, at_least=True))
        for name, ratio in ((f"{what}, bare", "1"), (f"{what}, turnlog", spread(share))):
            rows.append((name, thousands(median(rates[name])), f"{median(costs[name]):.0f}", ratio))
    note = (
        f"{CONNECTIONS} connections, one uvicorn worker (uvloop, httptools) on one core, the load on another. Append of a "
        "300-byte message, context of 20 such messages. Bare: Starlette and msgspec, same bodies parsed, same answers."
    )
    samples = {**rates, **{f"CPU µs: {name}": values for name, values in costs.items()}}
    columns = ("", "requests/s", "server CPU µs each", "ratio: median (range)")
    return Table("HTTP: one worker", note, columns, rows, goals, samples)
