"""From the store to a context: read what the planner needs in one round trip, plan, and store where the window starts.

The last compactions are kept as a snapshot of the fold `context`: one `Compaction` for each policy and counter. Its
watermark is right before the earliest of their windows, so that `Store.recent` reads nothing older. For a conversation of
a user the snapshot is sealed with a key that is deleted when anything of that user is erased, in whatever conversation.
This module alone joins memory and context.
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
from turnlog.context.planner import plan
from turnlog.context.planner_state import LEADING, View
from turnlog.context.policy import BUDGET_TOKENS_MAX, ContextPolicy
from turnlog.context.request import ContextRequest
from turnlog.context.result import Plan
from turnlog.context.sections import Memory
from turnlog.errors import SnapshotMoved
from turnlog.fold import newest, section_lines
from turnlog.fold import snapshots as snapshots_of
from turnlog.memory.summary.fold import SummaryState
from turnlog.memory.user import pages, repository
from turnlog.memory.user.digest import UserDigest, digest_of_state
from turnlog.memory.user.sealing import seal as sealed
from turnlog.memory.user.sealing import unseal
from turnlog.store import Appended, Header, Key, Recent, Snapshot, Store

FOLD = ("context", 1)
COMPACTIONS_KEPT = 4
"""A conversation keeps the compactions of so many policies; a policy that returns later compacts anew."""
RACES_MAX = 8
"""How often a context is planned again because another one was stored meanwhile."""
USERS_MAX = 100_000
"""The users of so many conversations are remembered, so that their memory is read in the first round trip."""
_MORE = 3
"""So many budgets are read when the first was mostly spent on messages that are not shown."""
_MEANWHILE = 100
"""So many messages may be appended between two reads of one window."""
_NOTHING = Memory()
_UNKNOWN = UserDigest()
_Compactions = dict[str, Compaction]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Compactions).decode
_read_summary = msgspec.json.Decoder(SummaryState).decode


class Context(Plan, frozen=True):
    """What a model sees of a conversation, and in `known` what memory knows of the user, shown or not."""

    known: UserDigest


class Loaded(NamedTuple):
    """What was read for a context: the end of the log with the states of its folds, and what is known of the user."""

    log: Recent
    user: UserDigest | None = None

    @property
    def seal(self) -> str:
        """The key that seals the snapshot of the compactions; empty for a conversation without a user."""
        return self.user.seal if self.user else ""


async def read(store: Store, key: Key, request: ContextRequest, users: dict[str, str]) -> Loaded:
    """What the `request` most likely needs; one round trip if `users` has the user of the conversation."""
    tokens, pins = _enough(request, request.usual), _pins(request.usual)
    folds = [FOLD, *request.folds]
    reading = store.recent(key, tokens=tokens, limit=request.rows, bytes_max=request.bytes_max, pinned=pins, folds=folds)
    known = users.get(key.conversation_id)
    if known is not None:
        log, user = await asyncio.gather(reading, repository.glance(store, key.tenant, known))
        return Loaded(log, user)
    log = await reading
    return Loaded(log, await _user(store, key, log.header, users))


async def _user(store: Store, key: Key, header: Header, users: dict[str, str]) -> UserDigest | None:
    """What is known of the conversation's user, whose hidden name is added to `users`."""
    if header.user_id is None:
        return None
    if len(users) >= USERS_MAX:
        users.clear()
    users[key.conversation_id] = name = pages.hidden_name(header.user_id)
    return await repository.glance(store, key.tenant, name)


async def context(store: Store, key: Key, request: ContextRequest, loaded: Loaded, users: dict[str, str]) -> Context:
    """The context, planned from what was `loaded`; reads more only when the policy needs more.

    A compaction is stored before it is shown. When another one was stored meanwhile, by another worker or for another
    policy, everything is read and planned again; after `RACES_MAX` races the context is shown without being stored.
    """
    for _ in range(RACES_MAX):
        policy = request.resolved(loaded.log.header.metadata)
        label = request.label if policy is request.usual else request.label_of(policy)
        # decision 049: a history that went back has another incarnation; its old compactions do not hold
        label = f"{label} {loaded.log.header.incarnation}"
        frozen = _compactions(loaded).get(label)
        if not _suffices(loaded.log, policy, frozen, request):
            loaded = loaded._replace(log=await _read_more(store, key, request, policy, loaded.log, frozen))
        stored = _compactions(loaded)
        planned = _planned(loaded, policy, request, stored.pop(label, None))
        if planned.compaction is None or await _store(store, key, loaded, {**stored, label: planned.compaction}):
            break
        loaded = await read(store, key, request, users)
    return planned


def joined(log: Recent, records: Sequence[Record], appended: Appended, now: int) -> Recent | None:
    """`log` with the records that were appended meanwhile; None when messages of others came between."""
    head = log.header.head
    fresh = {seq: record for seq, record in zip(appended.seqs, records, strict=True) if seq > head}
    if list(fresh) != list(range(head + 1, head + 1 + len(fresh))):
        return None
    header = msgspec.structs.replace(log.header, head=head + len(fresh), updated_at=max(log.header.updated_at, now))
    added = [msgspec.structs.replace(record, seq=seq) for seq, record in fresh.items()]
    return msgspec.structs.replace(log, header=header, records=log.records + added)


async def _read_more(
    store: Store, key: Key, request: ContextRequest, policy: ContextPolicy, log: Recent, frozen: Compaction | None
) -> Recent:
    """What `policy` needs: everything from the start of its window on, or more of the end of the log."""
    recent = partial(store.recent, key, bytes_max=request.bytes_max, pinned=_pins(policy))
    if frozen is None:
        more = await recent(tokens=_MORE * _enough(request, policy), limit=request.rows)
        if not any(exchange.role for exchange in exchanges(more.records, request.stored)):
            # nothing but tool results, whose call lies further back
            more = await recent(tokens=BUDGET_TOKENS_MAX, limit=request.rows)
        return msgspec.structs.replace(more, snapshots=log.snapshots)
    rows = min(request.rows, log.header.head - frozen.start + 1 + _MEANWHILE)
    return await recent(tokens=BUDGET_TOKENS_MAX, limit=rows, folds=[FOLD, *request.folds])


