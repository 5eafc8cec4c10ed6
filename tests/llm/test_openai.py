"""The adapter to endpoints that speak OpenAI's API, over real HTTP against a scripted server."""

import asyncio
import gzip
import http.client
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from turnlog import InvalidInput, LLMRefused, LLMReplyInvalid, LLMUnavailable, Settings, Usage
from turnlog.llm import Ledger, OpenAIModel, Prices, open_model
from turnlog.llm.port import Completion, Prompt, Spent, on_behalf_of
from turnlog.testing import LLMServer, llm_server
from turnlog.testing.llm_server import ScriptedAnswer, breaks_off, fails, says

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": False}
PROMPT = Prompt("names-1", "You read.", ("Ada", '{"name":"Ada"}', "I am Bo"), 50, SCHEMA)
KEY = "sk-very-secret"


@asynccontextmanager
async def model(server: LLMServer, **options: Any) -> AsyncIterator[OpenAIModel]:
    made = OpenAIModel("tiny", url=server.url, **{"key": KEY, "timeout_s": 30.0, **options})
    try:
        yield made
    finally:
        await made.close()


async def reply(answer: Any, **options: Any) -> Completion:
    with llm_server([answer]) as server:
        async with model(server, **options) as llm:
            return await llm.complete(PROMPT)


async def test_a_reply_comes_with_its_model_and_what_it_took() -> None:
    got = await reply(says({"name": "Bo"}, model="tiny-2026", cached=60))
    assert got == Completion('{"name":"Bo"}', "tiny-2026", Usage(100, 1, 60))


async def test_after_it_was_closed_it_connects_anew() -> None:
    with llm_server(["one", "two"]) as server:
        async with model(server) as llm:
            await llm.complete(PROMPT)
            await llm.close()
            assert (await llm.complete(PROMPT)).text == "two"


async def test_a_request_says_everything_once() -> None:
    with llm_server(["hello"]) as server:
        async with model(server, request={"temperature": 0}) as llm:
            await llm.complete(PROMPT)
        (request,) = server.requests
    assert request.prompt == PROMPT
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.fields["model"] == "tiny"
    assert request.fields["temperature"] == 0
    assert request.fields["response_format"]["json_schema"]["strict"] is True
    assert [turn["role"] for turn in request.fields["messages"]] == ["system", "user", "assistant", "user"]


async def test_plain_text_is_asked_for_without_a_schema() -> None:
    with llm_server(["hello"]) as server:
        async with model(server) as llm:
            await llm.complete(Prompt("hello-1", "Be nice.", ("hi",), 9))
        assert "response_format" not in server.requests[0].fields


async def test_without_a_key_none_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with llm_server(["hello"]) as server:
        async with model(server, key="") as llm:
            await llm.complete(PROMPT)
        assert KEY not in str(server.requests[0].headers)


async def test_a_busy_model_is_asked_again_when_it_said() -> None:
    with llm_server([fails(429, retry_after_s=0.05), fails(503, retry_after_s=0.05), "at last"]) as server:
        async with model(server) as llm:
            assert (await llm.complete(PROMPT)).text == "at last"
        assert len(server.requests) == 3


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
async def test_a_model_that_stays_busy_is_unavailable(status: int) -> None:
    with pytest.raises(LLMUnavailable, match=f"{status}"):
        await reply(fails(status), retries=0)


async def test_a_wait_longer_than_the_whole_call_may_take_is_not_waited_for() -> None:
    begun = time.monotonic()
    with pytest.raises(LLMUnavailable):
        await reply(fails(429, retry_after_s=100), timeout_s=0.3)
    assert time.monotonic() - begun < 60


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 422])
async def test_an_endpoint_that_does_not_want_to_refuses(status: int) -> None:
    answer = fails(status, message=f"not with {KEY}")
    with pytest.raises(LLMRefused) as refused:
        await reply(ScriptedAnswer(answer.body, status, {"Location": "http://127.0.0.1:9/v1/chat/completions"}))
    assert refused.value.http_status == status
    assert KEY not in str(refused.value)


async def test_a_redirect_is_not_followed() -> None:
    with llm_server(["stolen"]) as other:
        there = ScriptedAnswer(b"", 307, {"Location": f"{other.url}/chat/completions"})
        with pytest.raises(LLMRefused):
            await reply(there)
        assert other.requests == []


async def test_a_model_that_says_nothing_is_unavailable() -> None:
    with pytest.raises(LLMUnavailable, match="within"):
        await reply(says("late", wait_s=60), timeout_s=0.3)


async def test_bytes_that_trickle_in_do_not_prolong_a_call() -> None:
    begun = time.monotonic()
    with pytest.raises(LLMUnavailable, match="within"):
        await reply(says("word " * 500, piece=1, pause_s=0.05), timeout_s=0.5)
    assert time.monotonic() - begun < 60


async def test_a_lost_connection_is_unavailable() -> None:
    with pytest.raises(LLMUnavailable):
        await reply(breaks_off("half of it"))


async def test_nobody_at_the_address_is_unavailable() -> None:
    with llm_server(["hello"]) as server:
        pass
    async with model(server, retries=0) as llm:
        with pytest.raises(LLMUnavailable, match="Connect"):
            await llm.complete(PROMPT)


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_a_huge_answer_is_refused_while_it_is_read(status: int) -> None:
    with pytest.raises(LLMReplyInvalid, match="larger than 50000 bytes"):
        await reply(ScriptedAnswer(b"x" * 10_000_000, status), reply_bytes=50_000, retries=0)


