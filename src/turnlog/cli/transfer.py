"""`turnlog import` and `turnlog export`: files of any kind, progress and rejects. `turnlog.jsonl` defines a line."""

import base64
import gzip
import io
import stat
import sys
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import IO, Any, BinaryIO

import click
import msgspec

from turnlog.cli.options import EXIT_REJECTS, command, on_tenant, run
from turnlog.cli.output import note, progress, say, write_json
from turnlog.errors import InvalidInput, StoreUnavailable
from turnlog.jsonl import LineCount, LineOutcome, export_all, export_one, import_lines
from turnlog.log.turnlog import Turnlog

_PEEK_BYTES = 4096
_READ_BYTES = 1 << 20
_DAMAGED = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)
_SUFFIXES = (".jsonl", ".ndjson", ".json")


class ImportFile:
    """The file `name`, `-` for stdin. `size` is None for what is not read once from its beginning to its end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = None if name == "-" else Path(name)
        mode = 0 if self.path is None else self.path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InvalidInput("file", f"{name} is a directory: give one file")
        self.is_stream = not stat.S_ISREG(mode)
        self.size: int | None = None

    def lines(self) -> Iterator[bytes]:
        """The lines, of a zip archive those of all its JSON Lines files. Raises `InvalidInput` for anything else."""
        with ExitStack() as opened:
            file = sys.stdin.buffer if self.path is None else self._open(self.path, opened)
            assert isinstance(file, io.BufferedReader)
            start = file.peek(_PEEK_BYTES)
            if start.startswith(b"\x1f\x8b"):
                yield from self._unzipped(file, opened)
            elif start.startswith(b"PK\x03\x04"):
                yield from self._archived(file, opened)
            else:
                self._check(start)
                self.size = None if self.path is None or self.is_stream else self.path.stat().st_size
                yield from file

    def _open(self, path: Path, opened: ExitStack) -> BinaryIO:
        if self.is_stream:
            note(f"turnlog: waiting for data on the pipe {self.name}")
        return opened.enter_context(open(path, "rb"))

    def _unzipped(self, file: io.BufferedReader, opened: ExitStack) -> Iterator[bytes]:
        try:
            if not self.is_stream:  # read to its checksum first: of a damaged file nothing is imported
                with gzip.GzipFile(fileobj=file) as whole:
                    while whole.read(_READ_BYTES):
                        pass
                file.seek(0)
            unzipped = opened.enter_context(io.BufferedReader(gzip.GzipFile(fileobj=file)))
            self._check(unzipped.peek(_PEEK_BYTES))
            yield from unzipped
        except _DAMAGED as error:
            more = "; the lines before the damage are imported" if self.is_stream else ""
            raise InvalidInput("file", f"{self.name} is a damaged gzip file: {error}{more}") from None

    def _archived(self, file: BinaryIO, opened: ExitStack) -> Iterator[bytes]:
        if self.is_stream:
            raise InvalidInput("file", f"{self.name} is a zip archive, which cannot be read from a pipe: give a file")
        try:
            archive = opened.enter_context(zipfile.ZipFile(file))
            damaged = archive.testzip()  # reads all: of a damaged archive nothing is imported
        except _DAMAGED as error:
            raise InvalidInput("file", f"{self.name} is a damaged zip archive: {error}") from None
        except RuntimeError as error:  # a password, or a compression that Python does not know
            raise InvalidInput("file", f"{self.name} is a zip archive that cannot be read: {error}") from None
        if damaged is not None:
            raise InvalidInput("file", f"{self.name} is a damaged zip archive: {damaged} does not match its checksum")
        names = [name for name in archive.namelist() if name.endswith(_SUFFIXES) and not name.startswith("__MACOSX/")]
        if not names:
            raise InvalidInput("file", f"{self.name} is a zip archive without a file of JSON Lines")
        for name in names:
            with io.BufferedReader(archive.open(name)) as member:  # type: ignore[type-var]
                self._check(member.peek(_PEEK_BYTES), f"{name} in {self.name}")
                for line in member:
                    yield line if line.endswith(b"\n") else line + b"\n"

    def _check(self, start: bytes, name: str = "") -> None:
        """Refuse what begins as no JSON Lines do."""
        name = name or self.name
        text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
        if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in start[:4]:
            raise InvalidInput("file", f"{name} is UTF-16 or binary: convert it with `iconv -f UTF-16 -t UTF-8`")
        if start.startswith(b"SQLite format 3\0"):
            raise InvalidInput("file", f"{name} is an SQLite database: open it with --store")
        if text.startswith(b"["):
            raise InvalidInput("file", f"{name} is a JSON array: write one object per line with `jq -c '.[]'`")
        if text.startswith(b"{") and not text.partition(b"\n")[0].strip(b"{ \t\r") and b"\n" in text:
            raise InvalidInput("file", f"{name} is indented JSON: write one object per line with `jq -c .`")


OUTPUT = click.option("-o", "--output", metavar="FILE", default="-", show_default=True, help="A file; - for stdout.")


@command("import")
@click.argument("source", metavar="FILE")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path),
    metavar="FILE",
    show_default="FILE.rejects.jsonl",
    help="File for refused lines.",
)
@on_tenant
def import_(
    source: str,
    rejects: Path | None,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Import conversations from JSON Lines. Running it again adds only what is missing.

    Ends with 3 when lines were refused.
    """
    if source != "-" and not Path(source).exists():
        raise click.BadParameter(f"there is no file {source}", param_hint="FILE")

    async def work(log: Turnlog) -> tuple[LineCount, Path]:
        return await _import_file(log, ImportFile(source), rejects)

    count, aside = run(work, store, tenant, as_json, create=True)
    if as_json:
        write_json(msgspec.to_builtins(count) | {"rejects": str(aside) if count.rejected else None})
    else:
        say(_summary(count, aside))
    if count.rejected:
        raise click.exceptions.Exit(EXIT_REJECTS)


