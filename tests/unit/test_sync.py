"""The blocking face."""

import asyncio
import gc
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from inspect import iscoroutinefunction, isfunction
from pathlib import Path
from typing import Any

import pytest

import turnlog
import turnlog.sync
from support.valkey import wait_until
from turnlog.stores.ram import RamStore

PATIENCE_S = 30


def test_a_script_keeps_a_conversation_in_a_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with turnlog.sync.connect(url) as log:
        chat = log.create(user_id="ana")
        chat.append(turnlog.user("hi"), turnlog.assistant("hello"))
    with turnlog.sync.connect(url) as log:
        again = log.conversation(chat.id)
        assert [message.text for message in again.context().messages] == ["hi", "hello"]
        assert [record.seq for page in again.pages() for record in page.records] == [1, 2]
        assert log.conversations(user_id="ana").data[0].id == chat.id


def test_a_fork_blocks_too() -> None:
    with turnlog.sync.connect("ram:") as log:
        fork = log.create(turnlog.user("a"), turnlog.user("b")).fork(at=1)
        assert fork.append(turnlog.user("c")).head == 2


def test_errors_come_through_as_they_are() -> None:
    with turnlog.sync.connect("ram:") as log, pytest.raises(turnlog.ConversationNotFound):
        log.conversation("nobody").info()


def test_it_works_where_a_loop_is_running() -> None:
    async def cell() -> int:
        with turnlog.sync.connect("ram:") as log:
            return log.create(turnlog.user("hi")).info().head

    assert asyncio.run(cell()) == 1


def test_closing_ends_the_thread_and_refuses_further_calls() -> None:
    with turnlog.sync.connect("ram:") as log:
        chat = log.create()
    assert "turnlog-sync" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(turnlog.StoreUnavailable, match="not open"):
        chat.info()


def test_a_store_that_does_not_open_leaves_no_thread(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(turnlog.StoreUnavailable), turnlog.sync.connect(f"sqlite:///{tmp_path}/file/x.db"):
        pass
    assert "turnlog-sync" not in {thread.name for thread in threading.enumerate()}


class Slow:
    """A fold whose step takes until it is told to end, or for ever."""

    name = "slow"
    version = 1

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.cancelled = False

    def initial(self) -> int:
        return 0

    async def step(self, state: int, messages: Sequence[turnlog.Message]) -> int:
        self.begun.set()
        try:
            await asyncio.sleep(PATIENCE_S)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return state


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "turnlog-sync"]


@contextmanager
def under_way() -> Iterator[tuple[turnlog.sync.Turnlog, Slow, "Future[Any]"]]:
    """A call that another thread waits for, on a log that is open."""
    fold = Slow()
    log = turnlog.sync.Turnlog(turnlog.Turnlog(RamStore(), folds=[fold]))
    log.open()
    chat = log.create(turnlog.user("hi"))
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(chat.catch_up)
        assert fold.begun.wait(PATIENCE_S)
        yield log, fold, call


def test_closing_under_a_call_tells_the_caller() -> None:
    with under_way() as (log, fold, call):
        log.close()
        with pytest.raises(turnlog.StoreUnavailable, match="closed while"):
            call.result(PATIENCE_S)
        assert fold.cancelled
    assert threads() == []


def test_calls_of_many_threads_end_when_it_is_closed(tmp_path: Path) -> None:
    log = turnlog.sync.connect(f"sqlite:///{tmp_path}/x.db")
    log.open()
    chat = log.create()

    def append(name: str) -> int:
        for n in range(10**9):
            try:
                chat.append(turnlog.user("hi", id=f"{name}-{n}"))
            except turnlog.StoreUnavailable:
                return n
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(append, str(n)) for n in range(8)]
        while chat_head(tmp_path, chat.id) < 50:
            time.sleep(0.01)
        log.close()
        stored = sum(writer.result(PATIENCE_S) for writer in writers)
    # what was under way then is stored or not; what was acknowledged is
    assert stored <= chat_head(tmp_path, chat.id) <= stored + 8
    assert threads() == []


def chat_head(directory: Path, conversation_id: str) -> int:
    with turnlog.sync.connect(f"sqlite:///{directory}/x.db") as other:
        return other.conversation(conversation_id).info().head


