"""The book of a user: what their conversations taught, gathered where one look finds it, and what a person put right.

A book is a conversation of its own, of a tenant that nobody can name (`<tenant>!users`). Its log holds the corrections: they
are what happened, and stay when all that is derived is made anew. Its snapshot `book` holds what each conversation taught,
`gist` the little of it that goes into contexts.

Law 11, without a lock across conversations: whoever adds to a book opens it, and begins it if it is not there, then looks
whether the conversation is still at the erase epoch at which its messages were read, and then writes, which fails if the
book's own erase epoch has changed. Whoever erases something of a conversation gives the book a new epoch afterwards, which
drops all its snapshots at once, and writes them anew from what the conversations have. So what was made before an erasure is
either dropped or never written. The book is begun before the look, so that whoever erases after the look finds a book; once
a user is erased it stays dead, and whoever comes later begins the next one.

Law 10 likewise: a state is put into the book before it is stored, so that a crash repeats it, and once more after that if it
may have been taken out in between.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from secrets import token_hex
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from turnlog import codec
from turnlog.codec import Record
from turnlog.errors import ConversationDeleted, ConversationExists, ConversationNotFound, SnapshotMoved
from turnlog.fold import UNBOUND, Fold, Still, newest, state_of
from turnlog.memory.entities import Entities, EntitiesState
from turnlog.memory.facts import Facts, FactsState
from turnlog.memory.gist import Gist, gist_of
from turnlog.memory.known import ConversationContext, Correction, Taught, Told, corrected
from turnlog.memory.profile import Profile, ProfileState
from turnlog.ports import Header, Key, Position, Snapshot, Store

BOOK = ("book", 1)
GIST = ("gist", 1)
CONVERSATIONS_MAX = 500
"""Conversations that a book tells of: those that were touched last."""
ENTITIES_MAX = 50
FACTS_MAX = 200
"""Entities and facts of one conversation that go into the book: the most relevant and the newest."""
CORRECTIONS_MAX = 10_000
"""Corrections of one user that are read."""
RACES_MAX = 50
"""How often a book is written anew because another worker was faster."""
PAGE = 200
"""Conversations that are listed at once."""
_UNLIMITED = 1 << 60

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(ConversationContext).decode
_decode_gist = msgspec.json.Decoder(Gist).decode


_Joining = Callable[[Taught, Taught], Taught]


class Gathering:
    """Makes a fold's states part of the user's book (`fold.Shared`, `fold.SharedAnew`)."""

    name: str
    version: int

    async def share(self, store: Store, key: Key, header: Header, after: Snapshot) -> Still | None:
        return await self._share(store, key, header, after, Taught.merge)

    async def share_anew(self, store: Store, key: Key, header: Header, after: Snapshot) -> Still | None:
        return await self._share(store, key, header, after, Taught.replaced)

    async def _share(self, store: Store, key: Key, header: Header, after: Snapshot, with_: _Joining) -> Still | None:
        if header.user_id is None:
            return None
        state = _trimmed(state_of(_SHARED[self.name], after.state))
        told = {self.name: Told(after.epoch, self.version, after.watermark, state)}
        place = await _take(store, key, header.user_id, after.epoch, Taught(header.updated_at, **told), with_)
        return partial(_stays, store, key, place)


class SharedProfile(Gathering, Profile):
    """`Profile`, gathered for the user."""


class SharedEntities(Gathering, Entities):
    """`Entities`, gathered for the user."""


class SharedFacts(Gathering, Facts):
    """`Facts`, gathered for the user."""


_SHARED: dict[str, Fold[Any]] = {fold.name: fold for fold in (SharedProfile(), SharedEntities(), SharedFacts())}


class Place(NamedTuple):
    """Where something was put into a book: which book, at which erase epoch, and the conversation's revision then."""

    book: Key
    epoch: int
    revision: int


class Page(NamedTuple):
    """A book as it lies in the store: its place, the erase epoch, None before it is begun; the snapshots; what is known; and
    the log.
    """

    key: Key
    epoch: int | None
    book: Snapshot | None
    gist: Snapshot | None
    context: ConversationContext
    log: Sequence[Record] = ()


