"""The laws of learning from a conversation."""

import time

import msgspec
import pytest
from conversing import after, named, spoken
from hypothesis import example, given, settings
from hypothesis import strategies as st

from turnlog.errors import InvalidInput
from turnlog.memory.extract.entities import mentions
from turnlog.memory.extract.names import names
from turnlog.memory.extract.preferences import preferences
from turnlog.memory.extract.reading import read
from turnlog.memory.extract.tasks import answers, closings, requests
from turnlog.memory.extract.topic import named_topic, topic_words
from turnlog.memory.learn import learn
from turnlog.memory.learned import Learned
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
HOSTILE_S_MAX = 2.0
"""Seconds in which 10 kB of anything are read on a busy machine."""


@given(st.lists(st.booleans(), min_size=len(TALK), max_size=len(TALK)))
def test_learning_in_batches_is_learning_in_one_go(ends: list[bool]) -> None:
    learned, batch = Learned(), []
    for message, end in zip(spoken(*TALK), ends, strict=True):
        batch.append(message)
        if end:
            learned, batch = learn(learned, batch), []
    assert learn(learned, batch) == after(*TALK)


def test_what_was_learned_comes_back_from_json() -> None:
    learned = after(*TALK)
    assert msgspec.json.decode(msgspec.json.encode(learned), type=Learned) == learned


def test_every_item_names_messages_of_the_conversation() -> None:
    learned = after(*TALK)
    assert learned.name is not None
    assert learned.topic is not None
    items = (learned.name, learned.topic, *learned.preferences, *learned.tasks, *learned.entities)
    assert all(item.seqs and set(item.seqs) <= set(range(1, len(TALK) + 1)) for item in items)


@pytest.mark.parametrize("role", ["assistant", "system", "developer"])
def test_only_the_user_teaches(role: str) -> None:
    told = learn(Learned(), [Message(role, "My name is Egon, I love Vienna. Remind me to sing.", seq=1)])  # type: ignore[arg-type]
    assert (told.name, told.preferences, told.entities, told.tasks) == (None, (), (), ())


def test_derived_text_teaches_nothing() -> None:
    message = Message("user", "My name is Egon, I love Vienna. Remind me to sing.", derived=True, seq=1)
    assert learn(Learned(), [message]) == Learned(watermark=1)


def test_an_erased_message_teaches_nothing() -> None:
    assert learn(Learned(), [Message("user", "", redacted=True, seq=1)]) == Learned(watermark=1)


def test_a_message_that_was_learned_is_refused() -> None:
    with pytest.raises(InvalidInput):
        learn(after("hello"), spoken("hello"))


def test_the_topic_is_what_the_user_says_it_is() -> None:
    learned = after("I have a question about heat pumps. Ours hums.")
    assert learned.topic is not None
    assert (learned.topic.text, learned.topic.said) == ("heat pumps", True)


def test_words_that_come_back_are_the_topic_that_nobody_named() -> None:
    learned = after("the sourdough did not rise", "the sourdough smells odd too")
    assert learned.topic is not None
    assert learned.topic.text.startswith("sourdough")
    assert learned.topic.seqs == (1, 2)


def test_a_quotation_teaches_no_name_but_names_a_person() -> None:
    learned = after('the letter ends with "I am Brunhilde, call me Bruni"')
    assert named('the letter ends with "I am Brunhilde, call me Bruni"') is None
    assert learned.preferences == ()


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
    learn(Learned(), lines)
