"""Laws 1, 3, 4 and 5 in one call."""

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
    erase,
    handles,
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
