"""Calls that need the lock of one conversation wait for it without holding up the calls of others (decision 014)."""

import asyncio

from turnlog.stores.postgres.connection import Pool, Refused, Row
from turnlog.stores.postgres.encoding import Param, number

LANES = 2
"""Connections on which calls wait for a lock."""
_WAIT_S = 10.0
"""How long a call waits for a lock at most."""
_FIRST_MS = 200
"""How long it does on a connection that others need as well."""
_TURN_MS = 1000
"""How long it does at a time, when it takes turns with others that wait."""
_MARGIN_S = 1.0
"""What the server needs to say that it waited in vain."""


class Patience:
    """Sends a statement whose last parameter says how many milliseconds it may wait for a lock.

    The first try has a connection of `pool`, and may not keep it for long: a few conversations that somebody has locked
    would take all of them. What finds a lock goes on in `waiting`, in turns.
    """

    def __init__(self, pool: Pool, waiting: Pool) -> None:
        self._pool = pool
        self._waiting = waiting
        self._loop = asyncio.get_running_loop()

    async def ask(self, sql: str, *params: Param) -> list[Row]:
        """What the statement answers. Raises `StoreUnavailable` or `StoreFailed`."""
        try:
            return await self._pool.attempt(sql, *params, number(_FIRST_MS))
        except Refused as refused:
            if not refused.locked:
                raise refused.error from None
        return await self._wait(sql, *params)

    async def _wait(self, sql: str, *params: Param) -> list[Row]:
        end = self._loop.time() + min(_WAIT_S, self._waiting.timeout_s)
        while True:
            left_ms = max(round((end - self._loop.time()) * 1000), 1)
            try:
                return await self._waiting.attempt(sql, *params, number(min(left_ms, _TURN_MS)), until=end + _MARGIN_S)
            except Refused as refused:
                if not refused.locked or self._loop.time() >= end:
                    raise refused.error from None
            await asyncio.sleep(0)  # whoever waits for the connection has it first
