"""Commands on conversations: list, show, tail, append, fork, redact, delete."""

import asyncio
import sys
from typing import Any

import click
import msgspec

from turnlog import codec
from turnlog.cli.options import CONVERSATION_ID, YES, at_most, command, failing, make_sure, on_tenant, run
from turnlog.cli.output import print_header, print_headers, print_records, say, write, write_json
from turnlog.codec import Record
from turnlog.jsonl import conversation_fields
from turnlog.log.info import ConversationInfo, Page
from turnlog.log.turnlog import Turnlog
from turnlog.memory.user.as_json import digest_fields
from turnlog.memory.user.digest import UserDigest
from turnlog.message import Message
from turnlog.message_input import decode_message
from turnlog.store import Receipt, RecordPage
from turnlog.timestamps import format_moment


@command("list")
@click.option("--user", help="Only conversations of this user.")
@click.option("--tag", help="Only conversations with this tag.")
@click.option(
    "--archived/--no-archived", default=None, show_default="both", help="Only archived conversations, or only the others."
)
@at_most(50)
@click.option("--cursor", help="Continue a list: its next_cursor.")
@on_tenant
def list_(
    user: str | None,
    tag: str | None,
    archived: bool | None,
    limit: int,
    cursor: str | None,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """List conversations, latest first."""

    async def work(log: Turnlog) -> Page[ConversationInfo]:
        data: list[ConversationInfo] = []
        more = cursor
        while True:
            size = min(limit - len(data), log.settings.messages_per_call)
            page = await log.conversations(user_id=user, tag=tag, archived=archived, cursor=more, limit=size)
            data += page
            more = page.next_cursor
            if more is None or len(data) == limit:
                return Page.of(data, cursor=more)

    listing = run(work, store, tenant, as_json)
    if as_json:
        write_json(msgspec.structs.asdict(listing.map(conversation_fields)))
        return
    print_headers(listing)
    if listing.next_cursor:
        say(f"more: --cursor {listing.next_cursor}")


@command("show")
@CONVERSATION_ID
@at_most(50)
@on_tenant
def show(
    conversation_id: str,
    limit: int,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Show a conversation and its newest messages."""

    async def work(log: Turnlog) -> tuple[RecordPage, UserDigest | None]:
        page = await _newest(log, conversation_id, limit)
        return page, await log.conversation(conversation_id).known() if as_json else None

    page, known = run(work, store, tenant, as_json)
    if known is not None:
        messages = {
            "memory": digest_fields(known),
            "messages": msgspec.Raw(codec.list_to_json(page.records)),
            "has_more": page.more,
        }
        write_json(conversation_fields(page.header) | messages)
        return
    print_header(page.header)
    say("")
    print_records(page.records)


@command("tail")
@CONVERSATION_ID
@at_most(10)
@click.option("-f", "--follow", is_flag=True, help="Wait for new messages and print them.")
@click.option("--interval", type=click.FloatRange(min=0.05), default=0.5, help="Seconds between two reads, with --follow.")
@on_tenant
def tail(
    conversation_id: str,
    limit: int,
    follow: bool,
    interval: float,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Print the last messages; with --json, one per line."""

    async def work(log: Turnlog) -> None:
        page = await _newest(log, conversation_id, limit)
        _print_tail(page, as_json)
        seen = page.header.head
        while follow:
            await asyncio.sleep(interval)
            async for page in log.conversation(conversation_id).pages(after=seen):
                _print_tail(page, as_json)
                seen += len(page.records)

    run(work, store, tenant, as_json)


async def _newest(log: Turnlog, conversation_id: str, limit: int) -> RecordPage:
    """The last `limit` records, however few one call may read."""
    conversation = log.conversation(conversation_id)
    records: list[Record] = []
    before = None
    while True:
        size = min(limit - len(records), log.settings.messages_per_call)
        page = await conversation.read(before=before, limit=size, newest=True)
        records = page.records + records
        if not page.more or len(records) == limit:
            return RecordPage(page.header, records, page.more)
        before = records[0].seq


def _print_tail(page: RecordPage, as_json: bool) -> None:
    if not as_json:
        print_records(page.records)
        return
    write(b"".join(codec.to_json(record) + b"\n" for record in page.records))


@command("append")
@CONVERSATION_ID
@click.argument("text", metavar="[TEXT]", required=False, default="-")
@click.option("--role", show_default="user", help="user, assistant, system or developer.")
@click.option("--create", is_flag=True, help="Create the conversation if it does not exist.")
@on_tenant
def append(
    conversation_id: str,
    text: str,
    role: str | None,
    create: bool,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Append a message to a conversation. Prints its seq and id.

    TEXT is the content, or without --role a message as a JSON object. Without TEXT, or with -, it is read from stdin.
    """
    with failing(as_json):
        message = _message(sys.stdin.read() if text == "-" else text, role)

    async def work(log: Turnlog) -> Receipt:
        conversation = log.conversation(conversation_id)
        if create:
            conversation = await log.create(id=conversation_id, exist_ok=True)
        return (await conversation.append(message)).receipts[0]

    receipt = run(work, store, tenant, as_json, create=create)
    if as_json:
        write_json(msgspec.structs.asdict(receipt) | {"created_at": format_moment(receipt.created_at)})
    else:
        say(f"[{receipt.seq}] {receipt.id}")


def _message(text: str, role: str | None) -> Message:
    """The message in an argument: a JSON object with a `role` when no role is given, else text. Raises `InvalidInput`."""
    if role is None and text.lstrip().startswith("{"):
        try:
            fields = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            fields = {}
        if "role" in fields:
            return decode_message(fields)
    return decode_message({"role": role or "user", "content": text.removesuffix("\n")})


@command("fork")
@CONVERSATION_ID
@click.option("--at", type=click.IntRange(min=0), show_default="the newest", help="The last message to share.")
@click.option("--id", "new_id", show_default="a new UUID", help="Id of the new conversation.")
@on_tenant
def fork(
    conversation_id: str,
    at: int | None,
    new_id: str | None,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Create a conversation that shares the log of another one."""

    async def work(log: Turnlog) -> ConversationInfo:
        forked = await log.conversation(conversation_id).fork(at=at, id=new_id)
        return await forked.info()

    header = run(work, store, tenant, as_json)
    if as_json:
        write_json(conversation_fields(header))
    else:
        say(header.id)


@command("redact")
@CONVERSATION_ID
@click.argument("seq", metavar="SEQ", type=click.IntRange(min=1))
@YES
@on_tenant
def redact(
    conversation_id: str,
    seq: int,
    yes: bool,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Erase the content of one message. Its seq, id, time and role stay; memory that comes from it is rebuilt."""
    make_sure(yes, f"Erase message {seq} of {conversation_id} for good?")

    async def work(log: Turnlog) -> None:
        await log.conversation(conversation_id).redact(seq)

    run(work, store, tenant, as_json)
    _say_done({"conversation_id": conversation_id, "seq": seq, "redacted": True}, f"message {seq} is erased", as_json)


@command("delete")
@CONVERSATION_ID
@YES
@on_tenant
def delete(
    conversation_id: str,
    yes: bool,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Erase a conversation. Its id is never used again."""
    make_sure(yes, f"Erase {conversation_id} for good?")

    async def work(log: Turnlog) -> None:
        await log.conversation(conversation_id).delete()

    run(work, store, tenant, as_json)
    _say_done({"id": conversation_id, "deleted": True}, f"{conversation_id} is erased", as_json)


def _say_done(fields: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        write_json(fields)
    else:
        say(text)
