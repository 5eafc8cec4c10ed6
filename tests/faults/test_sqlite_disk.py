"""A disk that is full or read-only makes the store unavailable, and nothing worse, until the cause is gone.

Some run in a child with mounts of its own, which needs the right to call `unshare` and `mount`.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from turnlog import StoreUnavailable, connect, user

PROGRAMS = Path(__file__).parent / "programs"


def _may_mount() -> bool:
    if not shutil.which("unshare"):
        return False
    trial = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]
    return subprocess.run(trial, capture_output=True, timeout=30).returncode == 0


needs_mount = pytest.mark.skipif(
    not _may_mount(), reason="NOT TESTED: full and read-only disks, since `unshare -m` or `mount` is not permitted here"
)


def on_small_disk(directory: Path, script: str, *arguments: str) -> Sequence[str]:
    """The command that runs the shell `script` in 8 MB of its own at `directory`; its $0 is the directory."""
    return ["unshare", "-m", "sh", "-ec", f'mount -t tmpfs -o size=8m none "$0"; {script}', str(directory), *arguments]


@needs_mount
def test_a_full_disk_refuses_appends_and_takes_them_again_when_there_is_room(tmp_path: Path) -> None:
    command = on_small_disk(tmp_path, 'exec "$1" "$2" "$0"', sys.executable, str(PROGRAMS / "full_disk.py"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["acknowledged"]) > 20
    assert "full" in told["reason"].lower()
    assert told["refused_again"]
    assert told["read"] == told["acknowledged"]
    assert told["stored_by_retry"] == 1
    assert told["after"] == [*told["acknowledged"], f"m{len(told['acknowledged'])}"]
    assert told["faults"] == []


@needs_mount
def test_a_read_only_disk_refuses_to_open_until_it_is_writable(tmp_path: Path) -> None:
    command = on_small_disk(tmp_path, 'exec "$1" "$2" "$0"', sys.executable, str(PROGRAMS / "read_only_disk.py"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["reason"]
    assert (told["ids"], told["faults"]) == (["m1", "m2"], [])


@contextmanager
def immutable(*paths: Path) -> Iterator[None]:
    """Nobody can write to the files meanwhile, not even through a handle that is open."""
    set_flag = subprocess.run(["chattr", "+i", *map(str, paths)], capture_output=True, timeout=30)
    try:
        if set_flag.returncode:
            pytest.skip(
                "NOT TESTED: a file that becomes read-only while it is open, since `chattr +i` is not permitted here"
            )
        yield
    finally:
        subprocess.run(["chattr", "-i", *map(str, paths)], capture_output=True, timeout=30)


@pytest.mark.skipif(
    not shutil.which("chattr"), reason="NOT TESTED: a file that becomes read-only, since there is no `chattr`"
)
def test_a_file_that_becomes_read_only_refuses_writes_until_it_is_writable(tmp_path: Path) -> None:
    async def check() -> None:
        async with connect(f"sqlite:///{tmp_path}/turnlog.db") as log:
            conversation = await log.create(user("one", id="m1"), id="c1")
            with immutable(tmp_path / "turnlog.db", tmp_path / "turnlog.db-wal"):
                for _ in range(2):
                    for call in (
                        conversation.append(user("two", id="m2")),
                        log.create(id="c2"),
                        conversation.redact(1),
                        log.ping(),
                    ):
                        with pytest.raises(StoreUnavailable):
                            await call
                assert [message.id for message in await conversation.messages()] == ["m1"]
            await log.ping()
            await conversation.append(user("two", id="m2"))
            await log.create(id="c2")
            assert [message.id for message in await conversation.messages()] == ["m1", "m2"]
            assert await conversation.verify() == []

    asyncio.run(check())
