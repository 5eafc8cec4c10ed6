"""`turnlog` can be imported where what only POSIX has is missing; only Linux is tested beyond that."""

import subprocess
import sys

MISSING = """
import apsw, asyncio, hiredis, importlib, multiprocessing, os, pkgutil, psycopg, signal, subprocess, sys, uvicorn
import rich.console, starlette.applications, click, uvicorn.supervisors.multiprocess
for name in ("fork", "forkpty", "register_at_fork", "nice", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "getuid", "geteuid",
             "fchmod", "fchown", "statvfs", "sched_getaffinity", "posix_fadvise", "pread", "pwrite", "fdatasync", "killpg"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGKILL", "SIGCHLD", "pthread_kill", "setitimer"):
    if hasattr(signal, name):
        delattr(signal, name)
for name in ("fcntl", "resource", "pwd", "grp", "termios", "uvloop"):
    sys.modules[name] = None
import turnlog
for found in pkgutil.walk_packages(turnlog.__path__, "turnlog."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
"""

USED = """
import asyncio, turnlog, turnlog.sync
with turnlog.sync.connect("sqlite:///{path}") as log:
    chat = log.create(turnlog.user("hi"))
    assert chat.context().messages[0].text == "hi"
"""


def run(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_module_can_be_imported_where_posix_is_missing() -> None:
    run(MISSING)


def test_a_conversation_is_kept_there(tmp_path: object) -> None:
    run(MISSING + USED.format(path=f"{tmp_path}/x.db"))
