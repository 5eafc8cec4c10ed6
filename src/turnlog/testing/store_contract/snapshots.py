"""A fold saves its state only over what it has read, and only while nothing was erased meanwhile."""

import pytest

from turnlog.errors import ConversationNotFound, SnapshotMoved
from turnlog.store import Key, Snapshot, Stale, Store
from turnlog.testing.store_contract.stage import KEY, NOW, TENANT, add, begin, branch, erase, handles, header, records

FOLD = ("summary", 1)


class Snapshots:
    """`load_snapshot`, `save_snapshot` and `stale`."""

    @handles
    async def test_a_state_comes_back_as_it_was_saved(self, store: Store) -> None:
        await begin(store, "a", "b")
        assert await store.load_snapshot(KEY, *FOLD) is None
        saved = Snapshot(2, 0, bytes(range(256)))
        await store.save_snapshot(KEY, *FOLD, saved, expect_watermark=0)
        assert await store.load_snapshot(KEY, *FOLD) == saved

    @handles
    async def test_a_save_names_the_watermark_that_it_goes_on_from(self, store: Store) -> None:
        await begin(store, "a", "b", "c")
        await store.save_snapshot(KEY, *FOLD, Snapshot(2, 0, b"two"), expect_watermark=0)
        for expected in (0, 1, 3):
            with pytest.raises(SnapshotMoved) as error:
                await store.save_snapshot(KEY, *FOLD, Snapshot(3, 0, b"no"), expect_watermark=expected)
            assert (error.value.watermark, error.value.epoch) == (2, 0)
        assert await store.load_snapshot(KEY, *FOLD) == Snapshot(2, 0, b"two")
        await store.save_snapshot(KEY, *FOLD, Snapshot(3, 0, b"three"), expect_watermark=2)
        assert await store.load_snapshot(KEY, *FOLD) == Snapshot(3, 0, b"three")

    @handles
    async def test_a_first_save_expects_nothing_there(self, store: Store) -> None:
        await begin(store, "a")
        with pytest.raises(SnapshotMoved):
            await store.save_snapshot(KEY, *FOLD, Snapshot(1, 0, b"x"), expect_watermark=1)
        assert await store.load_snapshot(KEY, *FOLD) is None

    @handles
    async def test_each_version_of_each_fold_has_a_state_of_its_own(self, store: Store) -> None:
        await begin(store, "a")
        folds = [("summary", 1), ("summary", 2), ("facts", 1)]
        for name, version in folds:
            await store.save_snapshot(KEY, name, version, Snapshot(1, 0, f"{name}{version}".encode()), expect_watermark=0)
        for name, version in folds:
            assert await store.load_snapshot(KEY, name, version) == Snapshot(1, 0, f"{name}{version}".encode())

    @handles
    async def test_a_fold_that_read_before_an_erasure_cannot_save(self, store: Store) -> None:
        await begin(store, "secret", "b")
        await erase(store, "c1", 1)
        with pytest.raises(SnapshotMoved) as error:
            await store.save_snapshot(KEY, *FOLD, Snapshot(2, 0, b"secret"), expect_watermark=0)
        assert error.value.epoch == 1
        assert await store.load_snapshot(KEY, *FOLD) is None

    @handles
    async def test_a_state_from_before_an_erasure_counts_as_none(self, store: Store) -> None:
        await begin(store, "secret", "b")
        await store.save_snapshot(KEY, *FOLD, Snapshot(2, 0, b"secret"), expect_watermark=0)
        await erase(store, "c1", 1)
        kept = await store.load_snapshot(KEY, *FOLD)
        assert kept is None or kept.epoch == 0
        assert await store.stale(TENANT, *FOLD, limit=9) == [Stale("c1", 2, 0, 1)]
        await store.save_snapshot(KEY, *FOLD, Snapshot(2, 1, b"clean"), expect_watermark=0)
        assert await store.load_snapshot(KEY, *FOLD) == Snapshot(2, 1, b"clean")

    @handles
    async def test_an_erasure_in_the_parent_takes_the_forks_state_too(self, store: Store) -> None:
        await begin(store, "secret", "b")
        await branch(store, "c1", "f", 2)
        fork = Key(TENANT, "f")
        await store.save_snapshot(fork, *FOLD, Snapshot(2, 0, b"secret"), expect_watermark=0)
        await erase(store, "c1", 1)
        with pytest.raises(SnapshotMoved):
            await store.save_snapshot(fork, *FOLD, Snapshot(2, 0, b"secret"), expect_watermark=2)
        await store.save_snapshot(fork, *FOLD, Snapshot(2, 1, b"clean"), expect_watermark=0)

    @handles
    async def test_a_fork_begins_without_a_state(self, store: Store) -> None:
        await begin(store, "a")
        await store.save_snapshot(KEY, *FOLD, Snapshot(1, 0, b"x"), expect_watermark=0)
        await branch(store, "c1", "f", 1)
        assert await store.load_snapshot(Key(TENANT, "f"), *FOLD) is None

    @handles
    async def test_an_unknown_conversation_has_no_state(self, store: Store) -> None:
        with pytest.raises(ConversationNotFound):
            await store.load_snapshot(KEY, *FOLD)
        with pytest.raises(ConversationNotFound):
            await store.save_snapshot(KEY, *FOLD, Snapshot(0, 0, b""), expect_watermark=0)

    @handles
    async def test_stale_are_those_with_messages_that_the_fold_has_not_seen(self, store: Store) -> None:
        for n, id_ in enumerate(("seen", "behind", "new", "empty", "gone")):
            await store.create(TENANT, header(id_, at=NOW + n), records("a", "b") if id_ != "empty" else ())
        await store.save_snapshot(Key(TENANT, "seen"), *FOLD, Snapshot(2, 0, b""), expect_watermark=0)
        await store.save_snapshot(Key(TENANT, "behind"), *FOLD, Snapshot(1, 0, b""), expect_watermark=0)
        await store.delete(Key(TENANT, "gone"), now=NOW)
        assert await store.stale(TENANT, *FOLD, limit=9) == [Stale("behind", 2, 1, 0), Stale("new", 2, 0, 0)]
        await add(store, "seen", "c")
        found = await store.stale(TENANT, *FOLD, limit=9)
        assert Stale("seen", 3, 2, 0) in found

    @handles
    async def test_the_longest_untouched_is_stale_first(self, store: Store) -> None:
        for id_, at in (("b", 2), ("a", 3), ("c", 1)):
            await store.create(TENANT, header(id_, at=NOW + at), records("x"))
        assert [found.conversation_id for found in await store.stale(TENANT, *FOLD, limit=9)] == ["c", "b", "a"]
        assert [found.conversation_id for found in await store.stale(TENANT, *FOLD, limit=2)] == ["c", "b"]

    @handles
    async def test_whoever_was_touched_since_a_time_is_among_the_stale_since_then(self, store: Store) -> None:
        hour = 3600 * 1_000_000
        for hours, id_ in enumerate(("old", "older-but-touched", "new", "newest", "seen")):
            await store.create(TENANT, header(id_, at=NOW + hours * hour), records("a"))
        await store.save_snapshot(Key(TENANT, "seen"), *FOLD, Snapshot(1, 0, b""), expect_watermark=0)
        await store.append(Key(TENANT, "older-but-touched"), records("b"), now=NOW + 9 * hour)
        for since, expected in (
            (0, ["old", "new", "newest", "older-but-touched"]),
            (NOW + 2 * hour, ["new", "newest", "older-but-touched"]),
            (NOW + 2 * hour + 1, ["newest", "older-but-touched"]),
            (NOW + 9 * hour, ["older-but-touched"]),
            (NOW + 9 * hour + 1, []),
        ):
            found = [stale.conversation_id for stale in await store.stale(TENANT, *FOLD, limit=9, since=since)]
            assert found[len(found) - len(expected) :] == expected
            assert set(found) <= {"old", "new", "newest", "older-but-touched"}

    @handles
    async def test_an_erasure_is_a_touch(self, store: Store) -> None:
        await begin(store, "a", "b")
        await store.save_snapshot(KEY, *FOLD, Snapshot(2, 0, b""), expect_watermark=0)
        await erase(store, "c1", 1, now=NOW + 5)
        assert await store.stale(TENANT, *FOLD, limit=9, since=NOW + 5) == [Stale("c1", 2, 0, 1)]

    @handles
    async def test_a_new_version_of_a_fold_finds_everything_stale(self, store: Store) -> None:
        await begin(store, "a")
        await store.save_snapshot(KEY, *FOLD, Snapshot(1, 0, b""), expect_watermark=0)
        assert await store.stale(TENANT, *FOLD, limit=9) == []
        assert await store.stale(TENANT, "summary", 2, limit=9) == [Stale("c1", 1, 0, 0)]

    @handles
    async def test_what_old_versions_saved_is_dropped(self, store: Store) -> None:
        await begin(store, "a")
        for name, version in (("facts", 1), ("facts", 2), ("facts", 3), ("summary", 1), ("fact", 1)):
            await store.save_snapshot(KEY, name, version, Snapshot(1, 0, b"s"), expect_watermark=0)
        await store.drop_snapshots(KEY, "facts", below=3)
        kept = [("facts", 3), ("summary", 1), ("fact", 1)]
        assert [await store.load_snapshot(KEY, *fold) is None for fold in [("facts", 1), ("facts", 2), *kept]] == [
            True,
            True,
            False,
            False,
            False,
        ]
        await store.drop_snapshots(KEY, "facts", below=3)
        with pytest.raises(ConversationNotFound):
            await store.drop_snapshots(Key(TENANT, "nobody"), "facts", below=3)
