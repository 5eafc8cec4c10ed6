"""One fold on one conversation: what it is given, what is stored, what it refuses."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from turnlog import Conversation, InvalidInput, Message, Turnlog, assistant, user
from turnlog.errors import ConversationDeleted, CorruptRecord
from turnlog.fold import StateUnreadable, catch_up, check_fold, look, replay, state_of, stepped
from turnlog.store import Key, RecordPage, Snapshot
from turnlog.stores.ram import RamStore


class Texts:
    """Every text, and how it was cut into steps."""

    name = "texts"
    version = 1

    def __init__(self) -> None:
        self.steps: list[int] = []

    def initial(self) -> list[str]:
        return []

    async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
        self.steps.append(len(messages))
        return state + [message.text for message in messages]


@dataclasses.dataclass
class Tally:
    by_role: dict[str, int]
    places: list[tuple[int, str]]


class Roles:
    """A state of types that JSON does not have."""

    name = "roles"
    version = 3

    def initial(self) -> Tally:
        return Tally({}, [])

    async def step(self, state: Tally, messages: Sequence[Message]) -> Tally:
        for message in messages:
            state.by_role[message.role] = state.by_role.get(message.role, 0) + 1
            state.places.append((message.seq or 0, message.role))
        return state


class Count:
    """A state of bytes."""

    name = "count"
    version = 1

    def initial(self) -> bytes:
        return b"\xff"

    async def step(self, state: bytes, messages: Sequence[Message]) -> bytes:
        return state + bytes(len(messages))


async def begin(*messages: Message) -> tuple[Turnlog, Conversation, Key]:
    log = Turnlog(RamStore())
    conversation = await log.create(*messages)
    return log, conversation, Key(log.tenant, conversation.id)


def texts(count: int) -> list[Message]:
    return [user(f"m{n}") for n in range(1, count + 1)]


async def test_a_fold_sees_the_log_in_batches_and_its_state_is_stored_with_its_watermark() -> None:
    log, _, key = await begin(*texts(7))
    fold = Texts()
    after = await catch_up(log.store, key, fold, batch=3)
    assert fold.steps == [3, 3, 1]
    assert after == Snapshot(7, 0, b'["m1","m2","m3","m4","m5","m6","m7"]')
    assert await log.store.load_snapshot(key, "texts", 1) == after


async def test_a_fold_goes_on_from_its_watermark() -> None:
    log, conversation, key = await begin(*texts(2))
    fold = Texts()
    await catch_up(log.store, key, fold)
    await conversation.append(user("more"))
    after = await catch_up(log.store, key, fold)
    assert (fold.steps, state_of(fold, after.state)) == ([2, 1], ["m1", "m2", "more"])


async def test_a_fold_with_nothing_to_see_is_not_asked_and_stores_nothing() -> None:
    log, _, key = await begin()
    fold = Texts()
    assert await catch_up(log.store, key, fold) == Snapshot(0, 0, b"[]")
    assert fold.steps == []
    assert await log.store.load_snapshot(key, "texts", 1) is None


async def test_a_state_has_the_type_that_initial_tells() -> None:
    log, _, key = await begin(user("a"), assistant("b"), user("c"))
    after = await catch_up(log.store, key, Roles(), batch=1)
    assert state_of(Roles(), after.state) == Tally({"user": 2, "assistant": 1}, [(1, "user"), (2, "assistant"), (3, "user")])


async def test_a_state_of_bytes_is_stored_as_it_is() -> None:
    log, _, key = await begin(*texts(3))
    assert (await catch_up(log.store, key, Count(), batch=2)).state == b"\xff\0\0\0"


async def test_an_erasure_takes_the_fold_back_to_the_first_message() -> None:
    log, conversation, key = await begin(*texts(4))
    fold = Texts()
    await catch_up(log.store, key, fold)
    await conversation.redact(2)
    after = await catch_up(log.store, key, fold, batch=3)
    assert (after.epoch, state_of(fold, after.state)) == (1, ["m1", "", "m3", "m4"])


async def test_a_replay_gives_the_same_and_stores_nothing() -> None:
    log, _, key = await begin(*texts(5))
    assert (await replay(log.store, key, Texts(), batch=2)).state == b'["m1","m2","m3","m4","m5"]'
    assert await log.store.load_snapshot(key, "texts", 1) is None
    assert await catch_up(log.store, key, Texts()) == await replay(log.store, key, Texts(), batch=4)


async def test_an_erasure_in_the_middle_of_a_replay_begins_it_anew() -> None:
    class Erasing(RamStore):
        reads = 0

        async def read(self, key: Key, **options: Any) -> RecordPage:
            self.reads += 1
            if self.reads == 2:
                await Turnlog(self).conversation(key.conversation_id).redact(1)
            return await super().read(key, **options)

    log = Turnlog(Erasing())
    conversation = await log.create(*texts(5))
    fold = Texts()
    after = await replay(log.store, Key(log.tenant, conversation.id), fold, batch=2)
    assert (after.watermark, after.epoch) == (5, 1)
    assert state_of(fold, after.state) == ["", "m2", "m3", "m4", "m5"]


async def test_a_state_that_a_store_kept_over_an_erasure_counts_as_none() -> None:
    store = RamStore()
    log = Turnlog(store)
    conversation = await log.create(*texts(3))
    key, fold = Key(log.tenant, conversation.id), Texts()
    old = await catch_up(store, key, fold)
    await conversation.redact(1)
    store.logs[key].snapshots["texts", 1] = old
    ahead = await look(store, key, fold)
    assert (ahead.since, ahead.records[0].seq) == (Snapshot(0, 1, b"[]"), 1)


async def test_a_step_that_fails_stores_nothing_and_the_next_call_goes_on_from_there() -> None:
    class Picky(Texts):
        def initial(self) -> list[str]:
            return []

        async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
            state.append("half done")
            if messages[-1].seq == 4 and not self.steps:
                self.steps.append(0)
                raise RuntimeError("not now")
            return state[:-1] + [message.text for message in messages]

    log, _, key = await begin(*texts(4))
    fold = Picky()
    with pytest.raises(RuntimeError):
        await catch_up(log.store, key, fold, batch=2)
    assert (await log.store.load_snapshot(key, "texts", 1) or Snapshot(0, 0, b"")).watermark == 2
    assert state_of(fold, (await catch_up(log.store, key, fold, batch=2)).state) == ["m1", "m2", "m3", "m4"]


async def test_a_record_that_is_missing_stops_the_fold() -> None:
    store = RamStore()
    log = Turnlog(store)
    conversation = await log.create(*texts(5))
    key = Key(log.tenant, conversation.id)
    records = store.logs[key].records
    records[3] = records[4]
    with pytest.raises(CorruptRecord) as error:
        await catch_up(store, key, Texts())
    assert error.value.seq == 3
    assert await store.load_snapshot(key, "texts", 1) is None


async def test_a_fork_begins_with_its_parents_state() -> None:
    log, conversation, key = await begin(*texts(5))
    await catch_up(log.store, key, Texts())
    fork = await conversation.fork()
    await fork.append(user("more"))
    fold = Texts()
    after = await catch_up(log.store, Key(log.tenant, fork.id), fold)
    assert (fold.steps, state_of(fold, after.state)) == ([1], ["m1", "m2", "m3", "m4", "m5", "more"])
    assert after == await replay(log.store, Key(log.tenant, fork.id), Texts())


async def test_a_fork_of_what_the_fold_has_not_seen_to_the_end_goes_on_from_there() -> None:
    log, conversation, key = await begin(*texts(3))
    await catch_up(log.store, key, Texts())
    await conversation.append(user("m4"), user("m5"))
    fork, fold = await conversation.fork(at=4), Texts()
    after = await catch_up(log.store, Key(log.tenant, fork.id), fold)
    assert (fold.steps, state_of(fold, after.state)) == ([1], ["m1", "m2", "m3", "m4"])


async def test_a_fork_begins_with_the_state_of_its_parents_parent() -> None:
    log, conversation, key = await begin(*texts(4))
    await catch_up(log.store, key, Texts())
    fork = await (await conversation.fork()).fork()
    fold = Texts()
    after = await catch_up(log.store, Key(log.tenant, fork.id), fold)
    assert (fold.steps, after.watermark) == ([], 4)
    assert after == await log.store.load_snapshot(Key(log.tenant, fork.id), "texts", 1)


@pytest.mark.parametrize("at", [0, 1, 3])
async def test_a_fork_before_its_parents_state_is_folded_anew(at: int) -> None:
    log, conversation, key = await begin(*texts(4))
    await catch_up(log.store, key, Texts())
    fork = await conversation.fork(at=at)
    below = await fork.fork()
    for each in (fork, below):
        await each.append(user("mine"))
        fold = Texts()
        after = await catch_up(log.store, Key(log.tenant, each.id), fold)
        assert (sum(fold.steps), after.watermark) == (at + 1, at + 1)
        assert after == await replay(log.store, Key(log.tenant, each.id), Texts())


async def test_a_fork_of_a_fork_takes_no_state_from_beyond_what_both_share() -> None:
    log, conversation, key = await begin(*texts(4))
    fork = await conversation.fork(at=2)
    await fork.append(user("f3"), user("f4"))
    below = await fork.fork(at=3)
    await catch_up(log.store, key, Texts())
    fold = Texts()
    after = await catch_up(log.store, Key(log.tenant, below.id), fold)
    assert (fold.steps, state_of(fold, after.state)) == ([3], ["m1", "m2", "f3"])


async def test_a_fork_of_what_was_deleted_is_folded_anew() -> None:
    log, conversation, key = await begin(*texts(3))
    await catch_up(log.store, key, Texts())
    fork, fold = await conversation.fork(), Texts()
    await conversation.delete()
    after = await catch_up(log.store, Key(log.tenant, fork.id), fold)
    assert (fold.steps, state_of(fold, after.state)) == ([3], ["m1", "m2", "m3"])


async def test_a_fork_has_none_of_what_was_erased_in_its_parent() -> None:
    log, conversation, key = await begin(*texts(3))
    await catch_up(log.store, key, Texts())
    fork, fold = await conversation.fork(), Texts()
    await conversation.redact(2)
    after = await catch_up(log.store, Key(log.tenant, fork.id), fold)
    assert (fold.steps, state_of(fold, after.state)) == ([3], ["m1", "", "m3"])
    await catch_up(log.store, key, Texts())
    again = Texts()
    await catch_up(log.store, Key(log.tenant, (await conversation.fork()).id), again)
    assert again.steps == []


async def test_a_deleted_conversation_is_not_folded() -> None:
    log, conversation, key = await begin(*texts(1))
    await conversation.delete()
    with pytest.raises(ConversationDeleted):
        await catch_up(log.store, key, Texts())


@pytest.mark.parametrize("state", [b'{"a":1}', b"[", b"\xff\xfe"])
async def test_a_state_that_cannot_be_read_is_made_anew(state: bytes) -> None:
    log, _, key = await begin(*texts(5))
    await log.store.save_snapshot(key, "texts", 1, Snapshot(4, 0, state), expect_watermark=0)
    with pytest.raises(StateUnreadable, match="is not what `initial` says"):
        await stepped(Texts(), await look(log.store, key, Texts()))
    after = await catch_up(log.store, key, Texts(), batch=2)
    assert after == await replay(log.store, key, Texts()) == await log.store.load_snapshot(key, "texts", 1)


def named(field: str, value: Any) -> Any:
    fold = Texts()
    setattr(fold, field, value)
    return fold


@pytest.mark.parametrize("name", ["", "Summary", "a.b", "a b", "1st", "a" * 65, 7, "context"])
def test_a_name_that_is_no_word_is_refused(name: Any) -> None:
    with pytest.raises(InvalidInput) as error:
        check_fold(named("name", name))
    assert error.value.field == "name"


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", 2**31])
def test_a_version_that_does_not_count_is_refused(version: Any) -> None:
    with pytest.raises(InvalidInput) as error:
        check_fold(named("version", version))
    assert error.value.field == "version"


def test_a_state_that_is_no_json_is_refused() -> None:
    class Wrong(Texts):
        def initial(self) -> Any:
            return object()

    with pytest.raises(InvalidInput) as error:
        check_fold(Wrong())
    assert error.value.field == "state"


def test_a_type_that_cannot_be_read_back_is_refused() -> None:
    class Wrong(Texts):
        def initial(self) -> type[int]:  # type: ignore[override]
            return int

    with pytest.raises(InvalidInput) as error:
        check_fold(Wrong())
    assert error.value.field in ("initial", "state")


def test_what_is_no_bytes_is_no_state_of_bytes() -> None:
    class Wrong(Count):
        def initial(self) -> bytes:
            return "text"  # type: ignore[return-value]

    with pytest.raises(InvalidInput, match="it is no bytes but str"):
        check_fold(Wrong())
