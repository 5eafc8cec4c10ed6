"""What calls of language models took, by tenant and model."""

from collections.abc import Awaitable, Callable

import msgspec

from turnlog.message import Usage
from turnlog.ports import Spent

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
