"""`turnlog import`: the file, its progress and its rejects; what a line means is told by `turnlog.jsonl`."""

import base64
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from turnlog.errors import StoreUnavailable
from turnlog.jsonl import Count, Outcome, import_lines
from turnlog.log.turnlog import Turnlog


class Rejects:
    """The file of refused lines: made with the first of them, each with its number, the reason, and the line itself."""

    def __init__(self, path: Path, *, keep: bool) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._mode = "ab" if keep else "wb"
        if not keep:
            path.unlink(missing_ok=True)

    def add(self, outcome: Outcome) -> None:
        """Set a line aside."""
        assert outcome.error is not None
        if self._file is None:
            self._file = open(self.path, self._mode)  # noqa: SIM115 - closed by `close`
        fields = {"line": outcome.number, "code": outcome.error.code, "reason": str(outcome.error)} | _text(outcome.line)
        self._file.write(msgspec.json.encode(fields) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()


def _text(line: bytes) -> dict[str, str]:
    """The line as text, or in base64 when it is none."""
    try:
        return {"text": line.rstrip(b"\r\n").decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(line).decode()}


async def import_file(log: Turnlog, source: str, rejects: Path | None) -> tuple[Count, Path]:
    """Import `source` (`-`: stdin); the count, and where refused lines are. Raises `StoreUnavailable` and `OSError`."""
    stdin = source == "-"
    aside = Rejects(rejects or Path("stdin.rejects.jsonl" if stdin else f"{source}.rejects.jsonl"), keep=stdin)
    with _progress() as progress:
        task = progress.add_task("importing", total=None if stdin else Path(source).stat().st_size)

        def tell(outcome: Outcome) -> None:
            progress.advance(task, len(outcome.line))
            if outcome.error is not None:
                aside.add(outcome)
                progress.console.print(f"line {outcome.number}: {outcome.error}", markup=False, soft_wrap=True)

        try:
            return await import_lines(log, _lines(source), tell), aside.path
        except StoreUnavailable as error:
            raise StoreUnavailable(f"{error.reason}; the import stopped, run it again to add the rest") from error
        finally:
            aside.close()


def _lines(source: str) -> Iterator[bytes]:
    if source == "-":
        yield from sys.stdin.buffer
        return
    with open(source, "rb") as file:
        yield from file


def _progress() -> Progress:
    console = Console(stderr=True, highlight=False)
    columns: tuple[Any, ...] = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
