"""The book of a user: what their conversations contribute, stored so that one read returns it, and the corrections.

`pages` describes how it is stored. Its log holds the corrections, which stay when all that is derived is made anew.

Law 11, without a lock across conversations: whoever adds to a book opens it, and begins it if it is not there, then looks
whether the conversation is still at the erase epoch at which its messages were read, and then writes, which fails if the
book's own erase epoch has changed. Whoever erases something of a conversation gives the book a new epoch afterwards, which
drops all its snapshots at once, and writes them anew from what the conversations have. So what was made before an erasure is
either dropped or never written. The book is begun before the look, so that whoever erases after the look finds a book; once
a user is erased it stays dead, and whoever comes later begins the next one.

Law 10 likewise: a state is put into the book before it is stored, so that a crash repeats it, and once more after that if it
may have been taken out in between.

Page, candidates and digest are three writes, each by compare-and-set. Whoever writes a page then writes candidates over
those that were read in one look with the page, or reads both again. So the last to write them had read every page as it is.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from secrets import token_hex
from typing import NamedTuple

from msgspec.structs import replace

from turnlog import codec
from turnlog.codec import Record
from turnlog.errors import ConversationDeleted, ConversationNotFound, CorruptRecord, SnapshotMoved
from turnlog.memory.user import pages
from turnlog.memory.user.candidates import Candidates, candidates_of
from turnlog.memory.user.contributions import logger, stored_contribution, versions_of
from turnlog.memory.user.digest import UserDigest, digest_of_candidates
from turnlog.memory.user.model import Contribution, UserMemory
from turnlog.memory.user.pages import CANDIDATES, DIGEST, PAGES, UserBook
from turnlog.store import Header, Key, Position, Snapshot, Store

CONVERSATIONS_MAX = 500
"""Conversations that a book tells of: those that were touched last."""
RACES_MAX = 50
"""How often a book is written anew because another worker was faster."""
PAGE = 200
"""Conversations that are listed at once."""
READ_AT_ONCE = 8
"""Conversations whose states are read at once."""
FEW = 20
"""Of so many conversations candidates are made at once; of more, in a thread."""

Versions = Sequence[tuple[str, int]]


class BookPlace(NamedTuple):
    """Where a contribution was put: which book, at which erase epoch, and the conversation's revision then."""

    book: Key
    epoch: int
    revision: int


async def known(store: Store, tenant: str, user_id: str, versions: Versions) -> UserMemory:
    """Return what is known of a user, in one round trip. Raises `CorruptRecord` if a correction cannot be read."""
    for _ in range(RACES_MAX):
        book = await pages.open_book(store, tenant, user_id, PAGES)
        if book.epoch is None:
            return UserMemory()
        contributions = await pages.contributions_of(book)
        if contributions is None:  # a page cannot be read
            await gather(store, tenant, user_id, versions)
            continue
        try:
            corrections = await pages.corrections(store, book)
        except (SnapshotMoved, ConversationDeleted):  # something was erased meanwhile
            continue
        return UserMemory(pages.latest(contributions, CONVERSATIONS_MAX), corrections.last)
    raise SnapshotMoved(watermark=0, epoch=book.epoch or 0)


async def glance(store: Store, tenant: str, name: str) -> UserDigest | None:
    """Return the digest in the book of this name, None if there is none, in one round trip."""
    generation = 1
    while True:
        try:
            found = await store.load_snapshot(pages.place(tenant, name, generation), *DIGEST)
        except ConversationDeleted:
            generation += 1
            continue
        except ConversationNotFound:
            return None
        return None if found is None else pages.read_digest(found.state)


async def put(store: Store, key: Key, user_id: str, fresh: Contribution, *, rebuilt: bool = False) -> BookPlace:
    """Put what a conversation contributes into its user's book; where. With `rebuilt`, it wins over what has seen the same.

    Raises `SnapshotMoved` when something of the conversation was erased meanwhile, and `ConversationNotFound`.
    """
    name = pages.page_of(key.conversation_id)
    for _ in range(RACES_MAX):
        book = await pages.begin_book(store, key.tenant, user_id, [name, CANDIDATES, DIGEST])
        header = await store.get(key)  # decision 044: after the book is there, so that an erasure after this look finds it
        if header.epoch != fresh.epoch:
            raise SnapshotMoved(watermark=0, epoch=header.epoch)
        try:
            if (page := book.page(name)) is None:  # it cannot be read
                await gather(store, key.tenant, user_id, versions_of(fresh.version))
                continue
            before = page.get(header.id, Contribution()).since(fresh.epoch)
            after = before.replaced(fresh) if rebuilt else before.merge(fresh)
            page[header.id] = Contribution() if header.archived else after
            changed = {id_: Contribution() for id_ in await _save_page(store, book, name, page)}
            await _refresh(store, key.tenant, user_id, book, {header.id: page[header.id], **changed})
            return BookPlace(book.key, book.epoch or 0, header.revision)
        except (SnapshotMoved, ConversationDeleted):  # another was faster, or the user is erased at this moment
            continue
    raise SnapshotMoved(watermark=0, epoch=book.epoch or 0)