def _summary(count: LineCount, aside: Path) -> str:
    return (
        f"{count.conversations} conversations: {count.added} messages added, {count.present} already there, "
        f"{count.rejected} lines rejected"
        + (f" (see {aside})" if count.rejected else "")
        + (f", {count.passed} lines of memory skipped" if count.passed else "")
    )


class Rejects:
    """The file of refused lines, created with the first of them: each with its number, the reason, and the line itself."""

    def __init__(self, path: Path, *, keep: bool) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._mode = "ab" if keep else "wb"
        if not keep:
            path.unlink(missing_ok=True)

    def add(self, outcome: LineOutcome) -> None:
        """Write a refused line."""
        assert outcome.error is not None
        if self._file is None:
            self._file = open(self.path, self._mode)  # noqa: SIM115 - closed by `close`
        fields = {"line": outcome.number, "code": outcome.error.code, "reason": str(outcome.error)} | _text(outcome.line)
        self._file.write(msgspec.json.encode(fields) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _text(line: bytes) -> dict[str, str]:
    """The line as text, or in base64 when it is not UTF-8."""
    try:
        return {"text": line.rstrip(b"\r\n").decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(line).decode()}


async def _import_file(log: Turnlog, source: ImportFile, rejects: Path | None) -> tuple[LineCount, Path]:
    """Import `source`; the count, and the file of refused lines. Raises `InvalidInput`, `StoreUnavailable` and `OSError`."""
    from rich.progress import DownloadColumn

    named = Path("stdin.rejects.jsonl" if source.is_stream else f"{source.name}.rejects.jsonl")
    aside = Rejects(rejects or named, keep=source.is_stream)
    with progress(DownloadColumn()) as bar:
        task = bar.add_task("importing", total=None)

        def tell(outcome: LineOutcome) -> None:
            bar.update(task, advance=len(outcome.line), total=source.size)
            if outcome.error is not None:
                aside.add(outcome)
                bar.console.print(f"line {outcome.number}: {outcome.error}", markup=False, soft_wrap=True)

        try:
            return await import_lines(log, source.lines(), tell), aside.path
        except StoreUnavailable as error:
            raise StoreUnavailable(f"{error.reason}; the import stopped, run it again to add the rest") from error
        finally:
            aside.close()


@command("export")
@click.argument("conversation_id", metavar="[ID]", required=False)
@click.option("--user", help="Only conversations of this user.")
@click.option("--tag", help="Only conversations with this tag.")
@OUTPUT
@on_tenant
def export(
    conversation_id: str | None,
    user: str | None,
    tag: str | None,
    output: str,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Export conversations as JSON Lines. Import reads the same form."""
    if conversation_id and (user or tag):
        raise click.BadParameter("cannot be combined with --user or --tag", param_hint="ID")

    def pieces(log: Turnlog) -> AsyncIterator[bytes]:
        return export_one(log, conversation_id) if conversation_id else export_all(log, user_id=user, tag=tag)

    conversations = write_pieces(pieces, output, store, tenant, as_json)
    say_written({"conversations": conversations}, f"{conversations} conversations", output, as_json)


def say_written(fields: dict[str, Any], text: str, output: str, as_json: bool) -> None:
    """Print what was written to the file `output`; nothing when that was stdout."""
    if output == "-":
        return
    if as_json:
        write_json(fields | {"output": output})
    else:
        say(f"{text} written to {output}")


def write_pieces(
    pieces: Callable[[Turnlog], AsyncIterator[bytes]], output: str, store: str | None, tenant: str | None, as_json: bool
) -> int:
    """Write an export to the file `output` (`-`: stdout); the number of lines."""

    async def work(log: Turnlog) -> int:
        with nullcontext(sys.stdout.buffer) if output == "-" else open(output, "wb") as file:
            return await _copy(pieces(log), file)

    return run(work, store, tenant, as_json)


async def _copy(pieces: AsyncIterator[bytes], file: BinaryIO) -> int:
    """Write the pieces; the number of lines."""
    lines = 0
    async for piece in pieces:
        file.write(piece)
        lines += piece.endswith(b"\n")
    file.flush()
    return lines
