"""A log is read from either end, within bounds of count and bytes, with the header of the same moment."""

from collections.abc import Sequence

import pytest

from turnlog.codec import Record
from turnlog.errors import ConversationNotFound
from turnlog.message import Message
from turnlog.store import Key, Store
from turnlog.testing.store_contract.stage import (
    KEY,
    NOW,
    TENANT,
    add,
    begin,
    branch,
    handles,
    header,
    numbered,
    page,
    record,
    said,
)

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


class ReadingPages:
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


FORK = Key(TENANT, "f")
_SIZE = 10_000


def _large(first: int, last: int, size: int = _SIZE) -> list[Record]:
    """The records m<first> to m<last>, with bodies of `size` bytes and a little more."""
    return [record("x" * size, id=f"m{n}") for n in range(first, last + 1)]


def _seqs(found: Sequence[Record]) -> list[int]:
    return [entry.seq for entry in found]


class ReadingInBounds:
    """`read` and `recent` with `bytes_max`."""

    @handles
    async def test_a_page_ends_before_it_weighs_too_much(self, store: Store) -> None:
        await store.create(TENANT, header(), _large(1, 10))
        for newest, expected in ((False, [1, 2, 3]), (True, [8, 9, 10])):
            found = await store.read(KEY, limit=10, bytes_max=4 * _SIZE, newest=newest)
            assert (_seqs(found.records), found.more) == (expected, True)
        whole = await store.read(KEY, limit=10, bytes_max=11 * _SIZE)
        assert (_seqs(whole.records), whole.more) == (list(range(1, 11)), False)

    @handles
    async def test_bounds_of_bytes_and_of_seqs_hold_together(self, store: Store) -> None:
        await store.create(TENANT, header(), _large(1, 10))
        found = await store.read(KEY, after=2, before=6, limit=10, bytes_max=3 * _SIZE, newest=True)
        assert (_seqs(found.records), found.more) == ([4, 5], True)
        found = await store.read(KEY, after=2, before=5, limit=10, bytes_max=3 * _SIZE)
        assert (_seqs(found.records), found.more) == ([3, 4], False)

    @handles
    async def test_one_record_comes_however_much_it_weighs(self, store: Store) -> None:
        await store.create(TENANT, header(), [record("a"), *_large(2, 2), record("c")])
        found = await store.read(KEY, after=1, limit=10, bytes_max=1)
        assert (_seqs(found.records), found.more) == ([2], True)
        found = await store.read(KEY, before=3, limit=10, bytes_max=1, newest=True)
        assert (_seqs(found.records), found.more) == ([2], True)
        assert _seqs((await store.recent(KEY, tokens=99, limit=10, bytes_max=1)).records) == [3]

    @handles
    async def test_the_newest_records_are_cut_where_they_weigh_too_much(self, store: Store) -> None:
        await store.create(TENANT, header(), _large(1, 10))
        found = await store.recent(KEY, tokens=99, limit=10, bytes_max=4 * _SIZE, pinned=[1, 2])
        assert (_seqs(found.records), _seqs(found.pinned), found.cut) == ([8, 9, 10], [1, 2], True)

    @handles
    async def test_only_bytes_count_as_cut(self, store: Store) -> None:
        await store.create(TENANT, header(), _large(1, 10))
        for tokens, limit in ((2, 10), (99, 3)):
            found = await store.recent(KEY, tokens=tokens, limit=limit, bytes_max=4 * _SIZE)
            assert (_seqs(found.records), found.cut) == ([8, 9, 10], False)
        assert not (await store.recent(KEY, tokens=99, limit=10, bytes_max=99 * _SIZE)).cut

    @handles
    async def test_a_fork_is_bounded_across_what_it_shares(self, store: Store) -> None:
        await store.create(TENANT, header(), _large(1, 6))
        await branch(store, "c1", "f", 5)
        await store.append(FORK, _large(106, 108), now=NOW)
        found = await store.recent(FORK, tokens=99, limit=10, bytes_max=6 * _SIZE)
        assert (_seqs(found.records), found.cut) == ([4, 5, 6, 7, 8], True)
        page = await store.read(FORK, after=3, limit=10, bytes_max=4 * _SIZE)
        assert (_seqs(page.records), page.more) == ([4, 5, 6], True)
        page = await store.read(FORK, limit=10, bytes_max=5 * _SIZE, newest=True)
        assert (_seqs(page.records), page.more) == ([5, 6, 7, 8], True)

    @handles
    async def test_a_log_of_large_messages_is_read_to_its_end(self, store: Store) -> None:
        await begin(store)
        for first in range(1, 41, 8):
            await store.append(KEY, _large(first, first + 7, 1_000_000), now=NOW)
        seqs: list[int] = []
        while True:
            page = await store.read(KEY, after=len(seqs), limit=1000)
            assert sum(len(entry.body) for entry in page.records) <= 8 << 20
            seqs += _seqs(page.records)
            if not page.more:
                break
        assert seqs == list(range(1, 41))