async def stays(store: Store, key: Key, place: BookPlace) -> bool:
    """Return whether the contribution is still where it was put before its state was stored.

    An erasure that dropped the book, or the archive and back, may have removed it while the state was in neither place
    (decision 044).
    """
    try:
        book, header = await asyncio.gather(store.get(place.book), store.get(key))
    except ConversationNotFound:
        return False
    return book.epoch == place.epoch and header.revision == place.revision


async def gather(store: Store, tenant: str, user_id: str, versions: Versions) -> None:
    """Write the book anew from what is stored with the user's conversations, those that are archived left out.

    `versions` are the names and versions of folds to look for, of each name those to be preferred first. To be called when
    something was erased, archived or brought back; safe beside everything else.
    """
    loaded: dict[tuple[str, int], Contribution] = {}  # whoever loses a race reads no state again: newer ones are in the book
    headers = await _conversations(store, tenant, user_id)
    for _ in range(RACES_MAX):
        book = await pages.open_book(store, tenant, user_id, [*PAGES, CANDIDATES, DIGEST])
        if book.epoch is None:
            return
        try:
            await _load(store, tenant, headers.values(), versions, loaded)
            contributions: dict[str, Contribution] = {}
            for name in PAGES:
                contributions |= await _gather_page(store, tenant, book, name, headers, loaded)
            await _refresh(store, tenant, user_id, book, contributions, all_of_them=True)
        except (SnapshotMoved, ConversationDeleted):  # another was faster, or the user is erased at this moment
            headers = await _conversations(store, tenant, user_id)
            continue
        # a page that did not change was not written: nobody who changed a conversation meanwhile can have seen that
        before, headers = headers, await _conversations(store, tenant, user_id)
        if {id_: it.epoch for id_, it in before.items()} == {id_: it.epoch for id_, it in headers.items()}:
            return
    raise SnapshotMoved(watermark=0, epoch=book.epoch or 0)


async def _load(
    store: Store,
    tenant: str,
    headers: Iterable[Header],
    versions: Versions,
    loaded: dict[tuple[str, int], Contribution],
) -> None:
    """Read what is stored with the conversations that are not among those `loaded`."""
    missing = [header for header in headers if (header.id, header.epoch) not in loaded]
    for first in range(0, len(missing), READ_AT_ONCE):
        some = missing[first : first + READ_AT_ONCE]
        found = await asyncio.gather(
            *(stored_contribution(store, Key(tenant, header.id), header, versions) for header in some)
        )
        loaded |= {(header.id, header.epoch): contributions for header, contributions in zip(some, found, strict=True)}


async def _gather_page(
    store: Store,
    tenant: str,
    book: UserBook,
    name: pages.Name,
    headers: Mapping[str, Header],
    loaded: Mapping[tuple[str, int], Contribution],
) -> dict[str, Contribution]:
    """Write a page anew; what is on it then."""
    before = book.page(name) or {}
    page: dict[str, Contribution] = {}
    for header in headers.values():
        if pages.page_of(header.id) == name:
            there = before.get(header.id, Contribution()).since(header.epoch)
            page[header.id] = replace(loaded[header.id, header.epoch], at=header.updated_at).merge(there)
    full = len(headers) >= CONVERSATIONS_MAX
    oldest = min((header.updated_at for header in headers.values()), default=0)
    for id_ in before.keys() - headers.keys():  # archived, begun since they were listed, or too old for a full book
        too_old = full and before[id_].at < oldest
        if not too_old and (header_ := await _living(store, Key(tenant, id_))):
            page[id_] = before[id_].since(header_.epoch)
    for id_ in await _save_page(store, book, name, page):
        page.pop(id_, None)
    return page


