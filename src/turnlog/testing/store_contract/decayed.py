"""Bytes that decayed never leave a store, and can be erased."""

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from turnlog import codec
from turnlog.codec import Record
from turnlog.errors import CorruptRecord
from turnlog.store import Key, Store
from turnlog.testing.store_contract.stage import KEY, NOW, TENANT, begin, branch, handles, record, records

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
