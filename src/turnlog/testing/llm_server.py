"""A small server with the chat completions of OpenAI's API, which answers as a script says: well, badly or not at all.

Runs in threads of this process on a free port of the loopback, and needs the standard library alone.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

import msgspec

from turnlog.llm.port import Prompt
from turnlog.testing.llm import Script, as_text, follow, words


class ScriptedAnswer(msgspec.Struct, frozen=True):
    """What the server sends: a `body` in pieces of `piece` bytes with `pause_s` before each, `wait_s` before everything.

    With `promised` bytes more than there are, the answer ends in the middle.
    """

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}
    wait_s: float = 0.0
    piece: int = 1 << 16
    pause_s: float = 0.0
    promised: int = 0


class ReceivedRequest(msgspec.Struct, frozen=True):
    """What the server was asked: the prompt as it arrived, the fields of the body and the headers, in small letters."""

    prompt: Prompt
    fields: dict[str, Any]
    headers: dict[str, str]


class LLMServer:
    """A running server: its base `url`, and the `requests` that it got so far, in the order in which they arrived."""

    def __init__(self, script: Script) -> None:
        self.requests: list[ReceivedRequest] = []
        self._follow = follow(script)
        self._lock = Lock()
        self.stopping = Event()
        self._http = _Listener(("127.0.0.1", 0), self)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def answer(self, fields: dict[str, Any], headers: dict[str, str]) -> ScriptedAnswer:
        """What the script has for a request."""
        request = ReceivedRequest(_prompt(fields), fields, headers)
        with self._lock:
            self.requests.append(request)
            reply = self._follow(request.prompt)
        return reply if isinstance(reply, ScriptedAnswer) else says(reply)

    def stop(self) -> None:
        """Answer nothing more; what is under way is broken off."""
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextmanager
def llm_server(script: Script) -> Iterator[LLMServer]:
    """A server for as long as the block runs. The script gives `Answer`s, or what `says` makes one of."""
    server = LLMServer(script)
    try:
        yield server
    finally:
        server.stop()


def says(reply: Any, *, finish: str = "stop", model: str = "scripted-1", cached: int = 0, **answer: Any) -> ScriptedAnswer:
    """A completion with `reply` for content: text as it is, anything else as JSON; `answer` are fields of `Answer`."""
    text = as_text(reply)
    used = {"prompt_tokens": 100, "completion_tokens": words(text), "total_tokens": 100 + words(text)}
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {**used, "prompt_tokens_details": {"cached_tokens": cached}},
    }
    return ScriptedAnswer(json.dumps(completion).encode(), **answer)


def fails(status: int, *, message: str = "no", retry_after_s: float | None = None, **answer: Any) -> ScriptedAnswer:
    """An error."""
    headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
    return ScriptedAnswer(json.dumps({"error": {"message": message}}).encode(), status, headers, **answer)


def breaks_off(reply: Any) -> ScriptedAnswer:
    """A connection that is lost in the middle of an answer."""
    whole = says(reply)
    return ScriptedAnswer(whole.body[: len(whole.body) // 2], promised=len(whole.body) // 2 + 1)


def _prompt(fields: dict[str, Any]) -> Prompt:
    system, *turns = (message["content"] for message in fields["messages"])
    asked = fields.get("response_format", {}).get("json_schema", {})
    return Prompt(
        asked.get("name", ""), system, tuple(turns), fields.get("max_completion_tokens", 0), schema=asked.get("schema")
    )


class _Listener(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], scripted: LLMServer) -> None:
        self.scripted = scripted
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that is gone is none of the server's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.path != "/v1/chat/completions":
            answer = fails(404, message=f"there is no {self.path}")
        else:
            answer = self.server.scripted.answer(json.loads(body), headers)
        with suppress(ConnectionError):
            self._send(answer)

    def _send(self, answer: ScriptedAnswer) -> None:
        if self._wait(answer.wait_s):
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body) + answer.promised))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for start in range(0, len(answer.body), answer.piece):
            if self._wait(answer.pause_s):
                return
            self.wfile.write(answer.body[start : start + answer.piece])
            self.wfile.flush()
        self.close_connection = answer.promised > 0

    def _wait(self, seconds: float) -> bool:
        """Pause; whether the server was stopped meanwhile."""
        self.close_connection = seconds > 0 and self.server.scripted.stopping.wait(seconds)
        return self.close_connection

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""