async def _save_page(store: Store, book: UserBook, name: pages.Name, page: Mapping[str, Contribution]) -> set[str]:
    """Write a page over the one that was read, if it differs, without conversations that contribute nothing; which of them
    are not on it.
    """
    kept = pages.latest({id_: it for id_, it in page.items() if it.knowledge is not None}, pages.PAGE_MAX)
    stored_page = book.snapshots.get(name)
    state = pages.encode(kept)
    if stored_page.state != state if stored_page else kept:
        written = book.watermark(name)
        await store.save_snapshot(book.key, *name, Snapshot(written + 1, book.epoch or 0, state), expect_watermark=written)
    return page.keys() - kept.keys()


async def _refresh(
    store: Store,
    tenant: str,
    user_id: str,
    book: UserBook,
    changed: Mapping[str, Contribution],
    *,
    all_of_them: bool = False,
) -> None:
    """Write candidates and digest as they are once the conversations `changed` contribute this, or `all_of_them` are that.

    Raises `SnapshotMoved` when another wrote them meanwhile.
    """
    before = book.candidates()
    found = None if all_of_them or before is None else before.with_(changed)
    if found is None and not all_of_them:
        book, changed = await _all_pages(store, tenant, user_id, book)
    if found is None:
        found = await _candidates(changed)
    digest, written = book.digest(), book.watermark(CANDIDATES)
    if found is not before or digest is None or digest.corrections != book.head:
        fresh = Snapshot(written + 1, book.epoch or 0, pages.encode(found))
        await store.save_snapshot(book.key, *CANDIDATES, fresh, expect_watermark=written)
        written += 1
    if digest is not None and book.watermark(DIGEST) == written:
        return
    try:
        corrections = await pages.corrections(store, book)
    except CorruptRecord as error:  # the digest stays as it is, or away; what is erased and gathered does not depend on it
        logger.error("the corrections of a user cannot be read: %s", error)
        return
    seal = digest.seal if digest else token_hex(32)  # a new one where nothing that was sealed before is to be read any more
    await _save_digest(store, book, written, digest_of_candidates(found, corrections.last, seal=seal, corrections=book.head))


async def _all_pages(store: Store, tenant: str, user_id: str, book: UserBook) -> tuple[UserBook, Mapping[str, Contribution]]:
    """The book with all its pages, and what they have. Raises `SnapshotMoved` if it is not the same book any more."""
    whole = await pages.open_book(store, tenant, user_id, [*PAGES, CANDIDATES, DIGEST])
    if (whole.key, whole.epoch) != (book.key, book.epoch):
        raise SnapshotMoved(watermark=0, epoch=whole.epoch or 0)
    contributions = await pages.contributions_of(whole)
    if contributions is None:
        contributions = {id_: it for name in PAGES for id_, it in (whole.page(name) or {}).items()}
    return whole, pages.latest(contributions, CONVERSATIONS_MAX)


async def _candidates(contributions: Mapping[str, Contribution]) -> Candidates:
    return (
        candidates_of(contributions) if len(contributions) <= FEW else await asyncio.to_thread(candidates_of, contributions)
    )


async def _save_digest(store: Store, book: UserBook, written: int, digest: UserDigest) -> None:
    """Store the digest that was made of the candidates that were `written`, unless there is one of later ones."""
    epoch, seen = book.epoch or 0, book.watermark(DIGEST)
    while seen < written:
        try:
            snapshot = Snapshot(written, epoch, pages.encode(digest))
            await store.save_snapshot(book.key, *DIGEST, snapshot, expect_watermark=seen)
            return
        except SnapshotMoved as moved:
            if moved.epoch != epoch:
                raise
            seen = moved.watermark


async def renew(store: Store, tenant: str, user_id: str, versions: Versions, *, now: int) -> None:
    """Drop all that the book derived, then `gather`. To be called after an erasure in one of the user's conversations."""
    while (book := await pages.open_book(store, tenant, user_id, ())).epoch is not None:
        try:
            await store.move_epoch(book.key, now=now)
        except ConversationDeleted:  # the user is erased at this moment
            continue
        try:
            await gather(store, tenant, user_id, versions)
        except CorruptRecord as error:  # the book's header: what is to be erased is dropped, and nothing can be written
            logger.error("the book of a user cannot be written: %s", error)
        return


