"""The user's book: what is gathered, within which bounds, and how a person puts facts right."""

from datetime import UTC, datetime
from typing import Any

import pytest

from turnlog import FactNotFound, InvalidInput, Turnlog, codec, user
from turnlog.errors import ConversationDeleted, SnapshotMoved
from turnlog.fold import catch_up
from turnlog.memory.defaults import SharedKnowledge
from turnlog.memory.user import pages, repository
from turnlog.memory.user.items import fact_id
from turnlog.store import Header, Key, Position, Snapshot
from turnlog.stores.ram import RamStore
from turnlog.testing import FakeClock
from turnlog.timestamps import from_micros
from turnlog.validation import Limits

LISBON = fact_id("home", "Lisbon", "")


async def talk(log: Turnlog, *texts: str, name: str | None = "ada", **header: Any) -> Any:
    conversation = await log.create(*map(user, texts), user_id=name, **header)
    await conversation.catch_up()
    return conversation


async def facts(log: Turnlog, name: str = "ada") -> set[str]:
    return {fact.text for fact in (await log.user(name).memory()).facts}


async def test_what_a_users_conversations_taught_is_known_together() -> None:
    log = Turnlog(RamStore())
    await talk(log, "My name is Ada.", "I live in Lisbon.")
    await talk(log, "I love jazz.")
    await talk(log, "I live in Porto.", name="bob")
    await talk(log, "I live in Rome.", name=None)
    known = await log.user("ada").memory()
    assert known.user_name == "Ada"
    assert await facts(log) == {"is called Ada", "lives in Lisbon", "likes jazz"}
    assert await facts(log, "bob") == {"lives in Porto"}
    assert await facts(log, "eve") == set()
    assert await repository.glance(log.store, log.tenant, pages.hidden_name("eve")) is None


async def test_nobody_begins_a_book_by_looking() -> None:
    store = RamStore()
    log = Turnlog(store)
    person = log.user("ada")
    await person.memory()
    await person.gather()
    await person.renew()
    await person.erase()
    assert store.logs == {}


async def test_the_archive_is_not_told_of_until_it_is_opened() -> None:
    log = Turnlog(RamStore())
    await talk(log, "I live in Lisbon.")
    other = await talk(log, "I love jazz.")
    await other.update(archived=True)
    assert await facts(log) == {"lives in Lisbon"}
    await other.append(user("I work at Initech."))
    await other.catch_up()
    assert await facts(log) == {"lives in Lisbon"}
    await other.update(archived=False)
    assert await facts(log) == {"lives in Lisbon", "likes jazz", "works at Initech"}


async def test_a_book_tells_of_the_conversations_that_were_touched_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "CONVERSATIONS_MAX", 3)
    clock = FakeClock()
    log = Turnlog(RamStore(), clock=clock)
    for n in range(5):
        clock.advance(seconds=1)
        await talk(log, f"I love thing{n}.")
    expected = {"likes thing2", "likes thing3", "likes thing4"}
    assert await facts(log) == expected
    await log.user("ada").gather()
    assert await facts(log) == expected


async def test_a_conversation_that_is_touched_while_pages_are_listed_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Moving(RamStore):
        moved: Key | None = None

        async def list_headers(self, tenant: str, *, after: Position | None = None, **options: Any) -> list[Header]:
            if after is not None and self.moved is not None:
                key, self.moved = self.moved, None
                clock.advance(seconds=1)
                await self.update(key, {"title": "touched"}, now=clock())
            return await super().list_headers(tenant, after=after, **options)

    monkeypatch.setattr(repository, "PAGE", 2)
    clock, store = FakeClock(), Moving()
    log = Turnlog(store, clock=clock)
    oldest = await talk(log, "I love thing0.")
    for n in range(1, 5):
        clock.advance(seconds=1)
        await talk(log, f"I love thing{n}.")
    store.moved = oldest.key
    await log.user("ada").renew()
    assert store.moved is None
    assert await facts(log) == {f"likes thing{n}" for n in range(5)}


