"""The integrity fold, and a log held against what it knows."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from turnlog import CorruptRecord, InvalidInput, Message, Settings, Turnlog, assistant, codec, user
from turnlog.codec import Record
from turnlog.fold import Fold, catch_up, replay
from turnlog.integrity import digest as integrity
from turnlog.integrity.compare import LISTED, Comparison, Witness
from turnlog.integrity.digest import BLOCK, NEWEST, Digest, Integrity, read_state
from turnlog.jsonl import export_one, import_lines
from turnlog.store import Fault, Key, Snapshot
from turnlog.stores.ram import RamStore
from turnlog.testing import DeterministicFoldContract
from turnlog.validation import Limits
from turnlog.worker import Runner, WorkerConfig

LONG = NEWEST + 5 * BLOCK + 7
OTHER = codec.encode(user("something else", id="other"), tokens=1, limits=Limits())


class TestIntegrity(DeterministicFoldContract):
    @pytest.fixture(params=[b"", b"secret"], ids=["open", "keyed"])
    def factory(self, request: pytest.FixtureRequest) -> Callable[[], Fold[Any]]:
        return lambda: Integrity(request.param)


def encoded(message: Message, seq: int) -> Record:
    return replace(codec.encode(message, tokens=1, limits=Limits()), seq=seq)


def many(count: int) -> list[Record]:
    return [encoded(user(f"message {seq}", id=f"m-{seq}"), seq) for seq in range(1, count + 1)]


async def folded(fold: Integrity, records: Sequence[Record], *, batch: int = 1000) -> bytes:
    state = fold.initial()
    for first in range(0, len(records), batch):
        state = await fold.step_records(state, records[first : first + batch])
    return state


def compared(state: bytes, records: Sequence[Record | None], fold: Integrity, **told: Any) -> Comparison:
    comparison = Comparison(Witness("state", fold, read_state(state), 0, **told))
    for seq, record in enumerate(records, 1):
        comparison.take(seq, record)
    return comparison


def blank(record: Record) -> Record:
    return codec.tombstone(record)


async def begin(count: int, **settings: Any) -> tuple[RamStore, Turnlog, Any, Key]:
    store = RamStore()
    log = Turnlog(store, Settings(**settings))
    conversation = await log.create(*[user(f"message {n}") for n in range(1, count + 1)])
    return store, log, conversation, Key(log.tenant, conversation.id)


async def test_the_cut_into_steps_does_not_matter_where_tags_become_sums() -> None:
    records, fold = many(LONG), Integrity(b"k")
    state = await folded(fold, records)
    assert await folded(fold, records, batch=199) == state
    assert await folded(fold, records, batch=LONG) == state
    seen = read_state(state)
    assert (seen.watermark, seen.tagged_from, len(seen.sums) // 8) == (LONG, 5 * BLOCK + 1, 5)


async def test_the_state_of_a_million_messages_is_small() -> None:
    fold, count = Integrity(), 1_000_000
    blocks = integrity.older(count)
    zeros = integrity._HEAD.pack(1, fold.key_id, count, bytes(32)) + bytes(8 * blocks + 4 * (count - 64 * blocks))
    state = await fold.step_records(zeros, many(300))
    assert read_state(state).watermark == count + 300
    assert len(state) < 150_000


async def test_of_the_newest_the_very_message_is_named_and_of_the_older_its_block() -> None:
    records, fold = many(LONG), Integrity(b"k")
    state = await folded(fold, records)
    assert compared(state, records, fold).faults(LONG, 0) == []
    records[99] = replace(OTHER, seq=100)
    records[LONG - 1] = replace(OTHER, seq=LONG)
    assert compared(state, records, fold).faults(LONG, 0) == [
        (LONG, "is not the message that was stored there"),
        (65, "or another message up to seq 128 is not the one that was stored there"),
    ]


@given(
    count=st.integers(2, 40),
    how=st.sampled_from(["edit", "drop", "insert", "swap", "cut", "id", "created_at", "version"]),
    data=st.data(),
)
async def test_every_change_is_found_and_the_first_place_is_named(count: int, how: str, data: st.DataObject) -> None:
    records, fold = many(count), Integrity()
    state = await folded(fold, records)
    at = data.draw(st.integers(0, count - 2))
    changed = change(list(records), how, at)
    faults = compared(state, changed, fold).faults(len(changed), 0)
    assert min(fault.seq for fault in faults) == at + 1


def change(records: list[Record], how: str, at: int) -> list[Record]:
    there = records[at]
    match how:
        case "edit":
            records[at] = replace(there, body=there.body.replace(b"message", b"massage"))
        case "drop":
            del records[at]
        case "insert":
            records.insert(at, OTHER)
        case "swap":
            records[at], records[at + 1] = records[at + 1], there
        case "cut":
            del records[at:]
        case "id":
            records[at] = replace(there, id=there.id + "0")
        case "created_at":
            records[at] = replace(there, created_at=there.created_at + 1)
        case "version":
            records[at] = replace(there, version=2)
    return records


async def test_a_state_whose_tags_were_made_to_fit_is_found_by_its_digest() -> None:
    records, fold = many(9), Integrity()
    state = await folded(fold, records)
    records[3] = replace(OTHER, seq=4)
    forged = state[:49] + (await folded(fold, records))[49:]
    assert compared(forged, records, fold).faults(9, 0) == [(0, "is not as the state says, though each message seems to be")]


async def test_a_list_of_faults_has_an_end() -> None:
    records, fold = many(LISTED + 30), Integrity()
    state = await folded(fold, records)
    faults = compared(state, [OTHER, *records[:-1]], fold).faults(len(records), 0)
    assert len(faults) == LISTED + 1
    assert faults[-1] == (LISTED + 1, "begins 30 more messages that are not as they were")


async def test_a_message_that_cannot_be_read_hides_no_other() -> None:
    fold = Integrity()
    there = many(LONG)
    records: list[Record | None] = [*there]
    state = await folded(fold, there)
    records[9] = records[LONG - 9] = None
    assert compared(state, records, fold).faults(LONG, 0) == []
    records[BLOCK] = records[LONG - 1] = OTHER
    assert {fault.seq for fault in compared(state, records, fold).faults(LONG, 0)} == {BLOCK + 1, LONG}


async def test_each_new_tombstone_needs_an_erasure_that_the_store_counts() -> None:
    records, fold = many(LONG), Integrity()
    state = await folded(fold, records)
    for at in (9, LONG - 5, LONG - 4):
        records[at] = blank(records[at])
    told = compared(state, records, fold)
    assert told.faults(LONG, 3) == []
    assert told.notes(3) == [
        (LONG - 4, "redacted since"),
        (LONG - 3, "redacted since"),
        (10, "may have been redacted since"),
        (1, "and what follows up to seq 64 was checked by checksums only"),
    ]
    assert {fault.seq for fault in told.faults(LONG, 2)} == {1, LONG - 4, LONG - 3}
    assert told.notes(2) == []


async def test_a_record_that_is_not_intact_stops_the_fold() -> None:
    records = many(3)
    records[1] = replace(records[1], checksum=0)
    with pytest.raises(CorruptRecord) as error:
        await folded(Integrity(), records)
    assert error.value.seq == 2


async def test_a_state_of_another_key_is_not_gone_on_with() -> None:
    state = await folded(Integrity(b"a"), many(3))
    for other in (Integrity(), Integrity(b"b")):
        with pytest.raises(InvalidInput) as error:
            await other.step_records(state, many(1))
        assert error.value.field == "integrity_key"


async def test_what_the_fold_has_not_seen_is_said() -> None:
    store, _, conversation, key = await begin(5)
    found = await conversation.inspect()
    assert (found.head, found.reached, found.faults) == (5, 0, [])
    assert [note.seq for note in found.notes] == [0]
    assert "no integrity state" in found.notes[0].what
    await catch_up(store, key, conversation.engine.integrity)
    await conversation.append(user("more"), user("and more"))
    found = await conversation.inspect()
    assert (found.head, found.reached, [note.seq for note in found.notes]) == (7, 5, [6])
    store.logs[key].records[7] = replace(store.logs[key].records[7], checksum=0)
    assert await conversation.verify() == [(7, "does not match its checksum")]


async def test_an_empty_log_has_nothing_to_compare() -> None:
    _, log, _, _ = await begin(1)
    empty = await log.create()
    assert (await empty.inspect()).notes == []
    assert await empty.verify(against=await empty.digest()) == []


async def test_verifying_stores_nothing() -> None:
    store, _, conversation, key = await begin(5)
    await conversation.verify()
    assert store.logs[key].snapshots == {}


async def test_a_digest_is_json_and_comes_back() -> None:
    _, _, conversation, _ = await begin(5, integrity_key="between us")
    digest = await conversation.digest()
    assert (digest.conversation_id, digest.watermark, digest.epoch, len(digest.digest)) == (conversation.id, 5, 0, 64)
    text = msgspec.json.encode(digest)
    assert b"between us" not in text
    assert msgspec.json.decode(text, type=Digest) == digest
    await conversation.append(user("later"))
    found = await conversation.inspect(against=digest)
    assert (found.faults, found.reached) == ([], 5)


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": "zz"}, {"digest": "00"}, {"key_id": ""}, {"watermark": 4}, {"watermark": -1}, {"tags": b""},
        {"sums": b"x"}, {"form": 2},
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_no_digest_is_refused(changes: dict[str, Any]) -> None:
    _, _, conversation, _ = await begin(5)
    digest = replace(await conversation.digest(), **changes)
    if "key_id" in changes:
        assert [fault.seq for fault in await conversation.verify(against=digest)] == [0]
        return
    with pytest.raises(InvalidInput) as error:
        await conversation.verify(against=digest)
    assert error.value.field == "digest"


async def test_a_digest_of_another_conversation_is_refused() -> None:
    _, log, conversation, _ = await begin(2)
    with pytest.raises(InvalidInput, match="is a digest of conversation"):
        await (await log.create(user("x"))).verify(against=await conversation.digest())


async def test_a_digest_that_was_made_without_a_key_is_good_where_there_is_one_now() -> None:
    store, _, conversation, key = await begin(5)
    digest = await conversation.digest()
    keyed = Turnlog(store, Settings(integrity_key="new")).conversation(conversation.id)
    assert [fault.seq for fault in await keyed.verify(against=digest)] == [0]
    del store.logs[key].snapshots["integrity", 1]
    assert await keyed.verify(against=digest) == []
    store.logs[key].records[2] = replace(OTHER, seq=2)
    assert 2 in {fault.seq for fault in await keyed.verify(against=digest)}


async def test_a_digest_of_another_key_cannot_be_compared_and_that_is_a_fault() -> None:
    store, _, conversation, _ = await begin(5, integrity_key="one")
    digest = await conversation.digest()
    other = Turnlog(store, Settings(integrity_key="two")).conversation(conversation.id)
    [fault] = await other.verify(against=digest)
    assert fault.seq == 0
    assert fault.what.count("made with another key") == 2


@pytest.mark.parametrize("state", [b"", b"\x01" * 49, b"\x02" + bytes(48), b"\x01" + bytes(49)], ids=len)
async def test_a_state_that_is_none_is_a_fault(state: bytes) -> None:
    store, _, conversation, key = await begin(5)
    store.logs[key].snapshots["integrity", 1] = Snapshot(5, 0, state)
    assert [fault.seq for fault in await conversation.verify()] == [0]


async def test_a_state_with_another_watermark_is_a_fault() -> None:
    store, _, conversation, key = await begin(5)
    await conversation.digest()
    snapshots = store.logs[key].snapshots
    snapshots["integrity", 1] = replace(snapshots["integrity", 1], watermark=3)
    assert await conversation.verify() == [(0, "has an integrity state that is of 5 messages, but has the watermark 3")]


async def test_a_header_that_counts_fewer_erasures_than_the_state_is_a_fault() -> None:
    store, _, conversation, key = await begin(5)
    await conversation.redact(2)
    await conversation.digest()
    assert await conversation.verify() == []
    store.logs[key].set(epoch=0)
    assert await conversation.verify() == [(0, "counts fewer erasures than the integrity state")]


async def test_an_erasure_takes_the_state_and_a_kept_digest_still_tells_of_the_rest() -> None:
    store, _, conversation, key = await begin(6)
    digest = await conversation.digest()
    await conversation.redact(2)
    found = await conversation.inspect(against=digest)
    assert (found.faults, found.notes, found.reached) == ([], [(2, "redacted since")], 6)
    store.logs[key].records[4] = replace(OTHER, seq=4)
    assert 4 in {fault.seq for fault in await conversation.verify(against=digest)}


async def test_a_fork_is_held_against_its_own_state_with_what_it_shares() -> None:
    store, _, conversation, key = await begin(6)
    fork = await conversation.fork(at=4)
    await fork.append(assistant("another way"))
    digest = await fork.digest()
    assert (digest.watermark, await fork.verify(against=digest)) == (5, [])
    store.logs[key].records[3] = replace(OTHER, seq=3)
    assert {fault.seq for fault in await fork.verify()} == {3}


async def test_a_copy_made_by_import_is_held_against_the_digest_of_the_original() -> None:
    _, log, conversation, _ = await begin(6)
    await conversation.redact(2)
    digest = await conversation.digest()
    line = b"".join([piece async for piece in export_one(log, conversation.id)])
    copy = Turnlog(RamStore())
    assert (await import_lines(copy, iter([line]), lambda outcome: None)).rejected == 0
    found = await copy.conversation(conversation.id).inspect(against=digest)
    assert (found.faults, found.reached) == ([], 6)
    [note] = found.notes
    assert note == Fault(
        0,
        "counts fewer erasures than the exported digest, as a copy made by import does; "
        "has another incarnation than the digest: its history may have gone back since, or it is a copy",
    )


async def test_a_state_is_made_anew_on_demand_over_whatever_was_there() -> None:
    store, _, conversation, key = await begin(7)
    await conversation.digest()
    store.logs[key].records[3] = replace(OTHER, seq=3)
    assert 3 in {fault.seq for fault in await conversation.verify()}
    await conversation.digest_anew()
    assert await conversation.verify() == [Fault(3, "is not found by its id")]
    keyed = Turnlog(store, Settings(integrity_key="new")).conversation(conversation.id)
    await keyed.digest_anew()
    assert await keyed.verify() == [Fault(3, "is not found by its id")]
    await conversation.redact(5)
    await keyed.digest_anew()
    assert (await keyed.inspect()).reached == 7


async def test_a_runner_keeps_the_state_up_to_date() -> None:
    store, log, conversation, _ = await begin(7, integrity_key="between us")
    runner = Runner(store, [log.integrity], tenants=[log.tenant], config=WorkerConfig(pause_s=0))
    await runner.run(until_idle=True)
    found = await conversation.inspect()
    assert (runner.folded, found.reached, found.faults, found.notes) == (7, 7, [], [])


async def test_a_replay_makes_what_the_fold_keeps() -> None:
    store, _, conversation, key = await begin(7)
    await conversation.digest()
    kept = await store.load_snapshot(key, "integrity", 1)
    assert kept == await replay(store, key, Integrity(), batch=3)


def test_the_key_is_in_no_repr() -> None:
    settings = Settings.from_env({"TURNLOG_INTEGRITY_KEY": "between us"})
    assert settings.integrity_key == "between us"
    log = Turnlog(RamStore(), settings)
    assert "integrity_key='***'" in repr(settings)
    assert "integrity_key=''" in repr(Settings())
    for shown in (repr(settings), str(settings), repr(log), repr(log.integrity), repr(vars(log.integrity))):
        assert "between us" not in shown


def test_a_key_may_be_any_text() -> None:
    keys = ["x", "\udcff", "ключ", "x" * 500]
    assert len({Turnlog(RamStore(), Settings(integrity_key=key)).integrity.key_id for key in keys}) == 4


async def test_messages_are_not_what_it_steps_over() -> None:
    with pytest.raises(NotImplementedError):
        await Integrity().step(b"", [user("x")])