def test_on_its_own_loop_a_blocking_call_is_refused() -> None:
    with turnlog.sync.connect("ram:") as log:
        chat = log.create()

        async def within() -> list[str]:
            told = []
            for call in (chat.info, log.ping, log.close, log.open):
                with pytest.raises(RuntimeError, match="asynchronous") as refused:
                    call()
                told.append(str(refused.value))
            return told

        assert len(log._portal.run(within())) == 4
        assert chat.info().head == 0


def test_closing_twice_is_fine_also_at_once_and_when_it_was_never_open(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    turnlog.sync.connect(url).close()
    log = turnlog.sync.connect(url)
    log.open()
    with ThreadPoolExecutor(4) as pool:
        for closing in [pool.submit(log.close) for _ in range(4)]:
            closing.result(PATIENCE_S)
    log.close()
    assert threads() == []


def test_one_that_is_never_opened_has_no_thread() -> None:
    made = [turnlog.sync.connect("ram:") for _ in range(10)]
    assert threads() == []
    del made


def test_one_that_is_forgotten_closes_its_store_and_ends_its_threads(tmp_path: Path) -> None:
    before = threading.active_count()
    log = turnlog.sync.connect(f"sqlite:///{tmp_path}/x.db")
    log.open()
    chat = log.create()
    del log
    gc.collect()
    chat.append(turnlog.user("its handle holds it"))
    del chat
    gc.collect()
    wait_until(lambda: threading.active_count() <= before + 1, "the end of the threads")  # one of the default executor
    assert not (tmp_path / "x.db-wal").exists()


def test_opening_in_many_threads_at_once(tmp_path: Path) -> None:
    log = turnlog.sync.connect(f"sqlite:///{tmp_path}/x.db")
    with ThreadPoolExecutor(8) as pool:
        for opening in [pool.submit(log.open) for _ in range(8)]:
            opening.result(PATIENCE_S)
            assert log.create().info().head == 0
    assert len(threads()) == 1
    log.close()


def test_open_close_and_open_again(tmp_path: Path) -> None:
    log = turnlog.sync.connect(f"sqlite:///{tmp_path}/x.db")
    for n in range(3):
        with log:
            assert len(log.conversations().data) == n
            log.create()
    assert threads() == []


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Also where the tests run in the background of a shell, which has them ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_cancels_the_call() -> None:
    fold = Slow()
    with turnlog.sync.Turnlog(turnlog.Turnlog(RamStore(), folds=[fold])) as log:
        chat = log.create(turnlog.user("hi"))
        main = threading.get_ident()

        def interrupt() -> None:
            fold.begun.wait(PATIENCE_S)
            signal.pthread_kill(main, signal.SIGINT)

        with ThreadPoolExecutor(1) as pool:
            told = pool.submit(interrupt)
            with pytest.raises(KeyboardInterrupt):
                chat.catch_up()
            told.result()
        wait_until(lambda: fold.cancelled, "the end of the call")
        assert chat.info().head == 1


SCRIPTS = {
    "left open": "log.open(); log.create()",
    "left open, in use by a daemon": "log.open(); chat = log.create(); threading.Thread(target=use, daemon=True).start()",
    "left open, forgotten": "log.open(); log.create(); del log",
    "closed by exit handlers": "log.open(); log.create(); atexit.register(log.close)",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_ends_whatever_it_leaves_open(script: str, tmp_path: Path) -> None:
    program = f"""
import atexit, threading, turnlog, turnlog.sync
def use():
    while True:
        chat.append(turnlog.user("hi"))
log = turnlog.sync.connect("sqlite:///{tmp_path}/x.db")
{SCRIPTS[script]}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("twin", ["Turnlog", "Conversation", "User"])
def test_every_public_method_is_there_and_blocks(twin: str) -> None:
    theirs = {name for name, value in vars(getattr(turnlog, twin)).items() if isfunction(value) and name[0] != "_"}
    ours = {name: value for name, value in vars(getattr(turnlog.sync, twin)).items() if isfunction(value)}
    assert theirs <= ours.keys()
    assert not any(map(iscoroutinefunction, ours.values()))
