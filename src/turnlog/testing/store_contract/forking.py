"""A fork shares a log up to a seq without copying it; a conversation tells its history and when it was touched."""

import re
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from turnlog.errors import (
    ConversationDeleted,
    ConversationExists,
    ConversationNotFound,
    HeadMoved,
    KeyReused,
    MessageNotFound,
)
from turnlog.store import Key, Position, Snapshot, Store
from turnlog.stores.append import CLOCK_SKEW_MAX_US
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
    numbered,
    page,
    record,
    records,
)

FORK = Key(TENANT, "f")


class Forking:
    """`fork`."""

    @handles
    async def test_a_fork_shows_the_parents_messages_with_their_seqs_and_ids(self, store: Store) -> None:
        await begin(store, "a", "b", "c")
        fork = await branch(store, "c1", "f", 2)
        assert fork == await store.get(FORK)
        assert (fork.parent, fork.parent_seq, fork.head, fork.revision) == ("c1", 2, 2, 1)
        assert (await page(store, FORK)).records == (await page(store)).records[:2]
        assert await log(store, "f") == ["a", "b"]

    @handles
    async def test_a_fork_keeps_the_header_that_it_was_given(self, store: Store) -> None:
        await store.create(TENANT, header(user_id="ann", title="T", tags=("x",)), records("a"))
        given = header(
            "f", at=NOW + 3, user_id="bob", title="F", tags=("y",), metadata={"k": 1}, parent="c1", parent_seq=1, head=1
        )
        assert replace(await store.fork(KEY, given), incarnation="") == replace(given, tokens=1)

    @handles
    async def test_parent_and_fork_grow_apart(self, store: Store) -> None:
        await begin(store, "a", "b")
        await branch(store, "c1", "f", 1)
        await add(store, "f", "f2", "f3")
        await add(store, "c1", "c3")
        assert await log(store, "c1") == ["a", "b", "c3"]
        assert await log(store, "f") == ["a", "f2", "f3"]

    @handles
    async def test_a_fork_at_zero_shares_nothing(self, store: Store) -> None:
        await begin(store, "a")
        fork = await branch(store, "c1", "f", 0)
        assert (fork.parent, fork.parent_seq, fork.head) == ("c1", 0, 0)
        await store.append(FORK, [record("other words", id="a")], now=NOW)
        assert await log(store, "f") == ["a"]

    @handles
    async def test_a_fork_beyond_the_parents_head_is_refused(self, store: Store) -> None:
        await begin(store, "a")
        with pytest.raises(MessageNotFound) as error:
            await branch(store, "c1", "f", 2)
        assert (error.value.conversation_id, error.value.seq) == ("c1", 2)
        with pytest.raises(ConversationNotFound):
            await store.get(FORK)

    @handles
    async def test_a_fork_needs_a_living_parent_and_a_free_id(self, store: Store) -> None:
        await begin(store, "a")
        await begin(store, "b", key=Key(TENANT, "dead"))
        await store.delete(Key(TENANT, "dead"), now=NOW)
        for parent, fork, error in (
            ("nowhere", "f", ConversationNotFound),
            ("dead", "f", ConversationDeleted),
            ("c1", "c1", ConversationExists),
            ("c1", "dead", ConversationDeleted),
        ):
            with pytest.raises(error):
                await branch(store, parent, fork, 0)
        assert await log(store) == ["a"]

    @handles
    async def test_ids_of_the_shared_part_are_known_to_the_fork(self, store: Store) -> None:
        await begin(store, "a", "b", "c")
        await branch(store, "c1", "f", 2)
        replay = await store.append(FORK, records("a", "b"), now=NOW, expect_head=0)
        assert (replay.seqs, replay.stored) == ((1, 2), 0)
        with pytest.raises(KeyReused):
            await store.append(FORK, [record("other words", id="b")], now=NOW)
        assert await log(store, "f") == ["a", "b"]

    @handles
    async def test_ids_of_the_shared_part_stay_known_while_the_fork_grows(self, store: Store) -> None:
        await begin(store, "a", "b")
        await branch(store, "c1", "f", 2)
        for n in range(3, 6):
            assert (await store.append(FORK, records(f"f{n}"), now=NOW)).seqs == (n,)
            assert (await store.append(FORK, records("a", "b"), now=NOW)).seqs == (1, 2)
        assert await log(store, "f") == ["a", "b", "f3", "f4", "f5"]

    @handles
    async def test_ids_of_the_parents_later_part_are_new_to_the_fork(self, store: Store) -> None:
        await begin(store, "a", "b", "c")
        await branch(store, "c1", "f", 2)
        added = await store.append(FORK, [record("d"), record("other words", id="c")], now=NOW)
        assert (added.seqs, added.stored) == ((3, 4), 2)
        assert await log(store, "f") == ["a", "b", "d", "c"]
        assert await log(store, "c1") == ["a", "b", "c"]

    @handles
    async def test_ids_of_the_fork_are_new_to_the_parent(self, store: Store) -> None:
        await begin(store, "a")
        await branch(store, "c1", "f", 1)
        await add(store, "f", "x")
        assert (await store.append(KEY, [record("other words", id="x")], now=NOW)).seqs == (2,)

    @handles
    async def test_a_conditional_append_counts_the_shared_part(self, store: Store) -> None:
        await begin(store, "a", "b")
        await branch(store, "c1", "f", 2)
        with pytest.raises(HeadMoved) as error:
            await store.append(FORK, records("x"), now=NOW, expect_head=0)
        assert error.value.actual == 2
        assert (await store.append(FORK, records("x"), now=NOW, expect_head=2)).seqs == (3,)

    @handles
    async def test_a_fork_of_a_fork_reads_through_both(self, store: Store) -> None:
        await begin(store, "a", "b", "c")
        await branch(store, "c1", "f", 2)
        await add(store, "f", "f3", "f4")
        await branch(store, "f", "g", 3)
        await add(store, "g", "g4")
        await branch(store, "g", "h", 1)
        assert await log(store, "g") == ["a", "b", "f3", "g4"]
        assert await log(store, "h") == ["a"]
        assert (await store.append(Key(TENANT, "g"), records("a", "f3"), now=NOW)).seqs == (1, 3)
        assert (await store.append(Key(TENANT, "h"), records("f3"), now=NOW)).seqs == (2,)

    @handles
    async def test_a_long_fork_is_read_from_any_seq(self, store: Store) -> None:
        await store.create(TENANT, header(), numbered(1, 150))
        await branch(store, "c1", "f", 100)
        await store.append(FORK, [record(f"f{n}") for n in range(101, 251)], now=NOW)
        expected = [f"m{n}" for n in range(1, 101)] + [f"f{n}" for n in range(101, 251)]
        assert await log(store, "f") == expected
        for after in (0, 60, 63, 64, 95, 99, 100, 101, 127, 128, 240, 249):
            found = await store.read(FORK, after=after, limit=8)
            assert [entry.id for entry in found.records] == expected[after : after + 8]
            back = await store.read(FORK, before=after + 1, limit=8, newest=True)
            assert [entry.id for entry in back.records] == expected[max(0, after - 8) : after]

    @handles
    async def test_many_forks_of_forks_still_read(self, store: Store) -> None:
        await begin(store, "m1")
        for depth in range(1, 33):
            parent = "c1" if depth == 1 else f"f{depth - 1}"
            await branch(store, parent, f"f{depth}", depth)
            await add(store, f"f{depth}", f"m{depth + 1}")
        assert await log(store, "f32") == [f"m{n}" for n in range(1, 34)]

    @handles
    async def test_a_fork_outlives_its_parent(self, store: Store) -> None:
        await begin(store, "a", "b", "c")
        await branch(store, "c1", "f", 2)
        await add(store, "f", "f3")
        await store.delete(KEY, now=NOW)
        assert await log(store, "f") == ["a", "b", "f3"]
        assert (await store.append(FORK, records("a", "f4"), now=NOW)).seqs == (1, 4)
        with pytest.raises(ConversationDeleted):
            await store.get(KEY)

    @handles
    async def test_a_grandchild_outlives_parent_and_child_in_any_order(self, store: Store) -> None:
        for first in ("top", "middle"):
            top, middle, leaf = f"t-{first}", f"m-{first}", f"l-{first}"
            await begin(store, "a", "b", "c", key=Key(TENANT, top))
            await branch(store, top, middle, 2)
            await add(store, middle, "m3", "m4")
            await branch(store, middle, leaf, 3)
            await add(store, leaf, "l4")
            for victim in (top, middle) if first == "top" else (middle, top):
                await store.delete(Key(TENANT, victim), now=NOW)
                assert await log(store, leaf) == ["a", "b", "m3", "l4"]
            await store.delete(Key(TENANT, leaf), now=NOW)

    @handles
    async def test_forks_at_several_places_keep_what_each_shows(self, store: Store) -> None:
        await begin(store, "a", "b", "c", "d")
        await branch(store, "c1", "f1", 1)
        await branch(store, "c1", "f3", 3)
        await store.delete(KEY, now=NOW)
        assert (await log(store, "f1"), await log(store, "f3")) == (["a"], ["a", "b", "c"])
        await store.delete(Key(TENANT, "f3"), now=NOW)
        assert await log(store, "f1") == ["a"]
        await add(store, "f1", "x")
        assert await log(store, "f1") == ["a", "x"]

    @handles
    async def test_a_deleted_fork_leaves_its_parent_alone(self, store: Store) -> None:
        await begin(store, "a", "b")
        await branch(store, "c1", "f", 2)
        await add(store, "f", "x")
        await store.delete(FORK, now=NOW)
        assert await log(store) == ["a", "b"]
        assert (await store.append(KEY, records("a", "x"), now=NOW)).seqs == (1, 3)


