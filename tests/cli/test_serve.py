"""The service as a process: it says where it listens, stops cleanly, and survives being killed (laws 2 and 3)."""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import apsw
import httpx
import pytest

from support.ports import free_port

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "data" / "chats.jsonl"
CHATS = Path(os.environ.get("TURNLOG_CHATS") or ROOT.parent / "shared" / "data" / "chats.jsonl")


def _source(path):
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def _all_messages(client, conversation_id):
    found, after = [], 0
    while True:
        page = client.get(f"/v1/conversations/{conversation_id}/messages", params={"limit": 1000, "after": after})
        assert page.status_code == 200, page.text
        data = page.json()["data"]
        if not data:
            return found
        found += data
        after = data[-1]["seq"]


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_stops_cleanly(turnlog, workers, told):
    with turnlog.serving("--workers", workers) as (url, process), httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("/health").json()["status"] == "healthy"
        made = client.post("/v1/conversations", json={"messages": [{"role": "user", "content": "hi"}]})
        assert made.status_code == 201
        process.send_signal(told)
        assert process.wait(60) == 0
    assert turnlog("list", "--json").json["data"][0]["head"] == 1


def test_a_signal_to_the_group_stops_all_without_a_word(turnlog):
    process = turnlog.start("serve", "--port", "0", "--json", group=True)
    url = json.loads(process.stdout.readline())["url"]
    _wait(lambda: len(_of_group(process.pid)) > 1)  # it folds
    httpx.get(f"{url}/health")
    os.killpg(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    _wait(lambda: not _of_group(process.pid))


def _of_group(group: int) -> list[int]:
    """The processes of a group, those apart that have ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, of = path.read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state != "Z":
                found.append(int(path.parent.name))
    return found


def test_it_says_its_url_to_people_too(turnlog):
    process = turnlog.start("serve", "--port", "0")
    try:
        assert process.stdout.readline().startswith(b"turnlog serves on http://127.0.0.1:")
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_taken_port_is_one_clear_line(turnlog, workers):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = turnlog("serve", "--port", str(taken.getsockname()[1]), "--workers", workers)
    assert (ran.code, ran.out) == (1, "")
    assert "cannot listen on http://127.0.0.1:" in ran.err and ran.err.count("\n") == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_store_that_cannot_be_opened_is_one_clear_line(turnlog, workers):
    (turnlog.cwd / "store").mkdir()
    (turnlog.cwd / "store" / "turnlog.db").write_bytes(b"not a database, but long enough to look at" * 100)
    ran = turnlog("serve", "--port", "0", "--json", "--workers", workers)
    assert (ran.code, ran.out, json.loads(ran.err)["code"]) == (1, "", "store_unavailable")


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("scheme", ["postgresql", "redis"])
def test_a_server_that_is_not_there_is_one_clear_line(turnlog, scheme, workers):
    port = free_port()
    ran = turnlog("serve", "--port", "0", "--store", f"{scheme}://127.0.0.1:{port}", "--workers", workers)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert str(port) in ran.err and "[store_unavailable]" in ran.err


def test_data_of_a_newer_version_is_one_clear_line(turnlog):
    assert turnlog("import", str(SAMPLE)).code in (0, 3)
    with apsw.Connection(turnlog.url.removeprefix("sqlite:///")) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    ran = turnlog("serve", "--port", "0", "--workers", "2")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "99" in ran.err and "[schema_too_new]" in ran.err


def test_a_store_that_not_every_worker_can_open_ends_the_service_with_one_clear_line(turnlog, postgres_server):
    postgres_server.execute("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1", "CREATE DATABASE narrow OWNER narrow")
    url = postgres_server.url("narrow").replace("//turnlog@", "//narrow@")
    ran = turnlog("serve", "--port", "0", "--store", url, "--workers", "2")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert 'too many connections for role "narrow"' in ran.err


def test_a_worker_that_ends_before_it_serves_ends_the_service_with_one_clear_line(turnlog):
    broken = turnlog.cwd / "uvloop.py"  # found before the real one, by the workers alone: nothing else needs it
    broken.write_text("import os\nos._exit(77)\n")
    ran = turnlog("serve", "--port", "0", "--workers", "2")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "turnlog: a worker process cannot serve: it ended with exit code 77 [turnlog_error]\n"


def test_a_store_that_processes_cannot_share_is_refused_to_several(turnlog):
    ran = turnlog("serve", "--port", "0", "--store", "ram:", "--workers", "2")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "workers: must be 1" in ran.err


class Poster(threading.Thread):
    """A client that posts numbered messages until there are enough, and repeats under its key what got no answer."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.url = ""
        self.seqs: dict[int, int] = {}
        self.failed: str | None = None
        self.enough = False

    def run(self) -> None:
        while not self.enough and not self.failed:
            if not self._post(len(self.seqs)):
                time.sleep(0.02)

    def _post(self, number: int) -> bool:
        try:
            answer = httpx.post(
                f"{self.url}/v1/conversations/posted/messages",
                json={"role": "user", "content": f"message {number}"},
                headers={"Idempotency-Key": f"key-{number}"},
                timeout=30,
                verify=False,  # nothing is encrypted here, and loading certificates takes longer than the request
            )
        except httpx.TransportError:
            return False
        if answer.status_code not in (200, 201):
            self.failed = answer.text
            return False
        self.seqs[number] = answer.json()["seq"]
        return True


def _large_source(path):
    """The sample many times over, so that there is a middle to be killed in."""
    with open(path, "w") as file:
        for copy in range(30):
            for index, line in enumerate(_source(SAMPLE)):
                file.write(json.dumps(line | {"conversation_id": f"copy-{copy}-{index}"}) + "\n")
    return _source(path)


def test_killing_the_service_and_the_import_loses_and_doubles_nothing(turnlog):
    file = turnlog.cwd / "large.jsonl"
    source = _large_source(file)
    poster = Poster()
    with turnlog.serving("--workers", "1") as (poster.url, service):
        assert httpx.post(f"{poster.url}/v1/conversations", json={"id": "posted"}).status_code == 201
        poster.start()
        _wait(lambda: len(poster.seqs) > 3)
        importer = turnlog.start("import", str(file))
        try:
            _wait(lambda: _stored(turnlog) > 20)
        finally:
            importer.kill()
            service.kill()
            importer.communicate(timeout=60)
    assert importer.returncode == -signal.SIGKILL
    assert poster.is_alive()
    posted_before = len(poster.seqs)
    with turnlog.serving() as (poster.url, _), httpx.Client(base_url=poster.url, timeout=60) as client:
        again = turnlog("import", str(file), "--json")
        _wait(lambda: poster.failed or len(poster.seqs) > posted_before)
        poster.enough = True
        poster.join(60)
        assert (poster.failed, poster.is_alive()) == (None, False)
        total = sum(len(line["messages"]) for line in source)
        assert (again.code, again.json["added"] + again.json["present"]) == (0, total)
        assert 0 < again.json["present"] < total
        posted = _all_messages(client, "posted")
        assert [message["content"] for message in posted] == [f"message {number}" for number in range(len(posted))]
        assert poster.seqs == {number: number + 1 for number in range(len(posted))}
        for line in source:
            _check(client, line)


def _wait(done) -> None:
    until = time.monotonic() + 60
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)


