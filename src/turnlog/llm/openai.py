"""Any endpoint that speaks the API of OpenAI for chat completions, through OpenAI's client.

The client does the connection, the retries and their pauses (`Retry-After` of up to two minutes, else half a second that
doubles, at most eight). What it leaves open is bounded here: the time of a whole call, however slowly bytes trickle in, the
size of an answer, of errors too, while it is read, and where a request goes: no redirect is followed.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from turnlog import process
from turnlog.errors import InvalidInput, LLMRefused, LLMReplyInvalid, LLMUnavailable, TurnlogError, needs_extra
from turnlog.llm.port import Completion, Prompt, Spent, acting_for
from turnlog.llm.usage import Ledger, Prices
from turnlog.message import Usage

if TYPE_CHECKING:
    import httpx2
    import openai

REASON_MAX = 300
"""Characters of what an endpoint says about an error."""
_BUSY = (408, 409, 429)


class OpenAIModel:
    """The language model that the endpoint at `url` calls `model`; an `LLM`.

    `timeout_s` bounds a call with its `retries`, and not the time that it waits for one of `concurrency` places. `request`
    has more fields for each request. Raises `MissingExtra` without the package `openai`.
    """

    def __init__(
        self,
        model: str,
        *,
        url: str,
        key: str = "",
        window: int = 16_000,
        timeout_s: float = 120.0,
        retries: int = 2,
        concurrency: int = 4,
        reply_bytes: int = 1 << 20,
        request: Mapping[str, Any] | None = None,
        prices: Prices | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.model = model
        self.window = window
        self.ledger = ledger or Ledger()
        self._key = key
        self._timeout_s = timeout_s
        self._reply_bytes = reply_bytes
        self._request = dict(request or {})
        self._prices = prices or Prices()
        self._concurrency = concurrency
        self._places = asyncio.Semaphore(concurrency)
        self._make = partial(_client, url, key, timeout_s, retries, reply_bytes)
        self._client: openai.AsyncOpenAI | None = self._make()  # to make one takes 50 ms
        process.opened(self)

    async def complete(self, prompt: Prompt) -> Completion:
        async with self._places:
            spent = Spent(acting_for(), self.model, 1, failures=1)
            try:
                async with asyncio.timeout(self._timeout_s):
                    completion = await self._completed(prompt)
                spent = self._spent(completion.usage)
                return completion
            except TimeoutError:
                raise LLMUnavailable(f"no reply within {self._timeout_s:g} seconds") from None
            finally:
                await self.ledger.enter(spent)

    async def close(self) -> None:
        """Let go of the connections; a later call makes new ones. Closing twice is fine."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def abandon(self) -> None:
        """Forget the connections, which are those of the process that this one was forked from."""
        process.keep(self._client)
        self._client, self._places = None, asyncio.Semaphore(self._concurrency)

    def _spent(self, usage: Usage) -> Spent:
        cost = self._prices.cost(usage)
        return Spent(acting_for(), self.model, 1, 0, usage.input, usage.output, usage.cached, cost)

    async def _completed(self, prompt: Prompt) -> Completion:
        import httpx2
        import openai

        if self._client is None:
            self._client = self._make()
            process.opened(self)
        try:
            async with self._client.chat.completions.with_streaming_response.create(**self._body(prompt)) as response:
                answer = b"".join([chunk async for chunk in response.iter_bytes()])
        except openai.APIStatusError as error:
            raise self._of_status(error.status_code, str(error)) from None
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            raise LLMUnavailable(f"{type(error.__cause__ or error).__name__}: {error.__cause__ or error}") from None
        except openai.OpenAIError as error:
            raise LLMUnavailable(str(error)) from None
        return read(answer, self.model)

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        roles = ("user", "assistant")
        turns = [{"role": roles[place % 2], "content": text} for place, text in enumerate(prompt.turns)]
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "system", "content": prompt.system}, *turns],
            "max_completion_tokens": prompt.max_tokens,
        }
        if prompt.schema is not None:
            schema = {"name": prompt.name, "schema": prompt.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return {**body, "extra_body": self._request} if self._request else body

    def _of_status(self, status: int, told: str) -> TurnlogError:
        reason = (told.replace(self._key, "…") if self._key else told)[:REASON_MAX]
        if status in _BUSY or status >= 500:
            return LLMUnavailable(f"HTTP status {status}: {reason}")
        return LLMRefused(status=status, reason=reason)


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Cached(msgspec.Struct):
    cached_tokens: int | None = None


class _Tokens(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Cached | None = None


class _Chat(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    usage: _Tokens | None = None


_decode = msgspec.json.Decoder(_Chat).decode


def read(answer: bytes, model: str) -> Completion:
    """The completion that an endpoint's `answer` holds; of `model`, if it names none. Raises `LLMReplyInvalid`."""
    try:
        chat = _decode(answer)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LLMReplyInvalid(f"it is no chat completion: {error}") from None
    if not chat.choices:
        raise LLMReplyInvalid("it has no choices")
    choice, used = chat.choices[0], chat.usage or _Tokens()
    if choice.message.refusal:
        raise LLMReplyInvalid(f"it refuses: {choice.message.refusal[:REASON_MAX]}")
    return Completion(choice.message.content or "", chat.model or model, _usage(used), choice.finish_reason == "length")


def _usage(used: _Tokens) -> Usage:
    """The counts, as far as they can be."""
    cached = (used.prompt_tokens_details.cached_tokens if used.prompt_tokens_details else 0) or 0
    try:
        return Usage(used.prompt_tokens, used.completion_tokens, min(cached, used.prompt_tokens))
    except InvalidInput as error:
        raise LLMReplyInvalid(f"its usage has {error}") from None


def _client(url: str, key: str, timeout_s: float, retries: int, reply_bytes: int) -> "openai.AsyncOpenAI":
    with needs_extra("llm", "openai"):
        import openai

    async def bound(response: "httpx2.Response") -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise LLMReplyInvalid("it is compressed, which was not asked for")
        response.stream = _bounded(response.stream, reply_bytes)

    return openai.AsyncOpenAI(
        # a client without a key would take the one that the environment has, for whatever address
        api_key=key or "none",
        base_url=url,
        timeout=timeout_s,
        max_retries=retries,
        default_headers={"Accept-Encoding": "identity"},
        http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False, event_hooks={"response": [bound]}),
    )


def _bounded(stream: Any, limit: int) -> "httpx2.AsyncByteStream":
    """`stream`, which raises `LLMReplyInvalid` as soon as more than `limit` bytes came."""
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in stream:
                if (size := size + len(chunk)) > limit:
                    raise LLMReplyInvalid(f"it is larger than {limit} bytes")
                yield chunk

        async def aclose(self) -> None:
            await stream.aclose()

    return Bounded()
