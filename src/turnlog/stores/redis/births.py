"""Creates conversations where that takes several calls: forks, and in a cluster every conversation (decision 022).

First, a number is reserved in the conversation's own slot. Then what must exist before it is written elsewhere: its entries
in the lists, and for a fork the note in its parent. Last, the conversation is written, if the reservation still exists.
Whoever finds an entry or note without a conversation removes the reservation first: a pending write is then refused and
starts again. No clock has to decide whether a conversation will still appear.
"""

from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from msgspec.structs import replace

from turnlog.errors import MessageNotFound, StoreUnavailable
from turnlog.store import Header, Key
from turnlog.stores.redis import header_fields, keys
from turnlog.stores.redis.cluster import Script, Servers, refuse
from turnlog.stores.redis.forks import Logs
from turnlog.stores.redis.indexes import Lists

_RESERVE, _CREATE, _FORK, _VOID = map(Script, ("reserve", "create", "fork", "void"))
_TRIES = 10
"""A try fails only if a sweep runs between two of its calls."""


class Births:
    """Creates conversations and forks."""

    def __init__(self, servers: Servers, lists: Lists, logs: Logs) -> None:
        self._servers = servers
        self._lists = lists
        self._logs = logs

    async def create(self, key: Key, header: Header, frames: Sequence[bytes]) -> None:
        """Add a conversation with its records."""
        if not self._servers.target.cluster:  # one script writes it with its lists
            refuse(key, await self._write(key, header, token_hex(8), frames, reserved=False))
            return
        for _ in range(_TRIES):
            number = await self._reserve(key)
            # decision 022: into its lists first; a crash leaves an entry that names nothing, never a conversation in no
            # list
            await self._lists.add(key, header.updated_at, header.user_id, header.tags)
            answer = await self._write(key, header, number, frames)
            if answer[0] != b"void":
                refuse(key, answer)
                return
        raise StoreUnavailable("sweeps came between again and again")

    async def fork(self, parent: Key, header: Header) -> Header:
        """Add a conversation that shows what `parent` holds up to `header.parent_seq`."""
        for _ in range(_TRIES):
            made = await self._try_to_fork(parent, header)
            if made is not None:
                return made
        raise StoreUnavailable("sweeps came between again and again")

    async def _try_to_fork(self, parent: Key, header: Header) -> Header | None:
        key = Key(parent.tenant, header.id)
        number = await self._reserve(key)
        note = f"{number} {header.id}"
        # decision 022: the parent notes the fork before it is there, so that no deletion drops what it is about to show
        said = await self._servers.run(_FORK, keys.of(parent, "hf"), number, header.id, header.parent_seq)
        if said[0] != b"ok":
            # refused by the parent: nobody will use the reservation, which would else stay until a sweep
            await self._servers.run(_VOID, keys.of(key, "hq"), number)
            refuse(parent, said)
            raise MessageNotFound(parent.conversation_id, header.parent_seq)
        tokens = await self._logs.total(parent, header.parent_seq, header_fields.number(said[3]))
        made = replace(header, head=header.parent_seq, epoch=said[1], tokens=tokens)
        if self._servers.target.cluster:
            await self._lists.add(key, made.updated_at, made.user_id, made.tags)
        answer = await self._write(key, made, number, (), knows=b"%d %b" % (said[1], said[2]))
        if answer[0] == b"ok":
            return replace(made, incarnation=header_fields.incarnation(number.encode(), answer[1]))
        # the reservation is used up, so that no fork of this number will ever be there
        await self._servers.call("HDEL", keys.of(parent, "f")[0], note, write=True)
        refuse(key, answer)
        return None

    async def _reserve(self, key: Key) -> str:
        number = token_hex(8)
        refuse(key, await self._servers.run(_RESERVE, keys.of(key, "hq"), number))
        return number

    async def _write(
        self,
        key: Key,
        header: Header,
        number: str,
        frames: Sequence[bytes],
        *,
        reserved: bool = True,
        knows: bytes | None = None,
    ) -> list[Any]:
        fields = header_fields.flatten(header, header.parent_seq + len(frames))
        if knows is not None:
            fields += ["z", knows]
        shard = "" if self._servers.target.cluster else self._lists.shard(key)
        place = (shard, key.tenant, key.conversation_id, number, "1" if reserved else "")
        listed = (header.updated_at, header.user_id or "", "\n".join(header.tags))
        answer: list[Any] = await self._servers.run(
            _CREATE, keys.of(key, "hliq"), *place, *listed, len(fields), *fields, *frames
        )
        return answer
