"""Laws 1, 3, 4 and 5 in one call."""

import asyncio

import pytest

from turnlog.errors import ConversationNotFound, HeadMoved, KeyReused
from turnlog.store import Key, Store
from turnlog.testing.store_contract.stage import (
    KEY,
    NOW,
    SAID_AT,
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


class Appending:
    """`append`."""

    @handles
    async def test_messages_take_the_next_seqs(self, store: Store) -> None:
        await begin(store)
        first = await store.append(KEY, records("a", "b"), now=NOW)
        second = await store.append(KEY, records("c"), now=NOW)
        assert (first.ids, first.seqs, first.stored, first.head) == (("a", "b"), (1, 2), 2, 2)
        assert (second.ids, second.seqs, second.stored, second.head) == (("c",), (3,), 1, 3)
        assert await log(store) == ["a", "b", "c"]

    @handles
    async def test_what_comes_back_is_what_was_given(self, store: Store) -> None:
        given = record("said", id="x", tokens=12345)
        await begin(store)
        await store.append(KEY, [given], now=NOW)
        [kept] = (await page(store)).records
        assert (kept.id, kept.created_at, kept.tokens, kept.body) == (given.id, given.created_at, given.tokens, given.body)
        assert (kept.digest, kept.checksum, kept.version, kept.seq) == (given.digest, given.checksum, given.version, 1)

    @handles
    async def test_the_answer_tells_the_times_of_the_messages(self, store: Store) -> None:
        await begin(store)
        assert (await store.append(KEY, records("a", "b"), now=NOW)).times_us == (SAID_AT, SAID_AT)

    @handles
    async def test_an_append_moves_head_and_updated_at_and_not_the_revision(self, store: Store) -> None:
        await begin(store)
        await store.append(KEY, records("a", "b"), now=NOW + 7)
        header = await store.get(KEY)
        assert (header.head, header.updated_at, header.created_at, header.revision) == (2, NOW + 7, NOW, 1)

    @handles
    async def test_a_clock_that_goes_back_does_not_take_updated_at_back(self, store: Store) -> None:
        await begin(store)
        await store.append(KEY, records("a"), now=NOW - 5)
        assert (await store.get(KEY)).updated_at == NOW

    @handles
    async def test_a_batch_of_a_thousand_is_stored_whole(self, store: Store) -> None:
        await begin(store)
        appended = await store.append(KEY, numbered(1, 1000), now=NOW)
        assert appended.seqs == tuple(range(1, 1001))
        assert await log(store) == [f"m{n}" for n in range(1, 1001)]

    @handles
    async def test_a_replay_stores_nothing_and_returns_the_first_seqs(self, store: Store) -> None:
        await begin(store, "a", "b", "c")
        replay = await store.append(KEY, records("b", "c"), now=NOW + 9)
        assert (replay.seqs, replay.stored, replay.replayed, replay.times_us) == ((2, 3), 0, True, (SAID_AT, SAID_AT))
        assert await log(store) == ["a", "b", "c"]
        assert (await store.get(KEY)).updated_at == NOW

    @handles
    async def test_a_replay_may_come_in_another_order(self, store: Store) -> None:
        await begin(store, "a", "b", "c")
        assert (await store.append(KEY, records("c", "a"), now=NOW)).seqs == (3, 1)

    @handles
    async def test_a_replay_wins_over_a_wrong_expect_head(self, store: Store) -> None:
        await begin(store, "a", "b")
        for expected in (0, 1, 2, 99):
            assert (await store.append(KEY, records("a"), now=NOW, expect_head=expected)).seqs == (1,)

    @handles
    async def test_a_batch_may_mix_known_and_new_messages(self, store: Store) -> None:
        await begin(store, "a", "b")
        mixed = await store.append(KEY, records("b", "c", "a", "d"), now=NOW)
        assert (mixed.seqs, mixed.stored, mixed.replayed) == ((2, 3, 1, 4), 2, False)
        assert await log(store) == ["a", "b", "c", "d"]

    @handles
    async def test_a_mixed_batch_is_held_to_expect_head(self, store: Store) -> None:
        await begin(store, "a", "b")
        with pytest.raises(HeadMoved):
            await store.append(KEY, records("b", "c"), now=NOW, expect_head=1)
        assert (await store.append(KEY, records("b", "c"), now=NOW, expect_head=2)).seqs == (2, 3)
        assert await log(store) == ["a", "b", "c"]

    @handles
    async def test_the_same_id_twice_in_a_batch_is_one_message(self, store: Store) -> None:
        await begin(store)
        twice = await store.append(KEY, records("a", "b", "a"), now=NOW)
        assert (twice.ids, twice.seqs, twice.stored) == (("a", "b", "a"), (1, 2, 1), 2)
        assert await log(store) == ["a", "b"]

    @handles
    async def test_an_id_with_another_body_is_refused_and_nothing_is_stored(self, store: Store) -> None:
        await begin(store, "a", "b")
        with pytest.raises(KeyReused) as error:
            await store.append(KEY, [record("new"), record("other words", id="b")], now=NOW)
        assert (error.value.message_id, error.value.seq) == ("b", 2)
        assert await log(store) == ["a", "b"]

    @handles
    async def test_an_id_with_two_bodies_in_one_batch_is_refused(self, store: Store) -> None:
        await begin(store)
        with pytest.raises(KeyReused):
            await store.append(KEY, [record("one", id="x"), record("two", id="x")], now=NOW)
        assert await log(store) == []

    @handles
    async def test_a_wrong_expectation_tells_the_head_and_stores_nothing(self, store: Store) -> None:
        await begin(store, "a", "b")
        for expected in (0, 1, 3):
            with pytest.raises(HeadMoved) as error:
                await store.append(KEY, records("c"), now=NOW + 9, expect_head=expected)
            assert (error.value.expected, error.value.actual) == (expected, 2)
        assert await log(store) == ["a", "b"]
        assert (await store.get(KEY)).updated_at == NOW

    @handles
    async def test_a_right_expectation_appends(self, store: Store) -> None:
        await begin(store)
        assert (await store.append(KEY, records("a"), now=NOW, expect_head=0)).seqs == (1,)
        assert (await store.append(KEY, records("b"), now=NOW, expect_head=1)).seqs == (2,)

    @handles
    async def test_a_replay_of_an_erased_message_matches_whatever_it_said(self, store: Store) -> None:
        await begin(store, "a", "b")
        await erase(store, "c1", 1)
        assert (await store.append(KEY, records("a"), now=NOW)).seqs == (1,)
        assert (await store.append(KEY, [record("now other words", id="a")], now=NOW)).stored == 0
        assert b"other words" not in (await page(store)).records[0].body

    @handles
    async def test_the_same_id_in_two_conversations_names_two_messages(self, store: Store) -> None:
        await begin(store, "a")
        await begin(store, "b", "a", key=Key(TENANT, "c2"))
        assert await log(store, "c1") == ["a"]
        assert await log(store, "c2") == ["b", "a"]

    @handles
    async def test_an_unknown_conversation_takes_no_message(self, store: Store) -> None:
        with pytest.raises(ConversationNotFound) as error:
            await add(store, "nowhere", "a")
        assert error.value.conversation_id == "nowhere"

    @handles
    async def test_what_one_handle_stored_another_reads(self, store: Store, other: Store) -> None:
        await begin(store, "a")
        await add(other, "c1", "b")
        assert await log(store) == await log(other) == ["a", "b"]


def total(count: int) -> int:
    """The sum of 1 to `count`."""
    return count * (count + 1) // 2


class Totals:
    """`Header.tokens`: the tokens of all messages as they were appended."""

    @handles
    async def test_each_append_adds_the_tokens_of_what_it_stores(self, store: Store) -> None:
        await store.create(TENANT, header(), [record("a", tokens=3), record("b", tokens=4)])
        assert (await store.get(KEY)).tokens == 7
        await store.append(KEY, [record("c", tokens=5)], now=NOW)
        await store.append(KEY, [record("c", tokens=5)], now=NOW)
        await store.append(KEY, [record("a", tokens=3), record("d", tokens=1000), record("e", tokens=0)], now=NOW)
        assert (await store.get(KEY)).tokens == 1012
        assert (await page(store)).header.tokens == 1012
        assert [found.tokens for found in await store.list_headers(TENANT, limit=10)] == [1012]

    @handles
    async def test_a_refused_append_adds_nothing(self, store: Store) -> None:
        await store.create(TENANT, header(), [record("a", tokens=3)])
        with pytest.raises(HeadMoved):
            await store.append(KEY, [record("b", tokens=4)], now=NOW, expect_head=0)
        with pytest.raises(KeyReused):
            await store.append(KEY, [record("c", tokens=4), record("other", id="a", tokens=5)], now=NOW)
        assert (await store.get(KEY)).tokens == 3

    @handles
    async def test_appends_of_several_handles_add_up(self, one: Store, other: Store) -> None:
        await one.create(TENANT, header())
        await one.create(TENANT, header("c2"))
        batches = [
            store.append(
                Key(TENANT, f"c{1 + n % 2}"), [record(f"{n}-{place}", tokens=n) for place in range(1 + n % 3)], now=NOW
            )
            for n in range(40)
            for store in (one, other)
        ]
        await asyncio.gather(*batches)
        expected = [sum(n * (1 + n % 3) for n in range(40) if n % 2 == rest) for rest in (0, 1)]
        assert [(await one.get(Key(TENANT, f"c{place}"))).tokens for place in (1, 2)] == expected

    @handles
    async def test_a_fork_begins_with_the_tokens_of_what_it_shows(self, store: Store) -> None:
        await store.create(TENANT, header())
        for start in (0, 90):
            await store.append(KEY, [record(f"m{n}", tokens=n) for n in range(start + 1, start + 91)], now=NOW)
        for seq in (0, 1, 63, 64, 65, 100, 180):
            assert (await branch(store, "c1", f"f{seq}", seq)).tokens == total(seq)
        await store.append(Key(TENANT, "f100"), [record("x", tokens=7), record("y", tokens=8)], now=NOW)
        assert (await store.get(Key(TENANT, "f100"))).tokens == total(100) + 15
        assert (await branch(store, "f100", "g1", 101)).tokens == total(100) + 7
        assert (await branch(store, "f100", "g2", 99)).tokens == total(99)
        assert (await store.get(KEY)).tokens == total(180)

    @handles
    async def test_a_redaction_leaves_the_tokens_as_they_were(self, store: Store) -> None:
        await store.create(TENANT, header(), [record(text, tokens=n) for n, text in enumerate("abcd", 1)])
        await branch(store, "c1", "f", 3)
        await erase(store, "c1", 2)
        await erase(store, "c1", 2)
        await store.append(KEY, [record("e", tokens=5)], now=NOW)
        assert [(await store.get(Key(TENANT, id_))).tokens for id_ in ("c1", "f")] == [15, 6]
        assert [(await branch(store, "c1", f"g{seq}", seq)).tokens for seq in (1, 2, 3)] == [1, 3, 6]

    @handles
    async def test_a_total_may_exceed_32_bits(self, store: Store) -> None:
        large = 2**31 - 1
        await store.create(TENANT, header(), [record(text, tokens=large) for text in "abcde"])
        await store.append(KEY, [record("f", tokens=large)], now=NOW)
        assert (await store.get(KEY)).tokens == 6 * large
        assert (await branch(store, "c1", "f", 5)).tokens == 5 * large
