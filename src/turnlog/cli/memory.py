"""`turnlog memory`: what the folds remember of conversations, how far they are, and what they do not get on with."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from turnlog.cli.options import AsJson, ConversationId, StoreUrl, Tenant, run
from turnlog.cli.output import print_table, say, write_json
from turnlog.cli.remembered import print_fields
from turnlog.llm import spent
from turnlog.llm.port import Spent
from turnlog.log.turnlog import Turnlog
from turnlog.memory.defaults import Remembered
from turnlog.memory.user.as_json import shown
from turnlog.timestamps import format_time
from turnlog.worker.status import FoldStatus, named, retry_failed, status

memory = typer.Typer(no_args_is_help=True, help="What is remembered of conversations.")

OneFold = Annotated[str | None, typer.Option("--fold", metavar="NAME", help="Only this fold. [default: each]")]


@memory.command("status")
def status_(store: StoreUrl = None, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Tell for each fold how many conversations it is behind with, and which it fails on; and what models have cost."""

    async def work(log: Turnlog) -> tuple[list[FoldStatus], dict[str, Spent]]:
        return await status(log.store, log.tenant, log.folds), await spent(log.store, log.tenant)

    found, costs = run(work, store, tenant, as_json)
    if as_json:
        write_json({"data": shown(found), "spent": shown(costs)})
        return
    columns = ("fold", "version", "conversations behind", "messages", "most", "failures")
    print_table(columns, (_row(each) for each in found))
    for failure in (failure for each in found for failure in each.failures):
        again = format_time(failure.retry_at)[:19] if failure.retry_at else "now"
        told = f"{failure.fold} of {failure.conversation_id} behind message {failure.watermark} of {failure.head}"
        say(f"{told}: failed {failure.failures} times, next try {again}: {failure.error}")
    for place, sums in costs.items():
        tokens = f"{sums.input} tokens in ({sums.cached} cached), {sums.output} out"
        say(f"{place}: {sums.calls} calls ({sums.failures} failed), {tokens}, cost {sums.cost:g}")


def _row(each: FoldStatus) -> tuple[object, ...]:
    mark = "+" if each.more else ""
    counts = f"{each.behind}{mark}", f"{each.messages}{mark}"
    return each.fold, each.version, *counts, each.longest, len(each.failures)


@memory.command()
def show(conversation_id: ConversationId, store: StoreUrl = None, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Show what each fold remembers of a conversation, with the messages that it came from."""

    async def work(log: Turnlog) -> Mapping[str, Remembered]:
        return await log.conversation(conversation_id).memory()

    _print(conversation_id, run(work, store, tenant, as_json), as_json)


@memory.command()
def refresh(conversation_id: ConversationId, store: StoreUrl = None, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Fold what is behind of a conversation, now, and show what is remembered then."""

    async def work(log: Turnlog) -> Mapping[str, Remembered]:
        return await log.conversation(conversation_id).catch_up()

    _print(conversation_id, run(work, store, tenant, as_json), as_json)


@memory.command()
def retry(
    conversation_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="The conversation.")] = None,
    fold: OneFold = None,
    all_: Annotated[bool, typer.Option("--all", help="All that failed.")] = False,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Let what failed be tried again without waiting; a worker sees it within half a minute."""
    if all_ == (conversation_id is not None):
        raise typer.BadParameter("give one conversation, or --all", param_hint="ID")

    async def work(log: Turnlog) -> list[tuple[str, str]]:
        folds = [named(log.folds, fold)] if fold is not None else log.folds
        if conversation_id is not None:
            await log.conversation(conversation_id).info()
        return await retry_failed(log.store, log.tenant, folds, conversation_id=conversation_id)

    retried = run(work, store, tenant, as_json)
    if as_json:
        write_json({"retried": [{"conversation_id": id_, "fold": name} for id_, name in retried]})
        return
    for id_, name in retried:
        say(f"{name} of {id_} is tried again")
    if not retried:
        say("nothing had failed")


def _print(conversation_id: str, found: Mapping[str, Remembered], as_json: bool) -> None:
    folds = shown(list(found.values()))
    if as_json:
        write_json({"conversation_id": conversation_id, "memory": {each.pop("fold"): each for each in folds}})
        return
    for each in folds:
        _print_fold(each)


def _print_fold(each: dict[str, Any]) -> None:
    if each["version"] is None:
        say(f"{each['fold']}: nothing yet, {each['lag']} messages behind")
        return
    behind = f", {each['lag']} behind" if each["lag"] else ""
    say(f"{each['fold']} {each['version']}, up to message {each['watermark']}{behind}")
    print_fields(each["state"] if isinstance(each["state"], dict) else {"state": each["state"]})