async def known(store: Store, tenant: str, user_id: str) -> ConversationContext:
    """What is known of a user; one round trip."""
    return (await _open(store, tenant, user_id)).context


def name_of(user_id: str) -> str:
    """What a user's books are called, which does not tell who the user is."""
    return blake2b(user_id.encode(), digest_size=16).hexdigest()


async def glance(store: Store, tenant: str, name: str) -> Gist | None:
    """The little of what the books of this name know that goes into contexts, None for nothing; one round trip."""
    generation = 1
    while True:
        try:
            found = await store.load_snapshot(_place(tenant, name, generation), *GIST)
        except ConversationDeleted:
            generation += 1
            continue
        except ConversationNotFound:
            return None
        return None if found is None else _decode_gist(found.state)


async def gather(store: Store, tenant: str, user_id: str, versions: Sequence[tuple[str, int]]) -> ConversationContext:
    """Write the book anew from what is stored with the user's conversations, those that are archived left out.

    `versions` are the names and versions of folds to look for, of each name those to be preferred first. To be called when
    something was erased, archived or brought back; safe beside everything else.
    """
    loaded: dict[tuple[str, int], Taught] = {}  # whoever loses a race reads no state again: newer ones are in the book

    async def of_all(page: Page) -> dict[str, Taught]:
        taught = {}
        for header in await _conversations(store, tenant, user_id):
            place = header.id, header.epoch
            if place not in loaded:
                loaded[place] = await _stored(store, Key(tenant, header.id), header, versions)
            there = page.context.taught.get(header.id, Taught()).since(header.epoch)
            told = replace(loaded[place], at=header.updated_at).merge(there)
            if told.profile or told.entities or told.facts:
                taught[header.id] = told
        return _newest(taught)

    page = await _open(store, tenant, user_id)
    return page.context if page.epoch is None else await _write(store, tenant, user_id, of_all)


async def renew(
    store: Store, tenant: str, user_id: str, versions: Sequence[tuple[str, int]], mark: Callable[[], Record], *, now: int
) -> ConversationContext:
    """Drop all that the book derived, then `gather`. To be called after an erasure in one of the user's conversations.

    `mark` makes a record, of which nothing but a tombstone stays in the log of the book.
    """
    while (page := await _open(store, tenant, user_id)).epoch is not None:
        try:
            await _drop(store, page.key, mark(), now)
        except ConversationDeleted:  # the user is erased at this moment
            continue
        return await gather(store, tenant, user_id, versions)
    return page.context


async def _drop(store: Store, key: Key, record: Record, now: int) -> None:
    """Give the book a new erase epoch: a record is put at its end and erased."""
    appended = await store.append(key, [record], now=now)
    await store.redact(key, codec.tombstone(replace(record, seq=appended.head)), now=now)


async def correct(store: Store, tenant: str, user_id: str, record: Record, *, now: int) -> ConversationContext:
    """Put a correction into the log of the book, and write the book; what is known then."""
    while True:
        page = await _begun(store, tenant, user_id)
        try:
            await store.append(page.key, [record], now=now)
            break
        except ConversationDeleted:  # the user is erased at this moment
            continue

    async def unchanged(page: Page) -> dict[str, Taught]:
        return dict(page.context.taught)

    return await _write(store, tenant, user_id, unchanged)


async def unsay(store: Store, tenant: str, user_id: str, fact: str, *, now: int) -> bool:
    """Erase from the log of the book what corrections said of the fact with this id; whether there was something.

    If so, all that the book derived goes with it, and `gather` has to follow.
    """
    page = await _open(store, tenant, user_id)
    told = [record for record in page.log if (said := _correction(record)) and said.id == fact and said.text is not None]
    try:
        for record in told:
            await store.redact(page.key, codec.tombstone(record), now=now)
    except ConversationDeleted:  # with all the rest
        return False
    return bool(told)


