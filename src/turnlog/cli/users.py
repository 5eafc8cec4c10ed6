"""`turnlog user`: what is known of a person, put right by them, given to them, and erased."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import typer

from turnlog.cli.exporting import Output, write_pieces
from turnlog.cli.options import AsJson, StoreUrl, Tenant, Yes, failing, make_sure, run
from turnlog.cli.output import say, write_json
from turnlog.cli.remembered import line, print_fields
from turnlog.jsonl import export_user
from turnlog.log.turnlog import Turnlog
from turnlog.log.user import Erased
from turnlog.memory.user.as_json import facts_fields, known_fields, shown
from turnlog.memory.user.items import KnownFact
from turnlog.timestamps import format_moment, from_micros, read_time

user = typer.Typer(no_args_is_help=True, help="What is known of a person.")

UserId = Annotated[str, typer.Argument(metavar="USER", help="The user.")]
Moment = Annotated[str | None, typer.Option(metavar="TIME", help="A day or a time, as 2026-03-01T09:00:00Z.")]


@user.command()
def show(
    user_id: UserId,
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="The facts that held then: a day or a time.")] = None,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show what is known of a user, with the messages that it came from."""
    moment = _moment("as_of", as_of, as_json)

    async def work(log: Turnlog) -> dict[str, Any]:
        known = await log.user(user_id).memory()
        return known_fields(user_id, known) if moment is None else facts_fields(user_id, known, moment)

    fields = run(work, store, tenant, as_json)
    if as_json:
        write_json(fields)
        return
    told = {name: value for name, value in fields.items() if name not in ("user_id", "as_of") and value}
    say(user_id if told else f"nothing is known of {user_id}" + (" for then" if as_of else ""))
    print_fields(told)


@user.command()
def export(
    user_id: UserId, output: Output = None, store: StoreUrl = None, tenant: Tenant = None, as_json: AsJson = False
) -> None:
    """Write all of a user as JSON Lines: their conversations, then one line with what is remembered of them."""

    def pieces(log: Turnlog) -> AsyncIterator[bytes]:
        return export_user(log, user_id)

    conversations = write_pieces(pieces, output, store, tenant, as_json) - 1
    if output and as_json:
        write_json({"user_id": user_id, "conversations": conversations, "output": str(output)})
    elif output:
        say(f"{conversations} conversations, and what is remembered of {user_id}, written to {output}")


@user.command()
def erase(
    user_id: UserId,
    yes: Yes = False,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Erase a user: all their conversations and all that is known of them. Prints a receipt."""
    make_sure(yes, f"Erase all of {user_id} for good?")

    async def work(log: Turnlog) -> Erased:
        return await log.user(user_id).erase()

    erased = run(work, store, tenant, as_json)
    receipt = shown(erased) | {"erased_at": format_moment(erased.erased_at)}
    if as_json:
        write_json({"user_id": user_id} | receipt)
        return
    erased_at, left = receipt.pop("erased_at"), receipt.pop("not_ruled_out")
    say(f"{user_id} is erased, at {erased_at}: " + ", ".join(f"{count} {kind}" for kind, count in receipt.items()))
    for sentence in left:
        say(f"  not ruled out: {sentence}")


@user.command()
def correct(
    user_id: UserId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help='In the third person, as "lives in Lisbon".')],
    fact: Annotated[str | None, typer.Option(metavar="ID", help="The fact to put right. [default: a new one]")] = None,
    slot: Annotated[str, typer.Option(help='What has one value at a time, as "home".')] = "",
    value: Annotated[str, typer.Option(help='Its value, as "Lisbon".')] = "",
    valid_from: Moment = None,
    valid_to: Moment = None,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Put a fact right, or add one. It stands whatever is rebuilt, until the user says otherwise later."""
    if bool(slot) != bool(value):
        raise typer.BadParameter("go together", param_hint="--slot and --value")
    since, until = _moment("valid_from", valid_from, as_json), _moment("valid_to", valid_to, as_json)

    async def work(log: Turnlog) -> KnownFact:
        return await log.user(user_id).correct(
            text, fact=fact, slot=slot, value=value, valid_from=_utc(since), valid_to=_utc(until)
        )

    told = shown(run(work, store, tenant, as_json))
    if as_json:
        write_json(told)
    else:
        say(line(told))


@user.command()
def forget(
    user_id: UserId,
    fact: Annotated[str, typer.Argument(metavar="FACT", help="The fact's id, as `user show` tells it.")],
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Take a fact back: it is not known again, however often the user says it."""

    async def work(log: Turnlog) -> None:
        await log.user(user_id).forget(fact)

    run(work, store, tenant, as_json)
    if as_json:
        write_json({"user_id": user_id, "fact": fact, "forgotten": True})
    else:
        say(f"{fact} is forgotten")


def _utc(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _moment(field: str, text: str | None, as_json: bool) -> int | None:
    with failing(as_json):
        return None if text is None else read_time(field, text)
