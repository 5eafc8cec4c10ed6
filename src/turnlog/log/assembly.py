"""From the store to a context: read what the planner needs in one go, plan, and keep where the window starts.

What the last compactions fixed is kept as a snapshot of the fold `context`: for each policy and counter one `Compaction`.
Its watermark lies right before the earliest of their windows, so that what no window shows any more is not read. Where a
user is known of, it is sealed with a key that goes when something of that user is erased, in whatever conversation.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from turnlog import codec, formats
from turnlog.codec import Record
from turnlog.context.compaction import Compaction
from turnlog.context.exchanges import exchanges
from turnlog.context.parts import Memory
from turnlog.context.planner import plan
from turnlog.context.planner_state import LEADING, View
from turnlog.context.policy import BUDGET_TOKENS_MAX, ContextPolicy
from turnlog.context.request import ContextRequest
from turnlog.context.result import Context
from turnlog.errors import SnapshotMoved
from turnlog.fold import newest
from turnlog.fold import snapshots as snapshots_of
from turnlog.memory.summary.fold import SummaryState
from turnlog.memory.user import pages, repository
from turnlog.memory.user.digest import UserDigest, digest_of_states
from turnlog.memory.user.sealing import seal as sealed
from turnlog.memory.user.sealing import unseal
from turnlog.store import Appended, Header, Key, Recent, Snapshot, Store

FOLD = ("context", 1)
COMPACTIONS_KEPT = 4
"""For so many policies a conversation keeps where its windows start; one that comes back later compacts anew."""
RACES_MAX = 8
"""How often a context is planned anew because another one was stored meanwhile."""
USERS_MAX = 100_000
"""Of so many conversations it is remembered whose they are."""
_MORE = 3
"""So many budgets are read when the first was mostly spent on what is not shown."""
_MEANWHILE = 100
"""So many messages may come between two readings of one window."""
_NOTHING = Memory()
_Kept = dict[str, Compaction]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Kept).decode
_read_summary = msgspec.json.Decoder(SummaryState).decode


class Found(NamedTuple):
    """What was read for a context: the end of the log with what its folds know, and what is known of the user."""

    log: Recent
    user: UserDigest | None = None

    @property
    def seal(self) -> str:
        """The key under which the conversation keeps what it shows; empty where no user is known of."""
        return self.user.seal if self.user else ""


async def read(store: Store, key: Key, wanted: ContextRequest, users: dict[str, str]) -> Found:
    """What a context that is `wanted` most likely needs, in one round trip if `users` has the book of its user."""
    tokens, pins = _enough(wanted, wanted.usual), _pins(wanted.usual)
    folds = [FOLD, *wanted.folds]
    reading = store.recent(key, tokens=tokens, limit=wanted.rows, bytes_max=wanted.bytes_max, pinned=pins, folds=folds)
    known = users.get(key.conversation_id)
    if known is not None:
        log, user = await asyncio.gather(reading, repository.glance(store, key.tenant, known))
        return Found(log, user)
    log = await reading
    return Found(log, await _user(store, key, log.header, users))


async def _user(store: Store, key: Key, header: Header, users: dict[str, str]) -> UserDigest | None:
    """What is known of the conversation's user, who is noted among `users`."""
    if header.user_id is None:
        return None
    if len(users) >= USERS_MAX:
        users.clear()
    users[key.conversation_id] = name = pages.hidden_name(header.user_id)
    return await repository.glance(store, key.tenant, name)


async def context(store: Store, key: Key, wanted: ContextRequest, found: Found, users: dict[str, str]) -> Context:
    """The context, planned from what was `found`; reads more only when what the policy needs is not there.

    What a compaction fixed is stored before it is shown. When another one was stored meanwhile, by another worker or for
    another policy, all is read and planned again; after `RACES_MAX` races the context is shown all the same.
    """
    for _ in range(RACES_MAX):
        policy = wanted.resolved(found.log.header.metadata)
        label = wanted.label if policy is wanted.usual else wanted.label_of(policy)
        # decision 049: what was fixed in a history that went back since is not gone on with
        label = f"{label} {found.log.header.incarnation}"
        frozen = _kept(found).get(label)
        if not _suffices(found.log, policy, frozen, wanted):
            found = found._replace(log=await _read_more(store, key, wanted, policy, found.log, frozen))
        kept = _kept(found)
        planned = _planned(found, policy, wanted, kept.pop(label, None))
        if planned.compaction is None or await _keep(store, key, found, {**kept, label: planned.compaction}):
            break
        found = await read(store, key, wanted, users)
    return planned


def joined(found: Recent, records: Sequence[Record], appended: Appended, now: int) -> Recent | None:
    """What was `found` with the records that were appended meanwhile; None when others came between."""
    head = found.header.head
    fresh = {seq: record for seq, record in zip(appended.seqs, records, strict=True) if seq > head}
    if list(fresh) != list(range(head + 1, head + 1 + len(fresh))):
        return None
    header = msgspec.structs.replace(found.header, head=head + len(fresh), updated_at=max(found.header.updated_at, now))
    added = [msgspec.structs.replace(record, seq=seq) for seq, record in fresh.items()]
    return msgspec.structs.replace(found, header=header, records=found.records + added)


