"""The contract of a fold, as tests.

Subclass `FoldContract` in a test module and give it a fixture named `factory`: a function without arguments that makes the
fold. A fold without chance or language model in it also keeps `DeterministicFoldContract`, which holds more.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from turnlog import codec
from turnlog.codec import Record
from turnlog.fold import Fold, Sectioned, advanced, catch_up, check_fold, checked_lines, replay, state_of, stored
from turnlog.log.conversation import Conversation
from turnlog.log.turnlog import Turnlog
from turnlog.message import Image, Message, Reasoning, Refusal, Text, ToolCall, assistant, developer, system, tool, user
from turnlog.store import Key
from turnlog.stores.ram import RamStore
from turnlog.validation import Limits

Factory = Callable[[], Fold[Any]]

ERASED = ("Zyxomir", "Quabblewick", "frobnitz", "zyxomir@quabblewick.example")
"""Words that only the one message has that the tests erase."""


def talk() -> list[Message]:
    """A talk in which every kind of message occurs."""
    return [
        system("You are a helpful assistant."),
        developer("Answer briefly."),
        user("Hello! I'm looking for a flat in Lisbon, from 3 May on.", name="customer"),
        assistant("Lisbon is lovely. Shall I search for you?"),
        user("My name is Zyxomir Quabblewick, I love frobnitz tea, write to zyxomir@quabblewick.example."),
        assistant([Reasoning('{"secret":"opaque"}'), ToolCall("call-1", "search", '{"city":"Lisbon"}')]),
        tool("call-1", "3 flats: https://example.org/flats?id=1"),
        assistant("Not all of them are", status="partial"),
        assistant("", status="incomplete"),
        user([Text("What do you think of this one?"), Image(url="https://example.org/1.png")]),
        assistant([Refusal("I cannot judge pictures of homes.")]),
        assistant("Summary: a flat in Lisbon is wanted.", derived=True),
        user("\u202eeman sih\u202c 👩‍👩‍👧 ﬀ ＡＢＣ naïve İstanbul \u200b\n\t" + "very " * 200 + "long"),
        tool("call-2", "a result whose call was never made", is_error=True),
        user("Please remind me to call the owner on Friday. Actually, no need."),
    ]


class FoldContract:
    """Every test that a fold has to pass; none may be skipped or overridden."""

    def test_its_name_its_version_and_its_first_state_can_be_stored(self, factory: Factory) -> None:
        check_fold(factory())

    def test_the_state_before_the_first_message_is_always_the_same(self, factory: Factory) -> None:
        fold = factory()
        before = stored(fold, fold.initial())
        asyncio.run(_folded(lambda: fold, talk()))
        assert stored(fold, fold.initial()) == before
        assert stored(factory(), factory().initial()) == before

    def test_every_kind_of_message_goes_through_alone_and_in_company(self, factory: Factory) -> None:
        fold = factory()
        for message in talk():
            asyncio.run(_folded(lambda: fold, [message]))
        asyncio.run(_folded(lambda: fold, talk()))

    def test_a_state_comes_back_as_it_was_stored(self, factory: Factory) -> None:
        fold = factory()
        state = asyncio.run(_folded(lambda: fold, talk()))
        assert stored(fold, state_of(fold, state)) == state

    def test_its_section_has_lines_of_text(self, factory: Factory) -> None:
        fold = factory()
        if isinstance(fold, Sectioned):
            checked_lines(fold, fold.initial())
            checked_lines(fold, state_of(fold, asyncio.run(_folded(lambda: fold, talk()))))

    def test_a_log_of_erased_messages_goes_through(self, factory: Factory) -> None:
        async def check() -> None:
            conversation, key = await _begin(talk())
            for seq in range(1, len(talk()) + 1):
                await conversation.redact(seq)
            await catch_up(conversation.engine.store, key, factory(), batch=4)

        asyncio.run(check())

    def test_law_11_what_was_erased_is_in_no_state(self, factory: Factory) -> None:
        async def check() -> None:
            messages = talk()
            conversation, key = await _begin(messages)
            store, fold = conversation.engine.store, factory()
            await catch_up(store, key, fold, batch=4)
            await conversation.redact(1 + next(n for n, message in enumerate(messages) if ERASED[0] in message.text))
            state = (await catch_up(store, key, fold, batch=4)).state.lower()
            assert [word for word in ERASED if word.lower().encode() in state] == []

        asyncio.run(check())


class DeterministicFoldContract(FoldContract):
    """What holds of a fold whose state follows from the messages alone."""

    def test_law_10_a_replay_gives_the_same_state(self, factory: Factory) -> None:
        async def check() -> None:
            conversation, key = await _begin([])
            store, fold = conversation.engine.store, factory()
            for message in talk():
                await conversation.append(message)
                await catch_up(store, key, fold)
            assert await catch_up(store, key, fold) == await replay(store, key, factory())

        asyncio.run(check())

    def test_where_the_log_is_cut_into_steps_does_not_matter(self, factory: Factory) -> None:
        async def check() -> None:
            conversation, key = await _begin(talk())
            states = {
                batch: (await replay(conversation.engine.store, key, factory(), batch=batch)).state
                for batch in (1, 2, 7, 99)
            }
            assert set(states.values()) == {states[99]}

        asyncio.run(check())

    def test_it_remembers_nothing_but_its_state(self, factory: Factory) -> None:
        fold, messages = factory(), talk()
        asyncio.run(_folded(lambda: fold, messages))
        again = asyncio.run(_folded(lambda: fold, messages))
        assert asyncio.run(_folded(factory, messages)) == again


async def _begin(messages: Sequence[Message]) -> tuple[Conversation, Key]:
    log = Turnlog(RamStore())
    conversation = await log.create(*messages)
    return conversation, Key(log.tenant, conversation.id)


async def _folded(made: Factory, messages: Sequence[Message]) -> bytes:
    """The stored state after the messages, each of them a step, folded by what `made` gives for each step."""
    state = stored(made(), made().initial())
    for seq, message in enumerate(messages, 1):
        fold = made()
        state = stored(fold, await advanced(fold, state_of(fold, state), [_placed(message, seq)]))
    return state


def _placed(message: Message, seq: int) -> Record:
    """The record of the message as it lies in a log, with an id that does not change from one talk to the next."""
    fields = {name: getattr(message, name) for name in message.__struct_fields__}
    placed = Message(**{**fields, "id": f"m-{seq}", "created_at": _SAID_AT})
    return replace(codec.encode(placed, tokens=1, limits=Limits()), seq=seq)


_SAID_AT = talk()[0].created_at
