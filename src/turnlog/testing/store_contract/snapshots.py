"""A fold saves its state only over what it has read; `recent` reads the end of a log and these states at once."""

import pytest

from turnlog.errors import ConversationDeleted, ConversationNotFound, SnapshotMoved
from turnlog.store import Key, Recent, Snapshot, Stale, Store
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
    record,
    records,
)

CONTEXT = ("context", 1)
SUMMARY = ("summary", 3)


def _seqs(found: Recent) -> tuple[list[int], list[int]]:
    return [one.seq for one in found.records], [one.seq for one in found.pinned]


async def _ten(store: Store) -> None:
    """Messages m1 to m10, each of as many tokens as its number."""
    await store.create(TENANT, header(), [record(f"m{n}", tokens=n) for n in range(1, 11)])


class Ending:
    """`recent`."""

    @pytest.mark.parametrize(
        ("tokens", "limit", "expected"),
        [
            (0, 99, [10]),
            (9, 99, [10]),
            (10, 99, [9, 10]),
            (18, 99, [9, 10]),
            (19, 99, [8, 9, 10]),
            (54, 99, list(range(1, 11))),
            (10**9, 99, list(range(1, 11))),
            (10**9, 3, [8, 9, 10]),
            (10**9, 10, list(range(1, 11))),
        ],
    )
    def test_the_first_record_that_costs_too_much_is_the_last_one_read(self, factory, tokens, limit, expected) -> None:  # type: ignore[no-untyped-def]
        @handles
        async def check(self: object, store: Store) -> None:
            await _ten(store)
            found = await store.recent(KEY, tokens=tokens, limit=limit)
            assert _seqs(found) == (expected, [])
            assert [one.id for one in found.records] == [f"m{n}" for n in expected]
            assert found.header == await store.get(KEY)
            assert found.snapshots == ()

        check(self, factory)

    @handles
    async def test_records_are_whole(self, store: Store) -> None:
        await _ten(store)
        found = await store.recent(KEY, tokens=10, limit=9, pinned=[3])
        page = await store.read(KEY, limit=20)
        assert found.records == page.records[8:]
        assert found.pinned == page.records[2:3]

    @handles
    async def test_an_empty_log_has_no_recent_records(self, store: Store) -> None:
        await begin(store)
        found = await store.recent(KEY, tokens=100, limit=10, pinned=[1, 2], folds=[CONTEXT])
        assert _seqs(found) == ([], [])
        assert found.snapshots == (None,)

    @handles
    async def test_pinned_records_come_from_before_the_newest_alone_once_and_in_order(self, store: Store) -> None:
        await _ten(store)
        found = await store.recent(KEY, tokens=19, limit=99, pinned=[7, 1, 9, 7, 10, 11, 99])
        assert _seqs(found) == ([8, 9, 10], [1, 7])

    @handles
    async def test_what_lies_before_the_watermark_of_the_first_fold_is_not_read(self, store: Store) -> None:
        await _ten(store)
        states = {CONTEXT: Snapshot(7, 0, bytes(range(256))), SUMMARY: Snapshot(9, 0, b"sum")}
        for fold, snapshot in states.items():
            await store.save_snapshot(KEY, *fold, snapshot, expect_watermark=0)
        found = await store.recent(KEY, tokens=10**6, limit=99, pinned=[2], folds=[CONTEXT, ("none", 1), SUMMARY])
        assert _seqs(found) == ([8, 9, 10], [2])
        assert found.snapshots == (states[CONTEXT], None, states[SUMMARY])
        assert _seqs(await store.recent(KEY, tokens=10, limit=99, folds=[CONTEXT]))[0] == [9, 10]
        assert _seqs(await store.recent(KEY, tokens=10**6, limit=99, folds=[("none", 1), CONTEXT]))[0] == list(range(1, 11))
        assert _seqs(await store.recent(KEY, tokens=10**6, limit=99, folds=[SUMMARY]))[0] == [10]

    @handles
    async def test_a_watermark_at_the_head_leaves_nothing_to_read(self, store: Store) -> None:
        await begin(store, "a", "b")
        await store.save_snapshot(KEY, *CONTEXT, Snapshot(2, 0, b""), expect_watermark=0)
        assert _seqs(await store.recent(KEY, tokens=100, limit=10, pinned=[1], folds=[CONTEXT])) == ([], [1])

    @handles
    async def test_after_an_erasure_no_old_watermark_counts(self, store: Store) -> None:
        await _ten(store)
        await store.save_snapshot(KEY, *CONTEXT, Snapshot(9, 0, b"old"), expect_watermark=0)
        await erase(store, "c1", 4)
        found = await store.recent(KEY, tokens=10**6, limit=99, folds=[CONTEXT])
        assert _seqs(found) == (list(range(1, 11)), [])
        assert found.snapshots == (None,)

    @handles
    async def test_a_fork_reads_on_in_its_parents(self, store: Store) -> None:
        await _ten(store)
        await branch(store, "c1", "c2", 6)
        await add(store, "c2", "x", "y")
        await branch(store, "c2", "c3", 7)
        await add(store, "c3", "z")
        key = Key(TENANT, "c3")
        found = await store.recent(key, tokens=12, limit=99, pinned=[1, 3])
        assert [one.id for one in found.records] == ["m5", "m6", "x", "z"]
        assert [one.id for one in found.pinned] == ["m1", "m3"]
        assert [one.id for one in (await store.recent(key, tokens=99, limit=3)).records] == ["m6", "x", "z"]
        assert [one.id for one in (await store.recent(key, tokens=99, limit=99)).records] == [
            *(f"m{n}" for n in range(1, 7)), "x", "z"
        ]  # fmt: skip

    @handles
    async def test_a_conversation_that_is_not_there_is_told_apart_from_a_deleted_one(self, store: Store) -> None:
        with pytest.raises(ConversationNotFound):
            await store.recent(KEY, tokens=1, limit=1)
        await begin(store, "a")
        await store.delete(KEY, now=NOW)
        with pytest.raises(ConversationDeleted):
            await store.recent(KEY, tokens=1, limit=1)


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
