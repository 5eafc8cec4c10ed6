"""What one client says does not stop the others: a real `turnlog serve`, long messages, and requests beside."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support.service import serving

SAID = ("I'm ", "I work at ", "I live in ", "Aa is my name, please call me ")
MESSAGES = 10
STOPPED_S_MAX = 2.0
"""How long a busy machine may let another request wait: one such message once took three times as long."""


def ask(url: str, method: str, path: str, body: object = None) -> bytes:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
    connection.request(method, path, json.dumps(body), {"content-type": "application/json"})
    answer = connection.getresponse()
    told = answer.read()
    assert answer.status < 300, told
    connection.close()
    return told


@contextmanager
def watched(url: str) -> Iterator[list[float]]:
    """While this lasts, `/health` is asked for again and again; how long each took is put into the list."""
    took: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            begun = time.monotonic()
            ask(url, "GET", "/health")
            took.append(time.monotonic() - begun)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(("store", "fold"), [("ram:", "inline"), ("ram:", "off"), ("sqlite", "off"), ("sqlite", "inline")])
def test_long_messages_of_one_client_do_not_stop_the_requests_of_others(store: str, fold: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/turnlog.db" if store == "sqlite" else store
    environ = {"TURNLOG_FOLD": fold, "TURNLOG_FOLD_PAUSE_S": "0"}
    with serving(url, workers=1, directory=tmp_path, environ=environ) as service:
        ask(service.url, "POST", "/v1/conversations", {"id": "c1", "user_id": "mallory"})
        with watched(service.url) as took:
            for number in range(MESSAGES):
                text = f"{number} " + SAID[number % len(SAID)] * 8000
                said = {"role": "user", "content": text[:32_000]}
                ask(service.url, "POST", "/v1/conversations/c1/messages", said)
            known = json.loads(ask(service.url, "POST", "/v1/conversations/c1/memory/refresh", {"wait_s": 60}))
        assert all(fold["lag"] == 0 for fold in known["folds"].values())
        assert max(took) < STOPPED_S_MAX


def test_a_transcript_of_many_messages_is_taken_in_turns(tmp_path: Path) -> None:
    with serving("ram:", workers=1, directory=tmp_path) as service:
        ask(service.url, "POST", "/v1/conversations", {"id": "c1"})
        said = [{"role": "user", "content": f"{number} said"} for number in range(10_000)]
        for _ in range(2):
            with watched(service.url) as took:
                begun = time.monotonic()
                ask(service.url, "POST", "/v1/conversations/c1/reconcile", {"messages": said})
                whole = time.monotonic() - begun
            assert max(took) < max(0.6 * whole, 0.1)