def _stored(turnlog) -> int:
    connection = apsw.Connection(turnlog.url.removeprefix("sqlite:///"), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return connection.execute("SELECT count(*) FROM conversation").get
    finally:
        connection.close()


def _check(client, line) -> None:
    """The conversation is there as the source tells it, in order, and its context can be fetched."""
    stored = _all_messages(client, line["conversation_id"])
    assert [message["seq"] for message in stored] == list(range(1, len(line["messages"]) + 1))
    for message, said in zip(stored, line["messages"], strict=True):
        assert message["role"] == said["role"]
        if isinstance(said.get("content"), str) and said["role"] != "tool":
            assert message["content"] == said["content"]
        for field in ("name", "id"):
            assert field not in said or message[field] == said[field]
        assert message.get("metadata", {}).items() >= said.get("metadata", {}).items()
    context = client.post(f"/v1/conversations/{line['conversation_id']}/context", json={"max_messages": 20})
    assert context.status_code == 200
    assert 1 <= len(context.json()["messages"]) <= 20
    assert context.json()["tokens"] > 0


def test_the_sample_is_read_back_over_http(filled):
    with filled.serving() as (url, _), httpx.Client(base_url=url, timeout=60) as client:
        for line in _source(SAMPLE)[:12]:
            _check(client, line)
        whole = client.get("/v1/users/user-1/conversations").json()["data"]
        assert len(whole) == 3


@pytest.mark.skipif(
    not CHATS.is_file(), reason=f"the file of real chats is not there: {CHATS} (set TURNLOG_CHATS to its path)"
)
def test_real_chats_import_and_read_back(turnlog):
    source = _source(CHATS)
    ran = turnlog("import", str(CHATS), "--rejects", "r.jsonl", "--json")
    assert ran.json == {"conversations": 25, "added": 7854, "present": 0, "rejected": 0, "passed": 0, "rejects": None}
    with turnlog.serving() as (url, service):
        httpx.get(f"{url}/health")
        service.kill()
    assert turnlog("import", str(CHATS), "--rejects", "r.jsonl", "--json").json["present"] == 7854
    with turnlog.serving() as (url, _), httpx.Client(base_url=url, timeout=60) as client:
        for line in source:
            _check(client, line)
