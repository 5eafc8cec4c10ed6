"""The lines of a file to import, whatever holds them: plain text, gzip, a zip archive, a pipe or stdin.

A file of another kind is refused as a whole, by what it is and what to do with it.
"""

import gzip
import io
import stat
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from turnlog.cli.output import note
from turnlog.errors import InvalidInput

_PEEK_BYTES = 4096
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

    def _unzipped(self, file: BinaryIO, opened: ExitStack) -> Iterator[bytes]:
        unzipped = opened.enter_context(io.BufferedReader(gzip.GzipFile(fileobj=file)))
        try:
            self._check(unzipped.peek(_PEEK_BYTES))
            yield from unzipped
        except (EOFError, gzip.BadGzipFile) as error:
            raise InvalidInput("file", f"{self.name} is a damaged gzip file: {error}") from None

    def _archived(self, file: BinaryIO, opened: ExitStack) -> Iterator[bytes]:
        if self.is_stream:
            raise InvalidInput("file", f"{self.name} is a zip archive, which cannot be read from a pipe: give a file")
        try:
            archive = opened.enter_context(zipfile.ZipFile(file))
        except zipfile.BadZipFile as error:
            raise InvalidInput("file", f"{self.name} is a damaged zip archive: {error}") from None
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
