"""From the store to a context: read what the planner needs in one go, plan, and keep where the window starts.

What the last compactions fixed is kept as a snapshot of the fold `context`: for each policy and counter one `Compaction`.
Its watermark lies right before the earliest of their windows, so that what no window shows any more is not read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from turnlog import codec
from turnlog.codec import Record
from turnlog.context import formats
from turnlog.context.compaction import Compaction
from turnlog.context.ground import LEADING, View
from turnlog.context.outcome import Context
from turnlog.context.parts import Memory
from turnlog.context.plan import plan
from turnlog.context.policy import ContextPolicy, override
from turnlog.context.tokens import Counter
from turnlog.errors import InvalidInput, SnapshotMoved
from turnlog.ports import Appended, Key, Recent, Snapshot, Store

FOLD = ("context", 1)
COMPACTIONS_KEPT = 4
"""For so many policies a conversation keeps where its windows start; one that comes back later compacts anew."""
OVERRIDES = "context_policy"
"""The key of a conversation's metadata under which it changes the policy."""

_Kept = dict[str, Compaction]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Kept).decode


class Wanted(msgspec.Struct, frozen=True):
    """What a context is to be like: the deployment's policy, what the call changes of it, and for what it is counted.

    `usual` is the policy for a conversation that changes nothing itself. Records are counted by `stored`; `count` is the
    counter of the model that will read the context.
    """

    policy: ContextPolicy
    changes: Sequence[Mapping[str, Any]]
    usual: ContextPolicy
    stored: Counter
    count: Counter
    format: str
    tools: Sequence[Mapping[str, Any]] = ()
    memory: Memory = Memory()
    rows: int = 5000

    def resolved(self, metadata: Mapping[str, Any]) -> ContextPolicy:
        """The policy for a conversation with this `metadata`. Raises `InvalidInput`."""
        if OVERRIDES not in metadata:
            return self.usual
        own = metadata[OVERRIDES]
        if not isinstance(own, Mapping):
            raise InvalidInput(f"metadata.{OVERRIDES}", "must be an object with fields of a policy")
        try:
            policy = override(self.policy, own)
        except InvalidInput as error:
            raise error.within(f"metadata.{OVERRIDES}") from None
        return override(policy, *self.changes)


async def read(store: Store, key: Key, wanted: Wanted) -> Recent:
    """What a context that is `wanted` most likely needs."""
    return await _recent(store, key, wanted, wanted.usual, [FOLD])


async def context(store: Store, key: Key, wanted: Wanted, found: Recent) -> Context:
    """The context, planned from what was `found`; reads more only when a policy is new to the conversation."""
    policy = wanted.resolved(found.header.metadata)
    kept, label = _kept(found), f"{policy.digest} {wanted.count.name}"
    frozen = kept.get(label)
    if not _suffices(found, policy, frozen, wanted.rows):
        more = await _recent(store, key, wanted, policy, [])
        found = msgspec.structs.replace(more, snapshots=found.snapshots)
    records, pinned = (_counted(some, wanted) for some in (found.records, found.pinned))
    view = View(found.header, records, pinned, frozen, wanted.memory)
    planned = _plan(view, policy, wanted)
    if planned.compaction is not None:
        await _keep(store, key, found, {**kept, label: planned.compaction})
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


async def _recent(store: Store, key: Key, wanted: Wanted, policy: ContextPolicy, folds: Sequence[tuple[str, int]]) -> Recent:
    tokens = policy.budget_tokens if wanted.count.name == wanted.stored.name else 2 * policy.budget_tokens
    return await store.recent(key, tokens=tokens, limit=wanted.rows, pinned=_pins(policy), folds=folds)


def _pins(policy: ContextPolicy) -> tuple[int, ...]:
    return (*range(1, LEADING + 1), *policy.pinned)


def _kept(found: Recent) -> _Kept:
    """What earlier compactions fixed, if nothing was erased since."""
    snapshot = found.snapshots[0] if found.snapshots else None
    if snapshot is None or snapshot.epoch != found.header.epoch:
        return {}
    return _decode(snapshot.state)


def _suffices(found: Recent, policy: ContextPolicy, frozen: Compaction | None, rows: int) -> bool:
    """Whether the planner can do with what was read."""
    head, first = found.header.head, found.header.head - len(found.records) + 1
    there = {record.seq for record in found.pinned}
    if any(seq < first and seq not in there for seq in _pins(policy)):
        return False
    if first == 1 or head == 0 or len(found.records) >= rows:
        return True
    if frozen is not None:
        return first <= frozen.start
    return sum([record.tokens for record in found.records]) > policy.budget_tokens


def _counted(records: list[Record], wanted: Wanted) -> list[Record]:
    if wanted.count.name == wanted.stored.name:
        return records
    return [msgspec.structs.replace(record, tokens=wanted.count(codec.decode(record))) for record in records]


def _plan(view: View, policy: ContextPolicy, wanted: Wanted) -> Context:
    """Plans until what the format adds to the messages that were chosen is in the account."""
    tools = wanted.count.tools(wanted.tools)
    overhead = formats.overhead((), wanted.format)
    while True:
        planned = plan(view, policy, wanted.count, overhead_tokens=overhead, tools_tokens=tools)
        needed = formats.overhead(planned.records, wanted.format)
        if needed <= overhead:
            return planned
        overhead = needed


async def _keep(store: Store, key: Key, found: Recent, kept: _Kept) -> None:
    """Store what was fixed. When another has done so meanwhile, theirs stands: it was made from the same log."""
    latest = dict(sorted(kept.items(), key=lambda item: item[1].head)[-COMPACTIONS_KEPT:])
    there = found.snapshots[0] if found.snapshots else None
    expected = there.watermark if there is not None and there.epoch == found.header.epoch else 0
    watermark = min(compaction.start for compaction in latest.values()) - 1
    try:
        await store.save_snapshot(
            key, *FOLD, Snapshot(watermark, found.header.epoch, _encode(latest)), expect_watermark=expected
        )
    except SnapshotMoved:
        return
