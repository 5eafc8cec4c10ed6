"""`turnlog doctor`: what the store promises as it is configured."""

import typer

from turnlog.cli.calls import EXIT_FAILED, AsJson, StoreUrl, ask
from turnlog.cli.output import print_findings, say, write_json
from turnlog.ports import Doctor, Finding, Store


def doctor(store: StoreUrl = None, as_json: AsJson = False) -> None:
    """Tell what the store promises as it is configured; change nothing. Ends with 1 when a promise is broken."""
    findings = ask(_examine, store, as_json)
    if as_json:
        write_json([finding._asdict() for finding in findings])
    elif findings:
        print_findings(findings)
    else:
        say("this store tells nothing of its promises")
    if any(finding.verdict == "bad" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


async def _examine(store: Store) -> list[Finding]:
    return await store.doctor() if isinstance(store, Doctor) else []
