"""Where exports go: a file or stdout."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from turnlog.cli.options import EXIT_FAILED, run
from turnlog.log.turnlog import Turnlog

Output = Annotated[Path | None, typer.Option("--output", "-o", help="A file. [default: stdout]")]


def write_pieces(
    pieces: Callable[[Turnlog], AsyncIterator[bytes]],
    output: Path | None,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> int:
    """Write what is exported to `output` (None: stdout); how many lines that were."""

    async def work(log: Turnlog) -> int:
        with open(output, "wb") if output else nullcontext(sys.stdout.buffer) as file:
            return await _copy(pieces(log), file)

    try:
        return run(work, store, tenant, as_json)
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stderr.write(f"turnlog: {error.filename}: {error.strerror}\n")
        raise typer.Exit(EXIT_FAILED) from None


async def _copy(pieces: AsyncIterator[bytes], file: BinaryIO) -> int:
    """Write the pieces; how many lines they were."""
    lines = 0
    async for piece in pieces:
        file.write(piece)
        lines += piece.endswith(b"\n")
    file.flush()
    return lines
