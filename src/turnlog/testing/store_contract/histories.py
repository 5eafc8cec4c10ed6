"""A conversation tells which history it is of, and when it was touched, whatever clocks say."""

import re
from collections.abc import Awaitable, Callable

from turnlog.store import Key, Position, Snapshot, Store
from turnlog.stores.append import CLOCK_SKEW_MAX_US
from turnlog.testing.store_contract.stage import KEY, NOW, TENANT, add, begin, branch, erase, handles, header, records

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
