"""`User`: what is known of a person across their conversations, what they put right, and how all of theirs goes."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from turnlog import codec
from turnlog.codec import Record
from turnlog.errors import ConversationDeleted, ConversationNotFound, FactNotFound, InvalidInput
from turnlog.ids import uuid7
from turnlog.memory.user import repository
from turnlog.memory.user.items import Correction, KnownFact, fact_id
from turnlog.memory.user.model import UserMemory
from turnlog.message import Message, user
from turnlog.shielding import shielded
from turnlog.store import Header, Key, Residue, Store
from turnlog.timestamps import from_micros, micros_of
from turnlog.validation import Limits, check_name, check_text

TEXT_MAX = 2000
"""Characters of a fact, its slot and its value, at most."""
FACT_ID_MAX = 64
"""Characters of a fact's id, at most."""


_OUT_OF_REACH = "Backups, exports and freed blocks of disks are out of reach."
_NOT_COUNTED = "Something derived could not be read, so that it is erased but not counted."
_UNKNOWN = "The store does not tell where its engine keeps bytes of what was erased, and how long."


class Erased(msgspec.Struct, frozen=True):
    """A receipt: how much of each kind was erased, and when, in UTC. It names nobody.

    `messages` are those of the conversations; what forks of other people's conversations shared is not counted.
    `not_ruled_out` says in sentences where something may be left all the same, and until when.
    """

    conversations: int
    messages: int
    facts: int
    preferences: int
    entities: int
    corrections: int
    erased_at: datetime
    not_ruled_out: tuple[str, ...] = ()