async def test_a_compressed_answer_is_refused() -> None:
    whole = says("hello" * 1000)
    with pytest.raises(LLMReplyInvalid, match="compressed"):
        await reply(ScriptedAnswer(gzip.compress(whole.body), headers={"Content-Encoding": "gzip"}))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Welcome</html>",
        b'{"choices":[]}',
        b'{"choices":[{}]}',
        b'{"choices":[{"message":{"content":7}}]}',
        b'\xff\xfe{"choices"',
        b'{"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":-1}}',
        b'{"choices":[{"message":{"content":null,"refusal":"I would rather not"}}]}',
    ],
)
async def test_what_is_no_completion_is_no_reply(body: bytes) -> None:
    with pytest.raises(LLMReplyInvalid):
        await reply(ScriptedAnswer(body))


async def test_an_answer_that_says_little_will_do() -> None:
    assert await reply(ScriptedAnswer(b'{"choices":[{"message":{"content":"a"}}]}')) == Completion("a", "tiny")


async def test_a_reply_that_was_cut_short_says_so() -> None:
    assert (await reply(says("and then", finish="length"))).cut


async def test_no_more_calls_at_once_than_there_are_places() -> None:
    at_once, most = 0, 0

    def slowly(_: Prompt) -> ScriptedAnswer:
        return says("done", wait_s=0.02)

    class Counting(OpenAIModel):
        async def _completed(self, prompt: Prompt) -> Completion:
            nonlocal at_once, most
            at_once, most = at_once + 1, max(most, at_once + 1)
            try:
                return await super()._completed(prompt)
            finally:
                at_once -= 1

    with llm_server(slowly) as server:
        llm = Counting("tiny", url=server.url, concurrency=2)
        await asyncio.gather(*(llm.complete(PROMPT) for _ in range(8)))
        await llm.close()
    assert most == 2


async def test_the_ledger_adds_up_by_tenant_and_model() -> None:
    entered: list[Spent] = []

    async def keep(spent: Spent) -> None:
        entered.append(spent)

    ledger = Ledger(keep)
    with llm_server([says("one two", cached=60), says("one two three"), fails(400), "of nobody"]) as server:
        async with model(server, prices=Prices(1.0, 0.5, 10.0), ledger=ledger) as llm:
            with on_behalf_of("acme"):
                await llm.complete(PROMPT)
                await asyncio.create_task(llm.complete(PROMPT))
                with pytest.raises(LLMRefused):
                    await llm.complete(PROMPT)
            await llm.complete(PROMPT)
    of_nobody, of_acme = ledger.totals()
    assert (of_nobody.tenant, of_nobody.calls) == ("", 1)
    assert of_acme == Spent("acme", "tiny", 3, 1, 200, 5, 60, of_acme.cost)
    assert of_acme.cost == pytest.approx((40 + 60 * 0.5 + 2 * 10 + 100 + 3 * 10) / 1_000_000)
    assert len(entered) == 4


async def test_a_call_that_was_given_up_is_in_the_ledger() -> None:
    with llm_server([says("late", wait_s=60)]) as server:
        async with model(server) as llm:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await llm.complete(PROMPT)
            assert [(spent.calls, spent.failures) for spent in llm.ledger.totals()] == [(1, 1)]


def test_cached_input_without_a_price_of_its_own_costs_like_other() -> None:
    assert Prices(1.0, 0.0, 2.0).cost(Usage(1000, 500, 900)) == Prices(1.0, 1.0, 2.0).cost(Usage(1000, 500, 900))


async def test_settings_name_a_model_or_none() -> None:
    assert open_model(Settings()) is None
    with llm_server(["hello"]) as server:
        settings = Settings(llm_model="tiny", llm_url=server.url, llm_key=KEY, llm_price_input=1.0, llm_window=9000)
        llm = open_model(settings)
        assert llm is not None
        assert (llm.model, llm.window) == ("tiny", 9000)
        assert (await llm.complete(PROMPT)).text == "hello"
        await llm.close()
        await llm.close()
    assert llm.ledger.totals()[0].cost > 0
    with pytest.raises(InvalidInput, match="llm_url"):
        open_model(Settings(llm_model="tiny", llm_url="somewhere"))


def test_a_key_is_not_shown() -> None:
    assert KEY not in repr(Settings(llm_key=KEY))
    assert "port=8377" in repr(Settings(llm_key=KEY))


@pytest.mark.parametrize("path", ["/v1/embeddings", "/"])
def test_the_server_knows_one_path(path: str) -> None:
    with llm_server(["hello"]) as server:
        connection = http.client.HTTPConnection("127.0.0.1", int(server.url.split(":")[2].split("/")[0]), timeout=10)
        connection.request("POST", path, json.dumps({}))
        assert connection.getresponse().status == 404
        connection.close()


def test_a_script_may_be_a_function() -> None:
    made: Callable[[Prompt], Any] = lambda prompt: prompt.turns[-1]  # noqa: E731
    with llm_server(made) as server:
        got = server.answer({"messages": [{"content": "s"}, {"content": "hi"}]}, {})
    assert b'"content": "hi"' in got.body
