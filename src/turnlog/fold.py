"""Folds: memory as a function of the log, `(state, new messages) -> state`.

Law 10: every message goes through each fold exactly once, in order, whatever crashes. A state and its watermark are one
value, and a save names the watermark that the step started from: a slower worker's save fails.
Law 11: a save also names the erase epoch at which the messages were read, so that a fold that read before an erasure
cannot write erased text back. A state of an older epoch counts as none.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeVar, get_type_hints, runtime_checkable

import msgspec

from turnlog import codec
from turnlog.codec import Record
from turnlog.errors import ConversationNotFound, CorruptRecord, InvalidInput, SnapshotMoved
from turnlog.llm.port import on_behalf_of
from turnlog.message import Message
from turnlog.store import Header, Key, Snapshot, Store
from turnlog.validation import COUNT_MAX, check_name, check_text

BATCH = 200
"""Messages in one step, at most."""
BATCH_BYTES = 256 << 10
"""Bytes of their bodies, at most; a single message may be larger."""
_TOKENS = COUNT_MAX << 16  # no bound: a batch is bounded by its messages and their bytes
_TAKEN = "context"  # contexts store their compactions as snapshots of this name
BESIDE = ("note", "rebuild")
"""What workers store beside the state of a fold, each under the name of the fold, a dot and this."""
UNBOUND = ("-", 1)
"""Not the name of a fold. As the first fold of a read it has no watermark, which would bound what is read."""
logger = logging.getLogger(__name__)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)

MISTAKES = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError),
    *(OSError, RuntimeError, SyntaxError, TypeError, ValueError),
)
"""What a mistake in the module of a fold raises, when it is imported or shows a state."""

S = TypeVar("S")
Still = Callable[[], Awaitable[bool]]


class Fold(Protocol[S]):
    """One kind of memory. A stored state belongs to a `name` and a `version`: a fold that computes another state from the
    same messages needs another version.

    The state has the type that `initial` is annotated with: anything that msgspec decodes from JSON (lists, sets, dicts
    with text keys, dataclasses, Structs), or `bytes`, which are stored unchanged.
    """

    @property
    def name(self) -> str:
        """1 to 64 lower-case letters, digits, `_` or `-`, starting with a letter; not `context`."""

    @property
    def version(self) -> int:
        """From 1 on."""

    def initial(self) -> S:
        """The state before the first message."""

    async def step(self, state: S, messages: Sequence[Message]) -> S:
        """The state after `messages`, which follow those in `state`; it may be `state` itself, changed.

        An erased message has `redacted` and no text. A step that raises is tried again later from the same state.
        """


@runtime_checkable
class Leased(Protocol):
    """An ability of a fold with expensive steps: one worker at a time works on a conversation, for at most `lease_s`."""

    @property
    def lease_s(self) -> float:
        """Seconds; longer than a worker's turn and one step together."""


@runtime_checkable
class Shared(Protocol):
    """An ability of a fold whose states are also merged elsewhere, such as into what is known of a user."""

    async def share(self, store: Store, key: Key, header: Header, after: Snapshot) -> Still | None:
        """Called with each state that includes the whole log, before it is stored, and again if that fails: so it must be
        idempotent. Raises `SnapshotMoved` when something was erased meanwhile.

        The returned function, if any, is called after the state is stored: when it returns False, the shared copy was
        replaced meanwhile, and this is called again.
        """


@runtime_checkable
class SharedAnew(Shared, Protocol):
    """An ability of a shared fold: a rebuilt state replaces the shared copy of the same messages."""

    async def share_anew(self, store: Store, key: Key, header: Header, after: Snapshot) -> Still | None:
        """As `share`, for a rebuilt state."""


@runtime_checkable
class Succeeding(Protocol):
    """An ability of a fold whose versions do not count up one by one: it names the version before its own."""

    @property
    def previous(self) -> int:
        """0 for none."""


@runtime_checkable
class OnRecords(Protocol):
    """An ability of a fold about the stored form: it steps over records, and `step` is not called."""

    async def step_records(self, state: Any, records: Sequence[Record]) -> Any:
        """As `step`, for records, whose checksums are not verified."""


class Section(NamedTuple):
    """A section of contexts: its first line, and the largest share of the budget that it takes if no policy says another."""

    heading: str
    share: float


