"""What one conversation's decay, deletion or cancelled call leaves to the others in the same file."""

import asyncio
import subprocess
import sys
import threading
import tracemalloc
from contextlib import closing
from pathlib import Path
from time import perf_counter

import apsw
import pytest

from turnlog import (
    Conversation,
    ConversationDeleted,
    CorruptRecord,
    SchemaTooNew,
    Settings,
    StoreFailed,
    Turnlog,
    TurnlogError,
    codec,
    connect,
    user,
)
from turnlog.store import PAGE_BYTES, Key, Snapshot, Sweeper, Versioned
from turnlog.stores.sqlite import SqliteStore, schema, writes
from turnlog.stores.sqlite.connection import Desk
from turnlog.stores.sqlite.schema import SqliteStep

KEY = Key("default", "c1")


def log_at(path: Path) -> Turnlog:
    return connect(f"sqlite:///{path}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "turnlog.db"


def hurt(path: Path, *statements: str) -> None:
    with closing(apsw.Connection(str(path))) as file:
        file.set_busy_timeout(10_000)
        for statement in statements:
            file.execute(statement).fetchall()


DECAYS = {
    "tags": "UPDATE conversation SET tags = 'x' WHERE id = 'c1'",
    "metadata": "UPDATE conversation SET metadata = CAST(x'ff' AS TEXT) WHERE id = 'c1'",
    "an id": "UPDATE message SET id = CAST(x'ff' AS TEXT) WHERE conversation = 1 AND seq = 2",
    "a digest": "UPDATE message SET digest = x'' WHERE conversation = 1 AND seq = 2",
    "a row that leads to itself": "UPDATE message SET prev = n WHERE conversation = 1 AND seq = 2",
    "a row that is not there": "DELETE FROM message WHERE conversation = 1 AND seq = 2",
    "a seq": "UPDATE message SET seq = 7 WHERE conversation = 1 AND seq = 2",
    "a title that is no text": "UPDATE conversation SET title = CAST(x'ff' AS TEXT) WHERE id = 'c1'",
}


@pytest.mark.parametrize("decay", DECAYS)
async def test_what_decayed_in_one_conversation_is_told_and_hinders_no_other(path: Path, decay: str) -> None:
    async with log_at(path) as log:
        mine = await log.create(*(user(f"{n}") for n in range(4)), id="c1")
        others = [await log.create(user("hello")) for _ in range(8)]
        hurt(path, DECAYS[decay])
        for _ in range(3):
            bad = [mine.messages(), mine.context(budget=2000), mine.update(title="x"), mine.fork(at=2)]
            good = [
                call for other in others for call in (other.messages(), other.append(user("x")), other.update(title="y"))
            ]
            outcomes = await asyncio.gather(*bad, *good, return_exceptions=True)
            assert isinstance(outcomes[0], CorruptRecord | StoreFailed), outcomes[0]
            assert all(not isinstance(one, Exception) or isinstance(one, TurnlogError) for one in outcomes[:4])
            assert [one for one in outcomes[4:] if isinstance(one, Exception)] == []
        if "conversation SET" in DECAYS[decay]:
            with pytest.raises(CorruptRecord):
                await mine.verify()
        else:
            assert await mine.verify() != []


async def test_a_row_whose_id_and_place_decayed_is_whole_again_once_it_is_erased(path: Path) -> None:
    async with log_at(path) as log:
        conversation = await log.create(*(user(f"{n}", id=f"m{n}") for n in range(1, 4)), id="c1")
        stone = (await log.store.read(KEY, after=1, limit=1)).records[0]
        hurt(path, "UPDATE message SET id = CAST(x'ff' AS TEXT), seq = 9, conversation = 5 WHERE seq = 2")
        with pytest.raises(CorruptRecord):
            await conversation.messages()
        await log.store.redact(KEY, codec.tombstone(stone), now=1)
        assert [message.id for message in await conversation.messages()] == ["m1", "m2", "m3"]
        assert await conversation.verify() == []


async def test_a_writer_is_refused_as_soon_as_newer_software_has_taken_a_step_that_shuts_it_out(path: Path) -> None:
    number = schema.SUPPORTED + 1
    newer = [SqliteStep(number, phase, f"CREATE TABLE {phase} (a)") for phase in ("pre", "post")]

    def take(*, post: bool) -> None:
        with closing(apsw.Connection(str(path))) as file:
            schema.migrate(file, post=post, known=(*schema.steps(), *newer))

    async with log_at(path) as log:
        conversation = await log.create(user("one"), id="c1")
        await conversation.append(user("two"))
        take(post=False)
        assert (await conversation.append(user("three"))).seqs == (3,)
        async with log_at(path) as other:
            assert len(await other.conversation("c1").messages()) == 3
        take(post=True)
        for call in (
            conversation.append(user("four")),
            conversation.append(user("four"), user("five")),
            log.create(),
            conversation.update(title="x"),
            conversation.redact(1),
            conversation.delete(),
            conversation.messages(),
            log.conversations(),
            log.store.save_snapshot(KEY, "f", 1, Snapshot(1, 0, b""), expect_watermark=0),
        ):
            with pytest.raises(SchemaTooNew) as error:
                await call
            assert error.value.supported == schema.SUPPORTED
        assert isinstance(log.store, Versioned)
        with pytest.raises(SchemaTooNew):
            await log.store.schema_version()
        with pytest.raises(SchemaTooNew):
            await log_at(path).open()
    hurt(path, "UPDATE store SET post = 0", "PRAGMA user_version = 0")
    async with log_at(path) as log:
        assert len(await log.conversation("c1").messages()) == 3


async def rows(path: Path) -> int:
    with closing(apsw.Connection(str(path))) as file:
        return int(file.execute("SELECT count(*) FROM message WHERE conversation <> 0").get)


async def fill(log: Turnlog, length: int, id: str = "c1") -> Conversation:
    conversation = await log.create(id=id)
    for start in range(0, length, 1000):
        await conversation.append(*(user(f"{n}") for n in range(start, min(start + 1000, length))))
    return conversation


async def test_others_write_between_the_steps_of_a_deletion(path: Path) -> None:
    """Of 40 steps, many of another tenant's appends come in between."""
    async with log_at(path) as log, asyncio.TaskGroup() as group:
        conversation = await fill(log, 20_000)
        other = await log.create(user("hello"))
        deletion = group.create_task(conversation.delete())
        beside, longest = 0, 0.0
        while not deletion.done():
            began = perf_counter()
            await other.append(user("x"))
            longest = max(longest, perf_counter() - began)
            beside += 1
        assert beside > 10
        assert await rows(path) == beside + 1
        with pytest.raises(ConversationDeleted):
            await conversation.delete()


async def test_a_deletion_that_was_cut_short_is_finished_by_a_sweep_or_by_a_second_call(path: Path) -> None:
    store = SqliteStore(str(path))
    async with Turnlog(store) as log:
        for name in ("a", "b"):
            conversation = await fill(log, 2_000, name)
            fork = await conversation.fork(at=700, id=f"f{name}")
            dead = await store._write(None, lambda connection, n=name: writes.bury(connection, Key("default", n), 1))
            await store._write(None, lambda connection, n=dead.n: writes.trim(connection, n))
            with pytest.raises(ConversationDeleted):
                await conversation.messages()
            assert len(await fork.messages(limit=1000)) == 700
        assert await rows(path) == 3_000
        with pytest.raises(ConversationDeleted):
            await log.conversation("a").delete()
        assert await rows(path) == 2_200
    assert isinstance(store, Sweeper)
    assert await store.sweep(now=0) == 1
    assert await rows(path) == 1_400
    assert await store.sweep(now=0) == 0
    async with Turnlog(store) as log:
        for name in ("a", "b"):
            assert await log.conversation(f"f{name}").verify() == []
            await log.conversation(f"f{name}").delete()
    assert await rows(path) == 0


async def test_a_number_of_a_message_or_conversation_is_never_taken_again(path: Path) -> None:
    async with log_at(path) as log:
        taken: set[int] = set()
        conversations: set[int] = set()
        for _ in range(4):
            conversation = await log.create(user("a"), user("b"))
            with closing(apsw.Connection(str(path))) as file:
                found = {n for (n,) in file.execute("SELECT n FROM message WHERE conversation <> 0")}
                number = file.execute("SELECT max(n) FROM conversation").get
            assert len(found) == 2
            assert not found & taken
            assert number not in conversations
            taken |= found
            conversations.add(number)
            await conversation.delete()
        with closing(apsw.Connection(str(path))) as file:
            assert file.execute("SELECT count(*) FROM message").get == 1


async def test_an_erasure_whose_caller_goes_is_finished(path: Path) -> None:
    store = SqliteStore(str(path))
    async with Turnlog(store) as log:
        secret = "a word that is nowhere else"
        for call in ("redact", "delete"):
            conversation = await log.create(*(user(f"{secret} {n}") for n in range(20)))
            held = threading.Event()
            slow = asyncio.ensure_future(store._write(None, lambda connection, held=held: held.wait(10)))
            erasing = asyncio.ensure_future(conversation.redact(1) if call == "redact" else conversation.delete())
            await asyncio.sleep(0.05)
            erasing.cancel()
            held.set()
            with pytest.raises(asyncio.CancelledError):
                await erasing
            await slow
            while store._erasing:
                await asyncio.wait(store._erasing)
            if call == "redact":
                assert (await conversation.messages())[0].redacted
                await conversation.delete()
            assert await rows(path) == 0
        assert not [file for file in path.parent.iterdir() if secret.encode() in file.read_bytes()]


async def test_an_append_whose_caller_goes_is_whole_or_not_there(path: Path) -> None:
    async with log_at(path) as log:
        conversation = await log.create(id="c1")
        tasks = [asyncio.ensure_future(conversation.append(user(f"a{n}"), user(f"b{n}"))) for n in range(200)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        texts = [message.text for message in await conversation.messages(limit=1000)]
        assert all(one[0] == "a" and other == f"b{one[1:]}" for one, other in zip(texts[::2], texts[1::2], strict=True))
        assert {f"a{n}" for n in range(1, 200, 2)} <= set(texts)
        assert await conversation.verify() == []


MISSING = """
import os, sys
for name in ("O_CLOEXEC", "fork", "geteuid", "setxattr", "sched_getaffinity", "posix_fadvise"):
    vars(os).pop(name, None)
"""


def test_the_store_works_where_the_system_knows_less(path: Path) -> None:
    program = MISSING + (
        "import asyncio, turnlog, turnlog.stores.sqlite.diagnostics\n"
        "async def main():\n"
        "    async with turnlog.connect(f'sqlite:///{sys.argv[1]}') as log:\n"
        "        await log.create(turnlog.user('hello'))\n"
        "        print(len((await log.conversations()).data))\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_a_commit_waits_for_the_disk_itself_on_macos(path: Path) -> None:
    desk = Desk(path, busy_timeout_s=1.0, make=True)
    with closing(desk):
        connection = desk.connection()
        assert [connection.pragma(name) for name in ("synchronous", "fullfsync", "checkpoint_fullfsync")] == [2, 1, 1]


async def test_a_log_of_140_messages_of_a_megabyte_is_read_in_pages_that_fit_in_memory(path: Path) -> None:
    pages, weight = 0, 1_000_000
    async with connect(f"sqlite:///{path}", settings=Settings(message_bytes=2 * weight)) as log:
        conversation = await log.create(id="c1")
        for _ in range(20):
            await conversation.append(*(user("x" * weight) for _ in range(7)))
        seqs: list[int] = []
        tracemalloc.start()
        apsw.memory_high_water(True)
        async for page in conversation.pages():
            pages += 1
            seqs += [record.seq for record in page.records]
            assert sum(len(record.body) for record in page.records) <= PAGE_BYTES
            del page
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert seqs == list(range(1, 141))
        assert pages >= 140 * weight / PAGE_BYTES
        assert peak < 4 * PAGE_BYTES
        assert apsw.memory_high_water() < 8 * PAGE_BYTES
        assert len((await conversation.context(budget=600_000, max_messages=2)).messages) > 0
