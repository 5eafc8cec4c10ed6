"""What a conversation makes of bytes that decayed, of clocks that are wrong and of histories that went back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from turnlog import (
    Conversation,
    ConversationNotFound,
    CorruptRecord,
    HistoryMoved,
    MessageNotFound,
    Settings,
    Turnlog,
    assistant,
    codec,
    user,
)
from turnlog.store import Key
from turnlog.stores.ram import Log, RamStore
from turnlog.testing import FakeClock

CLOCK = FakeClock()


@dataclass
class Stage:
    conversation: Conversation
    raw: Log
    """What the store keeps of it."""

    def decay(self, seq: int, **changes: Any) -> None:
        self.raw.records[seq] = replace(self.raw.records[seq], **changes)

    def go_back(self, head: int) -> None:
        """As a restored backup does, in a store that notices."""
        for seq in range(head + 1, self.raw.header.head + 1):
            del self.raw.seqs[self.raw.records.pop(seq).id]
        self.raw.set(head=head, incarnation="0123456789abcdef")


@pytest.fixture
async def stage() -> Stage:
    store = RamStore()
    log = Turnlog(store, Settings(page_bytes=1000), clock=CLOCK)
    conversation = await log.create(user("my secret"), assistant("so"), user("x"))
    return Stage(conversation, store.logs[Key(log.tenant, conversation.id)])


@pytest.mark.parametrize("changes", [{"body": b"\xff"}, {"body": b""}, {"version": 99}, {"created_at": 1 << 62}])
async def test_a_message_that_decayed_is_refused_and_can_be_erased(stage: Stage, changes: dict[str, Any]) -> None:
    stage.decay(1, **changes)
    for call in (stage.conversation.messages, stage.conversation.context, lambda: stage.conversation.record(1)):
        with pytest.raises(CorruptRecord) as error:
            await call()  # type: ignore[operator]
        assert error.value.seq == 1
    await stage.conversation.redact(1)
    left = await stage.conversation.messages()
    assert [(message.text, message.redacted) for message in left] == [("", True), ("so", False), ("x", False)]
    assert await stage.conversation.verify() == []


async def test_a_message_of_which_nothing_can_be_told_is_erased_at_its_place(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Log.at

    def torn(log: Log, seq: int) -> codec.Record:
        if seq == 2 and log.records[2].digest != codec.ERASED:
            raise CorruptRecord(seq=2, reason="it is cut off")
        return whole(log, seq)

    monkeypatch.setattr(Log, "at", torn)
    await stage.conversation.redact(2)
    assert [message.redacted for message in await stage.conversation.messages()] == [False, True, False]


async def test_what_is_not_there_cannot_be_erased(stage: Stage) -> None:
    with pytest.raises(MessageNotFound):
        await stage.conversation.redact(4)
    with pytest.raises(ConversationNotFound):
        await Conversation(stage.conversation.engine, "nobody").redact(1)


async def test_no_message_is_younger_than_its_receipt(stage: Stage) -> None:
    now = datetime.fromtimestamp(CLOCK() / 1_000_000, UTC)
    early, late = now - timedelta(days=1), datetime(2100, 1, 1, tzinfo=UTC)
    given = [user("early", id="e", created_at=early), user("late", id="l", created_at=late)]
    await stage.conversation.append(*given)
    assert [message.created_at for message in await stage.conversation.messages(after=3)] == [early, now]
    replayed = await stage.conversation.append(*given)
    assert (replayed.replayed, replayed.seqs) == (True, (4, 5))


async def test_messages_are_read_page_after_page_up_to_the_limit(stage: Stage) -> None:
    for n in range(4, 31):
        await stage.conversation.append(user(f"{n} " + "y" * 300))
    assert [message.seq for message in await stage.conversation.messages(limit=20)] == list(range(1, 21))
    newest = await stage.conversation.messages(limit=20, newest=True)
    assert [message.seq for message in newest] == list(range(11, 31))
    between = await stage.conversation.messages(after=3, before=25, limit=50, newest=True)
    assert [message.seq for message in between] == list(range(4, 25))
    page = await stage.conversation.read(limit=20)
    assert (page.more, len(page.records) < 20) == (True, True)
    assert [record.seq async for page in stage.conversation.pages() for record in page.records] == list(range(1, 31))


async def test_a_context_of_heavy_messages_is_bounded_and_says_what_it_left_out() -> None:
    log = Turnlog(RamStore(), Settings(context_bytes=5000))
    conversation = await log.create(*(user(f"{n} " + "y" * 900) for n in range(20)))
    context = await conversation.context(budget=100_000, policy="window")
    assert [record.seq for record in context.records] == [16, 17, 18, 19, 20]
    assert (context.coverage.omitted, context.coverage.window_from) == (15, 16)


async def test_whoever_saw_another_history_is_told(stage: Stage) -> None:
    seen = await stage.conversation.info()
    assert await stage.conversation.info(expect_incarnation=seen.incarnation) == seen
    stage.go_back(2)
    with pytest.raises(HistoryMoved) as error:
        await stage.conversation.info(expect_incarnation=seen.incarnation)
    assert (error.value.expected, error.value.actual) == (seen.incarnation, "0123456789abcdef")


async def test_a_digest_says_that_the_history_may_have_gone_back(stage: Stage) -> None:
    digest = await stage.conversation.digest()
    stage.go_back(2)
    await stage.conversation.append(user("another"))
    found = await stage.conversation.inspect(against=digest)
    assert [fault.seq for fault in found.faults] == [3]
    assert any("another incarnation" in note.what for note in found.notes)


async def test_a_context_does_not_go_on_from_what_another_history_fixed(stage: Stage) -> None:
    for n in range(40):
        await stage.conversation.append(user(f"{n} " + "y" * 300))
    budget = {"budget": 1000, "policy": "window"}
    fixed = (await stage.conversation.context(**budget)).coverage.window_from
    stage.go_back(20)
    context = await stage.conversation.context(**budget)
    assert fixed > 20 >= context.coverage.window_from
    assert context.records[-1].seq == 20