async def erase(store: Store, tenant: str, user_id: str, *, now: int) -> ConversationContext:
    """Erase the book; what was in it. One that is not there is begun first, so that nobody begins it later."""
    page = await _begun(store, tenant, user_id)
    try:
        await store.delete(page.key, now=now)
    except ConversationDeleted:  # by another erasure
        return ConversationContext()
    return page.context


async def finish(store: Store, tenant: str, user_id: str, *, now: int) -> None:
    """See to it that the erasure of the book, if there was one, has reached the files, which one that failed had not."""
    erased, generation = None, 1
    while True:
        key = _key(tenant, user_id, generation)
        try:
            await store.get(key)
            break
        except ConversationDeleted:
            erased, generation = key, generation + 1
        except ConversationNotFound:
            break
    if erased is not None:
        with suppress(ConversationDeleted):
            await store.delete(erased, now=now)


async def exists(store: Store, tenant: str, user_id: str) -> bool:
    """Whether there is a book."""
    return (await _open(store, tenant, user_id)).epoch is not None


async def _take(store: Store, key: Key, user_id: str, epoch: int, told: Taught, with_: _Joining) -> Place:
    """Put what a conversation taught at an erase `epoch` into its user's book, `with_` what is there; where."""
    places: list[Place] = []

    async def with_it(page: Page) -> dict[str, Taught]:
        header = await store.get(key)
        if header.epoch != epoch:
            raise SnapshotMoved(watermark=0, epoch=header.epoch)
        places.append(Place(page.key, page.epoch or 0, header.revision))
        taught = dict(page.context.taught)
        if header.archived:
            taught.pop(key.conversation_id, None)
        else:
            taught[key.conversation_id] = with_(taught.get(key.conversation_id, Taught()).since(epoch), told)
        return _newest(taught)

    await _write(store, key.tenant, user_id, with_it)
    return places[-1]


async def _stays(store: Store, key: Key, place: Place) -> bool:
    """Whether nobody can have taken out of a book, and not found again, what was put there before it was stored: by dropping
    all that is in the book, or by taking the conversation to the archive and back.
    """
    try:
        return (await store.get(place.book)).epoch == place.epoch and (await store.get(key)).revision == place.revision
    except ConversationNotFound:
        return False


async def _write(
    store: Store, tenant: str, user_id: str, change: Callable[[Page], Awaitable[dict[str, Taught]]]
) -> ConversationContext:
    """The book with what `change` makes of it, written over what was looked at."""
    for _ in range(RACES_MAX):
        page = await _begun(store, tenant, user_id)
        context = replace(page.context, taught=await change(page))
        try:
            await _save(store, page, context)
        except (SnapshotMoved, ConversationDeleted):  # another was faster, or the user is erased at this moment
            continue
        return context
    raise SnapshotMoved(watermark=page.book.watermark if page.book else 0, epoch=page.epoch or 0)


def _seal(page: Page) -> str:
    """The key that the gist has, or a new one where nothing that was sealed before is to be read any more."""
    return _decode_gist(page.gist.state).seal if page.gist else token_hex(32)


async def _save(store: Store, page: Page, context: ConversationContext) -> None:
    written = page.book.watermark if page.book else 0
    epoch = page.epoch or 0
    book = Snapshot(written + 1, epoch, _encode(replace(context, corrections={})))
    await store.save_snapshot(page.key, *BOOK, book, expect_watermark=written)
    gist = Snapshot(written + 1, epoch, _encode(gist_of(context, seal=_seal(page))))
    seen = page.gist.watermark if page.gist else 0
    while seen <= written:
        try:
            await store.save_snapshot(page.key, *GIST, gist, expect_watermark=seen)
            return
        except SnapshotMoved as moved:
            if moved.epoch != epoch:
                raise
            seen = moved.watermark


