"""`os.fork` with a store open: the child is told to open it anew, does not hang, and does nothing to its parent."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.kinds import ALL, SHARED

PROGRAM = Path(__file__).parent / "programs" / "fork_on.py"
PATIENCE_S = 60


def run(case: str, url: str, tenant: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", PROGRAM, case, url, tenant],
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("store", ALL)
@pytest.mark.parametrize("case", ["under-load", "multiprocessing", "preload", "block"])
def test_a_fork_harms_neither_the_parent_nor_the_child(case: str, store: str, store_url: str, tenant: str) -> None:
    run(case, store_url, tenant)


@pytest.mark.parametrize("store", SHARED)
def test_what_a_child_stores_outlives_its_parent(store: str, store_url: str, tenant: str) -> None:
    """SQLite, without care: the parent deletes the write-ahead log under the child."""
    run("outlives", store_url, tenant)


def test_a_file_that_somebody_else_holds_open_is_refused_to_a_child(tmp_path: Path) -> None:
    run("another-connection", f"sqlite:///{tmp_path}/x.db", "t")


def test_a_child_that_is_forked_while_a_lane_waits_for_the_write_lock_does_not_hang(tmp_path: Path) -> None:
    """The lane cannot be halted, and its connection is busy in a thread that the child does not have."""
    run("locked", f"sqlite:///{tmp_path}/x.db", "t")
