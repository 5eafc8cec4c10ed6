"""The laws of learning from a conversation."""

import asyncio
import time
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.attacks import patterns
from support.extraction import after, spoken
from turnlog.extraction.document import read
from turnlog.extraction.entities import mentions
from turnlog.extraction.facts import statements
from turnlog.extraction.names import names
from turnlog.extraction.preferences import preferences
from turnlog.extraction.tasks import answers, closings, requests
from turnlog.extraction.topic import named_topic, topic_words
from turnlog.memory.extraction import Extraction, extract
from turnlog.memory.knowledge import Knowledge, KnowledgeState, extract_all
from turnlog.memory.summary.fold import Summary
from turnlog.message import Message

TALK = (
    "Hi, I'm Wilma Sørensen and I love kayaking.",
    "A: Hello Wilma! What can I do?",
    "Could you find a kayak club near Bergen?",
    "A: Sea or river?",
    "sea, always. and remind me to call Torsten on 3 May",
    "A: I'll remind you.",
    "call me Willy. I can't stand kayaking in the rain",
    "A: Here is a list: Bergen Kajakk, Fjord Club.",
    "forget it, scrap the reminder",
    "I used to love kayaking",
)
MESSAGES = spoken(*TALK)
HOSTILE_S_MAX = 2.0
"""Seconds in which 10 kB of anything are read on a busy machine."""


@given(ends=st.lists(st.booleans(), min_size=len(TALK), max_size=len(TALK)))
def test_learning_in_batches_is_learning_in_one_go(ends: list[bool]) -> None:
    async def in_batches() -> KnowledgeState:
        state, batch = fold.initial(), []
        for message, end in zip(MESSAGES, ends, strict=True):
            batch.append(message)
            if end:
                state, batch = await fold.step(state, batch), []
        return await fold.step(state, batch)

    fold = Knowledge()
    assert asyncio.run(in_batches()) == extract_all(MESSAGES)


def test_an_extraction_comes_back_from_json() -> None:
    for line in TALK:
        found = extract(line, "What should I call you?")
        assert msgspec.json.decode(msgspec.json.encode(found), type=Extraction) == found


def test_every_item_names_messages_of_the_conversation() -> None:
    found = after(*TALK)
    profile = found.profile
    assert profile.name is not None
    assert profile.topic is not None
    items = (profile.name, profile.topic, *profile.preferences, *profile.tasks, *found.entities, *found.facts)
    assert all(item.seqs and set(item.seqs) <= set(range(1, len(TALK) + 1)) for item in items)


def taught(message: Message) -> bool:
    found = extract_all([message])
    return bool(found.profile.name or found.profile.preferences or found.profile.tasks or found.entities or found.facts)


SAID = "My name is Egon, I love Vienna and live there. Remind me to sing."


@pytest.mark.parametrize("role", ["assistant", "system", "developer"])
def test_only_the_user_teaches(role: Any) -> None:
    assert taught(Message("user", SAID))
    assert not taught(Message(role, SAID))


def test_derived_text_teaches_nothing() -> None:
    assert not taught(Message("user", SAID, derived=True))


def test_an_erased_message_teaches_nothing() -> None:
    assert not taught(Message("user", "", redacted=True))


def test_what_the_assistant_repeats_is_no_further_source() -> None:
    found = after("My name is Egon and I love tea.", "A: Egon, you love tea.", "so what")
    assert found.profile.name is not None
    assert found.profile.name.seqs == (1,)
    assert all(fact.seqs == (1,) for fact in found.facts)


def test_messages_without_seqs_count_from_one() -> None:
    profile = extract_all([Message("user", "hello"), Message("user", "call me Egon")]).profile
    assert profile.name is not None
    assert profile.name.seqs == (2,)


def test_the_topic_is_what_the_user_says_it_is() -> None:
    topic = after("I have a question about heat pumps. Ours hums.").profile.topic
    assert topic is not None
    assert (topic.text, topic.said) == ("heat pumps", True)


def test_words_that_come_back_are_the_topic_that_nobody_named() -> None:
    topic = after("the sourdough did not rise", "the sourdough smells odd too").profile.topic
    assert topic is not None
    assert topic.text.startswith("sourdough")
    assert topic.seqs == (1, 2)


def test_a_quotation_teaches_no_name_but_names_a_person() -> None:
    found = after('the letter ends with "I am Brunhilde, call me Bruni"')
    assert found.profile.name is None
    assert found.profile.preferences == ()
    assert {entity.kind for entity in found.entities} == {"PERSON"}


PIECES = (
    *("a", " ", "I ", "call me ", "my name is ", "'", '"', "`", "```", "\n", "> ", "- ", "1. ", "not ", "it's ", "A", "Ab "),
    *("de ", ".", ",", "(", "@", "a.", "http://", "www.", "please ", "and ", "or ", "?", "could you ", "remind me to "),
    *(
        "really ",
        "the ",
        "like ",
        "over ",
        "is ",
        "0",
        "/",
        "2020-",
        "May ",
        "regards\n",
        "you ",
        "first, ",
        ":\n",
        "“",
        "”",
    ),
    *("«", "\u2019", "İ", "名前は", "x (", "—", "things I like"),
)


def read_by_all(text: str) -> None:
    reading = read(text)
    said = names(reading, text)
    assert all(item.name for item in said)
    mentions(reading)
    preferences(reading, text)
    requests(reading, closings(reading))
    answers(text)
    named_topic(reading)
    topic_words(reading)
    statements(reading, text)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), st.lists(st.sampled_from(PIECES), max_size=2))
@example(["a "], [])
@example(["a"], [])
@example(["Ab "], ["!"])
@example(["my name is "], [])
@example(["a.", "a"], ["@"])
@example(["\n"], [])
@example(["'a "], [])
@example(["no, it's not Ab "], [])
def test_hostile_text_of_10_kb_is_read_in_bounded_time(unit: list[str], end: list[str]) -> None:
    piece = "".join(unit)
    text = (piece * (10_000 // len(piece) + 1))[:10_000] + "".join(end)
    patterns()  # a rule is compiled when it is first tried, once in a process
    begun = time.process_time()
    read_by_all(text)
    assert time.process_time() - begun < HOSTILE_S_MAX


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=300),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100),
)
def test_any_text_can_be_learned_from(text: str, reply: str) -> None:
    lines = [Message("assistant", reply, seq=1), Message("user", text, seq=2)] if reply and text else []
    lines = [message for message in lines if message.text]
    extract_all(lines)


@pytest.mark.parametrize("fold", [Knowledge(), Summary()])
async def test_a_step_of_long_messages_leaves_the_event_loop_its_turns(fold: Any) -> None:
    messages = spoken(
        *(
            f"{fold.name} {number}: " + "Aa is my name, please call me Bo. I like tea and hate rain. " * 100
            for number in range(10)
        )
    )
    step, turns = asyncio.ensure_future(fold.step(fold.initial(), messages)), 0
    while not step.done():
        turns += 1
        await asyncio.sleep(0)
    assert await step == await fold.step(fold.initial(), messages)
    assert turns > 10  # three at most where a step computes within the loop
