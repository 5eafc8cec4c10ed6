"""Commands for operators: `serve` and `worker` run until they are stopped; `doctor` and `schema` examine a store."""

import os
import signal
from functools import partial
from typing import Any

import click
import msgspec

from turnlog.cli.options import AS_JSON, EXIT_FAILED, STORE, ask, command, failing, make_room, on_tenant, read_settings
from turnlog.cli.output import print_table, say, write_json
from turnlog.errors import needs_extra
from turnlog.log.engine import system_clock
from turnlog.settings import Settings
from turnlog.store import Doctor, Finding, Restorable, SchemaVersion, Store, Sweeper, Versioned


def _stop_with_0() -> None:
    """Have SIGINT and SIGTERM end this process with 0.

    uvicorn stops cleanly and then raises the signal again with the handler that was there before: decision 055.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def _stop(number: int, frame: Any) -> None:
    raise SystemExit(0)


@command("serve")
@click.option("--host", help="Address to listen on.", show_default=Settings().host)
@click.option(
    "--port", type=click.IntRange(min=0, max=65535), help="Port; 0 takes a free one.", show_default=str(Settings().port)
)
@click.option("--workers", type=click.IntRange(min=1, max=64), default=1, help="Processes that serve.")
@on_tenant
def serve(
    host: str | None,
    port: int | None,
    workers: int,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Serve HTTP until SIGINT or SIGTERM."""

    def tell(url: str) -> None:
        if as_json:
            write_json({"url": url, "pid": os.getpid()})
        else:
            say(f"turnlog serves on {url}")

    with failing(as_json):
        _stop_with_0()
        settings = read_settings(store, tenant)
        options = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        make_room(settings.store)
        with needs_extra("server", "starlette", "uvicorn", "uvloop", "httptools"):
            from turnlog.service.serve import serve as run_service

            run_service(msgspec.structs.replace(settings, **options), workers=workers, tell=tell)


@command("worker")
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    metavar="NAME",
    show_default="TURNLOG_TENANT or default",
    help="A tenant to fold for; may be repeated.",
)
@STORE
@AS_JSON
def worker(
    tenants: tuple[str, ...],
    store: str | None,
    as_json: bool,
) -> None:
    """Fold memory until SIGINT or SIGTERM. Any number of workers share the work."""
    with failing(as_json):
        _stop_with_0()
        from turnlog.worker_process import fold

        settings = read_settings(store, tenants[0] if tenants else None)
        make_room(settings.store)
        served = tuple(tenants or ()) or (settings.tenant,)

        def tell() -> None:
            if as_json:
                write_json({"tenants": list(served), "pid": os.getpid()})
            else:
                say(f"turnlog folds for {', '.join(served)}")

        fold(settings, served, tell=tell)


@command("doctor")
@click.option("--repair", is_flag=True, help="Complete writes that a crash interrupted, and remove erased bytes from files.")
@click.option(
    "--restored", is_flag=True, help="The data was restored to an earlier state: give every conversation a new incarnation."
)
@STORE
@AS_JSON
def doctor(
    store: str | None,
    repair: bool,
    restored: bool,
    as_json: bool,
) -> None:
    """Check what the store guarantees as it is configured. Ends with 1 when a guarantee is broken.

    Changes nothing without --repair or --restored.
    """
    findings = ask(partial(_look_after, repair=repair, restored=restored), store, as_json)
    if as_json:
        write_json([finding._asdict() for finding in findings])
    elif findings:
        rows = ((finding.verdict, finding.name, finding.value, finding.meaning) for finding in findings)
        print_table(("", "what", "value", "meaning"), rows)
    else:
        say("this store reports nothing about its guarantees")
    if any(finding.verdict == "bad" for finding in findings):
        raise click.exceptions.Exit(EXIT_FAILED)


async def _look_after(store: Store, *, repair: bool, restored: bool) -> list[Finding]:
    findings = await store.doctor() if isinstance(store, Doctor) else []
    if repair:
        findings.append(await _repair(store))
    if restored:
        findings.append(await _mark_restored(store))
    return findings


async def _repair(store: Store) -> Finding:
    if not isinstance(store, Sweeper):
        return Finding("repaired", "0", "ok", "This store leaves no write half done.")
    repaired = await store.sweep(now=system_clock())
    return Finding("repaired", str(repaired), "ok", "Conversations that were repaired.")


async def _mark_restored(store: Store) -> Finding:
    if not isinstance(store, Restorable):
        return Finding("restored", "no", "ok", "This store detects by itself that its data was restored.")
    await store.mark_restored()
    return Finding("restored", "yes", "ok", "Every conversation has a new incarnation.")


@command("check")
@STORE
@AS_JSON
def schema_check(
    store: str | None,
    as_json: bool,
) -> None:
    """Check whether the stored data has the current schema. Changes nothing. Ends with 1 when it has not."""
    if not _report(ask(_version, store, as_json), as_json):
        raise click.exceptions.Exit(EXIT_FAILED)


@command("migrate")
@STORE
@AS_JSON
def schema_migrate(
    store: str | None,
    as_json: bool,
) -> None:
    """Migrate the stored data to the current schema. Nothing older may use the store afterwards."""

    async def work(store: Store) -> SchemaVersion | None:
        if isinstance(store, Versioned):
            await store.migrate()
        return await _version(store)

    _report(ask(work, store, as_json, create=True), as_json)


async def _version(store: Store) -> SchemaVersion | None:
    return await store.schema_version() if isinstance(store, Versioned) else None


def _report(version: SchemaVersion | None, as_json: bool) -> bool:
    """Print the version; whether the data is up to date, which it is in a store without versions."""
    found, supported = version or (0, 0)
    up_to_date = found >= supported
    if as_json:
        write_json({"found": found, "supported": supported, "up_to_date": up_to_date})
    elif version is None:
        say("this store has no schema")
    elif up_to_date:
        say(f"schema {found}: up to date")
    else:
        say(f"schema {found}, this turnlog writes {supported}: run `turnlog schema migrate`")
    return up_to_date
