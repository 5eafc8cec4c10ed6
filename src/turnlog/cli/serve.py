"""`turnlog serve` and `turnlog worker`: the processes that run until they are stopped."""

import os
import signal
from typing import Any

import click
import msgspec

from turnlog.cli.options import AS_JSON, STORE, command, failing, make_room, on_tenant, read_settings
from turnlog.cli.output import say, write_json
from turnlog.errors import needs_extra
from turnlog.settings import Settings


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
