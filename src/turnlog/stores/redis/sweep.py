"""Finishes what a crash or a failover left half done."""

import logging

from turnlog.errors import CorruptRecord, StoreFailed
from turnlog.store import Key
from turnlog.stores.redis import header_fields, keys
from turnlog.stores.redis.cluster import Servers
from turnlog.stores.redis.connection import Address
from turnlog.stores.redis.forks import Logs
from turnlog.stores.redis.indexes import Lists, in_chunks

_logger = logging.getLogger(__name__)
_NAMES_PER_CALL = 500


class Sweep:
    """Looks at every conversation, and in a cluster at every list, some at a time, beside everything else.

    What one conversation's data makes impossible keeps nothing else from being put right, and is logged.
    """

    def __init__(self, servers: Servers, lists: Lists, logs: Logs) -> None:
        self._servers = servers
        self._lists = lists
        self._logs = logs

    async def run(self, now: int) -> int:
        """How many conversations had something to put right, and how many entries lists had too many."""
        mended = 0
        for address in await self._servers.primaries():
            mended += await self._conversations(address, now)
        if self._servers.target.cluster:
            for address in await self._servers.primaries():
                mended += await self._tidy(address)
        return mended

    async def _conversations(self, address: Address, now: int) -> int:
        async def mend(name: bytes) -> bool:
            try:
                return await self._mend(name.decode(), now)
            except (CorruptRecord, StoreFailed, ValueError) as error:
                _logger.warning("%r cannot be put right: %s", name, error)
                return False

        mended, cursor = 0, b"0"
        while True:
            cursor, names = await self._scan(address, cursor, keys.HEADERS)
            mended += sum(await in_chunks(names, mend))
            if cursor == b"0":
                return mended

    async def _tidy(self, address: Address) -> int:
        taken = 0
        for pattern in keys.LISTS:
            cursor = b"0"
            while True:
                cursor, names = await self._scan(address, cursor, pattern)
                for name in names:
                    try:
                        taken += await self._lists.tidy(name.decode())
                    except (StoreFailed, ValueError) as error:
                        _logger.warning("the list %r cannot be put right: %s", name, error)
                if cursor == b"0":
                    break
        return taken

    async def _scan(self, address: Address, cursor: bytes, pattern: str) -> tuple[bytes, list[bytes]]:
        cursor, names = await self._servers.ask(address, "SCAN", cursor, "MATCH", pattern, "COUNT", _NAMES_PER_CALL)
        return cursor, names

    async def _mend(self, name: str, now: int) -> bool:
        key = keys.conversation(name)
        if name.endswith("q"):  # whoever reserved it and is alive begins anew
            return bool(await self._servers.call("UNLINK", name, write=True))
        pending, dead, head, parent, base, number = await self._servers.call("HMGET", name, "x", "d", "n", "p", "b", "k")
        mended = pending is not None
        # an erasure that a crash cut off between the record and its forks
        for seq in (pending or b"").split(b",")[:-1]:
            await self._logs.spread(key, int(seq), now)
        if parent is not None and not (dead and head == b"0"):
            above = Key(key.tenant, header_fields.parent(parent) or "")
            mended |= await self._logs.adopt(above, key, (number or b"").decode(), int(base or 0))
        if dead is not None:
            return await self._logs.trim(key) or mended
        _, dropped = await self._logs.shown(key)
        header = await self._lists.living(key)
        return (header is not None and await self._lists.mend(header, key)) or dropped > 0 or mended
