"""What calls of language models took, by tenant and model.

What language models cost, kept in the store: by tenant, month and model.

It lies as a snapshot of a conversation of a tenant that nobody can name, `<tenant>!spent`; its watermark counts writes.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec

from turnlog.errors import ConversationExists, ConversationNotFound, SnapshotMoved, StoreUnavailable
from turnlog.llm.port import Spent
from turnlog.message import Usage
from turnlog.store import Header, Key, Snapshot, Store

MILLION = 1_000_000


class Prices(msgspec.Struct, frozen=True):
    """Of a million tokens each, in any currency. A price of 0 for `cached` input means that of other input."""

    input: float = 0.0
    cached: float = 0.0
    output: float = 0.0

    def cost(self, usage: Usage) -> float:
        """What the tokens of one call cost."""
        fresh = usage.input - usage.cached
        return (fresh * self.input + usage.cached * (self.cached or self.input) + usage.output * self.output) / MILLION


class Ledger:
    """Adds up what is spent. `keep` is called with each call's own `Spent`, for whoever wants to keep it elsewhere."""

    def __init__(self, keep: Callable[[Spent], Awaitable[None]] | None = None) -> None:
        self._keep = keep
        self._totals: dict[tuple[str, str], Spent] = {}

    async def enter(self, spent: Spent) -> None:
        """Add what one call took."""
        place = (spent.tenant, spent.model)
        self._totals[place] = added(self._totals.get(place, Spent(*place)), spent)
        if self._keep is not None:
            await self._keep(spent)

    def totals(self) -> list[Spent]:
        """What was spent for each tenant and model, in the order of these names."""
        return [spent for _, spent in sorted(self._totals.items())]


def added(one: Spent, other: Spent) -> Spent:
    """Both together, under the names of `one`."""
    return Spent(
        one.tenant,
        one.model,
        one.calls + other.calls,
        one.failures + other.failures,
        one.input + other.input,
        one.output + other.output,
        one.cached + other.cached,
        one.cost + other.cost,
    )


SPENT = ("spent", 1)
RACES_MAX = 20

logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(dict[str, Spent]).decode


class Spending:
    """Adds to what is kept in `store`. What cannot be written now is written with what comes next."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: dict[str, dict[str, Spent]] = {}

    async def keep(self, spent: Spent) -> None:
        """Add what one call took, for the tenant that it was made for."""
        sums = self._pending.pop(spent.tenant, {})
        _add(sums, f"{datetime.now(UTC):%Y-%m} {spent.model}", spent)
        try:
            await _write(self._store, spent.tenant, sums)
        except (StoreUnavailable, SnapshotMoved) as error:
            logger.warning("what a language model cost is not written yet: %s", error)
            pending = self._pending.setdefault(spent.tenant, {})
            for place, one in sums.items():
                _add(pending, place, one)


async def _write(store: Store, tenant: str, sums: dict[str, Spent]) -> None:
    key = _key(tenant)
    for _ in range(RACES_MAX):
        try:
            there = await store.load_snapshot(key, *SPENT)
        except ConversationNotFound:
            await _begin(store, key)
            there = None
        known, written = (_decode(there.state), there.watermark) if there else ({}, 0)
        for place, one in sums.items():
            _add(known, place, one)
        try:
            await store.save_snapshot(key, *SPENT, Snapshot(written + 1, 0, _encode(known)), expect_watermark=written)
            return
        except SnapshotMoved as moved:
            error = moved
    raise error


def _add(sums: dict[str, Spent], place: str, spent: Spent) -> None:
    sums[place] = added(sums.get(place, Spent(spent.tenant, spent.model)), spent)


async def spent(store: Store, tenant: str) -> dict[str, Spent]:
    """What was spent for a tenant, by month and model ("2026-11 gpt-4o")."""
    try:
        there = await store.load_snapshot(_key(tenant), *SPENT)
    except ConversationNotFound:
        return {}
    return _decode(there.state) if there else {}


def _key(tenant: str) -> Key:
    return Key(f"{tenant}!spent", "spent")


async def _begin(store: Store, key: Key) -> None:
    now = time.time_ns() // 1000
    try:
        await store.create(key.tenant, Header(key.conversation_id, now, now))
    except ConversationExists:
        pass
