"""What is changed behind a store's back is found, and named by its seq, by `verify` and by a digest that was kept elsewhere.

The cases are those of the threat model (docs/howto/integrity.md): T1 edit, T2 deletion, T3 insertion, T4 reordering,
T5 truncation, T6 swap between conversations, T7 edit of id, time or role, T8 edit of the header, T9 rollback of everything.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from support.tampering import Intruder, intruder, records
from turnlog import Conversation, Settings, Turnlog, assistant, connect, user
from turnlog.codec import ERASED, Record, checksum
from turnlog.fold import catch_up
from turnlog.integrity.digest import Digest, Integrity
from turnlog.store import Key

KINDS = ["sqlite", "postgres", "valkey"]
HEAD = 12


class Case:
    """A log that its integrity state has seen to the end, the digest of it, and somebody who writes past the store."""

    def __init__(self, log: Turnlog, conversation: Conversation, digest: Digest, raw: Intruder) -> None:
        self.log = log
        self.conversation = conversation
        self.digest = digest
        self.raw = raw
        self.key = Key(log.tenant, conversation.id)

    async def records(self) -> Sequence[Record]:
        return await records(self.log, self.key)

    async def seqs(self, against: Digest | None = None) -> set[int]:
        return {fault.seq for fault in await self.conversation.verify(against=against)}

    async def found(self) -> set[int]:
        """What is found by the state; a digest that was kept finds as much when the state is gone."""
        by_state = await self.seqs()
        self.raw.forget()
        assert await self.seqs(self.digest) == by_state
        return by_state


pytestmark = pytest.mark.parametrize("store", KINDS)


@pytest.fixture
async def log(store_url: str, tenant: str) -> AsyncIterator[Turnlog]:
    async with connect(store_url, settings=Settings(tenant=tenant, integrity_key="between us")) as opened:
        yield opened


@pytest.fixture
async def case(log: Turnlog, store: str, store_url: str, request: pytest.FixtureRequest) -> Case:
    return await begin(log, store, store_url, request)


async def begin(log: Turnlog, store: str, store_url: str, request: pytest.FixtureRequest) -> Case:
    said = [user(f"question {n}") if n % 2 else assistant(f"answer {n}") for n in range(1, HEAD + 1)]
    conversation = await log.create(*said)
    digest = await conversation.digest()
    assert digest.watermark == HEAD
    assert await conversation.verify(against=digest) == []
    server = request.getfixturevalue("valkey_server") if store == "valkey" else None
    return Case(log, conversation, digest, intruder(store, store_url, Key(log.tenant, conversation.id), server))


def fixed(record: Record, **changes: Any) -> Record:
    """The record with these changes, and a checksum that fits."""
    changed = replace(record, **changes)
    return replace(changed, checksum=checksum(changed))


async def test_t1_an_edit_is_found(case: Case) -> None:
    there = (await case.records())[4]
    case.raw.put(5, replace(there, body=there.body.replace(b"question", b"demand")))
    [fault] = await case.conversation.verify()
    assert fault.seq == 5
    assert "does not match its checksum" in fault.what
    assert await case.found() == {5}


async def test_t1_an_edit_with_a_checksum_that_fits_is_found(case: Case) -> None:
    there = (await case.records())[4]
    case.raw.put(5, fixed(there, body=there.body.replace(b"question", b"demand")))
    assert await case.log.store.verify(case.key) == []
    assert await case.found() == {5}


@pytest.mark.parametrize("body", [b"", b"\xff", b"a\x00b", b"no JSON", b'"'])
async def test_t1_a_body_that_is_none_is_found(case: Case, body: bytes) -> None:
    case.raw.put(5, fixed((await case.records())[4], body=body))
    assert 5 in await case.found()


async def test_t1_a_message_made_to_look_erased_is_found(case: Case) -> None:
    blank = b'{"role":"user","content":"","redacted":true}'
    case.raw.put(5, fixed((await case.records())[4], body=blank, digest=ERASED))
    assert await case.found() == {5}


async def test_t1_an_erasure_that_was_only_counted_excuses_nothing_else(case: Case) -> None:
    case.raw.put(5, fixed((await case.records())[4], body=b'{"role":"user","content":"Yes."}'))
    case.raw.set_epoch(1)
    assert await case.found() == {5}


async def test_t2_a_deletion_is_found(case: Case) -> None:
    case.raw.drop(5)
    assert 5 in await case.found()


async def test_t2_a_deletion_that_closed_the_gap_is_found(case: Case) -> None:
    for seq, record in enumerate((await case.records())[5:], 5):
        case.raw.put(seq, record)
    case.raw.cut(HEAD - 1, HEAD)
    faults = await case.conversation.verify()
    assert [fault.seq for fault in faults] == list(range(5, HEAD + 1))
    assert faults[0].what == "is the message that was stored at seq 6"
    assert faults[-1].what.startswith("is missing")


async def test_t3_an_insertion_is_found(case: Case) -> None:
    there = await case.records()
    forged = fixed(there[4], id="forged", body=there[4].body.replace(b"question", b"secret"))
    await case.conversation.append(user("the last"))
    for seq, record in enumerate([forged, *there[4:]], 5):
        case.raw.put(seq, record)
    faults = await case.conversation.verify()
    assert [fault.seq for fault in faults if "stored" in fault.what] == list(range(5, HEAD + 1))
    assert [faults[0].what, faults[1].what] == [
        "is not the message that was stored there",
        "is the message that was stored at seq 5",
    ]


async def test_t4_two_messages_that_changed_places_are_found(case: Case) -> None:
    there = await case.records()
    case.raw.put(4, there[6])
    case.raw.put(7, there[3])
    assert await case.log.store.verify(case.key) == []
    assert await case.found() == {4, 7}


async def test_t5_a_log_without_its_end_is_found(case: Case) -> None:
    case.raw.cut(9, HEAD)
    assert await case.log.store.verify(case.key) == []
    [fault] = await case.conversation.verify()
    assert fault == (10, "is missing, and what follows: the integrity state reaches to seq 12")
    assert await case.found() == {10}


async def test_t6_a_swap_between_conversations_is_found_in_both(
    case: Case, log: Turnlog, store: str, store_url: str, request: pytest.FixtureRequest
) -> None:
    other = await begin(log, store, store_url, request)
    mine, theirs = (await case.records())[3], (await other.records())[6]
    case.raw.put(4, theirs)
    other.raw.put(7, mine)
    assert await case.log.store.verify(case.key) == []
    assert (await case.found(), await other.found()) == ({4}, {7})


@pytest.mark.parametrize("what", ["id", "created_at", "role"])
async def test_t7_another_id_time_or_role_is_found(case: Case, what: str) -> None:
    there = (await case.records())[2]
    changes = {
        "id": {"id": "another"},
        "created_at": {"created_at": there.created_at - 1},
        "role": {"body": there.body.replace(b'"user"', b'"system"')},
    }
    case.raw.put(3, fixed(there, **changes[what]))
    assert await case.log.store.verify(case.key) == []
    assert await case.found() == {3}


@pytest.mark.parametrize("head", [HEAD - 3, HEAD + 3, 2_000_000_000])
async def test_t8_another_head_is_found(case: Case, head: int) -> None:
    case.raw.set_head(head)
    assert await case.found() & {min(head, HEAD) + 1, head}


async def test_t9_a_rollback_is_found_by_a_digest_that_was_kept(case: Case) -> None:
    before = case.raw.save()
    await case.conversation.append(user("one more"), user("and one"))
    after = await case.conversation.digest()
    case.raw.restore(before)
    assert await case.conversation.verify(against=case.digest) == []
    [fault] = await case.conversation.verify(against=after)
    assert fault == (HEAD + 1, f"is missing, and what follows: the exported digest reaches to seq {HEAD + 2}")


async def test_a_state_that_is_made_anew_without_the_key_is_found(case: Case) -> None:
    there = (await case.records())[4]
    case.raw.put(5, fixed(there, body=there.body.replace(b"question", b"demand")))
    case.raw.forget()
    await catch_up(case.log.store, case.key, Integrity())
    assert await case.conversation.verify() == [
        (0, "has an integrity state that was made with another key: nothing can be compared with it")
    ]
    assert await case.seqs(case.digest) == {0, 5}


async def test_a_redaction_by_the_store_is_no_fault(case: Case) -> None:
    await case.conversation.redact(5)
    assert await case.conversation.verify(against=case.digest) == []
    there = (await case.records())[6]
    case.raw.put(7, fixed(there, body=there.body.replace(b"question", b"demand")))
    found = await case.conversation.inspect(against=case.digest)
    assert (found.faults, found.notes) == ([(7, "is not the message that was stored there")], [(5, "redacted since")])
