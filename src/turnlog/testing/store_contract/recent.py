"""The end of a log is read as far as a context needs it, with what folds know, in one go."""

import pytest

from turnlog.errors import ConversationDeleted, ConversationNotFound
from turnlog.store import Key, Recent, Snapshot, Store
from turnlog.testing.store_contract.stage import KEY, NOW, TENANT, add, begin, branch, erase, handles, header, record

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