def _pins(policy: ContextPolicy) -> tuple[int, ...]:
    return (*range(1, LEADING + 1), *policy.pinned)


def _compactions(loaded: Loaded) -> _Compactions:
    """The stored compactions, if nothing was erased since."""
    snapshot = loaded.log.snapshots[0] if loaded.log.snapshots else None
    if snapshot is None or snapshot.epoch != loaded.log.header.epoch:
        return {}
    state = unseal(snapshot.state, loaded.seal, loaded.log.header.id)
    return ({} if state is None else pages.decoded(state, _decode)) or {}


def _suffices(log: Recent, policy: ContextPolicy, frozen: Compaction | None, request: ContextRequest) -> bool:
    """Whether the planner needs no more than was read.

    Records may cost more than the budget although their window costs less: some are not shown.
    """
    head, first = log.header.head, log.header.head - len(log.records) + 1
    pinned = {record.seq for record in log.pinned}
    if any(seq < first and seq not in pinned for seq in _pins(policy)):
        return False
    if first == 1 or head == 0 or len(log.records) >= request.rows or log.cut:
        return True
    if frozen is not None and first <= frozen.start:
        return True
    return sum([exchange.tokens for exchange in exchanges(log.records, request.stored)]) > _enough(request, policy)


def _enough(request: ContextRequest, policy: ContextPolicy) -> int:
    """Tokens to read: of records that another counter counted, twice the budget."""
    return policy.budget_tokens if request.count.name == request.stored.name else 2 * policy.budget_tokens


def _counted(records: list[Record], request: ContextRequest) -> list[Record]:
    if request.count.name == request.stored.name:
        return records
    return [msgspec.structs.replace(record, tokens=request.count(codec.decode(record))) for record in records]


def _planned(loaded: Loaded, policy: ContextPolicy, request: ContextRequest, frozen: Compaction | None) -> Context:
    """The context, planned again until the account includes what the format adds to the chosen messages."""
    log = loaded.log
    records, pinned = (_counted(some, request) for some in (log.records, log.pinned))
    memory, known = (request.memory, _UNKNOWN) if request.memory is not None else _remembered(loaded, request)
    view = View(log.header, records, pinned, frozen, memory, request.sections)
    tools = request.count.tools(request.tools)
    overhead = formats.overhead((), request.format)
    while True:
        planned = plan(view, policy, request.count, overhead_tokens=overhead, tools_tokens=tools)
        needed = formats.overhead(planned.records, request.format)
        if needed <= overhead:
            return Context(**msgspec.structs.asdict(planned), known=known)
        overhead = needed


def _remembered(loaded: Loaded, request: ContextRequest) -> tuple[Memory, UserDigest]:
    """What the folds have stored of the conversation and of its user: as sections, and as a digest."""
    log = loaded.log
    if loaded.user is None and not any(log.snapshots[1:]):
        return _NOTHING, _UNKNOWN
    stored = newest(request.folds, log.snapshots[1:], log.header.epoch)
    states = {name: snapshot for (name, _), snapshot in stored.items()}
    known, snapshot = _known(loaded, states), states.get("summary")
    summary = pages.decoded(snapshot.state, _read_summary) if snapshot else None
    text = summary.text if summary else ""
    sections = {"profile": known.profile_lines, "facts": known.facts, "entities": known.entities}
    for fold in request.sectioned:
        if fold.name in states:
            sections[fold.name] = section_lines(fold, states[fold.name].state)
    if snapshot is None or not text:
        return Memory(sections), known
    return Memory(sections | {"summary": (text,)}, snapshot.watermark), known


def _known(loaded: Loaded, states: Mapping[str, Snapshot]) -> UserDigest:
    """What is known of the user; topic and entities are those of the conversation."""
    knowledge = states.get("knowledge")
    own = digest_of_state(knowledge.state) if knowledge else UserDigest()
    if loaded.user is None:
        return own
    return msgspec.structs.replace(loaded.user, topic=own.topic, entities=own.entities, seal="", corrections=0)


async def known(store: Store, key: Key, folds: Sequence[tuple[str, int]], users: dict[str, str]) -> UserDigest:
    """What is known of a conversation and its user."""
    header, snapshots = await snapshots_of(store, key, folds)
    loaded = Loaded(Recent(header, [], [], snapshots), await _user(store, key, header, users))
    stored = newest(folds, snapshots, header.epoch)
    return _known(loaded, {name: snapshot for (name, _), snapshot in stored.items()})


async def _store(store: Store, key: Key, loaded: Loaded, compactions: _Compactions) -> bool:
    """Store the compactions; False when others were stored since they were `loaded`, or something was erased."""
    latest = dict(sorted(compactions.items(), key=lambda item: item[1].head)[-COMPACTIONS_KEPT:])
    existing, epoch = loaded.log.snapshots[0] if loaded.log.snapshots else None, loaded.log.header.epoch
    expected = existing.watermark if existing is not None and existing.epoch == epoch else 0
    watermark = min(compaction.start for compaction in latest.values()) - 1
    state = _encode(latest)
    fresh = Snapshot(watermark, epoch, sealed(state, loaded.seal, key.conversation_id) if loaded.seal else state)
    try:
        await store.save_snapshot(key, *FOLD, fresh, expect_watermark=expected)
    except SnapshotMoved:
        return False
    return True