class User:
    """A handle on a user; does no I/O by itself. `versions` are the folds to read, of each name the preferred ones first."""

    def __init__(
        self,
        store: Store,
        tenant: str,
        user_id: str,
        *,
        clock: Callable[[], int],
        versions: Sequence[tuple[str, int]],
        limits: Limits,
    ) -> None:
        self.store = store
        self.tenant = tenant
        self.id = user_id
        self._clock = clock
        self._versions = versions
        self._limits = limits

    def __repr__(self) -> str:
        return f"User({self.id!r})"

    async def memory(self) -> UserMemory:
        """What their conversations taught, those that are archived left out, and what they put right."""
        return await repository.known(self.store, self.tenant, self.id, self._versions)

    async def correct(
        self,
        text: str,
        *,
        fact: str | None = None,
        slot: str = "",
        value: str = "",
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
    ) -> KnownFact:
        """Put right the fact with the id `fact`, or add one; the fact as it is known now.

        `text` tells it in the third person without its subject ("lives in Lisbon"); of one `slot` ("home") the newest
        `value` holds. It stands whatever is rebuilt, until the user says
        otherwise later. Raises `FactNotFound` for an id that was never known, and if the fact is taken back, or the user
        erased, before this ends.
        """
        said = {"text": text, "slot": slot, "value": value}
        for field, told in said.items():
            _check(field, told, empty=field != "text")
        since, until = micros_of("valid_from", valid_from), micros_of("valid_to", valid_to)
        if bool(slot) != bool(value):
            raise InvalidInput("value" if slot else "slot", f"is needed beside {'slot' if slot else 'value'}")
        if since is not None and until is not None and until < since:
            raise InvalidInput("valid_to", "must not be before valid_from")
        id_ = stated = fact_id(slot, value, text)
        if fact is not None and (id_ := check_name("fact", fact, length_max=FACT_ID_MAX)) != stated:
            await self._corrected_or_known(id_)
        said |= {"id": id_, "valid_from": since, "valid_to": until}  # type: ignore[dict-item]
        await self._log(text, said)
        context = await self.memory()
        history = await asyncio.to_thread(context.history)
        found = next((known for known in history if known.id == id_), None)
        if found is None:  # it was taken back meanwhile, or the user erased
            raise FactNotFound(id_)
        return found

    async def forget(self, fact: str) -> None:
        """Take back a fact: it is not known again, whatever is rebuilt and however often the user says it again.

        `correct` with its id brings it back. What corrections said of it is erased. Doing it twice is fine. Raises
        `FactNotFound` if it was never known. Once begun, it is finished before a cancellation.
        """
        await shielded(self._forget(fact))

    async def _forget(self, fact: str) -> None:
        check_name("fact", fact, length_max=FACT_ID_MAX)
        there = await self._corrected_or_known(fact)
        if there is None or there.text is not None:
            await self._log("That is not so.", {"id": fact})
        await repository.unsay(self.store, self.tenant, self.id, fact, now=self._clock())
        await repository.gather(self.store, self.tenant, self.id, self._versions)

    async def _corrected_or_known(self, fact: str) -> Correction | None:
        """The correction of this fact, None if there is none. Raises `FactNotFound` if the fact was never known."""
        context = await self.memory()
        there = context.corrections.get(fact)
        if there is None and all(known.id != fact for known in await asyncio.to_thread(context.history)):
            raise FactNotFound(fact)
        return there

    async def gather(self) -> UserMemory:
        """Make what is known anew from what is stored with the conversations."""
        await repository.gather(self.store, self.tenant, self.id, self._versions)
        return await self.memory()

    async def renew(self) -> None:
        """As `gather`, once all that was derived before is dropped: after an erasure in one of the conversations."""
        await shielded(repository.renew(self.store, self.tenant, self.id, self._versions, now=self._clock()))

    async def erase(self) -> Erased:
        """Erase all conversations of this user, and all that is known of them; their conversations' ids stay dead.

        Safe to repeat, and beside everything else. What is begun for the user while this runs is erased too, if it is there
        before this looks for the last time; what is begun later belongs to a user of whom nothing else is known. Once begun,
        it is finished before a cancellation.
        """
        return await shielded(self._erase())

    async def _erase(self) -> Erased:
        erased, counted = Counter[str](), True
        while (headers := await self._conversations()) or await repository.exists(self.store, self.tenant, self.id):
            while headers:
                for header in headers:
                    await self._delete(header, erased)
                headers = await self._conversations()
            gone, whole = await repository.erase(self.store, self.tenant, self.id, now=self._clock())
            erased += await asyncio.to_thread(_counts, gone)
            counted &= whole
        await repository.finish(self.store, self.tenant, self.id, now=self._clock())
        left = (*(() if counted else (_NOT_COUNTED,)), *await self._residue(), _OUT_OF_REACH)
        counts = {field: erased[field] for field in Erased.__struct_fields__ if field not in ("erased_at", "not_ruled_out")}
        return Erased(**counts, erased_at=from_micros(self._clock()), not_ruled_out=left)

    async def _residue(self) -> tuple[str, ...]:
        return await self.store.residue() if isinstance(self.store, Residue) else (_UNKNOWN,)

    async def tells_of(self, conversation_id: str) -> bool:
        """Whether what is known of the user comes from this conversation too."""
        return await repository.tells_of(self.store, self.tenant, self.id, conversation_id)

    async def _delete(self, header: Header, erased: Counter[str]) -> None:
        try:
            await self.store.delete(Key(self.tenant, header.id), now=self._clock())
        except (ConversationDeleted, ConversationNotFound):
            return
        erased["conversations"] += 1
        erased["messages"] += header.head - header.parent_seq

    async def _conversations(self) -> list[Header]:
        return await self.store.list_headers(self.tenant, user_id=self.id, limit=200)

    async def _log(self, text: str, fact: dict[str, Any]) -> None:
        told = {name: value for name, value in fact.items() if value not in (None, "")}
        record = self._record(user(text, id=uuid7(), metadata={"fact": told}))
        await repository.correct(self.store, self.tenant, self.id, record, now=self._clock())

    def _record(self, message: Message) -> Record:
        return codec.encode(message, tokens=0, limits=self._limits, received_at=self._clock())


def _counts(gone: UserMemory) -> Counter[str]:
    """How much was known, which for hundreds of conversations takes too long for an event loop."""
    found = {"facts": gone.history(), "preferences": gone.user_preferences, "entities": gone.entities}
    return Counter({kind: len(items) for kind, items in found.items()} | {"corrections": len(gone.corrections)})


def _check(field: str, text: str, *, empty: bool = False) -> str:
    check_text(field, text)
    if not (empty or text.strip()) or len(text) > TEXT_MAX:
        raise InvalidInput(field, f"must have 1 to {TEXT_MAX} characters")
    return text
