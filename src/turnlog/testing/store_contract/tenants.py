"""Law 6: a tenant is alone in the world."""

import pytest

from turnlog.errors import ConversationNotFound
from turnlog.store import Key, Snapshot, Store
from turnlog.testing.store_contract.stage import KEY, NOW, TENANT, begin, handles, header, log, page, record, records, said

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
