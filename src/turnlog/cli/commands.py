"""The commands. Each reads its options, asks the `Turnlog`, and prints."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from turnlog import codec
from turnlog.cli.context import context
from turnlog.cli.doctor import doctor
from turnlog.cli.exporting import Output, write_pieces
from turnlog.cli.importing import import_file
from turnlog.cli.memory import memory
from turnlog.cli.options import (
    EXIT_FAILED,
    EXIT_REJECTS,
    AsJson,
    ConversationId,
    StoreUrl,
    Tenant,
    Yes,
    failing,
    make_room,
    make_sure,
    read_settings,
    run,
)
from turnlog.cli.output import header_fields, print_header, print_headers, print_records, raw, say, write, write_json
from turnlog.cli.rebuild import rebuild
from turnlog.cli.schema import schema
from turnlog.cli.users import user
from turnlog.cli.verify import verify
from turnlog.jsonl import export_all, export_one
from turnlog.log.info import ConversationInfo
from turnlog.log.pagination import Page
from turnlog.log.turnlog import Turnlog
from turnlog.store import RecordPage
from turnlog.worker_process import fold

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Keeps the state of conversations for AI assistants.",
)
app.add_typer(schema, name="schema")
app.add_typer(memory, name="memory")
app.add_typer(user, name="user")
app.command()(doctor)
app.command()(verify)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one. [default: 8377]")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that serve.")] = 1,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Serve HTTP until told to stop."""
    try:
        from turnlog.service.serve import serve as run_service
    except ModuleNotFoundError as error:
        if error.name not in ("uvicorn", "starlette"):
            raise
        sys.stderr.write("turnlog: serving needs starlette and uvicorn: pip install 'turnlog[server]'\n")
        raise typer.Exit(EXIT_FAILED) from None

    def tell(url: str) -> None:
        if as_json:
            write_json({"url": url, "pid": os.getpid()})
        else:
            write(f"turnlog serves on {url}\n".encode())

    with failing(as_json):
        settings = read_settings(store, tenant)
        told = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        make_room(settings.store)
        run_service(msgspec.structs.replace(settings, **told), workers=workers, tell=tell)


@app.command()
def worker(
    tenants: Annotated[
        list[str] | None, typer.Option("--tenant", metavar="NAME", help="Whose; may be given again. [default: default]")
    ] = None,
    store: StoreUrl = None,
    as_json: AsJson = False,
) -> None:
    """Keep memory up with what is said, until told to stop; any number of workers share the work."""
    with failing(as_json):
        settings = read_settings(store, tenants[0] if tenants else None)
        make_room(settings.store)
        told = tuple(tenants or ()) or (settings.tenant,)

        def tell() -> None:
            if as_json:
                write_json({"tenants": list(told), "pid": os.getpid()})
            else:
                write(f"turnlog folds for {', '.join(told)}\n".encode())

        fold(settings, told, tell=tell)


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines, a conversation a line; - for stdin.")],
    rejects: Annotated[Path | None, typer.Option(help="Where refused lines go. [default: FILE.rejects.jsonl]")] = None,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Add conversations from a file. Running it again adds only what is missing. Ends with 3 when lines were refused."""
    if source != "-" and not Path(source).is_file():
        raise typer.BadParameter(f"there is no file {source}", param_hint="FILE")

    async def work(log: Turnlog) -> Any:
        return await import_file(log, source, rejects)

    try:
        count, aside = run(work, store, tenant, as_json, create=True)
    except OSError as error:
        sys.stderr.write(f"turnlog: {error.filename}: {error.strerror}\n")
        raise typer.Exit(EXIT_FAILED) from None
    if as_json:
        write_json(msgspec.to_builtins(count) | {"rejects": str(aside) if count.rejected else None})
    else:
        say(
            f"{count.conversations} conversations: {count.added} messages added, {count.present} already there, "
            f"{count.rejected} lines rejected"
            + (f" (see {aside})" if count.rejected else "")
            + (f", {count.passed} of memory passed over" if count.passed else "")
        )
    if count.rejected:
        raise typer.Exit(EXIT_REJECTS)


@app.command()
def export(
    conversation_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One conversation. [default: all]")] = None,
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    output: Output = None,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Write conversations as JSON Lines, in the form that import reads. With --output, print how many."""
    if conversation_id and (user or tag):
        raise typer.BadParameter("goes alone, without --user and --tag", param_hint="ID")

    def pieces(log: Turnlog) -> AsyncIterator[bytes]:
        return export_one(log, conversation_id) if conversation_id else export_all(log, user_id=user, tag=tag)

    conversations = write_pieces(pieces, output, store, tenant, as_json)
    if output and as_json:
        write_json({"conversations": conversations, "output": str(output)})
    elif output:
        say(f"{conversations} conversations written to {output}")