@runtime_checkable
class Sectioned(Protocol):
    """An ability of a fold that has something to show in contexts: a section before the recent window, named after it."""

    @property
    def name(self) -> str:
        """As `Fold.name`."""

    @property
    def version(self) -> int:
        """As `Fold.version`."""

    @property
    def section(self) -> Section:
        """The heading and the usual share of the section."""

    def lines(self, state: Any) -> Sequence[str]:
        """The lines of the section, the most important first; what does not fit in the share is cut from the end."""


class Ahead(NamedTuple):
    """What a fold steps over next: its state, and the records right behind its watermark, as of one moment.

    `more` tells whether the log goes on behind them; `beside` are the other requested snapshots of this epoch. `over` is
    the watermark of an unreadable stored state, which the next save replaces.
    """

    since: Snapshot
    header: Header
    records: list[Record]
    more: bool
    beside: tuple[Snapshot | None, ...] = ()
    tenant: str = ""
    over: int | None = None

    @property
    def stored_watermark(self) -> int:
        """The watermark of the stored state."""
        return self.since.watermark if self.over is None else self.over


class StateUnreadable(InvalidInput):
    """A stored state does not have the type of `initial`: it decayed, or newer software wrote it."""


async def look(
    store: Store, key: Key, fold: Fold[Any], *, limit: int = BATCH, beside: Sequence[tuple[str, int]] = ()
) -> Ahead:
    """What `fold` steps over next, at most `limit` messages; one round trip if the log ends there."""
    end = await store.recent(
        key, tokens=_TOKENS, limit=limit, bytes_max=BATCH_BYTES, folds=[(fold.name, fold.version), *beside]
    )
    epoch = end.header.epoch
    first, *others = (found if found and found.epoch == epoch else None for found in end.snapshots)
    since = first or await _inherited(store, key, fold, end.header) or _beginning(fold, epoch)
    records = [record for record in end.records if record.seq > since.watermark]
    if since.watermark + len(records) >= end.header.head:
        return Ahead(since, end.header, records, False, tuple(others), key.tenant)
    return (await look_on(store, key, fold, since, limit=limit))._replace(beside=tuple(others))


async def look_on(store: Store, key: Key, fold: Fold[Any], since: Snapshot, *, limit: int = BATCH) -> Ahead:
    """What `fold` steps over after `since`; from the first message on if something was erased since then."""
    page = await store.read(key, after=since.watermark, limit=limit, bytes_max=BATCH_BYTES)
    if page.header.epoch != since.epoch:
        page = await store.read(key, after=0, limit=limit, bytes_max=BATCH_BYTES)
        since = _beginning(fold, page.header.epoch)
    return Ahead(since, page.header, page.records, page.more, tenant=key.tenant)


async def stepped(fold: Fold[Any], ahead: Ahead) -> Snapshot:
    """The state after the records ahead. Raises what the fold raises, `CorruptRecord`, and `InvalidInput` for a state that
    cannot be stored.
    """
    watermark = ahead.since.watermark
    for place, record in enumerate(ahead.records, watermark + 1):
        if record.seq != place:
            raise CorruptRecord(seq=place, reason="is missing")
    with on_behalf_of(ahead.tenant):
        state = await advanced(fold, state_of(fold, ahead.since.state), ahead.records)
    return Snapshot(watermark + len(ahead.records), ahead.header.epoch, stored(fold, state))


async def stepped_anew(
    store: Store, key: Key, fold: Fold[Any], ahead: Ahead, *, limit: int = BATCH
) -> tuple[Ahead, Snapshot]:
    """`stepped`; from the first message on when the stored state is unreadable, since a state can be derived again.

    Returns what was ahead, and the state after it.
    """
    try:
        return ahead, await stepped(fold, ahead)
    except StateUnreadable as error:
        logger.warning("a state of %s is computed again: %s", key.conversation_id, error)
    again = await look_on(store, key, fold, _beginning(fold, ahead.header.epoch), limit=limit)
    if again.header.epoch == ahead.header.epoch:
        again = again._replace(over=ahead.stored_watermark)
    return again, await stepped(fold, again)


async def advanced(fold: Fold[S], state: S, records: Sequence[Record]) -> S:
    """The state after `records`, decoded for a fold of messages. Raises what the fold raises, and `CorruptRecord`."""
    if isinstance(fold, OnRecords):
        return await fold.step_records(state, records)  # type: ignore[no-any-return]
    return await fold.step(state, [codec.decode(record) for record in records])


