"""`turnlog doctor`: what the store promises as it is configured."""

from functools import partial
from typing import Annotated

import typer

from turnlog.cli.options import EXIT_FAILED, AsJson, StoreUrl, ask
from turnlog.cli.output import print_findings, say, write_json
from turnlog.log.engine import system_clock
from turnlog.store import Doctor, Finding, Restorable, Store, Sweeper

Repair = Annotated[
    bool, typer.Option("--repair", help="Finish what a crash left half done; take what was erased out of files.")
]
Restored = Annotated[
    bool,
    typer.Option("--restored", help="The data was put back to an earlier state: give every conversation a new incarnation."),
]


def doctor(store: StoreUrl = None, repair: Repair = False, restored: Restored = False, as_json: AsJson = False) -> None:
    """Tell what the store promises as it is configured. Ends with 1 when a promise is broken.

    Changes nothing but with --repair or --restored.
    """
    findings = ask(partial(_look_after, repair=repair, restored=restored), store, as_json)
    if as_json:
        write_json([finding._asdict() for finding in findings])
    elif findings:
        print_findings(findings)
    else:
        say("this store tells nothing of its promises")
    if any(finding.verdict == "bad" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


async def _look_after(store: Store, *, repair: bool, restored: bool) -> list[Finding]:
    findings = await (_examine_and_repair if repair else _examine)(store)
    return [*findings, await _mark_restored(store)] if restored else findings


async def _mark_restored(store: Store) -> Finding:
    if not isinstance(store, Restorable):
        return Finding("restored", "no", "ok", "This store tells by itself when its data was put back.")
    await store.mark_restored()
    return Finding("restored", "yes", "ok", "Every conversation has a new incarnation.")


async def _examine(store: Store) -> list[Finding]:
    return await store.doctor() if isinstance(store, Doctor) else []


async def _examine_and_repair(store: Store) -> list[Finding]:
    findings = await _examine(store)
    if not isinstance(store, Sweeper):
        return [*findings, Finding("repaired", "0", "ok", "This store leaves nothing half done.")]
    mended = await store.sweep(now=system_clock())
    return [*findings, Finding("repaired", str(mended), "ok", "Conversations that something was put right for.")]
