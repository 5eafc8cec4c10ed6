"""Lets calls wait for the lock of one conversation without delaying the calls on others (decision 014)."""

import asyncio

from turnlog.stores.postgres.connection import Pool, Refused
from turnlog.stores.postgres.encoding import Param, Row, number

LANES = 2
"""Connections on which calls wait for locks."""
_WAIT_S = 10.0
"""Seconds for which a call waits for a lock at most."""
_FIRST_MS = 200
"""Milliseconds for which it waits on a connection that other calls need, too."""
_TURN_MS = 1000
"""Milliseconds of one turn, when several calls wait."""
_MARGIN_S = 1.0
"""Seconds that the server has to report that the wait was in vain."""


class Patience:
    """Sends a statement whose last parameter says how many milliseconds it may wait for a lock.

    The first try uses a connection of `pool`, and only briefly: a few locked conversations would occupy all of them. A call
    that meets a lock continues in `waiting`, in turns.
    """

    def __init__(self, pool: Pool, waiting: Pool) -> None:
        self._pool = pool
        self._waiting = waiting
        self._loop = asyncio.get_running_loop()

    async def ask(self, sql: str, *params: Param) -> list[Row]:
        """Return the rows of the statement. Raises `StoreUnavailable` or `StoreFailed`."""
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
            await asyncio.sleep(0)  # decision 014: whoever already waits for the connection gets it first
