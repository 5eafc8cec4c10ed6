"""Law 2 beside folds at work: an append is on the disk when it is acknowledged, what a fold saves need not be."""

import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from turnlog import Turnlog, connect, user
from turnlog.store import Key, Snapshot

PROGRAM = Path(__file__).parent / "programs" / "append_and_save.py"
ROUNDS = 40
KEY = Key("default", "c1")


def syncs(path: Path, rounds: int, *, appends: int, saves: int) -> int:
    """How often the disk was waited for."""
    trace = path.with_suffix(".trace")
    command = [
        "strace",
        "-f",
        "-qq",
        "-o",
        str(trace),
        "-e",
        "trace=fsync,fdatasync",
        sys.executable,
        str(PROGRAM),
        str(path),
    ]
    subprocess.run([*command, *map(str, (rounds, appends, saves))], check=True, timeout=120)
    return sum("sync(" in line for line in trace.read_text().splitlines())


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (Debian: apt-get install strace)")
def test_law_2_every_append_waits_for_the_disk_and_saves_alone_do_not(tmp_path: Path) -> None:
    begun = syncs(tmp_path / "none.db", 0, appends=0, saves=0)
    assert syncs(tmp_path / "saves.db", ROUNDS, appends=0, saves=3) - begun < ROUNDS / 4
    assert syncs(tmp_path / "appends.db", ROUNDS, appends=1, saves=0) - begun >= ROUNDS
    assert syncs(tmp_path / "both.db", ROUNDS, appends=1, saves=3) - begun >= ROUNDS


async def save(log: Turnlog, first: int, last: int) -> None:
    """Save a state of 3,000 bytes at each watermark."""
    for n in range(first, last + 1):
        await log.store.save_snapshot(KEY, "f", 1, Snapshot(n, 0, b"%d " % n * 1000), expect_watermark=n - 1)


async def found(path: Path) -> tuple[int, int]:
    """Head and watermark, after a look that the file is whole."""
    async with connect(f"sqlite:///{path}") as log:
        assert await log.conversation("c1").verify() == []
        kept = await log.store.load_snapshot(KEY, "f", 1)
        watermark = kept.watermark if kept else 0
        assert kept is None or kept.state == b"%d " % watermark * 1000
        head = (await log.conversation("c1").info()).head
    connection = apsw.Connection(str(path))
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    connection.close()
    return head, watermark


async def test_law_2_a_power_cut_that_takes_saves_takes_no_append_before_them_and_leaves_a_whole_file(
    tmp_path: Path,
) -> None:
    path, cut = tmp_path / "turnlog.db", tmp_path / "cut.db"
    wal = Path(f"{path}-wal")
    async with connect(f"sqlite:///{path}") as log:
        await log.create(user("a"), user("b"), id="c1")
        await save(log, 1, 4)
        await log.conversation("c1").append(user("c"))
        acknowledged = wal.stat().st_size
        await save(log, 5, 8)
        kept, tail = path.read_bytes(), wal.read_bytes()
    watermarks = []
    for end in range(acknowledged, len(tail) + 1, 1009):
        cut.write_bytes(kept)
        Path(f"{cut}-wal").write_bytes(tail[:end])
        head, watermark = await found(cut)
        assert head == 3
        watermarks.append(watermark)
    assert watermarks == sorted(watermarks)
    assert watermarks[0] == 4
    assert watermarks[-1] > 4
