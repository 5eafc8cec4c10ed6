"""Conversations begin, change and are listed; a tenant sees nothing of another (law 6)."""

from typing import Any

import pytest
from msgspec.structs import replace

from turnlog.errors import (
    ConversationDeleted,
    ConversationExists,
    ConversationNotFound,
    HeadMoved,
    KeyReused,
    RevisionMoved,
)
from turnlog.store import Header, Key, Position, Snapshot, Store
from turnlog.testing.store_contract.stage import KEY, NOW, TENANT, begin, handles, header, log, page, record, records, said

METADATA: dict[str, Any] = {
    "ключ": "値 \U0001f600 \u2028 '\"",
    "n": -(2**63),
    "m": 2**63 - 1,
    "x": [1.5, None, True, {"": []}],
}


class Creating:
    """`create`."""

    @handles
    async def test_a_header_comes_back_as_it_was_given(self, store: Store) -> None:
        given = header(user_id="ann 'ß'", title="T %_\\ 😀", tags=("b", "a", "ü"), metadata=METADATA)
        await store.create(TENANT, given)
        assert replace(await store.get(KEY), incarnation="") == given

    @handles
    async def test_a_conversation_begins_with_its_first_messages(self, store: Store) -> None:
        created = await store.create(TENANT, header(), records("a", "b"))
        assert created is not None
        assert (created.seqs, created.stored) == ((1, 2), 2)
        assert (await store.get(KEY)).head == 2
        assert await log(store) == ["a", "b"]

    @handles
    async def test_a_conversation_may_begin_empty(self, store: Store) -> None:
        assert await store.create(TENANT, header()) is None
        assert await log(store) == []

    @handles
    async def test_an_id_in_use_is_refused_and_changes_nothing(self, store: Store) -> None:
        await begin(store, "a")
        with pytest.raises(ConversationExists) as error:
            await store.create(TENANT, header(title="second"), records("b"))
        assert error.value.conversation_id == "c1"
        assert (await store.get(KEY)).title is None
        assert await log(store) == ["a"]

    @handles
    async def test_bad_first_messages_leave_no_conversation(self, store: Store) -> None:
        with pytest.raises(KeyReused):
            await store.create(TENANT, header(), [record("one", id="x"), record("two", id="x")])
        with pytest.raises(ConversationNotFound):
            await store.get(KEY)
        await begin(store, "a")
        assert await log(store) == ["a"]

    @handles
    async def test_a_deleted_id_stays_dead(self, store: Store) -> None:
        await begin(store, "a")
        await store.delete(KEY, now=NOW)
        with pytest.raises(ConversationDeleted) as error:
            await store.create(TENANT, header())
        assert error.value.conversation_id == "c1"


class Updating:
    """`update`."""

    @handles
    async def test_a_change_takes_and_the_revision_grows_by_one(self, store: Store) -> None:
        await store.create(TENANT, header(user_id="ann", title="old", tags=("x",)), records("a"))
        changes = {"title": "new", "tags": ("y", "z"), "metadata": METADATA, "archived": True}
        changed = await store.update(KEY, changes, now=NOW + 5)
        expected = Header(
            "c1", NOW, NOW + 5, "ann", "new", ("y", "z"), METADATA, head=1, revision=2, archived=True, tokens=1
        )
        assert changed == await store.get(KEY)
        assert replace(changed, incarnation="") == expected

    @handles
    async def test_a_change_by_a_clock_that_went_back_leaves_updated_at(self, store: Store) -> None:
        await begin(store)
        assert (await store.update(KEY, {"title": "t"}, now=NOW - 5)).updated_at == NOW

    @handles
    async def test_what_is_not_named_stays(self, store: Store) -> None:
        await store.create(TENANT, header(title="t", tags=("x",), metadata={"k": 1}))
        changed = await store.update(KEY, {"archived": True}, now=NOW)
        assert (changed.title, changed.tags, changed.metadata, changed.archived) == ("t", ("x",), {"k": 1}, True)

    @handles
    async def test_a_value_can_be_taken_back(self, store: Store) -> None:
        await store.create(TENANT, header(title="t", tags=("x",), metadata={"k": 1}, archived=True))
        changes: dict[str, Any] = {"title": None, "tags": (), "metadata": {}, "archived": False}
        changed = await store.update(KEY, changes, now=NOW)
        assert (changed.title, changed.tags, changed.metadata, changed.archived) == (None, (), {}, False)

    @handles
    async def test_a_wrong_revision_is_told_and_changes_nothing(self, store: Store) -> None:
        await begin(store)
        await store.update(KEY, {"title": "first"}, now=NOW, expect_revision=1)
        with pytest.raises(RevisionMoved) as error:
            await store.update(KEY, {"title": "second"}, now=NOW + 5, expect_revision=1)
        assert (error.value.expected, error.value.actual) == (1, 2)
        kept = await store.get(KEY)
        assert (kept.title, kept.revision, kept.updated_at) == ("first", 2, NOW)

    @handles
    async def test_a_wrong_head_is_told_and_changes_nothing(self, store: Store) -> None:
        await begin(store, "a", "b")
        with pytest.raises(HeadMoved) as error:
            await store.update(KEY, {"title": "t"}, now=NOW, expect_head=1)
        assert (error.value.expected, error.value.actual) == (1, 2)
        assert (await store.get(KEY)).title is None
        assert (await store.update(KEY, {"title": "t"}, now=NOW, expect_head=2)).title == "t"

    @handles
    async def test_an_unknown_conversation_cannot_be_changed(self, store: Store) -> None:
        with pytest.raises(ConversationNotFound):
            await store.update(KEY, {"title": "t"}, now=NOW)