async def _read_more(
    store: Store, key: Key, wanted: ContextRequest, policy: ContextPolicy, found: Recent, frozen: Compaction | None
) -> Recent:
    """What `policy` needs: from the start of its window on, whatever that costs, or more of the log's end."""
    recent = partial(store.recent, key, bytes_max=wanted.bytes_max, pinned=_pins(policy))
    if frozen is None:
        more = await recent(tokens=_MORE * _enough(wanted, policy), limit=wanted.rows)
        if not any(exchange.role for exchange in exchanges(more.records, wanted.stored)):  # results; the call lies before
            more = await recent(tokens=BUDGET_TOKENS_MAX, limit=wanted.rows)
        return msgspec.structs.replace(more, snapshots=found.snapshots)
    rows = min(wanted.rows, found.header.head - frozen.start + 1 + _MEANWHILE)
    return await recent(tokens=BUDGET_TOKENS_MAX, limit=rows, folds=[FOLD, *wanted.folds])


def _pins(policy: ContextPolicy) -> tuple[int, ...]:
    return (*range(1, LEADING + 1), *policy.pinned)


def _kept(found: Found) -> _Kept:
    """What earlier compactions fixed, if nothing was erased since."""
    snapshot = found.log.snapshots[0] if found.log.snapshots else None
    if snapshot is None or snapshot.epoch != found.log.header.epoch:
        return {}
    state = unseal(snapshot.state, found.seal, found.log.header.id)
    return ({} if state is None else pages.decoded(state, _decode)) or {}


def _suffices(found: Recent, policy: ContextPolicy, frozen: Compaction | None, wanted: ContextRequest) -> bool:
    """Whether the planner can do with what was read; if not, there is more to read.

    Records may cost more than the budget and the window that they are in less: some are not shown.
    """
    head, first = found.header.head, found.header.head - len(found.records) + 1
    there = {record.seq for record in found.pinned}
    if any(seq < first and seq not in there for seq in _pins(policy)):
        return False
    if first == 1 or head == 0 or len(found.records) >= wanted.rows or found.cut:
        return True
    if frozen is not None and first <= frozen.start:
        return True
    return sum([exchange.tokens for exchange in exchanges(found.records, wanted.stored)]) > _enough(wanted, policy)


def _enough(wanted: ContextRequest, policy: ContextPolicy) -> int:
    """Tokens to read: of records that another counter counted, twice the budget."""
    return policy.budget_tokens if wanted.count.name == wanted.stored.name else 2 * policy.budget_tokens


def _counted(records: list[Record], wanted: ContextRequest) -> list[Record]:
    if wanted.count.name == wanted.stored.name:
        return records
    return [msgspec.structs.replace(record, tokens=wanted.count(codec.decode(record))) for record in records]


def _planned(found: Found, policy: ContextPolicy, wanted: ContextRequest, frozen: Compaction | None) -> Context:
    """Plans until what the format adds to the messages that were chosen is in the account."""
    records, pinned = (_counted(some, wanted) for some in (found.log.records, found.log.pinned))
    memory = wanted.memory if wanted.memory is not None else _remembered(found, wanted.folds)
    view = View(found.log.header, records, pinned, frozen, memory)
    tools = wanted.count.tools(wanted.tools)
    overhead = formats.overhead((), wanted.format)
    while True:
        planned = plan(view, policy, wanted.count, overhead_tokens=overhead, tools_tokens=tools)
        needed = formats.overhead(planned.records, wanted.format)
        if needed <= overhead:
            return planned
        overhead = needed


def _remembered(found: Found, folds: Sequence[tuple[str, int]]) -> Memory:
    """What the folds have stored: of the conversation, and of its user from all of theirs."""
    if found.user is None and not any(found.log.snapshots[1:]):
        return _NOTHING
    stored = newest(folds, found.log.snapshots[1:], found.log.header.epoch)
    states = {name: snapshot for (name, _), snapshot in stored.items()}
    known, summary = _known(found, states), states.get("summary")
    told = pages.decoded(summary.state, _read_summary) if summary else None
    return Memory(
        profile=known.profile_lines,
        facts=known.facts,
        entities=known.entities,
        summary=told.text if told else "",
        summary_to=summary.watermark if told and summary else 0,
        known=known,
    )


def _known(found: Found, states: Mapping[str, Snapshot]) -> UserDigest:
    """What is known of the user, and of the conversation what is its own: topic and entities."""
    own = digest_of_states({name: snapshot.state for name, snapshot in states.items()})
    if found.user is None:
        return own
    return msgspec.structs.replace(found.user, topic=own.topic, entities=own.entities, seal="", corrections=0)


async def known(store: Store, key: Key, folds: Sequence[tuple[str, int]], users: dict[str, str]) -> UserDigest:
    """What is known of a conversation and its user."""
    header, snapshots = await snapshots_of(store, key, folds)
    found = Found(Recent(header, [], [], snapshots), await _user(store, key, header, users))
    stored = newest(folds, snapshots, header.epoch)
    return _known(found, {name: snapshot for (name, _), snapshot in stored.items()})


async def _keep(store: Store, key: Key, found: Found, kept: _Kept) -> bool:
    """Store what was fixed; False when others have done so since it was `found`, or something was erased."""
    latest = dict(sorted(kept.items(), key=lambda item: item[1].head)[-COMPACTIONS_KEPT:])
    there, epoch = found.log.snapshots[0] if found.log.snapshots else None, found.log.header.epoch
    expected = there.watermark if there is not None and there.epoch == epoch else 0
    watermark = min(compaction.start for compaction in latest.values()) - 1
    state = _encode(latest)
    fresh = Snapshot(watermark, epoch, sealed(state, found.seal, key.conversation_id) if found.seal else state)
    try:
        await store.save_snapshot(key, *FOLD, fresh, expect_watermark=expected)
    except SnapshotMoved:
        return False
    return True