@app.command("list")
def list_(
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    archived: Annotated[bool | None, typer.Option(help="Only archived ones, or only the others.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on where a list stopped.")] = None,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show conversations, latest first."""

    async def work(log: Turnlog) -> Page[ConversationInfo]:
        return await log.conversations(user_id=user, tag=tag, archived=archived, cursor=cursor, limit=limit)

    listing = run(work, store, tenant, as_json)
    if as_json:
        write_json({"data": list(map(header_fields, listing)), "next_cursor": listing.next_cursor})
        return
    print_headers(listing)
    if listing.next_cursor:
        say(f"more: --cursor {listing.next_cursor}")


@app.command()
def show(
    conversation_id: ConversationId,
    messages: Annotated[int, typer.Option(min=1, help="How many of the newest messages.")] = 50,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show a conversation and its newest messages."""

    async def work(log: Turnlog) -> RecordPage:
        return await log.conversation(conversation_id).read(limit=messages, newest=True)

    page = run(work, store, tenant, as_json)
    if as_json:
        told = {"messages": raw(codec.list_to_json(page.records)), "has_more": page.more}
        write_json(header_fields(page.header) | told)
        return
    print_header(page.header)
    say("")
    print_records(page.records)


@app.command()
def tail(
    conversation_id: ConversationId,
    lines: Annotated[int, typer.Option("-n", "--lines", min=1, help="How many messages.")] = 10,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new messages as they come.")] = False,
    interval: Annotated[float, typer.Option(min=0.05, help="Seconds between looks, with --follow.")] = 0.5,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show the last messages; with --json, one a line."""

    async def work(log: Turnlog) -> None:
        conversation = log.conversation(conversation_id)
        page = await conversation.read(limit=lines, newest=True)
        _print_tail(page, as_json)
        seen = page.header.head
        while follow:
            await asyncio.sleep(interval)
            async for page in conversation.pages(after=seen):
                _print_tail(page, as_json)
                seen += len(page.records)

    run(work, store, tenant, as_json)


def _print_tail(page: RecordPage, as_json: bool) -> None:
    if not as_json:
        print_records(page.records)
        return
    write(b"".join(codec.to_json(record) + b"\n" for record in page.records))


app.command()(context)
app.command()(rebuild)


@app.command()
def fork(
    conversation_id: ConversationId,
    at: Annotated[int | None, typer.Option(min=0, help="The last message to share. [default: all]")] = None,
    new_id: Annotated[str | None, typer.Option("--id", help="Id of the new conversation.")] = None,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Begin a conversation that shares the log of another one."""

    async def work(log: Turnlog) -> ConversationInfo:
        made = await log.conversation(conversation_id).fork(at=at, id=new_id)
        return await made.info()

    header = run(work, store, tenant, as_json)
    if as_json:
        write_json(header_fields(header))
    else:
        say(header.id)


@app.command()
def delete(
    conversation_id: ConversationId,
    yes: Yes = False,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Erase a conversation. Its id stays dead."""
    make_sure(yes, f"Erase {conversation_id} for good?")

    async def work(log: Turnlog) -> None:
        await log.conversation(conversation_id).delete()

    run(work, store, tenant, as_json)
    if as_json:
        write_json({"conversation_id": conversation_id, "deleted": True})
    else:
        say(f"{conversation_id} is erased")