async def _open(store: Store, tenant: str, user_id: str) -> Page:
    generation = 1
    while True:
        key = _key(tenant, user_id, generation)
        try:
            end = await store.recent(key, tokens=_UNLIMITED, limit=CORRECTIONS_MAX, folds=[UNBOUND, BOOK, GIST])
        except ConversationDeleted:  # the user was erased, and came back
            generation += 1
            continue
        except ConversationNotFound:
            return Page(key, None, None, None, ConversationContext())
        epoch = end.header.epoch
        book, gist = (found if found and found.epoch == epoch else None for found in end.snapshots[1:])
        context = _decode(book.state) if book else ConversationContext()
        told = corrected({}, filter(None, map(_correction, end.records)))
        return Page(key, epoch, book, gist, replace(context, corrections=told), end.records)


async def _begun(store: Store, tenant: str, user_id: str) -> Page:
    """The page of the book, which is begun if it is not there."""
    while (page := await _open(store, tenant, user_id)).epoch is None:
        try:
            await store.create(page.key.tenant, Header(page.key.conversation_id, 0, 0))
            return page._replace(epoch=0)
        except (ConversationExists, ConversationDeleted):  # another was faster
            continue
    return page


def _key(tenant: str, user_id: str, generation: int) -> Key:
    return _place(tenant, name_of(user_id), generation)


def _place(tenant: str, name: str, generation: int) -> Key:
    return Key(f"{tenant}!users", name if generation == 1 else f"{name}.{generation}")


def _correction(record: Record) -> Correction | None:
    """What a record of the log says, None for one that was erased."""
    message = codec.decode(record)
    fact = message.metadata.get("fact")
    if message.redacted or fact is None:
        return None
    return msgspec.convert({**fact, "seq": record.seq, "at": record.created_at}, Correction)


async def _conversations(store: Store, tenant: str, user_id: str) -> list[Header]:
    """The user's conversations that are not archived. One that is touched while they are listed changes its place, and may
    be missed between two pages: then all are listed again, until that brings no other.
    """
    found: dict[str, Header] = {}
    while True:
        pages = [page async for page in _listed(store, tenant, user_id)]
        listed = {header.id: header for page in pages for header in page}
        for id_ in found.keys() - listed.keys():
            if header := await _living(store, Key(tenant, id_)):
                listed[id_] = header
        if len(pages) == 1 or listed.keys() == found.keys():
            return list(listed.values())
        found = listed


async def _listed(store: Store, tenant: str, user_id: str) -> AsyncIterator[list[Header]]:
    """Pages of headers, latest first."""
    after: Position | None = None
    while True:
        page = await store.list_headers(tenant, user_id=user_id, archived=False, after=after, limit=PAGE)
        yield page
        if len(page) < PAGE:
            return
        after = Position(page[-1].updated_at, page[-1].id)


async def _living(store: Store, key: Key) -> Header | None:
    """The header, None when the conversation is gone or archived."""
    try:
        header = await store.get(key)
    except ConversationNotFound:
        return None
    return None if header.archived else header


async def _stored(store: Store, key: Key, header: Header, versions: Sequence[tuple[str, int]]) -> Taught:
    """What is stored with a conversation of what its folds made."""
    shared = [fold for fold in versions if fold[0] in _SHARED]
    try:
        found = (await store.recent(key, tokens=0, limit=1, folds=[UNBOUND, *shared])).snapshots[1:]
    except ConversationNotFound:
        return Taught()
    told = {
        name: Told(snapshot.epoch, version, snapshot.watermark, _trimmed(state_of(_SHARED[name], snapshot.state)))
        for (name, version), snapshot in newest(shared, found, header.epoch).items()
    }
    return Taught(header.updated_at, **told)


def _trimmed(state: Any) -> Any:
    """What of a state other conversations have a use for."""
    match state:
        case ProfileState():
            return replace(state, recent_words=(), question=None, exchange=0)
        case EntitiesState():
            return EntitiesState(state.relevant(ENTITIES_MAX))
        case FactsState():
            return FactsState(state.facts[-FACTS_MAX:])
    raise TypeError(type(state))


def _newest(taught: dict[str, Taught]) -> dict[str, Taught]:
    """Those that were touched last."""
    kept = sorted(taught, key=lambda id_: (taught[id_].at, id_), reverse=True)[:CONVERSATIONS_MAX]
    return {id_: taught[id_] for id_ in sorted(kept)}
