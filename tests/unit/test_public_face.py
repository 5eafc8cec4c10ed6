"""What a caller gets from a `Turnlog`: values with moments in time, pages, and errors that say what to do."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from turnlog import (
    Conversation,
    ConversationDeleted,
    ConversationExists,
    ConversationInfo,
    HeadMoved,
    HistoryMoved,
    InvalidInput,
    Message,
    Parent,
    RevisionMoved,
    ToolCall,
    Turnlog,
    user,
)
from turnlog.stores.ram import RamStore
from turnlog.testing.clock import FakeClock


def _log() -> tuple[Turnlog, FakeClock]:
    clock = FakeClock()
    return Turnlog(RamStore(), clock=clock), clock


async def test_what_is_told_of_a_conversation_has_times_and_its_parent() -> None:
    log, _ = _log()
    parent = await log.create(user("a"), user("b"), id="p", user_id="ada", title="t", tags=["x"], metadata={"n": 1})
    told = await (await parent.fork(at=1, id="f")).info()
    assert isinstance(told, ConversationInfo)
    assert (told.id, told.user_id, told.title, told.tags, told.metadata) == ("f", "ada", "t", ("x",), {"n": 1})
    assert (told.parent, told.head, told.revision, told.archived) == (Parent("p", 1), 1, 1, False)
    assert told.created_at.tzinfo is UTC
    assert told.created_at == told.updated_at
    assert (await parent.info()).parent is None


async def test_an_append_answers_with_receipts() -> None:
    log, _ = _log()
    conversation = await log.create()
    moment = datetime(2023, 1, 2, 3, 4, 5, 6, UTC)
    appended = await conversation.append(user("a", id="a", created_at=moment), user("b", id="b", created_at=moment))
    assert [(receipt.id, receipt.seq, receipt.created_at) for receipt in appended.receipts] == [
        ("a", 1, moment),
        ("b", 2, moment),
    ]


async def test_conversations_are_listed_since_a_moment_of_any_time_zone() -> None:
    log, clock = _log()
    await log.create(id="old")
    clock.advance(seconds=60)
    new = await log.create(id="new")
    since = (await new.info()).created_at.astimezone(timezone(timedelta(hours=9)))
    assert [info.id for info in await log.conversations(updated_since=since)] == ["new"]


@pytest.mark.parametrize("moment", [datetime(2026, 3, 1), 1_767_225_600_000_000, datetime(1969, 1, 1, tzinfo=UTC)])
async def test_a_moment_without_a_time_zone_is_refused(moment: datetime) -> None:
    log, _ = _log()
    with pytest.raises(InvalidInput, match="updated_since"):
        await log.conversations(updated_since=moment)
    with pytest.raises(InvalidInput, match="valid_from"):
        await log.user("ada").correct("lives in Lisbon", valid_from=moment)


async def test_pages_of_conversations_follow_each_other() -> None:
    log, clock = _log()
    for n in range(5):
        await log.create(id=f"c{n}")
        clock.advance(seconds=1)
    first = await log.conversations(limit=2)
    assert ([info.id for info in first], first.has_more, len(first), first[0].id) == (["c4", "c3"], True, 2, "c4")
    last = await log.conversations(limit=3, cursor=first.next_cursor)
    assert ([info.id for info in last], last.has_more, last.next_cursor) == (["c2", "c1", "c0"], False, None)
    with pytest.raises(InvalidInput, match="belongs to another query"):
        await log.conversations(user_id="ada", cursor=first.next_cursor)


async def _texts(conversation: Conversation, *, newest: bool) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        page = await conversation.messages(limit=2, newest=newest, after=1, cursor=cursor)
        pages.append([message.text for message in page])
        assert page.has_more == (page.next_cursor is not None)
        if not page.has_more:
            return pages
        cursor = page.next_cursor


async def test_pages_of_messages_follow_each_other_both_ways() -> None:
    log, _ = _log()
    conversation = await log.create(*(user(str(n)) for n in range(1, 7)))
    assert await _texts(conversation, newest=False) == [["2", "3"], ["4", "5"], ["6"]]
    assert await _texts(conversation, newest=True) == [["5", "6"], ["3", "4"], ["2"]]
    page = await conversation.messages(limit=2)
    assert page[1].text == "2"
    assert [message.text for message in page[:1]] == ["1"]
    with pytest.raises(InvalidInput, match="belongs to another query"):
        await conversation.messages(newest=True, cursor=page.next_cursor)
    for cursor in ("", "x", "eA"):
        with pytest.raises(InvalidInput, match="cursor"):
            await conversation.messages(cursor=cursor)


async def test_get_or_create_returns_what_is_there_as_it_is() -> None:
    log, _ = _log()
    first = await log.create(id="c", user_id="ada", title="t", exist_ok=True)
    told = await first.info()
    again = await log.create(id="c", title="another", exist_ok=True)
    assert (again.id, await again.info()) == ("c", told)
    assert await (await log.create(id="c", user_id="ada", exist_ok=True)).info() == told
    with pytest.raises(ConversationExists, match="'c' already exists, of another user_id"):
        await log.create(id="c", user_id="bob", exist_ok=True)
    with pytest.raises(ConversationExists):
        await log.create(id="c")
    with pytest.raises(InvalidInput, match="messages: cannot be given with exist_ok"):
        await log.create("hello", id="c", exist_ok=True)
    await first.delete()
    with pytest.raises(ConversationDeleted):
        await log.create(id="c", exist_ok=True)


async def test_a_text_and_a_dict_stand_for_messages() -> None:
    log, _ = _log()
    conversation = await log.create("I live in Lisbon.")
    call = {"id": "t1", "function": {"name": "look", "arguments": "{}"}}
    await conversation.append(
        {"role": "assistant", "content": "Nice."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t1", "content": "sun"},
        user("Thanks."),
    )
    said = await conversation.messages()
    assert [(message.role, message.text) for message in said[:2]] == [("user", "I live in Lisbon."), ("assistant", "Nice.")]
    assert said[2].tool_calls == (ToolCall("t1", "look", "{}"),)
    assert said[3].tool_results[0].content == "sun"
    assert (await conversation.turn("And now?")).appended.seqs == (6,)
    assert (await conversation.reconcile([*said, "And now?", "Well?"], by_id=False)).appended == 1


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (42, r"messages\[0\]: must be a Message, the text of a user, or a dict like .*, not int"),
        (["hello"], r"messages\[0\]: must be a Message, .* not list"),
        ("", r"messages\[0\].content: must not be empty"),
        ({"role": "robot", "content": "x"}, r"messages\[0\].role: must be one of user"),
        ({"content": "x"}, r"messages\[0\].role: is missing"),
    ],
)
async def test_what_is_no_message_is_refused_with_what_would_be_one(given: Any, rule: str) -> None:
    log, _ = _log()
    conversation = await log.create()
    with pytest.raises(InvalidInput, match=rule):
        await conversation.append(given)
    assert (await conversation.info()).head == 0


async def test_reprs_are_short() -> None:
    log, _ = _log()
    conversation = await log.create(id="c", user_id="ada", title="t")
    await conversation.append(user("x" * 5000, id="m"))
    [message] = await conversation.messages()
    assert repr(log) == "Turnlog(tenant='default', store=RamStore)"
    assert (repr(conversation), repr(log.user("ada"))) == ("Conversation('c')", "User('ada')")
    assert repr(message) == f"Message(user, '{'x' * 59}…', id='m', seq=1)"
    assert repr(await conversation.info()) == "ConversationInfo('c', title='t', user_id='ada', head=1)"
    assert len(repr(await conversation.context())) < 80


def _words(message: Message) -> int:
    return len(message.text.split())


async def test_a_plain_function_counts_tokens() -> None:
    log = Turnlog(RamStore(), count_tokens=_words)
    conversation = await log.create("one two three", user("ignored", tokens=7))
    assert [message.tokens for message in await conversation.messages()] == [3, 7]
    assert (await conversation.context(budget=100)).messages[-1].text == "ignored"
    with pytest.raises(InvalidInput, match="count_tokens: must be a Counter or a function"):
        Turnlog(RamStore(), count_tokens=3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="count_tokens: must return a whole number"):
        await Turnlog(RamStore(), count_tokens=lambda _: 0.5).create("x")  # type: ignore[arg-type,return-value]


FAILING = [
    ({"expect_head": 1}, HeadMoved),
    ({"expect_revision": 2}, RevisionMoved),
    ({"expect_incarnation": "0"}, HistoryMoved),
]


@pytest.mark.parametrize("user_id", [None, "ada"])
@pytest.mark.parametrize(("expected", "error"), FAILING)
async def test_a_failed_expectation_changes_nothing(expected: Any, error: type[Exception], user_id: str | None) -> None:
    log, _ = _log()
    conversation = await log.create("a", "b", user_id=user_id)
    before = await conversation.info()
    for call in (
        conversation.info(**expected),
        conversation.redact(1, **expected),
        conversation.delete(**expected),
        conversation.fork(id="f", **expected),
        conversation.reconcile(["a", "b", "c"], by_id=False, **expected),
    ):
        with pytest.raises(error):
            await call
    assert await conversation.info() == before
    assert [message.text for message in await conversation.messages()] == ["a", "b"]
    assert [info.id for info in await log.conversations()] == [conversation.id]


@pytest.mark.parametrize("user_id", [None, "ada"])
async def test_what_is_as_expected_is_done(user_id: str | None) -> None:
    log, _ = _log()
    conversation = await log.create("a", "b", user_id=user_id)
    told = await conversation.info()
    seen: Any = {"expect_head": 2, "expect_revision": told.revision, "expect_incarnation": told.incarnation}
    assert (await (await conversation.fork(at=1, **seen)).info()).head == 1
    assert (await conversation.reconcile(["a", "b", "c"], by_id=False, **seen)).head == 3
    await conversation.redact(1, **seen | {"expect_head": 3})
    await conversation.delete(**seen | {"expect_head": None})
    for call in (conversation.redact(1), conversation.delete(**seen), conversation.info(), conversation.catch_up()):
        with pytest.raises(ConversationDeleted):
            await call


async def test_a_deletion_that_expects_a_head_sees_an_append_that_comes_first() -> None:
    log, _ = _log()
    conversation = await log.create("a", user_id="ada")
    update = log.store.update

    async def after_an_append(*given: Any, **options: Any) -> Any:
        await conversation.append("b")
        return await update(*given, **options)

    log.store.update = after_an_append  # type: ignore[method-assign]
    with pytest.raises(HeadMoved):
        await conversation.delete(expect_head=1)
    assert (await conversation.info()).head == 2
