"""No call reads more than it was allowed to: pages are bounded in bytes, from either end, on forks as well."""

from collections.abc import Sequence

from turnlog.codec import Record
from turnlog.store import Key, Store
from turnlog.testing.store_contract.stage import KEY, NOW, TENANT, begin, branch, handles, header, record

FORK = Key(TENANT, "f")
_SIZE = 10_000


def _large(first: int, last: int, size: int = _SIZE) -> list[Record]:
    """The records m<first> to m<last>, with bodies of `size` bytes and a little more."""
    return [record("x" * size, id=f"m{n}") for n in range(first, last + 1)]


def _seqs(found: Sequence[Record]) -> list[int]:
    return [entry.seq for entry in found]


class Bounded:
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
