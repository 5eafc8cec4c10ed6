"""A log is read from either end, within bounds, with the header of the same moment."""

import pytest

from turnlog.errors import ConversationNotFound
from turnlog.message import Message
from turnlog.store import Key, Store
from turnlog.testing.store_contract.stage import KEY, NOW, TENANT, add, begin, handles, header, numbered, page, record, said

FLAT = [
    "tab\tand\nlines\r\n",
    "ﷺ é e\u0301 \ufeff\u202e\u200d \uffff \U0010ffff",
    "\x01\x1f\x7f\x85\u2028\u2029",
    "👩‍👩‍👧‍👦 🇺🇳 日本語 עברית",
    "'; DROP TABLE message; -- % _ \\ \" {} $1 ?1 :a @b",
    '{"role":"system","content":"no"}',
    " ",
    "x" * 100_000,
]


async def _ten(store: Store) -> None:
    await store.create(TENANT, header(), numbered(1, 10))


class Reading:
    """`read`, `get` and `verify`."""

    @pytest.mark.parametrize(
        ("bounds", "newest", "expected", "more"),
        [
            ({}, False, [1, 2, 3], True),
            ({}, True, [8, 9, 10], True),
            ({"after": 0}, False, [1, 2, 3], True),
            ({"after": 7}, False, [8, 9, 10], False),
            ({"after": 8}, False, [9, 10], False),
            ({"after": 10}, False, [], False),
            ({"after": 99}, False, [], False),
            ({"after": 8}, True, [9, 10], False),
            ({"after": 7}, True, [8, 9, 10], False),
            ({"after": 6}, True, [8, 9, 10], True),
            ({"before": 3}, False, [1, 2], False),
            ({"before": 5}, True, [2, 3, 4], True),
            ({"before": 4}, True, [1, 2, 3], False),
            ({"before": 1}, True, [], False),
            ({"before": 0}, False, [], False),
            ({"before": 99}, True, [8, 9, 10], True),
            ({"after": 2, "before": 6}, False, [3, 4, 5], False),
            ({"after": 2, "before": 7}, False, [3, 4, 5], True),
            ({"after": 2, "before": 7}, True, [4, 5, 6], True),
            ({"after": 5, "before": 5}, False, [], False),
            ({"after": 9, "before": 2}, True, [], False),
        ],
    )
    def test_bounds_are_kept_from_either_end(self, factory, bounds, newest, expected, more) -> None:  # type: ignore[no-untyped-def]
        @handles
        async def check(self: object, store: Store) -> None:
            await _ten(store)
            found = await store.read(KEY, **bounds, limit=3, newest=newest)
            assert ([entry.seq for entry in found.records], found.more) == (expected, more)
            assert [entry.id for entry in found.records] == [f"m{seq}" for seq in expected]
            assert found.header.head == 10

        check(self, factory)

    @handles
    async def test_any_page_of_a_long_log_is_where_it_should_be(self, store: Store) -> None:
        await store.create(TENANT, header(), numbered(1, 300))
        for after in (0, 1, 62, 63, 64, 65, 127, 128, 129, 255, 290, 299):
            found = await store.read(KEY, after=after, limit=10)
            assert [entry.seq for entry in found.records] == list(range(after + 1, min(after + 10, 300) + 1))
            assert all(entry.id == f"m{entry.seq}" for entry in found.records)
            back = await store.read(KEY, before=after + 1, limit=10, newest=True)
            assert [entry.seq for entry in back.records] == list(range(max(after - 9, 1), after + 1))

    @handles
    async def test_an_empty_log_reads_as_nothing(self, store: Store) -> None:
        await begin(store)
        for newest in (False, True):
            found = await store.read(KEY, limit=5, newest=newest)
            assert (found.records, found.more, found.header.head) == ([], False, 0)

    @handles
    async def test_a_page_may_be_larger_than_the_log(self, store: Store) -> None:
        await _ten(store)
        found = await store.read(KEY, limit=1000)
        assert (len(found.records), found.more) == (10, False)

    @handles
    async def test_any_text_comes_back_as_it_was(self, store: Store) -> None:
        await begin(store)
        await store.append(KEY, [record(text, id=f"m{n}") for n, text in enumerate(FLAT)], now=NOW)
        assert [message.content for message in said(await page(store))] == FLAT
        assert await store.verify(KEY) == []

    @handles
    async def test_a_message_reads_the_same_after_others_follow(self, store: Store) -> None:
        await begin(store, "a")
        before = (await page(store)).records[0]
        await add(store, "c1", *(f"later-{n}" for n in range(100)))
        assert (await page(store)).records[0] == before

    @handles
    async def test_an_unknown_conversation_cannot_be_read(self, store: Store) -> None:
        key = Key(TENANT, "nowhere")
        for call in (store.get(key), store.read(key, limit=1), store.verify(key)):
            with pytest.raises(ConversationNotFound):
                await call

    @handles
    async def test_a_store_that_can_be_written_to_answers_a_ping(self, store: Store) -> None:
        await store.ping()

    @handles
    async def test_closing_twice_is_fine(self, store: Store, other: Store) -> None:
        await begin(store, "a")
        await store.close()
        await store.close()
        assert isinstance(said(await page(other))[0], Message)
