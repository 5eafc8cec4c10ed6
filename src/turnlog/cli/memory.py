"""`turnlog memory`: what the folds remember of conversations, how far they are, and what they do not get on with."""

from typing import Any

import click

from turnlog.cli.options import CONVERSATION_ID, command, on_tenant, run
from turnlog.cli.output import print_fields, print_table, say, write_json
from turnlog.llm import spent
from turnlog.llm.port import Spent
from turnlog.log.conversation import Conversation
from turnlog.log.turnlog import Turnlog
from turnlog.memory.defaults import Remembered
from turnlog.memory.user.as_json import shown
from turnlog.timestamps import format_time
from turnlog.worker import Failure, failure
from turnlog.worker.status import FoldStatus, named, retry_failed, status

Memory = tuple[dict[str, Remembered], list[Failure]]
"""What each fold remembers of a conversation, and the folds that failed."""


@command("status")
@on_tenant
def status_(
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Show the progress, failures and cost of folds.

    How many conversations each fold is behind with, which ones it fails on, and what language models cost.
    """

    async def work(log: Turnlog) -> tuple[list[FoldStatus], dict[str, Spent]]:
        return await status(log.store, log.tenant, log.folds), await spent(log.store, log.tenant)

    found, costs = run(work, store, tenant, as_json)
    if as_json:
        write_json({"folds": shown(found), "spent": shown(costs)})
        return
    columns = ("fold", "version", "conversations behind", "messages", "most", "failures")
    print_table(columns, (_row(each) for each in found))
    for failed in (failed for each in found for failed in each.failures):
        again = format_time(failed.retry_at)[:19] if failed.retry_at else "now"
        behind = f"{failed.fold} of {failed.conversation_id} behind message {failed.watermark} of {failed.head}"
        say(f"{behind}: failed {failed.failures} times, next try {again}: {failed.error}")
    for place, sums in costs.items():
        tokens = f"{sums.input} tokens in ({sums.cached} cached), {sums.output} out"
        say(f"{place}: {sums.calls} calls ({sums.failures} failed), {tokens}, cost {sums.cost:g}")


def _row(each: FoldStatus) -> tuple[object, ...]:
    mark = "+" if each.more else ""
    counts = f"{each.behind}{mark}", f"{each.messages}{mark}"
    return each.fold, each.version, *counts, each.longest, len(each.failures)


@command("show")
@CONVERSATION_ID
@on_tenant
def show(
    conversation_id: str,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Show the memory of a conversation and its sources."""

    async def work(log: Turnlog) -> Memory:
        return await _remembered(log.conversation(conversation_id))

    _print(conversation_id, run(work, store, tenant, as_json), as_json)


@command("refresh")
@CONVERSATION_ID
@on_tenant
def refresh(
    conversation_id: str,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Fold a conversation now, and show its memory."""

    async def work(log: Turnlog) -> Memory:
        await log.conversation(conversation_id).catch_up()
        return await _remembered(log.conversation(conversation_id))

    _print(conversation_id, run(work, store, tenant, as_json), as_json)


@command("retry")
@click.argument("conversation_id", metavar="[ID]", required=False)
@click.option("--fold", metavar="NAME", show_default="each", help="Only this fold.")
@click.option("--all", "all_", is_flag=True, help="Everything that failed.")
@on_tenant
def retry(
    conversation_id: str | None,
    fold: str | None,
    all_: bool,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Retry failed folds without waiting. A worker notices within 30 seconds."""
    if all_ == (conversation_id is not None):
        raise click.BadParameter("is needed, or --all, not both", param_hint="ID")

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


async def _remembered(conversation: Conversation) -> Memory:
    engine = conversation.engine
    failed = [await failure(engine.store, conversation.key, fold) for fold in engine.folds]
    return await conversation.memory(), list(filter(None, failed))


def _print(conversation_id: str, found: Memory, as_json: bool) -> None:
    remembered, failures = found
    folds = shown(list(remembered.values()))
    if as_json:
        told = {"folds": {each["fold"]: each for each in folds}, "failures": shown(failures)}
        write_json({"conversation_id": conversation_id} | told)
        return
    for each in folds:
        _print_fold(each)


def _print_fold(each: dict[str, Any]) -> None:
    if each["version"] is None:
        say(f"{each['fold']}: nothing yet, {each['lag']} messages behind")
        return
    behind = f", {each['lag']} behind" if each["lag"] else ""
    say(f"{each['fold']} {each['version']}, up to message {each['watermark']}{behind}")
    if isinstance(each["state"], dict):  # the state of `integrity` is a digest: nothing to read
        print_fields(each["state"])
