"""`turnlog rebuild`: a fold's states made anew from the log, while the old ones serve."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import click
import msgspec

from turnlog.cli.options import EXIT_FAILED, command, on_tenant, run
from turnlog.cli.output import is_shown, item_line, progress, say, write_json
from turnlog.errors import StoreUnavailable
from turnlog.fold import Fold
from turnlog.jsonl import every_header
from turnlog.log.turnlog import Turnlog
from turnlog.worker.diff import CHANGES_MAX, Change
from turnlog.worker.rebuild import Failed, Rebuilt, begin_run, end_run, rebuild_each
from turnlog.worker.status import named

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


class Report(msgspec.Struct):
    """What a rebuild did, in sum; `earlier` conversations had been done by an interrupted run."""

    fold: str
    version: int
    dry_run: bool
    resumed: bool = False
    conversations: int = 0
    earlier: int = 0
    messages: int = 0
    different: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    changes: list[tuple[str, Change]] = []
    failed: list[Failed] = []

    def take(self, outcome: Rebuilt | Failed) -> None:
        """Count one conversation in."""
        if isinstance(outcome, Failed):
            self.failed.append(outcome)
            return
        found = outcome.difference
        self.conversations += 1
        self.earlier += outcome.earlier
        self.messages += outcome.folded
        self.different += bool(found)
        self.added += found.added
        self.removed += found.removed
        self.changed += found.changed
        room = CHANGES_MAX - len(self.changes)
        self.changes += [(outcome.conversation_id, change) for change in found.changes[:room]]


class Chosen(msgspec.Struct, frozen=True):
    """Whose states are made anew: those of the conversations `ids`, of a user, or if neither is told all."""

    ids: tuple[str, ...]
    user_id: str | None

    @property
    def described(self) -> str:
        """What tells a rebuild that is taken up again from another one."""
        return (
            f"user {self.user_id}"
            if self.user_id is not None
            else " ".join(("ids", *sorted(self.ids)))
            if self.ids
            else "all"
        )

    async def sizes(self, log: Turnlog) -> AsyncIterator[tuple[str, int]]:
        """The conversations, with how many messages each has. Raises `ConversationNotFound` for one of `ids`."""
        for id_ in self.ids:
            yield id_, (await log.conversation(id_).info()).head
        if not self.ids:
            async for header in every_header(log, user_id=self.user_id):
                yield header.id, header.head


@command("rebuild")
@click.option("--fold", metavar="NAME", required=True, help="Which memory: knowledge or summary.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--user", help="All conversations of this user.")
@click.option("--all", "all_", is_flag=True, help="All conversations.")
@click.option("--dry-run", is_flag=True, help="Print what would change; change nothing.")
@click.option("--restart", is_flag=True, help="Start over instead of continuing.")
@on_tenant
def rebuild(
    fold: str,
    ids: tuple[str, ...],
    user: str | None,
    all_: bool,
    dry_run: bool,
    restart: bool,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Rebuild one kind of memory from the log. The old memory serves meanwhile.

    Run it again to continue an interrupted rebuild. Ends with 1 when it failed on some conversations, which keep what
    they have.
    """
    if bool(ids) + (user is not None) + all_ != 1:
        raise click.BadParameter("is needed, or --user, or --all", param_hint="ID")

    async def work(log: Turnlog) -> Report:
        try:
            # the state of the fold that watches over the log is evidence: `verify --accept` makes that anew
            memory = [kept for kept in log.folds if kept is not log.integrity]
            return await _rebuild(log, named(memory, fold), Chosen(tuple(ids or ()), user), dry_run, restart)
        except StoreUnavailable as error:
            raise StoreUnavailable(f"{error.reason}; the rebuild stopped, run it again to go on") from error

    report = run(work, store, tenant, as_json)
    _print(report, as_json)
    if report.failed:
        raise click.exceptions.Exit(EXIT_FAILED)


async def _rebuild(log: Turnlog, fold: Fold[Any], chosen: Chosen, dry_run: bool, restart: bool) -> Report:
    report = Report(fold.name, fold.version, dry_run)
    total = sum([size async for _, size in chosen.sizes(log)])
    begun = None
    if not dry_run:
        begun = await begin_run(log.store, log.tenant, fold, chosen.described, now=log.clock(), restart=restart)
        report.resumed = begun.resumed
    from rich.progress import MofNCompleteColumn

    with progress(MofNCompleteColumn()) as bar:
        task = bar.add_task(f"rebuilding {fold.name}", total=total)
        await rebuild_each(
            log.store,
            log.tenant,
            fold,
            (id_ async for id_, _ in chosen.sizes(log)),
            tell=lambda outcome: _tell(report, bar, task, outcome),
            run=begun.id if begun else "",
            dry_run=dry_run,
            step=lambda messages: bar.advance(task, messages),
        )
    if begun and not report.failed:
        await end_run(log.store, fold, begun)
    return report


def _tell(report: Report, bar: "Progress", task: "TaskID", outcome: Rebuilt | Failed) -> None:
    report.take(outcome)
    if isinstance(outcome, Failed):
        bar.console.print(f"{outcome.conversation_id}: {outcome.error}", markup=False, soft_wrap=True)
    else:
        bar.advance(task, outcome.watermark - outcome.folded)


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        changes = [{"conversation_id": id_} | msgspec.to_builtins(change) for id_, change in report.changes]
        write_json(msgspec.structs.asdict(report) | {"changes": changes})
        return
    seen = [(id_, change) for id_, change in report.changes if is_shown(change.path)]
    for id_, change in seen:
        after = f" -> {item_line(change.after)}" if change.kind == "changed" else ""
        item = change.after if change.kind == "added" else change.before
        say(f"{_SIGNS[change.kind]} {id_}: {item_line(item)}{after}")
    more = report.added + report.removed + report.changed - len(report.changes)
    if more:
        say(f"... and {more} more")
    say(_summary(report))


def _summary(report: Report) -> str:
    told = f"{report.fold}: rebuilt {report.conversations} conversations from {report.messages} messages"
    told += f", {report.earlier} of them in an earlier run" if report.earlier else ""
    told += f", {len(report.failed)} failed" if report.failed else ""
    told += f"; {report.different} differ: {report.added} items added, {report.removed} removed, {report.changed} changed"
    return told + (" (dry run: nothing is stored)" if report.dry_run else "")