async def save(store: Store, key: Key, fold: Fold[Any], ahead: Ahead, after: Snapshot) -> None:
    """Store the state `after` the records ahead. Raises `SnapshotMoved`, and stores nothing, when another worker was faster
    or something was erased meanwhile.
    """
    shared = fold if isinstance(fold, Shared) and not ahead.more else None
    still = await shared.share(store, key, ahead.header, after) if shared else None
    await store.save_snapshot(key, fold.name, fold.version, after, expect_watermark=ahead.stored_watermark)
    while shared and still and not await still():
        still = await shared.share(store, key, ahead.header, after)
    if not ahead.more:
        await drop_older(store, key, fold)


async def drop_older(store: Store, key: Key, fold: Fold[Any]) -> None:
    """Delete the states of versions before the previous one, with what workers store beside them.

    The previous version stays (decision 046): in a rolling deploy other processes still run it, and would compute it again.
    """
    previous = fold.previous if isinstance(fold, Succeeding) else fold.version - 1
    if previous > 1:  # there are no versions before the first
        for name in (fold.name, *(f"{fold.name}.{beside}" for beside in BESIDE)):
            await store.drop_snapshots(key, name, below=previous)


async def catch_up(store: Store, key: Key, fold: Fold[Any], *, batch: int = BATCH) -> Snapshot:
    """Fold the messages behind the watermark, up to `batch` at a time, until the head. Returns the stored state.

    Any number of workers may do so at once on one conversation; a slower one continues from what the faster one stored.
    """
    check_fold(fold)
    since: Snapshot | None = None
    while True:
        try:
            ahead = await (look_on(store, key, fold, since, limit=batch) if since else look(store, key, fold, limit=batch))
            if not ahead.records:
                return ahead.since
            ahead, since = await stepped_anew(store, key, fold, ahead, limit=batch)
            await save(store, key, fold, ahead, since)
        except SnapshotMoved:
            since = None
            continue
        if not ahead.more:
            return since


async def replay(store: Store, key: Key, fold: Fold[Any], *, batch: int = BATCH) -> Snapshot:
    """The state of the whole log, folded from the first message on; nothing is stored."""
    check_fold(fold)
    ahead = await look_on(store, key, fold, _beginning(fold, 0), limit=batch)
    while ahead.records:
        after = await stepped(fold, ahead)
        if not ahead.more:
            return after
        ahead = await look_on(store, key, fold, after, limit=batch)
    return ahead.since


async def snapshots(store: Store, key: Key, folds: Sequence[tuple[str, int]]) -> tuple[Header, tuple[Snapshot | None, ...]]:
    """The header, and these snapshots of any epoch; one round trip, unless the last record is corrupt."""
    try:
        end = await store.recent(key, tokens=0, limit=1, folds=[UNBOUND, *folds])
    except CorruptRecord:
        header = await store.get(key)
        return header, tuple([await store.load_snapshot(key, *fold) for fold in folds])
    return end.header, end.snapshots[1:]


def newest(
    folds: Sequence[tuple[str, int]], snapshots: Sequence[Snapshot | None], epoch: int
) -> dict[tuple[str, int], Snapshot]:
    """The snapshots to use, by name and version, one of each name; `folds` has the preferred versions first.

    That is the preferred version of this erase `epoch`, or another one while it includes more messages.
    """
    best: dict[str, tuple[int, Snapshot]] = {}
    for (name, version), found in zip(folds, snapshots, strict=False):
        if found is not None and found.epoch == epoch and (name not in best or found.watermark > best[name][1].watermark):
            best[name] = version, found
    return {(name, version): found for name, (version, found) in best.items()}


def check_fold(fold: Fold[Any]) -> None:
    """Raise `InvalidInput` for a fold whose name, version or state cannot be stored, or whose section cannot be shown."""
    if not isinstance(fold.name, str) or not _NAME.fullmatch(fold.name):
        raise InvalidInput("name", "of a fold must be 1 to 64 of a-z 0-9 _ -, beginning with a letter")
    if fold.name == _TAKEN:
        raise InvalidInput("name", f"of a fold must not be {_TAKEN}")
    if type(fold.version) is not int or not 1 <= fold.version <= COUNT_MAX:
        raise InvalidInput("version", "of a fold must be a whole number from 1 on")
    try:
        _form(type(fold))
    except (NameError, TypeError) as error:
        raise InvalidInput("initial", f"of fold {fold.name} tells no type that can be stored: {error}") from error
    state_of(fold, stored(fold, fold.initial()))
    if isinstance(fold, Sectioned):
        _check_section(fold)


