"""Every kind of request that a service gets, at a given rate, on a population that does not grow.

Conversations are begun, used and deleted, users come and are erased, so that what is stored stays the same in size, while
ever new ids are seen.
"""

import asyncio
import json
import random
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

CONVERSATIONS_MAX = 150
USERS_MAX = 40
OF_A_USER = 12
"""A user begins so many conversations, and is erased then."""
_NAMES = ["Ada", "Bo", "Cleo", "Dara", "Emil", "Fay", "Gus", "Hana", "Ivo", "Juno"]
_PLACES = ["Berlin", "Oslo", "Rome", "Porto", "Lyon", "Graz", "Bergen", "Tartu"]
_THINGS = ["green tea", "mountain hikes", "old maps", "spicy food", "night trains", "jazz", "chess", "rye bread"]
_WORDS = ["plan", "step", "again", "then", "moved", "two", "because", "second", "took", "far", "too", "long"]
_JSON = "Content-Type: application/json\r\n"


class Talk(NamedTuple):
    """A conversation that is there, as far as anybody knows."""

    id: str
    user: str


class Answer(NamedTuple):
    """What was asked, the status that came, when, and how long it took."""

    what: str
    status: int
    at: float
    seconds: float


class Client:
    """A connection that is kept, and made anew when it broke."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes | None = None, headers: str = _JSON) -> tuple[int, bytes]:
        """Status and body of the answer. Raises `OSError` or `EOFError` when the connection breaks."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._address.hostname, self._address.port)
        reader, writer = self._streams
        length = f"Content-Length: {len(body)}\r\n" if body is not None else ""
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: soak\r\n{headers}{length}\r\n".encode() + (body or b""))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        if "transfer-encoding: chunked" in head:
            return status, await _chunked(reader)
        size = int(head.partition("content-length: ")[2].split("\r\n", 1)[0] or 0)
        return status, await reader.readexactly(size)

    async def hang_up(self) -> None:
        """Send half a request and be gone."""
        _, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        writer.write(b"POST /v1/conversations HTTP/1.1\r\nHost: soak\r\nContent-Length: 100\r\n\r\n{")
        writer.transport.abort()

    def close(self) -> None:
        """End the connection; the next request makes another."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return body


class Traffic:
    """Asks `rate` times a second on `lines` connections; what came of it is in `answers`."""

    def __init__(self, url: str, *, rate: float, lines: int = 8, seed: int = 1) -> None:
        self.url = url
        self.answers: list[Answer] = []
        self.broken = 0
        self.counts: Counter[str] = Counter()
        self.random = random.Random(seed)
        self.talks: deque[Talk] = deque()
        self.users: deque[str] = deque(self._new_user() for _ in range(USERS_MAX))
        self.begun_by: Counter[str] = Counter()
        self._rate = rate
        self._lines = lines
        self._due = 0.0

    async def run(self) -> None:
        """Ask until cancelled."""
        self._due = time.monotonic()
        async with asyncio.TaskGroup() as lines:
            for _ in range(self._lines):
                lines.create_task(self._line())

    async def _line(self) -> None:
        client = Client(self.url)
        while True:
            self._due = max(self._due + 1 / self._rate, time.monotonic() - 1.0)
            await asyncio.sleep(self._due - time.monotonic())
            try:
                await self._one(client)
            except (OSError, EOFError):
                self.broken += 1
                client.close()

    async def _one(self, client: Client) -> None:
        if len(self.talks) < CONVERSATIONS_MAX // 10:
            await self._begin(client)
        elif len(self.talks) > CONVERSATIONS_MAX:
            await self._ask(client, "delete", "DELETE", f"/v1/conversations/{self.talks.popleft().id}")
        else:
            await self.random.choices(_KINDS, _WEIGHTS)[0](self, client)

    async def _ask(self, client: Client, what: str, method: str, path: str, body: Any = None, headers: str = "") -> Any:
        """The JSON of a good answer; None for any other."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        begun = time.monotonic()
        status, answered = await client.ask(method, path, text, _JSON + headers)
        now = time.monotonic()
        self.answers.append(Answer(what, status, now, now - begun))
        self.counts[f"{what} {status}"] += 1
        if status >= 300 or not answered.startswith(b"{"):
            return None
        with suppress(json.JSONDecodeError):  # an export has many lines
            return json.loads(answered)

    def _new_user(self) -> str:
        return f"user-{uuid4().hex[:12]}"

    def text(self) -> str:
        """Something that a person may say, and memory is made of."""
        pick = self.random.choice
        said = [f"My name is {pick(_NAMES)}.", f"I live in {pick(_PLACES)}.", f"I really like {pick(_THINGS)}.", ""]
        rest = " ".join(pick(_WORDS) for _ in range(self.random.randint(5, 60)))
        return f"{pick(said)} Please remind me to call {pick(_NAMES)} on Friday. {rest} {uuid4().hex[:6]}."

    def talk(self) -> Talk:
        """One of those that are there."""
        return self.random.choice(self.talks)

    async def _begin(self, client: Client) -> None:
        user = self.random.choice(self.users)
        self.begun_by[user] += 1
        talk = Talk(f"talk-{uuid4().hex}", user)
        body = {"id": talk.id, "user_id": user, "title": self.text()[:60], "tags": ["soak"]}
        if await self._ask(client, "create", "POST", "/v1/conversations", body):
            self.talks.append(talk)
        if self.begun_by[user] > OF_A_USER:
            with suppress(ValueError):  # another line was faster
                self.users.remove(user)
                self.users.append(self._new_user())
                del self.begun_by[user]
                await self._ask(client, "erase user", "DELETE", f"/v1/users/{user}")
                self.talks = deque(each for each in self.talks if each.user != user)

    async def _turn(self, client: Client) -> None:
        body = {
            "messages": [{"role": "user", "content": self.text()}],
            "budget": 2000,
            "explain": self.random.random() < 0.1,
        }
        key = f"Idempotency-Key: {uuid4().hex}\r\n"
        await self._ask(client, "turn", "POST", f"/v1/conversations/{self.talk().id}/turn", body, key)

    async def _append(self, client: Client) -> None:
        body = {"role": "assistant", "content": self.text()}
        await self._ask(client, "append", "POST", f"/v1/conversations/{self.talk().id}/messages", body)

    async def _context(self, client: Client) -> None:
        body = {
            "budget": self.random.choice([500, 2000, 8000]),
            "format": self.random.choice(["openai", "anthropic", "plain"]),
        }
        await self._ask(client, "context", "POST", f"/v1/conversations/{self.talk().id}/context", body)

    async def _read(self, client: Client) -> None:
        talk = self.talk()
        paths = [
            f"/v1/conversations/{talk.id}",
            f"/v1/conversations/{talk.id}/messages?limit=20&order=desc",
            f"/v1/conversations/{talk.id}/messages/1",
            f"/v1/conversations/{talk.id}/memory",
            f"/v1/users/{talk.user}/conversations?limit=5",
            "/v1/memory",
            "/health",
            "/ready",
        ]
        await self._ask(client, "read", "GET", self.random.choice(paths))

    async def _redact(self, client: Client) -> None:
        await self._ask(client, "redact", "DELETE", f"/v1/conversations/{self.talk().id}/messages/1")

    async def _fork(self, client: Client) -> None:
        talk = self.talk()
        fork = Talk(f"talk-{uuid4().hex}", talk.user)
        body = {"id": fork.id}
        if await self._ask(client, "fork", "POST", f"/v1/conversations/{talk.id}/fork", body):
            self.talks.append(fork)

    async def _update(self, client: Client) -> None:
        body = {"title": self.text()[:60], "archived": self.random.random() < 0.1}
        await self._ask(client, "update", "PATCH", f"/v1/conversations/{self.talk().id}", body)

    async def _missing(self, client: Client) -> None:
        nobody, talk = uuid4().hex, self.talk()
        paths = [
            ("GET", f"/v1/conversations/{nobody}"),
            ("POST", f"/v1/conversations/{nobody}/context"),
            ("GET", f"/v1/conversations/{talk.id}/messages/99999"),
            ("DELETE", f"/v1/conversations/{nobody}/messages/1"),
            ("GET", f"/v1/users/{nobody}/memory"),
            ("GET", f"/nothing/{nobody}"),
        ]
        method, path = self.random.choice(paths)
        await self._ask(client, "missing", method, path)

    async def _refused(self, client: Client) -> None:
        path = f"/v1/conversations/{self.talk().id}/messages"
        requests: list[tuple[str, Any, str]] = [
            (path, b'{"role": "user", "content": "' + uuid4().hex.encode(), ""),
            (path, {"role": uuid4().hex, "content": "x"}, ""),
            (path, {"role": "user", "content": "x", uuid4().hex: 1}, ""),
            (path, {"role": "user", "content": "x"}, 'If-Match: "99999"\r\n'),
            (path, {"role": "user", "content": "x" * 2_000_000}, ""),
            (path.replace("messages", "context"), {"budget": 1}, ""),
            (path.replace("messages", "context"), {"policy": uuid4().hex}, ""),
        ]
        where, body, headers = self.random.choice(requests)
        await self._ask(client, "refused", "POST", where, body, headers)

    async def _memory(self, client: Client) -> None:
        known = await self._ask(client, "memory", "GET", f"/v1/users/{(user := self.random.choice(self.users))}/memory")
        facts = (known or {}).get("facts") or []
        if not facts or self.random.random() < 0.5:
            body = {"text": self.text()[:100]}
            await self._ask(client, "tell fact", "POST", f"/v1/users/{user}/facts", body)
            return
        path = f"/v1/users/{user}/facts/{facts[0]['id']}"
        if self.random.random() < 0.5:
            await self._ask(client, "correct fact", "PUT", path, {"text": self.text()[:100]})
        else:
            await self._ask(client, "forget fact", "DELETE", path)

    async def _refresh(self, client: Client) -> None:
        await self._ask(client, "refresh", "POST", f"/v1/conversations/{self.talk().id}/memory/refresh", {"wait_s": 1})

    async def _export(self, client: Client) -> None:
        await self._ask(client, "export", "GET", f"/v1/users/{self.random.choice(self.users)}/export")

    async def _hang_up(self, client: Client) -> None:
        await client.hang_up()


_MIX: list[tuple[Callable[[Traffic, Client], Awaitable[None]], int]] = [
    (Traffic._begin, 14),
    (Traffic._turn, 22),
    (Traffic._append, 16),
    (Traffic._context, 12),
    (Traffic._read, 12),
    (Traffic._redact, 2),
    (Traffic._fork, 2),
    (Traffic._update, 2),
    (Traffic._missing, 8),
    (Traffic._refused, 6),
    (Traffic._memory, 4),
    (Traffic._refresh, 1),
    (Traffic._export, 1),
    (Traffic._hang_up, 1),
]
_KINDS, _WEIGHTS = [kind for kind, _ in _MIX], [weight for _, weight in _MIX]
