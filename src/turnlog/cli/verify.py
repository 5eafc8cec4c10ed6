"""`turnlog verify`: whether logs are as they were written, and digests of them to be kept elsewhere."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
import msgspec

from turnlog.cli.options import EXIT_FAILED, command, on_tenant, run
from turnlog.cli.output import note, say, write_json
from turnlog.errors import ConversationDeleted, ConversationNotFound, InvalidInput
from turnlog.integrity.digest import Digest
from turnlog.integrity.verify import Inspection
from turnlog.jsonl import every_header
from turnlog.log.conversation import Conversation
from turnlog.log.turnlog import Turnlog
from turnlog.store import Fault

Digests = dict[str, Digest]


class Verified(msgspec.Struct):
    """How many conversations were verified, and how many faults were found."""

    conversations: int = 0
    faults: int = 0


@command("verify")
@click.argument("conversation_id", metavar="[ID]", required=False)
@click.option("--user", help="All conversations of this user.")
@click.option("--all", "every", is_flag=True, help="All conversations.")
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Exported digests to compare with; alone: check those in the file.",
)
@click.option(
    "--export", type=click.Path(path_type=Path), help="File for digests, one per line; written when there are no faults."
)
@click.option("--accept", is_flag=True, help="Accept the logs as they are now.")
@on_tenant
def verify(
    conversation_id: str | None,
    user: str | None,
    every: bool,
    against: Path | None,
    export: Path | None,
    accept: bool,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Check logs for changes made behind the store's back. Ends with 1 when there are any.

    Changes nothing, except that --export brings integrity states up to date and --accept replaces them.
    """
    asked = [conversation_id is not None, user is not None, every]
    if sum(asked) > 1 or not (any(asked) or against):
        raise click.BadParameter("is needed, or one of --user, --all and --against", param_hint="ID")
    count = Verified()

    async def work(log: Turnlog) -> None:
        known = _read_digests(against) if against else None
        with _exporting(export, count) as file:
            async for id_ in _chosen(log, conversation_id, user, every, known):
                await _verify(log.conversation(id_), (known or {}).get(id_), count, file, as_json, accept=accept)

    run(work, store, tenant, as_json)
    if not as_json:
        say(f"{count.conversations} conversations: {count.faults} faults")
    if count.faults:
        raise click.exceptions.Exit(EXIT_FAILED)


@contextmanager
def _exporting(export: Path | None, count: Verified) -> Iterator[IO[bytes] | None]:
    """A file that takes the place of `export`, unless there are faults: then older digests are worth more."""
    if export is None:
        yield None
        return
    part = export.with_name(f"{export.name}.part")
    try:
        with open(part, "wb") as file:
            yield file
        if count.faults:
            note(f"turnlog: no digests were written to {export}, because of the faults")
        else:
            part.replace(export)
    finally:
        part.unlink(missing_ok=True)


def _read_digests(path: Path) -> Digests:
    """The digests in a file, by conversation; of several of one, the last. Raises `InvalidInput` and `OSError`."""
    digests: Digests = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            digest = msgspec.json.decode(line, type=Digest)
        except msgspec.MsgspecError as error:
            raise InvalidInput("against", f"line {number} is no digest: {error}") from None
        digests[digest.conversation_id] = digest
    return digests


async def _chosen(
    log: Turnlog, conversation_id: str | None, user: str | None, every: bool, known: Digests | None
) -> AsyncIterator[str]:
    """The conversations that were asked for. With `every`, or without any, those of which a digest is known as well.

    Raises `ConversationNotFound` for one that is not there and not known, `InvalidInput` for one that should be known.
    """
    if conversation_id is not None:
        if known is None:
            await log.conversation(conversation_id).info()
        elif conversation_id not in known:
            raise InvalidInput("against", f"has no digest of conversation {conversation_id!r}")
        yield conversation_id
        return
    listed: set[str] = set()
    if user is not None or every:
        async for header in every_header(log, user_id=user):
            listed.add(header.id)
            yield header.id
    if user is None:
        for id_ in (known or {}).keys() - listed:
            yield id_


async def _verify(
    conversation: Conversation, known: Digest | None, count: Verified, file: IO[bytes] | None, as_json: bool, *, accept: bool
) -> None:
    """Print what is found, and count it; then make the state anew if it is to be, and export a digest."""
    found = await _inspect(conversation, known)
    count.conversations += 1
    count.faults += len(found.faults)
    _print(found, as_json)
    if accept and found.head:
        await conversation.digest_anew()
    if file and found.head and not count.faults:
        file.write(msgspec.json.encode(await conversation.digest()) + b"\n")


async def _inspect(conversation: Conversation, known: Digest | None) -> Inspection:
    """What is found of a conversation, which may be gone since it was listed or since its digest was exported."""
    try:
        return await conversation.inspect(against=known)
    except ConversationDeleted:
        return Inspection(conversation.id, 0, 0, [], [Fault(0, "was deleted")])
    except ConversationNotFound:
        gone = [Fault(0, "is not there")]
        return Inspection(conversation.id, 0, 0, gone, []) if known else Inspection(conversation.id, 0, 0, [], gone)


def _print(found: Inspection, as_json: bool) -> None:
    if as_json:
        told = {name: [each._asdict() for each in getattr(found, name)] for name in ("faults", "notes")}
        write_json(msgspec.structs.asdict(found) | told)
        return
    for verdict, told_of in (("note", found.notes), ("fault", found.faults)):
        for seq, what in told_of:
            say(f"{verdict}: {found.conversation_id}{f' seq {seq}' if seq else ''} {what}")
