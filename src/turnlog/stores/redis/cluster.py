"""Sends calls to the server that holds their keys, the only one or one of a cluster, and turns refusals into errors."""

import asyncio
from binascii import crc_hqx
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha1
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from turnlog.errors import (
    ConversationDeleted,
    ConversationExists,
    ConversationNotFound,
    CorruptRecord,
    InvalidInput,
    StoreFailed,
    StoreUnavailable,
)
from turnlog.process import keep, unusable
from turnlog.store import Key
from turnlog.stores.redis.connection import Address, Login, RedisWire, ServerError, connect

_SLOTS = 16384
_RETRY_S = 0.02
_LEARN_S_MAX = 1.0
_APART_MAX = 1000
_SCHEMES = {"redis": False, "valkey": False, "rediss": True, "valkeys": True}


class Target(msgspec.Struct, frozen=True):
    """The content of a URL: the servers to begin with, the login, and the promises."""

    seeds: tuple[Address, ...]
    login: Login = Login()
    cluster: bool = False
    allow_eviction: bool = False
    replicated: bool = False


def read_url(url: str) -> Target:
    """Parse `redis://[user:password@]host[:port][/database][?options]` and its variants. Raises `InvalidInput`."""
    try:
        parts = urlsplit(url)
        kind, _, cluster = parts.scheme.partition("+")
        options = {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
        username, colon, password = parts.netloc.rpartition("@")[0].partition(":")
        database = int(options.pop("db", parts.path[1:] or "0") if kind != "unix" else options.pop("db", "0"))
        seeds = (Address(parts.path, 0),) if kind == "unix" else tuple(_seeds(parts.netloc.rpartition("@")[2]))
    except ValueError as error:
        raise InvalidInput("store", f"is no URL of a Redis or Valkey server: {error}") from None
    durability = options.pop("durability", "server")
    allow_eviction = options.pop("allow_eviction", "0")
    if (kind not in _SCHEMES and kind != "unix") or cluster not in ("", "cluster"):
        raise InvalidInput("store", "must begin with redis://, rediss://, unix://, redis+cluster:// or the same with valkey")
    if options or durability not in ("server", "replicated") or allow_eviction not in ("0", "1") or (cluster and database):
        raise InvalidInput(
            "store", "takes durability=server or replicated, allow_eviction=0 or 1, and db=n but on a cluster"
        )
    login = Login(unquote(username) or None, unquote(password) if colon else None, database, _SCHEMES.get(kind, False))
    return Target(seeds, login, bool(cluster), allow_eviction == "1", durability == "replicated")


def _seeds(netloc: str) -> list[Address]:
    parts = [urlsplit(f"//{part}") for part in netloc.split(",")]
    return [Address(part.hostname or "127.0.0.1", part.port or 6379) for part in parts]


class Script:
    """A Lua script, named by its file."""

    def __init__(self, name: str) -> None:
        folder = files("turnlog.stores.redis") / "lua"
        self.text = (folder / "prelude.lua").read_bytes() + (folder / f"{name}.lua").read_bytes()
        self.sha = sha1(self.text, usedforsecurity=False).hexdigest()


class Servers:
    """Sends calls to the right server. Each server has two connections, so that large reads do not delay appends."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self.target = target
        self.opened = False
        self._timeout_s = timeout_s
        self._wires: dict[tuple[Address, bool], RedisWire] = {}
        self._slots: list[Address] = []
        self._connecting: defaultdict[Address, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._apart: set[str] = set()
        self.changes = 0
        """Grows with each connection and look at the cluster: the data may have another history then (decision 023)."""
        self._learning = asyncio.Lock()

    async def run(self, script: Script, keys: Sequence[str], *args: Any, write: bool = True) -> Any:
        """Run a script on keys of one slot. Raises `StoreUnavailable` or `StoreFailed`.

        What writes is confirmed by a replica first, if the target says so.
        """
        return await self._send(keys[0], _evaluate(script, keys, args), write, script)

    async def join(self, script: Script, keys: Sequence[str], args: Sequence[Any], size: int) -> Any:
        """`run` for a script that takes many calls at once and answers with a list: on one server, together with others'.

        `size` is about how many bytes the call has. The answer is this call's own.
        """
        # decision 021: a script of a cluster may name keys of one slot only, so calls of others cannot join it
        wire = None if self.target.cluster else self._wires.get((self.target.seeds[0], True))
        if wire is None or wire.lost or keys[0] in self._apart:
            return await self._alone(script, keys, args)
        answer = await wire.join(script.sha, keys, args, size)
        if type(answer) is ServerError:  # all together were refused: whose fault that is shows when each goes alone
            unknown = (wire, answer) if str(answer).startswith("NOSCRIPT") else (None, None)
            return await self._alone(script, keys, args, *unknown)
        if self.target.replicated:
            await wire.confirm()
        return answer

    async def _alone(
        self, script: Script, keys: Sequence[str], args: Sequence[Any], wire: RedisWire | None = None, answer: Any = None
    ) -> Any:
        """As `join`, in a separate call. A conversation that fails is sent alone until a call succeeds (decision 024)."""
        command = _evaluate(script, keys, args)
        try:
            if wire is None:
                [answer] = await self._send(keys[0], command, True, script)
            else:
                [answer] = await self._send_slowly(keys[0], command, True, script, wire, answer)
        except StoreFailed:
            if len(self._apart) >= _APART_MAX:
                # forgetting costs a failed call that joins others once more, and they go alone then
                self._apart.clear()
            self._apart.add(keys[0])
            raise
        self._apart.discard(keys[0])
        return answer

    async def call(self, command: str, key: str, *args: Any, write: bool = False) -> Any:
        """Send a command on one key. Raises `StoreUnavailable` or `StoreFailed`."""
        return await self._send(key, (command, key, *args), write, None)

    async def ask(self, address: Address, *command: Any) -> Any:
        """Send a command without a key to one server. Raises `StoreUnavailable`."""
        wire = self._wires.get((address, False))
        if wire is None or wire.lost:
            wire = await self._connect(address, False)
        answer = await wire.call(*command)
        if isinstance(answer, ServerError):
            raise StoreUnavailable(str(answer))
        return answer

    async def primaries(self) -> list[Address]:
        """Return the addresses of the primaries."""
        if not self.target.cluster:
            return list(self.target.seeds)
        await self._learn(again=False)
        return sorted(set(self._slots))

    def close(self) -> None:
        """Close all connections."""
        self.opened = False
        for wire in self._wires.values():
            wire.close()
        self._wires.clear()

    def abandon(self) -> None:
        """Forget the connections, which are the parent's."""
        keep(self._wires)
        self.opened, self._wires, self._slots = False, {}, []
        self._connecting, self._learning = defaultdict(asyncio.Lock), asyncio.Lock()

    async def _send(self, key: str, command: tuple[Any, ...], write: bool, script: Script | None) -> Any:
        wire = self._wires.get((self.place(key), write))
        if wire is None or wire.lost:
            return await self._send_slowly(key, command, write, script)
        answer = await wire.call(*command)
        if type(answer) is ServerError:
            return await self._send_slowly(key, command, write, script, wire, answer)
        if write and self.target.replicated:
            await wire.confirm()
        return answer

    def place(self, key: str) -> Address:
        """Return the server that holds a key, as far as it is known."""
        if not self.target.cluster:
            return self.target.seeds[0]
        return self._slots[slot_of(key)] if self._slots else Address("", 0)

    async def _send_slowly(
        self,
        key: str,
        command: tuple[Any, ...],
        write: bool,
        script: Script | None,
        wire: RedisWire | None = None,
        answer: Any = None,
    ) -> Any:
        """Send after connecting, or after an answer that names another server or way."""
        try:
            async with asyncio.timeout(self._timeout_s):
                while True:
                    if wire is None:
                        wire = await self._wire(key, write)
                    if answer is not None:
                        wire, command = await self._instead(wire, str(answer), command, key, write, script)
                    answer = await wire.call(*command)
                    if not isinstance(answer, ServerError):
                        break
            if write and self.target.replicated:
                await wire.confirm()
            return answer
        except TimeoutError:
            raise StoreUnavailable(f"no answer within {self._timeout_s:g} s") from None
        except StoreUnavailable:
            self._slots = []  # the cluster may have changed
            raise

    async def _instead(
        self, wire: RedisWire, why: str, command: tuple[Any, ...], key: str, write: bool, script: Script | None
    ) -> tuple[RedisWire, tuple[Any, ...]]:
        """Return where and what to send after a server refused a command."""
        kind, *told = why.split(" ")
        if kind == "NOSCRIPT" and script is not None:
            return wire, ("EVAL", script.text, *command[2:])
        if kind == "MOVED":
            await self._learn()
            if self.place(key) != _address(told[1], wire):  # the one that we asked is behind
                await asyncio.sleep(_RETRY_S)
            return await self._connect(_address(told[1], wire), write), command
        if kind == "ASK":
            wire = await self._connect(_address(told[1], wire), write)
            # not awaited: it holds for the next command on this connection, which leaves right behind it
            wire.call("ASKING")
            return wire, command
        if kind == "TRYAGAIN":  # the conversation is on its way to another server
            await asyncio.sleep(_RETRY_S)
            return await self._wire(key, write), command
        if kind == "READONLY":
            wire.close("the server became a replica")
        raise StoreFailed(why) if _is_final(kind, why) else StoreUnavailable(why)

    async def _wire(self, key: str, write: bool) -> RedisWire:
        if self.target.cluster:
            await self._learn(again=False)
        return await self._connect(self.place(key), write)

    async def _connect(self, address: Address, write: bool) -> RedisWire:
        if not self.opened:
            raise unusable(self)
        # one connection an address: without the lock all who wait for the first would open one each
        async with self._connecting[address]:
            wire = self._wires.get((address, write))
            if wire is None or wire.lost:
                wire = self._wires[address, write] = await connect(address, self.target.login, self._timeout_s)
                self.changes += 1
            return wire

    async def _learn(self, *, again: bool = True) -> None:
        """Ask which server holds which slots, if that is unknown or must be asked `again`."""
        before = self._slots
        async with self._learning:
            # somebody else has asked while this one waited for its turn: that answer will do
            if self._slots and (not again or self._slots is not before):
                return
            living = [address for (address, _), wire in self._wires.items() if not wire.lost]
            errors = []
            for address in dict.fromkeys([*living, *(address for address, _ in self._wires), *self.target.seeds]):
                try:
                    async with asyncio.timeout(_LEARN_S_MAX):
                        self._slots = _slots(await self.ask(address, "CLUSTER", "SLOTS"), address)
                        self.changes += 1
                        return
                except (StoreUnavailable, TimeoutError) as error:
                    errors.append(f"{address}: {error}")
            raise StoreUnavailable("; ".join(errors))


def _evaluate(script: Script, keys: Sequence[str], args: Sequence[Any]) -> tuple[Any, ...]:
    return ("EVALSHA", script.sha, len(keys), *keys, *args)


def _is_final(kind: str, why: str) -> bool:
    """Return whether a refusal concerns the call or its data, not the current state of the server."""
    return kind in ("WRONGTYPE", "ERR") and "max number of clients" not in why


def slot_of(key: str) -> int:
    """Return the hash slot of a key (https://valkey.io/topics/cluster-spec)."""
    begin = key.find("{") + 1
    end = key.find("}", begin) if begin else -1
    return crc_hqx((key[begin:end] if end > begin else key).encode(), 0) % _SLOTS


def _address(place: str, asked: RedisWire) -> Address:
    """Parse the address in an answer; a missing host is the one that was asked."""
    host, _, port = place.rpartition(":")
    return Address(host or asked.address.host, int(port))


def _slots(ranges: list[Any], asked: Address) -> list[Address]:
    slots = [asked] * _SLOTS
    covered = 0
    for first, last, primary, *_ in ranges:
        slots[first : last + 1] = [Address((primary[0] or b"").decode() or asked.host, primary[1])] * (last - first + 1)
        covered += last - first + 1
    # a cluster that fails over for a moment answers with holes; a guess would send writes to the wrong server
    if covered < _SLOTS:
        raise StoreUnavailable(f"the cluster covers {covered} of {_SLOTS} slots")
    return slots


def refuse(key: Key, answer: Any) -> None:
    """Raise what `answer` says of the conversation, unless it refuses nothing, or something that the caller knows better."""
    match answer[0]:
        case b"gone":
            raise ConversationNotFound(key.conversation_id)
        case b"dead":
            raise ConversationDeleted(key.conversation_id)
        case b"exists":
            raise ConversationExists(key.conversation_id)
        case b"torn":
            raise CorruptRecord(seq=answer[1], reason="it is missing")
        case b"failed":
            kind, _, rest = answer[1].decode(errors="replace").partition(" ")
            if kind == "TORN":
                raise CorruptRecord(seq=int(rest), reason="it is missing")
            raise StoreFailed(f"{kind} {rest}")