_FAR = 4_102_444_800_000_000
"""The year 2100."""


class Histories:
    """`incarnation`, `updated_at` and `move_epoch`."""

    @handles
    async def test_a_history_has_one_name_for_every_handle(self, store: Store, other: Store) -> None:
        await begin(store, "a")
        name = (await store.get(KEY)).incarnation
        assert re.fullmatch("[0-9a-f]{16}", name)
        await add(store, "c1", "b")
        await other.update(KEY, {"title": "t"}, now=NOW)
        await erase(other, "c1", 1)
        assert [(await each.get(KEY)).incarnation for each in (store, other)] == [name, name]
        assert (await store.read(KEY, limit=1)).header.incarnation == name
        assert (await store.recent(KEY, tokens=1, limit=1)).header.incarnation == name
        assert [each.incarnation for each in await other.list_headers(TENANT, limit=9)] == [name]

    @handles
    async def test_each_conversation_and_each_fork_has_a_name_of_its_own(self, store: Store) -> None:
        await begin(store, "a")
        await begin(store, "a", key=Key(TENANT, "c2"))
        fork = await branch(store, "c1", "f", 1)
        names = [(await store.get(Key(TENANT, id_))).incarnation for id_ in ("c1", "c2", "f")]
        assert len(set(names)) == 3
        assert fork.incarnation == names[2]

    @handles
    async def test_nobody_chooses_the_name_of_a_history(self, store: Store) -> None:
        await store.create(TENANT, header(incarnation="0123456789abcdef"))
        assert (await store.get(KEY)).incarnation != "0123456789abcdef"

    @handles
    async def test_a_wrong_clock_does_not_keep_a_conversation_on_top(self, store: Store) -> None:
        await begin(store, "a")
        await begin(store, "a", key=Key(TENANT, "c2"))
        await store.append(KEY, records("far"), now=_FAR)
        assert [each.id for each in await store.list_headers(TENANT, limit=9)] == ["c1", "c2"]
        await store.append(KEY, records("b"), now=NOW + 1)
        await store.append(Key(TENANT, "c2"), records("b"), now=NOW + 2)
        assert [(each.id, each.updated_at) for each in await store.list_headers(TENANT, limit=9)] == [
            ("c2", NOW + 2),
            ("c1", NOW + 1),
        ]
        assert [each.id for each in await store.list_headers(TENANT, updated_since=NOW + 2, limit=9)] == ["c2"]
        after = Position(NOW + 2, "c2")
        assert [each.id for each in await store.list_headers(TENANT, after=after, limit=9)] == ["c1"]

    @handles
    async def test_every_change_brings_a_conversation_back_from_the_future(self, store: Store) -> None:
        changes: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: store.update(KEY, {"title": "t"}, now=NOW),
            lambda: erase(store, "c1", 1),
            lambda: store.move_epoch(KEY, now=NOW),
            lambda: store.append(KEY, records("b", "c"), now=NOW),
        )
        await begin(store, "a")
        for n, change in enumerate(changes):
            await store.append(KEY, records(f"far{n}"), now=_FAR)
            assert (await store.get(KEY)).updated_at == _FAR
            await change()
            assert (await store.get(KEY)).updated_at == NOW

    @handles
    async def test_a_clock_that_is_a_little_off_changes_nothing(self, store: Store) -> None:
        await begin(store, "a")
        await store.append(KEY, records("ahead"), now=NOW + CLOCK_SKEW_MAX_US)
        await store.append(KEY, records("b"), now=NOW)
        assert (await store.get(KEY)).updated_at == NOW + CLOCK_SKEW_MAX_US

    @handles
    async def test_a_new_epoch_drops_what_was_derived_and_leaves_the_log(self, store: Store) -> None:
        await begin(store, "a", "b")
        await branch(store, "c1", "f", 2)
        fork = Key(TENANT, "f")
        for key in (KEY, fork):
            await store.save_snapshot(key, "summary", 1, Snapshot(2, 0, b"s"), expect_watermark=0)
        assert await store.move_epoch(KEY, now=NOW + 5) == 1
        found = await store.get(KEY)
        assert (found.epoch, found.head, found.updated_at, found.revision) == (1, 2, NOW + 5, 1)
        assert await store.load_snapshot(KEY, "summary", 1) is None
        assert await store.load_snapshot(fork, "summary", 1) == Snapshot(2, 0, b"s")
        assert (await store.get(fork)).epoch == 0
        assert [(stale.conversation_id, stale.epoch) for stale in await store.stale(TENANT, "summary", 1, limit=9)] == [
            ("c1", 1)
        ]
        assert await store.move_epoch(KEY, now=NOW) == 2