async def _ids(store: Store, limit: int = 100, **query: Any) -> list[str]:
    return [found.id for found in await store.list_headers(TENANT, limit=limit, **query)]


class Listing:
    """`list_headers`."""

    @handles
    async def test_the_latest_comes_first_and_ids_settle_ties(self, store: Store) -> None:
        for id_, at in (("b", 1), ("a", 1), ("old", 0), ("new", 9), ("c", 1)):
            await store.create(TENANT, header(id_, at=NOW + at))
        assert await _ids(store) == ["new", "c", "b", "a", "old"]

    @handles
    async def test_an_append_and_an_update_bring_a_conversation_to_the_front(self, store: Store) -> None:
        for id_ in ("a", "b", "c"):
            await store.create(TENANT, header(id_))
        await store.append(Key(TENANT, "a"), records("x"), now=NOW + 1)
        await store.update(Key(TENANT, "b"), {"title": "t"}, now=NOW + 2)
        assert await _ids(store) == ["b", "a", "c"]

    @handles
    async def test_each_filter_keeps_what_matches(self, store: Store) -> None:
        await store.create(TENANT, header("a", at=NOW + 1, user_id="ann", tags=("x", "y")))
        await store.create(TENANT, header("b", at=NOW + 2, user_id="ann", tags=("y",), archived=True))
        await store.create(TENANT, header("c", at=NOW + 3, user_id="bob", tags=("x",)))
        await store.create(TENANT, header("d", at=NOW + 4))
        assert await _ids(store, user_id="ann") == ["b", "a"]
        assert await _ids(store, tag="x") == ["c", "a"]
        assert await _ids(store, archived=True) == ["b"]
        assert await _ids(store, archived=False) == ["d", "c", "a"]
        assert await _ids(store, updated_since=NOW + 3) == ["d", "c"]
        assert await _ids(store, user_id="ann", tag="y", archived=False, updated_since=NOW) == ["a"]
        assert await _ids(store, user_id="nobody") == await _ids(store, tag="none") == []

    @handles
    async def test_a_filter_takes_a_name_for_what_it_is(self, store: Store) -> None:
        await store.create(TENANT, header("a", user_id="ann", tags=("tag",)))
        for name in ("%", "ann%", "_nn", "ANN", "ann' OR '1'='1", "an", "annn", "*", "tag%", "ta", "t_g"):
            assert await _ids(store, user_id=name) == await _ids(store, tag=name) == []

    @handles
    async def test_changed_tags_are_found_by_their_new_names(self, store: Store) -> None:
        await store.create(TENANT, header("a", tags=("x", "y")))
        await store.update(Key(TENANT, "a"), {"tags": ("y", "z")}, now=NOW)
        assert (await _ids(store, tag="x"), await _ids(store, tag="y"), await _ids(store, tag="z")) == ([], ["a"], ["a"])

    @handles
    async def test_pages_join_without_a_gap_or_a_repeat(self, store: Store) -> None:
        for n in range(23):
            await store.create(TENANT, header(f"c{n:02}", at=NOW + n // 5, user_id="ann", tags=("x",)))
        for query in ({}, {"user_id": "ann"}, {"tag": "x"}, {"archived": False}):
            seen: list[str] = []
            position: Position | None = None
            while found := await store.list_headers(TENANT, **query, after=position, limit=4):
                seen += [entry.id for entry in found]
                position = Position(found[-1].updated_at, found[-1].id)
            assert seen == [f"c{n:02}" for n in reversed(range(23))]

    @handles
    async def test_a_deleted_conversation_is_not_listed(self, store: Store) -> None:
        for id_ in ("a", "b"):
            await store.create(TENANT, header(id_, user_id="ann", tags=("x",)))
        await store.delete(Key(TENANT, "a"), now=NOW)
        assert await _ids(store) == await _ids(store, user_id="ann") == await _ids(store, tag="x") == ["b"]

    @handles
    async def test_a_fork_is_listed_with_its_own_header(self, store: Store) -> None:
        await store.create(TENANT, header("a", user_id="ann"), records("x"))
        fork = header("f", at=NOW + 1, user_id="bob", tags=("t",), parent="a", parent_seq=1, head=1)
        await store.fork(Key(TENANT, "a"), fork)
        assert await _ids(store, user_id="bob") == await _ids(store, tag="t") == ["f"]


THEIRS = Key("rival", "c1")


class Tenants:
    """Two tenants with the same ids."""

    @handles
    async def test_the_same_ids_name_different_things(self, store: Store) -> None:
        await store.create(TENANT, header(title="ours"), records("a"))
        await store.create("rival", header(title="theirs"), [record("other words", id="a")])
        await store.append(THEIRS, records("b"), now=NOW)
        assert (await store.get(KEY)).title == "ours"
        assert await log(store) == ["a"]
        assert [message.content for message in said(await page(store, THEIRS))] == ["other words", "b"]

    @handles
    async def test_what_another_tenant_has_is_not_there(self, store: Store) -> None:
        await begin(store, "a")
        snapshot = Snapshot(1, 0, b"x")
        stone = (await page(store)).records[0]
        for call in (
            store.get(THEIRS),
            store.read(THEIRS, limit=1),
            store.append(THEIRS, records("a"), now=NOW),
            store.update(THEIRS, {"title": "t"}, now=NOW),
            store.fork(THEIRS, header("f", parent="c1", parent_seq=1, head=1)),
            store.redact(THEIRS, stone, now=NOW),
            store.delete(THEIRS, now=NOW),
            store.load_snapshot(THEIRS, "summary", 1),
            store.save_snapshot(THEIRS, "summary", 1, snapshot, expect_watermark=0),
            store.verify(THEIRS),
        ):
            with pytest.raises(ConversationNotFound):
                await call
        assert await log(store) == ["a"]

    @handles
    async def test_listings_show_the_own_alone(self, store: Store) -> None:
        await store.create(TENANT, header("ours", user_id="ann", tags=("x",)), records("a"))
        await store.create("rival", header("theirs", user_id="ann", tags=("x",)), records("a"))
        for query in ({}, {"user_id": "ann"}, {"tag": "x"}, {"archived": False}, {"updated_since": 0}):
            found = await store.list_headers(TENANT, **query, limit=9)
            assert [entry.id for entry in found] == ["ours"]
        assert [found.conversation_id for found in await store.stale(TENANT, "summary", 1, limit=9)] == ["ours"]

    @handles
    async def test_a_deletion_stays_with_its_tenant(self, store: Store) -> None:
        await begin(store, "a")
        await begin(store, "a", key=THEIRS)
        await store.delete(THEIRS, now=NOW)
        assert await log(store) == ["a"]

    @handles
    async def test_no_two_keys_run_together(self, store: Store) -> None:
        keys = [Key("a:b", "c"), Key("a", "b:c"), Key("a", "b"), Key("a:b:c", "d"), Key("A", "b")]
        for n, key in enumerate(keys):
            await begin(store, f"m{n}", key=key)
        for n, key in enumerate(keys):
            assert [entry.id for entry in (await page(store, key)).records] == [f"m{n}"]
