"""`python -m bench.freeze [STORE_URL ...]`: how long other requests wait while long messages are folded.

A real `turnlog serve` on each store (default: `ram:` and SQLite in a new directory) gets ten messages of 32 KB of each kind,
which rules find hard, and then `memory/refresh`; beside, `/health` is asked for again and again. It prints the longest wait,
and the longest one without any such message.
"""

import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

SAID = (
    "I'm ",
    "I work at ",
    "I live in ",
    "Aa is my name, please call me ",
    "i like cats, hate dogs. please remind me to sing. ",
)
LENGTH = 32_000
MESSAGES = 10


def ask(url: str, method: str, path: str, body: object = None) -> bytes:
    """The answer of the service."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
    connection.request(method, path, json.dumps(body), {"content-type": "application/json"})
    told = connection.getresponse().read()
    connection.close()
    return told


@contextmanager
def watched(url: str) -> Iterator[list[float]]:
    """While this lasts, the service is asked whether it lives; how long each answer took is put into the list."""
    took: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            begun = time.perf_counter()
            ask(url, "GET", "/health")
            took.append(time.perf_counter() - begun)
            time.sleep(0.002)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def measure(url: str, kind: int) -> float:
    """The longest wait, in milliseconds, while messages of a kind are appended and folded."""
    id_ = f"c{kind}"
    ask(url, "POST", "/v1/conversations", {"id": id_, "user_id": "u"})
    with watched(url) as took:
        for number in range(MESSAGES):
            text = f"{number} " + SAID[kind] * (LENGTH // len(SAID[kind]))
            ask(url, "POST", f"/v1/conversations/{id_}/messages", {"role": "user", "content": text})
        ask(url, "POST", f"/v1/conversations/{id_}/memory/refresh", {"wait_s": 60})
    return max(took) * 1000


def serve(store: str) -> None:
    """Print what there is to tell of one store."""
    command = [sys.executable, "-m", "turnlog", "serve", "--port", "0", "--json", "--store", store]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        ask(url, "POST", "/v1/conversations", {"id": "warm"})
        ask(url, "POST", "/v1/conversations/warm/messages", {"role": "user", "content": "I live in Rome and I like tea."})
        ask(url, "POST", "/v1/conversations/warm/memory/refresh", {"wait_s": 60})
        with watched(url) as took:
            time.sleep(2)
        print(f"{store.partition(':')[0]}: longest answer of /health {max(took) * 1000:.0f} ms while nothing else is asked")
        for kind, said in enumerate(SAID):
            print(f"  {measure(url, kind):6.0f} ms while {MESSAGES} messages of {LENGTH:,} characters are folded: {said!r}")
        process.terminate()


def main() -> None:
    """Measure each store."""
    with tempfile.TemporaryDirectory() as directory:
        for store in sys.argv[1:] or ["ram:", f"sqlite:///{directory}/turnlog.db"]:
            serve(store)


if __name__ == "__main__":
    main()