def _check_section(fold: Any) -> None:
    """Raise `InvalidInput` for a section that no context can show."""
    section, place = fold.section, f"of fold {fold.name}"
    if not isinstance(section, Section):
        raise InvalidInput("section", f"{place} must be a turnlog.fold.Section")
    check_name("section.heading", section.heading)
    if type(section.share) not in (int, float) or not 0 <= section.share <= 1:
        raise InvalidInput("section.share", f"{place} must be a number from 0 to 1")
    checked_lines(fold, fold.initial())


def section_lines(fold: Sectioned, state: bytes) -> tuple[str, ...]:
    """What the fold shows of a stored state in contexts; nothing, and an entry in the log of the program, if it fails."""
    try:
        return checked_lines(fold, state_of(fold, state))  # type: ignore[arg-type]
    except StateUnreadable as error:
        logger.warning("the section %s is left out of a context: %s", fold.name, error)
    except MISTAKES:  # decision 053: a context without one section is better than none after each turn
        logger.exception("the section %s is left out of a context", fold.name)
    return ()


def checked_lines(fold: Sectioned, state: Any) -> tuple[str, ...]:
    """The lines for a state. Raises `InvalidInput` unless they are texts, and what the fold raises."""
    lines = fold.lines(state)
    if isinstance(lines, str):
        raise InvalidInput("lines", f"of fold {fold.name} must return a list of texts")
    for line in lines:
        check_text(f"a line of fold {fold.name}", line)
    return tuple(lines)


def stored(fold: Fold[S], state: S) -> bytes:
    """The stored form of a state: JSON with sorted keys, or `bytes` unchanged."""
    try:
        return _form(type(fold)).write(state)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput("state", f"of fold {fold.name} {fold.version} cannot be stored: {error}") from error


def state_of(fold: Fold[S], state: bytes) -> S:
    """The state, decoded as the type that `initial` is annotated with. Raises `StateUnreadable`."""
    try:
        return _form(type(fold)).read(state)  # type: ignore[no-any-return]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        rule = f"of fold {fold.name} {fold.version} is not what `initial` says: {error}"
        raise StateUnreadable("state", rule) from error


def is_readable(fold: Fold[Any], state: bytes) -> bool:
    """Whether `state_of` can read a stored state."""
    try:
        state_of(fold, state)
    except StateUnreadable:
        return False
    return True


class _Form(NamedTuple):
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]


@lru_cache(maxsize=256)
def _form(kind: type[Fold[Any]]) -> _Form:
    state = get_type_hints(kind.initial).get("return", Any)
    if state is bytes:
        return _Form(_as_it_is, _as_it_is)
    return _Form(msgspec.json.Encoder(order="deterministic").encode, msgspec.json.Decoder(state).decode)


def _as_it_is(state: bytes) -> bytes:
    if not isinstance(state, bytes):
        raise TypeError(f"it is no bytes but {type(state).__name__}")
    return state


async def _inherited(store: Store, key: Key, fold: Fold[Any], header: Header) -> Snapshot | None:
    """The state of the messages that a fork shares, if a parent has one; it is stored for the fork too.

    Raises `SnapshotMoved` when another worker was faster or something was erased meanwhile.
    """
    above, shared = header, header.head
    while above.parent is not None:
        shared = min(shared, above.parent_seq)
        try:
            above, (found,) = await snapshots(store, Key(key.tenant, above.parent), [(fold.name, fold.version)])
        except ConversationNotFound:
            return None
        if (
            found is not None
            and found.epoch == above.epoch
            and 0 < found.watermark <= shared
            and is_readable(fold, found.state)
        ):
            since = Snapshot(found.watermark, header.epoch, found.state)
            await save(
                store, key, fold, Ahead(_beginning(fold, header.epoch), header, [], since.watermark < header.head), since
            )
            return since
    return None


def _beginning(fold: Fold[Any], epoch: int) -> Snapshot:
    return Snapshot(0, epoch, stored(fold, fold.initial()))
