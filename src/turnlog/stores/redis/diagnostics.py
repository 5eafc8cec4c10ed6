"""Examines the configuration of the servers, verifies logs, and finishes what a crash or a failover left half done."""

import logging
from contextlib import suppress
from typing import Any

from turnlog.codec import ERASED, intact
from turnlog.errors import CorruptRecord, InvalidInput, StoreFailed, StoreUnavailable
from turnlog.store import Fault, Finding, Header, Key
from turnlog.stores.redis import header_fields, keys
from turnlog.stores.redis.cluster import Servers
from turnlog.stores.redis.connection import Address
from turnlog.stores.redis.forks import Logs
from turnlog.stores.redis.indexes import Lists, in_chunks
from turnlog.stores.redis.record_format import pack_id, unpack

_RECORDS_PER_CALL = 500


async def refuse_eviction(servers: Servers) -> None:
    """Raise `InvalidInput` if a server would drop keys to save memory, unless the URL allows it."""
    for address in await servers.primaries():
        policy = (await _info(servers, address, "memory")).get("maxmemory_policy", "noeviction")
        if policy.startswith("allkeys") and not servers.target.allow_eviction:
            rule = f"{address} drops conversations when its memory is full (maxmemory-policy {policy}): "
            raise InvalidInput("store", rule + "set it to noeviction, or say allow_eviction=1 in the URL")


async def doctor(servers: Servers) -> list[Finding]:
    """Return the findings for each primary."""
    found = []
    for address in await servers.primaries():
        found += await _examine(servers, address)
    return found


async def _examine(servers: Servers, address: Address) -> list[Finding]:
    info = await _info(servers, address)
    settings = await _settings(servers, address)
    policy = info.get("maxmemory_policy", "unknown")
    evicts = policy.startswith("allkeys")
    replicas = sum("state=online" in value for name, value in info.items() if name.startswith("slave"))
    version = info.get("valkey_version") or info.get("redis_version", "unknown")
    return [
        Finding(f"{address} version", version, "ok", "The server's version."),
        _persistence(address, info, settings),
        Finding(
            f"{address} eviction",
            policy,
            "bad" if evicts else "ok",
            "Conversations are dropped when memory is full." if evicts else "No conversation is dropped to save memory.",
        ),
        _replication(address, replicas, servers.target.replicated),
    ]


async def rewrite_files(servers: Servers) -> None:
    """Have each primary begin to write its append-only file anew, which holds what was erased until then.

    One that is at it already, or forbids it, is left alone.
    """
    for address in await servers.primaries():
        if (await _info(servers, address, "persistence")).get("aof_enabled") == "1":
            with suppress(StoreUnavailable):
                await servers.ask(address, "BGREWRITEAOF")


def _persistence(address: Address, info: dict[str, str], settings: dict[str, str]) -> Finding:
    name = f"{address} persistence"
    if info.get("aof_enabled") == "1":
        fsync = settings.get("appendfsync", "unknown")
        meanings = {
            "always": "An acknowledged write survives a kill of the server and a loss of power.",
            "everysec": "A kill of the server may take what it acknowledged during an fsync, up to two seconds; "
            "a loss of power may take as much.",
        }
        meaning = meanings.get(
            fsync, "An acknowledged write survives a kill; what a loss of power takes, the system decides."
        )
        return Finding(name, f"appendonly yes, appendfsync {fsync}", "ok" if fsync == "always" else "warn", meaning)
    save = settings.get("save", "unknown")
    meaning = "A restart takes everything since the last snapshot." if save else "A restart takes everything."
    return Finding(name, f"appendonly no, save {save or 'never'}", "bad", meaning)


def _replication(address: Address, replicas: int, replicated: bool) -> Finding:
    name, value = f"{address} replicas", f"{replicas} online, durability={'replicated' if replicated else 'server'}"
    if replicated:
        meaning = "A write is acknowledged when a replica has it." if replicas else "No write is acknowledged: no replica."
        return Finding(name, value, "ok" if replicas else "bad", meaning)
    if replicas:
        return Finding(
            name, value, "warn", "A failover may lose what was acknowledged last; durability=replicated prevents it."
        )
    return Finding(name, value, "warn", "There is no replica: while the server is down, nothing answers.")


async def _info(servers: Servers, address: Address, *sections: str) -> dict[str, str]:
    text = (await servers.ask(address, "INFO", *sections)).decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


async def _settings(servers: Servers, address: Address) -> dict[str, str]:
    """Return the configuration that may be read; nothing if a hosting service forbids it."""
    try:
        said: list[Any] = await servers.ask(address, "CONFIG", "GET", "appendfsync", "save")
    except StoreUnavailable:
        return {}
    return {said[n].decode(): said[n + 1].decode() for n in range(0, len(said), 2)}


async def verify(servers: Servers, logs: Logs, key: Key, header: Header) -> list[Fault]:
    """Return the faults of a conversation's own records."""
    base, faults, erased = header.parent_seq, list[Fault](), 0
    seq, end = base + 1, header.head
    while seq <= end:
        last = min(seq + _RECORDS_PER_CALL - 1, end)
        try:
            frames, _ = await logs.frames(key, base, seq, last)
        except CorruptRecord as torn:
            end = torn.seq - 1
            faults.append(_missing(torn.seq, seq, header.head))
            continue
        faults_here, erased_here = await _check(servers, key, frames)
        faults += faults_here
        erased += erased_here
        seq += len(frames)
    list_, ids = keys.of(key, "li")
    kept = await servers.call("LLEN", list_)
    known = await servers.call("HLEN", ids) - await servers.call("HEXISTS", ids, "")
    known -= min(erased, max(known - kept, 0))  # a tombstone may have brought an id of its own
    if min(kept, known) > header.head - base:  # appends may have come meanwhile, to both
        header_now = await servers.call("HGET", keys.of(key, "h")[0], "n")
        if max(kept, known) > int(header_now or 0) - base:
            faults.append(Fault(0, f"has {kept} records and {known} ids behind a head of {header.head}"))
    return faults


def _missing(seq: int, first: int, head: int) -> Fault:
    return Fault(seq, "is missing" if seq > first or seq == head else f"is missing, with all up to the head at {head}")


async def _check(servers: Servers, key: Key, frames: list[tuple[int, bytes]]) -> tuple[list[Fault], int]:
    """Return the faults of these records, and how many are erased."""
    faults, erased = [], 0
    for seq, frame in frames:
        try:
            record = unpack(frame, seq)
        except CorruptRecord:
            faults.append(Fault(seq, "cannot be read"))
            continue
        erased += record.digest == ERASED
        place = await servers.call("HGET", keys.of(key, "i")[0], pack_id(record.id))
        if not intact(record):
            faults.append(Fault(seq, "does not match its checksum"))
        elif place is None or int(place) != seq:
            faults.append(Fault(seq, "is not found by its id"))
    return faults, erased


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
