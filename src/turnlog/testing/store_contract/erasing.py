"""What is erased is gone and does not come back; damaged bytes never leave a store, and can be erased."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest
from msgspec.structs import replace

from turnlog import codec
from turnlog.codec import Record
from turnlog.errors import ConversationDeleted, ConversationNotFound, CorruptRecord, MessageNotFound
from turnlog.store import Key, Snapshot, Store
from turnlog.testing.store_contract.stage import (
    KEY,
    NOW,
    TENANT,
    add,
    begin,
    branch,
    erase,
    handles,
    header,
    log,
    page,
    record,
    records,
    said,
)


async def _erased(store: Store, conversation_id: str) -> list[int | None]:
    found = await page(store, Key(TENANT, conversation_id))
    return [message.seq for message in said(found) if message.redacted]


async def _epochs(store: Store, *ids: str) -> list[int]:
    return [(await store.get(Key(TENANT, id_))).epoch for id_ in ids]


class Redacting:
    """`redact`."""

    @handles
    async def test_a_tombstone_keeps_place_id_time_and_role(self, store: Store) -> None:
        await begin(store, "a", "secret", "c")
        before = said(await page(store))[1]
        await erase(store, "c1", 2)
        found = await page(store)
        stone = said(found)[1]
        assert (stone.seq, stone.id, stone.created_at, stone.role) == (2, before.id, before.created_at, before.role)
        assert (stone.content, stone.redacted, stone.tokens, found.records[1].digest) == ("", True, 0, codec.ERASED)
        assert await log(store) == ["a", "secret", "c"]

    @handles
    async def test_an_erasure_raises_the_epoch_and_updated_at_and_not_the_head(self, store: Store) -> None:
        await begin(store, "a", "b")
        assert await erase(store, "c1", 1, now=NOW + 4) == 1
        header = await store.get(KEY)
        assert (header.epoch, header.head, header.revision, header.updated_at) == (1, 2, 1, NOW + 4)

    @handles
    async def test_an_erasure_takes_the_snapshots_of_every_conversation_that_shows_the_record(self, store: Store) -> None:
        await begin(store, "a", "b", "c")
        await branch(store, "c1", "f", 2)
        await branch(store, "c1", "g", 1)
        for id_ in ("c1", "f", "g"):
            await store.save_snapshot(Key(TENANT, id_), "summary", 1, Snapshot(1, 0, b"a b"), expect_watermark=0)
        await erase(store, "f", 2)
        assert [await store.load_snapshot(Key(TENANT, id_), "summary", 1) for id_ in ("c1", "f")] == [None, None]
        assert await store.load_snapshot(Key(TENANT, "g"), "summary", 1) == Snapshot(1, 0, b"a b")

    @handles
    async def test_erasing_twice_changes_nothing_more(self, store: Store) -> None:
        await begin(store, "a", "b")
        first = await erase(store, "c1", 1)
        kept = await page(store)
        assert await erase(store, "c1", 1, now=NOW + 9) == first
        assert await page(store) == kept
        assert await erase(store, "c1", 2) == first + 1

    @handles
    async def test_only_a_message_that_is_there_can_be_erased(self, store: Store) -> None:
        await begin(store, "a")
        stone = codec.tombstone((await page(store)).records[0])
        for seq in (0, 2, 99):
            with pytest.raises(MessageNotFound) as error:
                await store.redact(KEY, msgspec.structs.replace(stone, seq=seq), now=NOW)
            assert error.value.seq == seq
        with pytest.raises(ConversationNotFound):
            await store.redact(Key(TENANT, "nowhere"), stone, now=NOW)
        assert await _erased(store, "c1") == []
        assert await _epochs(store, "c1") == [0]

    @handles
    async def test_the_log_goes_on_behind_an_erased_end(self, store: Store) -> None:
        await begin(store, "a", "b")
        await erase(store, "c1", 2)
        await add(store, "c1", "c")
        assert await log(store) == ["a", "b", "c"]
        assert await _erased(store, "c1") == [2]

    @handles
    async def test_what_the_parent_erases_is_gone_from_the_fork(self, store: Store) -> None:
        await begin(store, "a", "b")
        await branch(store, "c1", "f", 2)
        await erase(store, "c1", 1)
        assert await _erased(store, "c1") == await _erased(store, "f") == [1]
        assert await _epochs(store, "c1", "f") == [1, 1]

    @handles
    async def test_what_the_fork_erases_is_gone_from_the_parent(self, store: Store) -> None:
        await begin(store, "a", "b")
        await branch(store, "c1", "f", 2)
        assert await erase(store, "f", 2) == 1
        assert await _erased(store, "c1") == await _erased(store, "f") == [2]
        assert await _epochs(store, "c1", "f") == [1, 1]

    @handles
    async def test_only_those_that_show_the_message_get_a_new_epoch(self, store: Store) -> None:
        await begin(store, "a", "b", "c")
        for fork, at in (("low", 1), ("high", 3)):
            await branch(store, "c1", fork, at)
        await branch(store, "high", "higher", 3)
        await branch(store, "high", "lower", 1)
        await erase(store, "higher", 2)
        assert await _epochs(store, "c1", "low", "high", "higher", "lower") == [1, 0, 1, 1, 0]
        await erase(store, "low", 1)
        assert await _epochs(store, "c1", "low", "high", "higher", "lower") == [2, 1, 2, 2, 1]

    @handles
    async def test_a_forks_own_message_is_erased_there_alone(self, store: Store) -> None:
        await begin(store, "a", "b")
        await branch(store, "c1", "f", 1)
        await add(store, "f", "x")
        await erase(store, "f", 2)
        assert (await _erased(store, "f"), await _erased(store, "c1")) == ([2], [])
        assert await _epochs(store, "c1", "f") == [0, 1]

    @handles
    async def test_a_fork_begins_at_the_epoch_of_its_parent(self, store: Store) -> None:
        await begin(store, "a", "b")
        await erase(store, "c1", 1)
        assert (await branch(store, "c1", "f", 2)).epoch == 1

    @handles
    async def test_a_fork_erases_what_a_deleted_parent_left_it(self, store: Store) -> None:
        await begin(store, "a", "b")
        await branch(store, "c1", "f", 2)
        await branch(store, "c1", "g", 2)
        await store.delete(KEY, now=NOW)
        await erase(store, "f", 1)
        assert await _erased(store, "f") == await _erased(store, "g") == [1]
        assert await _epochs(store, "f", "g") == [1, 1]


class Deleting:
    """`delete`."""

    @handles
    async def test_a_deleted_conversation_answers_no_call(self, store: Store) -> None:
        await begin(store, "a")
        stone = codec.tombstone((await page(store)).records[0])
        await store.delete(KEY, now=NOW)
        snapshot = Snapshot(1, 0, b"x")
        for call in (
            store.get(KEY),
            store.read(KEY, limit=1),
            store.append(KEY, records("late"), now=NOW),
            store.append(KEY, records("a"), now=NOW),
            store.update(KEY, {"title": "t"}, now=NOW),
            store.fork(KEY, header("f", parent="c1")),
            store.redact(KEY, stone, now=NOW),
            store.load_snapshot(KEY, "summary", 1),
            store.save_snapshot(KEY, "summary", 1, snapshot, expect_watermark=0),
            store.verify(KEY),
            store.delete(KEY, now=NOW),
        ):
            with pytest.raises(ConversationDeleted):
                await call

    @handles
    async def test_an_unknown_conversation_cannot_be_deleted(self, store: Store) -> None:
        with pytest.raises(ConversationNotFound):
            await store.delete(KEY, now=NOW)
        await begin(store, "a")
        assert await log(store) == ["a"]

    @handles
    async def test_others_stay_whole(self, store: Store) -> None:
        for n in range(3):
            await begin(store, *(f"m{i}" for i in range(70)), key=Key(TENANT, f"c{n}"))
        await store.delete(Key(TENANT, "c1"), now=NOW)
        await begin(store, *(f"m{i}" for i in range(70)), key=Key(TENANT, "c3"))
        for id_ in ("c0", "c2", "c3"):
            assert await log(store, id_) == [f"m{i}" for i in range(70)]

    @handles
    async def test_a_conversation_that_was_last_to_write_leaves_no_trace_for_the_next(self, store: Store) -> None:
        await begin(store, "a", "b")
        await branch(store, "c1", "f", 1)
        await add(store, "f", "x", "y")
        await store.delete(Key(TENANT, "f"), now=NOW)
        await add(store, "c1", "c", "d")
        await branch(store, "c1", "g", 3)
        await store.delete(KEY, now=NOW)
        await begin(store, "n1", "n2", "n3", key=Key(TENANT, "new"))
        assert await log(store, "g") == ["a", "b", "c"]
        assert await log(store, "new") == ["n1", "n2", "n3"]

    @handles
    async def test_another_handle_sees_the_deletion(self, store: Store, other: Store) -> None:
        await begin(store, "a")
        assert await log(other) == ["a"]
        await store.delete(KEY, now=NOW)
        with pytest.raises(ConversationDeleted):
            await other.append(KEY, [record("late")], now=NOW)


FORK = Key(TENANT, "f")


def _decayed(id: str) -> Record:
    """A record whose body is not what its checksum covers."""
    sound = record(id)
    return replace(sound, body=sound.body.replace(b'"user"', b'"tool"'))


async def _begin(store: Store) -> None:
    """a, b (decayed), c; a fork shows them all."""
    await begin(store, "a")
    await store.append(KEY, [_decayed("b")], now=NOW)
    await store.append(KEY, records("c"), now=NOW)
    await branch(store, "c1", "f", 3)
    await store.append(FORK, records("d"), now=NOW)


_READS: list[Callable[[Store, Key], Awaitable[object]]] = [
    lambda store, key: store.read(key, limit=9),
    lambda store, key: store.read(key, limit=9, newest=True),
    lambda store, key: store.read(key, after=1, before=3, limit=1),
    lambda store, key: store.recent(key, tokens=99, limit=9),
    lambda store, key: store.recent(key, tokens=0, limit=1, pinned=[1, 2]),
]


class Decayed:
    """Records that do not match their checksum."""

    @handles
    async def test_a_decayed_record_never_leaves_the_store(self, store: Store) -> None:
        await _begin(store)
        for key in (KEY, FORK):
            for read in _READS:
                with pytest.raises(CorruptRecord) as error:
                    await read(store, key)
                assert error.value.seq == 2

    @handles
    async def test_the_error_holds_the_record_as_it_was_found(self, store: Store) -> None:
        await _begin(store)
        with pytest.raises(CorruptRecord) as error:
            await store.read(KEY, limit=9)
        assert error.value.record == replace(_decayed("b"), seq=2)

    @handles
    async def test_what_lies_around_a_decayed_record_is_read(self, store: Store) -> None:
        await _begin(store)
        assert [entry.id for entry in (await store.read(KEY, before=2, limit=9)).records] == ["a"]
        assert [entry.id for entry in (await store.read(KEY, after=2, limit=9)).records] == ["c"]
        assert [entry.id for entry in (await store.recent(FORK, tokens=99, limit=2, pinned=[1])).records] == ["c", "d"]
        assert [fault.seq for fault in await store.verify(KEY)] == [2]

    @handles
    async def test_a_decayed_record_can_be_erased_and_is_whole_again(self, store: Store) -> None:
        await _begin(store)
        with pytest.raises(CorruptRecord) as error:
            await store.read(KEY, after=1, limit=1)
        found = error.value.record
        assert isinstance(found, Record)
        assert await store.redact(KEY, codec.tombstone(found), now=NOW) == 1
        assert await store.verify(KEY) == []
        for key, ids in ((KEY, ["a", "b", "c"]), (FORK, ["a", "b", "c", "d"])):
            read = await store.read(key, limit=9)
            assert ([entry.id for entry in read.records], read.header.epoch) == (ids, 1)
            assert codec.decode(read.records[1]).redacted

    @handles
    async def test_an_erased_record_that_decayed_is_erased_once_more(self, store: Store) -> None:
        await begin(store, "a")
        stone = codec.tombstone(replace(record("b"), seq=2))
        await store.append(KEY, [replace(stone, body=b"?")], now=NOW)
        assert await store.redact(KEY, stone, now=NOW) == 1
        assert codec.decode((await store.read(KEY, after=1, limit=1)).records[0]).redacted
        assert await store.redact(KEY, stone, now=NOW) == 1

    @handles
    async def test_a_tombstone_brings_its_own_id_and_time(self, store: Store) -> None:
        await begin(store, "a", "b")
        stone = codec.tombstone(replace(record("b"), id="b2", created_at=5, seq=2))
        await store.redact(KEY, stone, now=NOW)
        assert (await store.read(KEY, after=1, limit=1)).records == [stone]
        assert await store.verify(KEY) == []
        assert (await store.append(KEY, records("b2"), now=NOW)).seqs == (2,)

    @handles
    async def test_a_record_of_a_newer_version_is_kept_as_it_is_and_can_be_erased(self, store: Store) -> None:
        await begin(store, "a")
        newer = replace(record("b"), version=99)
        newer = replace(newer, checksum=codec.checksum(newer))
        await store.append(KEY, [newer], now=NOW)
        [found] = (await store.read(KEY, after=1, limit=1)).records
        assert found == replace(newer, seq=2)
        with pytest.raises(CorruptRecord):
            codec.decode(found)
        await store.redact(KEY, codec.tombstone(found), now=NOW)
        assert codec.decode((await store.read(KEY, after=1, limit=1)).records[0]).redacted
