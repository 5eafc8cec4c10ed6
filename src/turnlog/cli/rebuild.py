"""`turnlog rebuild`: a fold's states made anew from the log, while the old ones serve."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from turnlog.cli.options import EXIT_FAILED, AsJson, StoreUrl, Tenant, run
from turnlog.cli.output import say, write_json
from turnlog.cli.remembered import line
from turnlog.errors import StoreUnavailable
from turnlog.fold import Fold
from turnlog.jsonl import every_header
from turnlog.log.turnlog import Turnlog
from turnlog.worker.diff import CHANGES_MAX, Change
from turnlog.worker.rebuild import Failed, Rebuilt, begin_run, end_run, rebuild_each
from turnlog.worker.status import named

_SIGNS = {"came": "+", "went": "-", "changed": "~"}


class Report(msgspec.Struct):
    """What a rebuild did, in sum; `again` of the conversations were done before it was taken up again."""

    fold: str
    version: int
    dry_run: bool
    resumed: bool = False
    conversations: int = 0
    again: int = 0
    messages: int = 0
    different: int = 0
    came: int = 0
    went: int = 0
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
        self.again += outcome.again
        self.messages += outcome.folded
        self.different += bool(found)
        self.came += found.came
        self.went += found.went
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


def rebuild(
    fold: Annotated[str, typer.Option(metavar="NAME", help="Which memory: knowledge or summary.")],
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="These conversations.")] = None,
    user: Annotated[str | None, typer.Option(help="All of this user's.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All of the tenant's.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change; change nothing.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew what was not finished.")] = False,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Make a fold's states anew from the log, while the old ones serve. Goes on where it was when it is run again.

    Ends with 1 when it failed on some conversations: those keep what they have.
    """
    if bool(ids) + (user is not None) + all_ != 1:
        raise typer.BadParameter("give conversations, or --user, or --all", param_hint="ID")

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
        raise typer.Exit(EXIT_FAILED)


async def _rebuild(log: Turnlog, fold: Fold[Any], chosen: Chosen, dry_run: bool, restart: bool) -> Report:
    report = Report(fold.name, fold.version, dry_run)
    total = sum([size async for _, size in chosen.sizes(log)])
    begun = None
    if not dry_run:
        begun = await begin_run(log.store, log.tenant, fold, chosen.described, now=log.clock(), restart=restart)
        report.resumed = begun.resumed
    with _progress() as progress:
        task = progress.add_task(f"rebuilding {fold.name}", total=total)
        await rebuild_each(
            log.store,
            log.tenant,
            fold,
            (id_ async for id_, _ in chosen.sizes(log)),
            tell=lambda outcome: _tell(report, progress, task, outcome),
            run=begun.id if begun else "",
            dry_run=dry_run,
            step=lambda messages: progress.advance(task, messages),
        )
    if begun and not report.failed:
        await end_run(log.store, fold, begun)
    return report


def _tell(report: Report, progress: Progress, task: TaskID, outcome: Rebuilt | Failed) -> None:
    report.take(outcome)
    if isinstance(outcome, Failed):
        progress.console.print(f"{outcome.conversation_id}: {outcome.error}", markup=False, soft_wrap=True)
    else:
        progress.advance(task, outcome.watermark - outcome.folded)


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        changes = [{"conversation_id": id_} | msgspec.to_builtins(change) for id_, change in report.changes]
        write_json(msgspec.structs.asdict(report) | {"changes": changes})
        return
    for id_, change in report.changes:
        after = f" -> {line(change.after)}" if change.kind == "changed" else ""
        item = change.after if change.kind == "came" else change.before
        say(f"{_SIGNS[change.kind]} {id_} {change.path}: {line(item)}{after}")
    count = report.came + report.went + report.changed
    if count > len(report.changes):
        say(f"... and {count - len(report.changes)} more")
    say(_summary(report))


def _summary(report: Report) -> str:
    told = f"{report.fold} {report.version}: {report.conversations} conversations, {report.messages} messages folded"
    told += f", {report.again} conversations done before" if report.again else ""
    told += f", {len(report.failed)} failed" if report.failed else ""
    told += f"; {report.different} differ: {report.came} items came, {report.went} went, {report.changed} changed"
    return told + (" (dry run: nothing is stored)" if report.dry_run else "")


def _progress() -> Progress:
    console = Console(stderr=True, highlight=False)
    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
