"""Two handles on the same data, at once."""

import asyncio
from typing import Any

from turnlog import codec
from turnlog.errors import (
    ConversationDeleted,
    ConversationExists,
    HeadMoved,
    KeyReused,
    RevisionMoved,
    SnapshotMoved,
    TurnlogError,
)
from turnlog.store import Appended, Header, Key, Snapshot, Store
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
    record,
    records,
)


async def _race(*calls: Any) -> list[Any]:
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, TurnlogError):
            raise outcome
    return outcomes


def _kinds(outcomes: list[Any]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


class Races:
    """What two handles do at the same time is as if one had come after the other."""

    @handles
    async def test_appends_to_one_conversation_lose_and_repeat_no_seq(self, store: Store, other: Store) -> None:
        await begin(store)
        appends = [
            handle.append(KEY, records(f"{name}{n}.1", f"{name}{n}.2"), now=NOW)
            for n in range(25)
            for name, handle in (("x", store), ("y", other))
        ]
        placed = [seq for appended in await _race(*appends) for seq in appended.seqs]
        assert sorted(placed) == list(range(1, 101))
        ids = await log(store)
        assert len(set(ids)) == 100
        for n in range(0, 100, 2):
            assert ids[n].removesuffix(".1") == ids[n + 1].removesuffix(".2")

    @handles
    async def test_a_writers_own_appends_keep_their_order(self, store: Store, other: Store) -> None:
        await begin(store)

        async def write(handle: Store, name: str) -> None:
            for n in range(20):
                await handle.append(KEY, records(f"{name}{n:02}"), now=NOW)

        await asyncio.gather(write(store, "x"), write(other, "y"))
        ids = await log(store)
        for name in "xy":
            assert [id_ for id_ in ids if id_[0] == name] == [f"{name}{n:02}" for n in range(20)]

    @handles
    async def test_exactly_one_of_many_conditional_appends_wins(self, store: Store, other: Store) -> None:
        await begin(store)
        for head in range(5):
            outcomes = await _race(
                *(
                    handle.append(KEY, records(f"{head}-{name}{n}"), now=NOW, expect_head=head)
                    for n in range(4)
                    for name, handle in (("x", store), ("y", other))
                )
            )
            assert _kinds(outcomes) == ["Appended"] + ["HeadMoved"] * 7
            assert all(outcome.actual == head + 1 for outcome in outcomes if isinstance(outcome, HeadMoved))
        assert len(await log(other)) == 5

    @handles
    async def test_a_message_sent_by_both_is_stored_once(self, store: Store, other: Store) -> None:
        await begin(store)
        for n in range(10):
            sent = records(f"a{n}", f"b{n}")
            outcomes = await _race(*(handle.append(KEY, sent, now=NOW) for handle in (store, other, store, other)))
            assert {outcome.seqs for outcome in outcomes} == {(2 * n + 1, 2 * n + 2)}
            assert sum(outcome.stored for outcome in outcomes) == 2
        assert len(await log(store)) == 20

    @handles
    async def test_of_two_bodies_under_one_id_the_first_stays(self, store: Store, other: Store) -> None:
        await begin(store)
        for n in range(10):
            outcomes = await _race(
                *(
                    handle.append(KEY, [record(text, id=f"x{n}")], now=NOW)
                    for handle, text in ((store, "one"), (other, "two"))
                )
            )
            assert _kinds(outcomes) == ["Appended", "KeyReused"]
            assert [outcome.seq for outcome in outcomes if isinstance(outcome, KeyReused)] == [n + 1]

    @handles
    async def test_a_conversation_is_created_once(self, store: Store, other: Store) -> None:
        for n in range(10):
            outcomes = await _race(
                *(handle.create(TENANT, header(f"c{n}"), records("a")) for handle in (store, other, store, other))
            )
            assert _kinds(outcomes) == ["Appended"] + ["ConversationExists"] * 3
            assert all(isinstance(outcome, Appended | ConversationExists) for outcome in outcomes)
            assert await log(store, f"c{n}") == ["a"]

    @handles
    async def test_exactly_one_of_many_conditional_updates_wins(self, store: Store, other: Store) -> None:
        await begin(store)
        for revision in range(1, 6):
            outcomes = await _race(
                *(
                    handle.update(KEY, {"title": f"{revision}"}, now=NOW, expect_revision=revision)
                    for handle in (store, other, store, other)
                )
            )
            assert _kinds(outcomes) == ["Header"] + ["RevisionMoved"] * 3
            assert all(outcome.actual == revision + 1 for outcome in outcomes if isinstance(outcome, RevisionMoved))

    @handles
    async def test_exactly_one_of_two_saves_wins(self, store: Store, other: Store) -> None:
        await begin(store, *(f"m{n}" for n in range(6)))
        for mark in range(5):
            outcomes = await _race(
                *(
                    handle.save_snapshot(KEY, "summary", 1, Snapshot(mark + 1, 0, b""), expect_watermark=mark)
                    for handle in (store, other)
                )
            )
            assert sum(isinstance(outcome, SnapshotMoved) for outcome in outcomes) == 1

    @handles
    async def test_no_append_is_acknowledged_after_a_deletion(self, store: Store, other: Store) -> None:
        for n in range(5):
            key = Key(TENANT, f"c{n}")
            await begin(store, "a", key=key)
            outcomes = await _race(
                *(other.append(key, records(f"m{i}"), now=NOW) for i in range(4)),
                store.delete(key, now=NOW),
                *(other.append(key, records(f"late{i}"), now=NOW) for i in range(4)),
            )
            assert all(outcome is None or isinstance(outcome, Appended | ConversationDeleted) for outcome in outcomes)
            assert _kinds(await _race(store.get(key), other.append(key, records("later"), now=NOW))) == (
                ["ConversationDeleted"] * 2
            )

    @handles
    async def test_a_fork_taken_while_the_parent_grows_holds_what_it_names(self, store: Store, other: Store) -> None:
        await begin(store, "a", "b")
        appends = [other.append(KEY, records(f"m{n}"), now=NOW) for n in range(20)]
        await _race(*appends[:10], *(branch(store, "c1", f"f{n}", 2) for n in range(5)), *appends[10:])
        for n in range(5):
            assert await log(store, f"f{n}") == ["a", "b"]
        assert len(await log(other)) == 22

    @handles
    async def test_an_erasure_among_appends_hits_its_message_alone(self, store: Store, other: Store) -> None:
        await begin(store, "a", "b")
        appends = [other.append(KEY, records(f"m{n}"), now=NOW) for n in range(20)]
        await _race(*appends[:10], erase(store, "c1", 1), *appends[10:])
        found = await store.read(KEY, limit=99)
        assert [entry.seq for entry in found.records if entry.digest == codec.ERASED] == [1]
        assert len(await log(other)) == 22

    @handles
    async def test_a_cancelled_append_leaves_a_whole_log_and_can_be_repeated(self, store: Store, other: Store) -> None:
        await begin(store)
        for n in range(10):
            waiting = [
                asyncio.ensure_future(store.append(KEY, records(f"a{n}.{i}", f"b{n}.{i}"), now=NOW)) for i in range(6)
            ]
            await asyncio.sleep(0)
            for task in waiting[::2]:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            for i in range(6):
                await store.append(KEY, records(f"a{n}.{i}", f"b{n}.{i}"), now=NOW)
        ids = await log(other)
        assert len(ids) == len(set(ids)) == 120
        await add(other, "c1", "after")
        assert (await store.get(KEY)).head == 121

    @handles
    async def test_forks_raced_to_one_id_leave_one_that_is_whole(self, store: Store, other: Store) -> None:
        for n in range(10):
            parents = [Key(TENANT, f"p{n}"), Key(TENANT, f"q{n}")]
            for key in parents:
                await begin(store, *(f"{key.conversation_id}.{m}" for m in range(3)), key=key)
            races = [branch(handle, key.conversation_id, f"f{n}", 3) for key in parents for handle in (store, other)]
            outcomes = await _race(*races)
            made = [outcome for outcome in outcomes if isinstance(outcome, Header)]
            assert len(made) == 1
            assert all(isinstance(outcome, Header | ConversationExists) for outcome in outcomes)
            fork = Key(TENANT, f"f{n}")
            assert (await store.get(fork)).parent == made[0].parent
            for key in parents:
                await other.delete(key, now=NOW)
            assert await log(other, fork.conversation_id) == [f"{made[0].parent}.{m}" for m in range(3)]

    @handles
    async def test_an_erasure_beside_a_fork_reaches_it(self, store: Store, other: Store) -> None:
        for n in range(20):
            key = Key(TENANT, f"p{n}")
            await begin(store, "secret", "b", key=key)
            await _race(erase(other, f"p{n}", 1), branch(store, f"p{n}", f"f{n}", 2))
            found = await other.read(Key(TENANT, f"f{n}"), limit=9)
            assert [entry.digest == codec.ERASED for entry in found.records] == [True, False]
            assert found.header.epoch <= (await store.get(key)).epoch