async def test_a_gathering_among_many_workers_reads_no_state_twice() -> None:
    class Busy(RamStore):
        races = 0
        states = 0

        async def recent(self, key: Key, **options: Any) -> Any:
            self.states += ("knowledge", 1) in options.get("folds", ())
            return await super().recent(key, **options)

        async def save_snapshot(self, key: Key, fold: str, version: int, snapshot: Snapshot, **expected: Any) -> None:
            if fold.startswith("page") and self.races:
                self.races -= 1
                raise SnapshotMoved(watermark=0, epoch=snapshot.epoch)
            await super().save_snapshot(key, fold, version, snapshot, **expected)

    store = Busy()
    log = Turnlog(store)
    for n in range(3):
        await talk(log, f"I love thing{n}.")
    place = pages.place(log.tenant, pages.hidden_name("ada"), 1)
    await store.move_epoch(place, now=1)
    store.races, store.states = repository.RACES_MAX - 1, 0
    await log.user("ada").gather()
    assert (store.races, store.states) == (0, 3)
    await store.move_epoch(place, now=1)
    store.races = repository.RACES_MAX
    with pytest.raises(SnapshotMoved):
        await log.user("ada").gather()


async def test_what_was_put_right_is_known_at_once_and_outlives_all_gathering() -> None:
    log = Turnlog(RamStore())
    conversation = await talk(log, "I live in Lisbon.")
    person = log.user("ada")
    fact = await person.correct("lives in Porto", fact=LISBON, slot="home", value="Porto")
    assert (fact.id, fact.text, fact.corrected, fact.sources) == (LISBON, "lives in Porto", True, ())
    for again in (person.gather, person.renew, conversation.catch_up):
        await again()
        assert await facts(log) == {"lives in Porto"}
    await conversation.append(user("I moved to Faro."))
    await conversation.catch_up()
    assert await facts(log) == {"lives in Faro"}


async def test_only_a_fact_that_was_known_is_put_right() -> None:
    log = Turnlog(RamStore())
    await talk(log, "I live in Lisbon.")
    person = log.user("ada")
    with pytest.raises(FactNotFound):
        await person.correct("lives in Porto", fact="0123456789abcdef", slot="home", value="Porto")
    assert await facts(log) == {"lives in Lisbon"}
    await person.forget(LISBON)
    await person.correct("lives in Lisbon", fact=LISBON, slot="home", value="Lisbon")
    assert await facts(log) == {"lives in Lisbon"}


async def test_a_person_may_add_what_nobody_said() -> None:
    log = Turnlog(RamStore())
    fact = await log.user("ada").correct("owns a boat")
    assert fact.id == fact_id("", "", "owns a boat")
    digest = await repository.glance(log.store, log.tenant, pages.hidden_name("ada"))
    assert digest is not None
    assert digest.facts == ("owns a boat",)
    assert (await log.user("ada").erase()).corrections == 1
    assert await facts(log) == set()


async def test_a_fact_that_was_forgotten_is_not_learned_again() -> None:
    log = Turnlog(RamStore())
    await talk(log, "I live in Lisbon.")
    person = log.user("ada")
    await person.forget(LISBON)
    await person.forget(LISBON)
    await talk(log, "I live in Lisbon.")
    await person.gather()
    assert await facts(log) == set()
    await talk(log, "I moved to Faro.")
    assert await facts(log) == {"lives in Faro"}
    with pytest.raises(FactNotFound):
        await person.forget("0123456789abcdef")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("text", {"text": "  "}),
        ("text", {"text": "x" * 2001}),
        ("slot", {"slot": "x" * 2001}),
        ("value", {"value": "\ud800"}),
        ("fact", {"fact": ""}),
        ("valid_from", {"valid_from": -1}),
        ("valid_to", {"valid_to": True}),
        ("valid_to", {"valid_from": datetime(2026, 3, 2, tzinfo=UTC), "valid_to": datetime(2026, 3, 1, tzinfo=UTC)}),
        ("value", {"slot": "home"}),
        ("slot", {"value": "Lisbon"}),
    ],
)
async def test_a_correction_that_cannot_be_is_refused_by_name(field: str, given: dict[str, Any]) -> None:
    log = Turnlog(RamStore())
    with pytest.raises(InvalidInput) as error:
        await log.user("ada").correct(**{"text": "owns a boat", **given})
    assert error.value.field == field
    assert await facts(log) == set()


