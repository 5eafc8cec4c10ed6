"""Requests per second of the service on one worker, beside an endpoint that only parses and answers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

from bench.measure import Goal, Options, Table, median, percentile, ratios, spread, thousands
from bench.servers import servers

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

    def under_load(self, what: str, directory: Path, connections: int, seconds: float) -> Sample:
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
            str(connections),
            str(seconds),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
        found = json.loads(done.stdout)
        return found["count"] / found["seconds"], (self.cpu_s() - before) / found["count"] * 1e6


@contextmanager
def _serving(store: str, directory: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "bench.serve", store, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(process, int(process.stdout.readline()))
        finally:
            process.terminate()


def run(options: Options) -> Table:
    found = _measured(f"sqlite:///{options.scratch}/service.db", options, tuple(_BODIES), 32)
    return _table("HTTP: one worker", found, 32)


def run_postgres(options: Options) -> Table:
    with servers(options) as places:
        found = _measured(places.place("postgres"), options, ("append",), 64)
    return _table("HTTP on PostgreSQL: one worker", found, 64)


def _measured(store: str, options: Options, routes: tuple[str, ...], connections: int) -> dict[str, list[Sample]]:
    """The samples of both servers, which take turns."""
    directory, seconds = options.scratch, 4.0 if not options.quick else 1.5
    for what, body in _BODIES.items():
        (directory / f"{what}.body").write_bytes(body)
    found: dict[str, list[Sample]] = {}
    with _serving(store, directory) as ours:
        _fill(ours, directory, connections)
        with _serving("bare", directory) as bare:
            both = {"bare": bare, "turnlog": ours}
            for turn in range(-1, options.pick(9, 3)):
                for what in routes:
                    for name in sorted(both, reverse=turn % 2 == 0):
                        sample = both[name].under_load(what, directory, connections, seconds if turn >= 0 else 0.5)
                        if turn >= 0:
                            found.setdefault(f"{what}, {name}", []).append(sample)
    return found


def _fill(server: Server, directory: Path, connections: int) -> None:
    """A conversation for each connection and route; one answer of each kind is kept for the bare endpoint."""
    for place in range(connections):
        server.post("", b'{"id":"append-%d"}' % place)
        messages = b",".join([_MESSAGE] * 20)
        server.post("", b'{"id":"context-%d","messages":[%b]}' % (place, messages))
    (directory / "append.json").write_bytes(server.post("/append-0/messages", _MESSAGE))
    (directory / "context.json").write_bytes(server.post("/context-0/context", _BODIES["context"]))


def _table(title: str, found: dict[str, list[Sample]], connections: int) -> Table:
    rows: list[tuple[str, ...]] = []
    goals = []
    rates = {name: [rate for rate, _ in samples] for name, samples in found.items()}
    costs = {name: [cost for _, cost in samples] for name, samples in found.items()}
    for what in (what for what in _GOALS if f"{what}, bare" in found):
        share = ratios(rates[f"{what}, turnlog"], rates[f"{what}, bare"])
        goals.append(Goal(f"{what}: turnlog / bare, median of rounds", median(share), _GOALS[what], at_least=True))
        for name, ratio in ((f"{what}, bare", "1"), (f"{what}, turnlog", spread(share))):
            rate = f"{thousands(median(rates[name]))} ({thousands(percentile(rates[name], 10))})"
            rows.append((name, rate, f"{median(costs[name]):.0f}", ratio))
    note = (
        f"{connections} connections, one uvicorn worker (uvloop, httptools) on one core, the load on another. Append of a "
        "300-byte message, context of 20 such messages. Bare: Starlette and msgspec, same bodies parsed, same answers."
    )
    samples = {**rates, **{f"CPU µs: {name}": values for name, values in costs.items()}}
    columns = ("", "requests/s: p50 (p10)", "server CPU µs each", "ratio: median (range)")
    return Table(title, note, columns, rows, goals, samples)