async def correct(store: Store, tenant: str, user_id: str, record: Record, *, now: int) -> None:
    """Append a correction to the log of the book, and write the digest."""
    while True:
        book = await pages.begin_book(store, tenant, user_id, ())
        try:
            await store.append(book.key, [record], now=now)
            break
        except ConversationDeleted:  # the user is erased at this moment
            continue
    for _ in range(RACES_MAX):
        book = await pages.open_book(store, tenant, user_id, [CANDIDATES, DIGEST])
        if book.epoch is None:
            return
        try:
            await _refresh(store, tenant, user_id, book, {})
            return
        except (SnapshotMoved, ConversationDeleted):
            continue
    raise SnapshotMoved(watermark=0, epoch=book.epoch or 0)


async def unsay(store: Store, tenant: str, user_id: str, fact: str, *, now: int) -> None:
    """Erase the text of corrections of the fact with this id from the log of the book.

    This drops all that the book derived, so `gather` has to follow.
    """
    book = await pages.open_book(store, tenant, user_id, ())
    if book.epoch is None:
        return
    corrections = await pages.corrections(store, book)
    try:
        for seq in corrections.words.get(fact, ()):
            page = await store.read(book.key, after=seq - 1, before=seq + 1, limit=1)
            await store.redact(book.key, codec.tombstone(page.records[0]), now=now)
    except ConversationDeleted:  # with all the rest
        return


async def erase(store: Store, tenant: str, user_id: str, *, now: int) -> tuple[UserMemory, bool]:
    """Erase the book; what was in it, and whether all of that could be read. One that is not there is begun first, so that
    nobody begins it later.
    """
    book = await pages.begin_book(store, tenant, user_id, PAGES)
    found = await pages.contributions_of(book)
    corrections: pages.Corrections | None = None
    with suppress(CorruptRecord, SnapshotMoved, ConversationDeleted):
        corrections = await pages.corrections(store, book)
    try:
        await store.delete(book.key, now=now)
    except ConversationDeleted:  # by another erasure
        return UserMemory(), True
    return UserMemory(found or {}, corrections.last if corrections else {}), found is not None and corrections is not None


async def finish(store: Store, tenant: str, user_id: str, *, now: int) -> None:
    """See to it that the erasure of the book, if there was one, has reached the files, which one that failed had not."""
    erased, generation = None, 1
    while True:
        key = pages.place(tenant, pages.hidden_name(user_id), generation)
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
    """Return whether there is a book."""
    return (await pages.open_book(store, tenant, user_id, ())).epoch is not None


async def tells_of(store: Store, tenant: str, user_id: str, conversation_id: str) -> bool:
    """Return whether a conversation contributes to the book; True as well where its page cannot be read."""
    name = pages.page_of(conversation_id)
    page = (await pages.open_book(store, tenant, user_id, [name])).page(name)
    return page is None or conversation_id in page


async def _conversations(store: Store, tenant: str, user_id: str) -> dict[str, Header]:
    """The user's conversations that are not archived, those that were touched last. One that is touched while they are
    listed changes its place, and may be missed between two pages: then all are listed again, until that brings no other.
    """
    found: dict[str, Header] = {}
    while True:
        listed, in_pages = await _listed(store, tenant, user_id)
        for id_ in found.keys() - listed.keys():
            if header := await _living(store, Key(tenant, id_)):
                listed[id_] = header
        if in_pages == 1 or listed.keys() == found.keys():
            latest = sorted(listed.values(), key=lambda header: (header.updated_at, header.id), reverse=True)
            return {header.id: header for header in latest[:CONVERSATIONS_MAX]}
        found = listed


async def _listed(store: Store, tenant: str, user_id: str) -> tuple[dict[str, Header], int]:
    """Headers, latest first, and in how many pages they came: no more than hold those of which a book tells."""
    after: Position | None = None
    listed: dict[str, Header] = {}
    number = 0
    while len(listed) <= CONVERSATIONS_MAX:
        page = await store.list_headers(tenant, user_id=user_id, archived=False, after=after, limit=PAGE)
        listed |= {header.id: header for header in page}
        number += 1
        if len(page) < PAGE:
            break
        after = Position(page[-1].updated_at, page[-1].id)
    return listed, number


async def _living(store: Store, key: Key) -> Header | None:
    """The header, None when the conversation is gone or archived."""
    try:
        header = await store.get(key)
    except ConversationNotFound:
        return None
    return None if header.archived else header
