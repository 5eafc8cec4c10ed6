"""`turnlog user`: what is known of a person, put right by them, given to them, and erased."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import click

from turnlog.cli.options import YES, command, failing, make_sure, on_tenant, run
from turnlog.cli.output import item_line, print_fields, say, write_json
from turnlog.cli.transfer import OUTPUT, say_written, write_pieces
from turnlog.jsonl import export_user
from turnlog.log.turnlog import Turnlog
from turnlog.log.user import Erased
from turnlog.memory.user.as_json import facts_fields, known_fields, shown
from turnlog.memory.user.items import KnownFact
from turnlog.timestamps import format_moment, from_micros, read_time


@command("show")
@click.argument("user_id", metavar="USER")
@click.option("--as-of", metavar="TIME", help="Show the facts that held at this day or time.")
@on_tenant
def show(user_id: str, as_of: str | None, store: str | None, tenant: str | None, as_json: bool) -> None:
    """Show what is known of a user and its sources."""
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


@command("export")
@click.argument("user_id", metavar="USER")
@OUTPUT
@on_tenant
def export(user_id: str, output: str, store: str | None, tenant: str | None, as_json: bool) -> None:
    """Export all data of a user as JSON Lines.

    One line for each conversation, then one line with the memory of the user.
    """

    def pieces(log: Turnlog) -> AsyncIterator[bytes]:
        return export_user(log, user_id)

    conversations = write_pieces(pieces, output, store, tenant, as_json) - 1
    text = f"{conversations} conversations, and the memory of {user_id}, are"
    say_written({"user_id": user_id, "conversations": conversations}, text, output, as_json)


@command("erase")
@click.argument("user_id", metavar="USER")
@YES
@on_tenant
def erase(user_id: str, yes: bool, store: str | None, tenant: str | None, as_json: bool) -> None:
    """Erase all data of a user, and print a receipt."""
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


@command("correct")
@click.argument("user_id", metavar="USER")
@click.argument("text", metavar="TEXT")
@click.option("--fact", metavar="ID", show_default="a new fact", help="The fact to correct.")
@click.option("--slot", default="", show_default=False, help='The attribute that has one value at a time, such as "home".')
@click.option("--value", default="", show_default=False, help='Its value, such as "Lisbon".')
@click.option("--valid-from", metavar="TIME", help="Day or time from which the fact holds, such as 2026-03-01T09:00:00Z.")
@click.option("--valid-to", metavar="TIME", help="Day or time until which it holds.")
@on_tenant
def correct(
    user_id: str,
    text: str,
    fact: str | None,
    slot: str,
    value: str,
    valid_from: str | None,
    valid_to: str | None,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Correct a fact about a user, or add one. Corrections survive rebuilds.

    TEXT is in the third person, such as "lives in Lisbon". A later statement of the user replaces the fact.
    """
    if bool(slot) != bool(value):
        raise click.BadParameter("go together", param_hint="--slot and --value")
    since, until = _moment("valid_from", valid_from, as_json), _moment("valid_to", valid_to, as_json)

    async def work(log: Turnlog) -> KnownFact:
        return await log.user(user_id).correct(
            text, fact=fact, slot=slot, value=value, valid_from=_utc(since), valid_to=_utc(until)
        )

    told = shown(run(work, store, tenant, as_json))
    if as_json:
        write_json(told)
    else:
        say(item_line(told))


@command("forget")
@click.argument("user_id", metavar="USER")
@click.argument("fact", metavar="FACT")
@on_tenant
def forget(user_id: str, fact: str, store: str | None, tenant: str | None, as_json: bool) -> None:
    """Remove a fact about a user. It is not learned again, however often the user says it."""

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