async def test_a_seal_lasts_until_something_is_erased() -> None:
    log = Turnlog(RamStore())
    conversation = await talk(log, "I live in Lisbon.", "I love jazz.")

    async def seal() -> str:
        digest = await repository.glance(log.store, log.tenant, pages.hidden_name("ada"))
        assert digest is not None
        return digest.seal

    first = await seal()
    await talk(log, "I work at Initech.")
    await log.user("ada").gather()
    await log.user("ada").correct("owns a boat")
    assert await seal() == first
    assert len(bytes.fromhex(first)) == 32
    await conversation.redact(1)
    assert await seal() != first


async def test_a_deleted_conversation_is_not_put_into_a_book() -> None:
    store = RamStore()
    log = Turnlog(store)
    conversation = await log.create(user("I live in Lisbon."), user_id="ada")
    fold = SharedKnowledge()
    header = await store.get(conversation.key)
    await conversation.delete()
    with pytest.raises(ConversationDeleted) as error:
        await fold.share(store, conversation.key, header, Snapshot(1, 0, b"{}"))
    assert error.value.conversation_id == conversation.id
    assert await facts(log) == set()


class Weighed(RamStore):
    """Counts its calls, and the bytes of the snapshots that it gives and takes."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        self.calls, self.bytes, self.saved = 0, 0, []

    def __getattribute__(self, name: str) -> Any:
        if name in ("append", "get", "read", "recent", "load_snapshot", "save_snapshot", "list_headers"):
            self.calls += 1
        return super().__getattribute__(name)

    async def recent(self, key: Key, **options: Any) -> Any:
        found = await super().recent(key, **options)
        self.bytes += sum(len(snapshot.state) for snapshot in found.snapshots if snapshot)
        return found

    async def save_snapshot(self, key: Key, fold: str, version: int, snapshot: Snapshot, **expected: Any) -> None:
        self.bytes += len(snapshot.state)
        self.saved.append(fold)
        await super().save_snapshot(key, fold, version, snapshot, **expected)


async def test_catching_up_costs_the_same_however_many_conversations_a_user_has() -> None:
    store = Weighed()
    log = Turnlog(store)
    costs = []
    for n in range(320):
        conversation = await talk(log, f"I love thing{n} number{n}. I own a boat{n}. I dislike noise{n}.")
        if n in (39, 319):
            await conversation.append(user(f"I love another{n}."))
            store.begin()
            await conversation.catch_up()
            costs.append((store.calls, store.bytes))
    (calls, size), (calls_later, size_later) = costs
    assert calls_later <= calls + 2
    assert size_later < 3 * size, "eight times as many conversations, and candidates that are not full at first"
    assert len((await log.user("ada").memory()).contributions) == 320


async def test_a_pause_writes_each_part_of_the_book_once() -> None:
    store = Weighed()
    log = Turnlog(store)
    conversation = await talk(log, "Hello.")
    await conversation.append(user("My name is Ada. I live in Lisbon. I love jazz. I met Bob Smith."))
    store.begin()
    await catch_up(store, conversation.key, SharedKnowledge())
    page = pages.page_of(conversation.id)[0]
    assert (store.saved, store.calls) == ([page, "candidates", "digest", "knowledge"], 9)
    await conversation.append(user("Thanks."))
    store.begin()
    await catch_up(store, conversation.key, SharedKnowledge())
    assert (store.saved, store.calls) == ([page, "knowledge"], 7)
    known = await log.user("ada").memory()
    assert (known.user_name, len(known.facts) > 0, len(known.entities) > 0) == ("Ada", True, True)


async def test_no_correction_vanishes_however_many_there_were() -> None:
    store = Weighed()
    log = Turnlog(store)
    person = log.user("ada")
    conversation = await talk(log, "I live in Lisbon.", "I love jazz.")
    await person.correct("lives in Porto", fact=LISBON, slot="home", value="Porto")
    await person.forget(fact_id("", "", "likes jazz"))
    place = pages.place(log.tenant, pages.hidden_name("ada"), 1)
    for n in range(10_050):
        fact = {"id": fact_id("", "", f"owns item {n}"), "text": f"owns item {n}"}
        record = person._record(user("Told.", metadata={"fact": fact}))
        await store.append(place, [record], now=log.clock())
    await person.gather()
    known = await person.memory()
    assert len(known.corrections) == 10_052
    assert {fact.text for fact in known.facts} >= {"lives in Porto", "owns item 0", "owns item 10049"}
    assert not any(fact.text == "likes jazz" for fact in known.facts)
    for _ in range(3):
        store.begin()
        await person.correct("owns a boat")
        assert store.calls < 20, "what a snapshot has is not read one by one"
    header = await store.get(place)
    await conversation.redact(2)
    assert (await store.get(place)).head == header.head, "an erasure leaves no record"
    assert "lives in Porto" in await facts(log)
    assert len((await person.memory()).corrections) == 10_053


async def test_a_message_from_the_future_pins_nothing() -> None:
    clock, store = FakeClock(), RamStore()
    log = Turnlog(store, clock=clock)
    future = clock() + 70 * 365 * 86_400_000_000
    conversation = await log.create(user("Hello."), user_id="ada")
    message = user("I live in Lisbon. I love green tea. Call me Ida.", created_at=from_micros(future))
    await store.append(conversation.key, [codec.encode(message, tokens=1, limits=Limits())], now=clock())
    await conversation.catch_up()
    clock.advance(seconds=60)
    said = "I live in Porto. I don't like green tea. Call me Ada."
    await talk(log, said)
    known = await log.user("ada").memory()
    assert known.user_name == "Ada"
    assert [fact.text for fact in known.other_facts] == ["lives in Porto"]
    assert [it.polarity for it in known.user_preferences] == ["dislike"]
    digest = await repository.glance(store, log.tenant, pages.hidden_name("ada"))
    assert digest is not None
    assert (digest.user_name, digest.facts) == ("Ada", ("lives in Porto",))


async def test_a_correction_by_a_wrong_clock_does_not_stand_for_ever() -> None:
    clock, store = FakeClock(), RamStore()
    log = Turnlog(store, clock=clock)
    person = log.user("ada")
    await person.correct("lives in Porto", slot="home", value="Porto")
    place = pages.place(log.tenant, pages.hidden_name("ada"), 1)
    fact = {"id": LISBON, "text": "lives in Rome", "slot": "home", "value": "Rome"}
    future = user("Told.", metadata={"fact": fact}, created_at=from_micros(clock() + 10**15))
    await store.append(place, [codec.encode(future, tokens=0, limits=Limits())], now=clock())
    clock.advance(seconds=60)
    await talk(log, "I moved to Faro.")
    assert await facts(log) == {"lives in Faro"}


async def test_what_older_versions_of_a_fold_saved_goes_once_a_conversation_is_caught_up_with() -> None:
    store = RamStore()
    log = Turnlog(store)
    conversation = await log.create(user("I live in Lisbon."), user_id="ada")
    kept = []
    for version in (1, 2, 3, 4, 101, 102):
        fold = SharedKnowledge()
        fold.version = version
        await catch_up(store, conversation.key, fold)
        kept.append([number for name, number in store.logs[conversation.key].snapshots if name == "knowledge"])
    assert kept == [[1], [1, 2], [2, 3], [3, 4], [3, 4, 101], [101, 102]]
