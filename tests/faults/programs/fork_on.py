"""Fork in the way CASE with the store at URL open; what parent and child may and may not do then is asserted here.

Ends with 0 if all of it holds. A child that hangs is for whoever runs this to notice.
"""

import asyncio
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import apsw

import turnlog
import turnlog.sync
from turnlog import Settings, StoreUnavailable, Turnlog, TurnlogError, connect, user
from turnlog.stores.sqlite import fork_guard

FORKS = 6


def child(work: Callable[[], None], *, normal: bool) -> int:
    """Fork; the pid of the child that does `work` and ends as programs do, or at once."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException as error:  # noqa: BLE001  # nothing may go on into what the parent does
        sys.stderr.write(f"child: {type(error).__name__}: {error}\n")
        os._exit(1)
    if not normal:
        os._exit(0)
    sys.exit(0)


def ended_well(pid: int) -> None:
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def check_refusal(error: TurnlogError) -> None:
    assert "another process" in str(error), error


def check_left(error: TurnlogError) -> None:
    assert "in use while" in str(error), error


async def refused(log: Turnlog) -> None:
    """Whatever is asked of it, it says at once why it cannot be used."""
    talk = log.conversation("c1")
    for call in (talk.append(user("lost")), talk.info(), talk.context(), log.ping(), log.conversations()):
        try:
            await call
        except StoreUnavailable as error:
            check_refusal(error)
        else:
            raise AssertionError("it was carried out")
    await log.close()
    gc.collect()


async def in_child(log: Turnlog, url: str, said: str) -> None:
    """Refused, then opened anew: as another object, and as the same."""
    if url != "ram:":
        await refused(log)
        async with connect(url, settings=log.settings) as own:
            await own.conversation("c1").append(user(f"{said} other", id=f"{said}-other"))
    async with log:
        await log.conversation("c1").append(user(f"{said} same", id=f"{said}-same"))
    gc.collect()


async def whole(log: Turnlog, expected: set[str]) -> None:
    talk = log.conversation("c1")
    there = {record.id async for page in talk.pages() for record in page.records}
    assert there == expected, (there ^ expected, await talk.info())
    assert await talk.verify() == []


def of_children(url: str, count: int) -> set[str]:
    """What `in_child` says in `count` children."""
    return set() if url == "ram:" else {f"child-{n}-{how}" for n in range(count) for how in ("other", "same")}


async def forks_under_load(url: str, settings: Settings) -> None:
    """The parent appends all the while, from before the fork until after its children have ended."""
    said: set[str] = set()
    over = asyncio.Event()

    async def go_on(log: Turnlog, name: str) -> None:
        while not over.is_set():
            id_ = f"{name}-{len(said)}"
            await log.conversation("c1").append(user("parent", id=id_))
            await asyncio.sleep(0.001)
            said.add(id_)

    async with connect(url, settings=settings) as log:
        await log.create(id="c1")
        writers = [asyncio.create_task(go_on(log, f"p{n}")) for n in range(4)]
        for n in range(FORKS):
            await asyncio.sleep(0.05)
            pid = child(lambda n=n: asyncio.run(in_child(log, url, f"child-{n}")), normal=False)  # type: ignore[misc]
            await asyncio.to_thread(ended_well, pid)
        over.set()
        await asyncio.gather(*writers)
        await whole(log, said | of_children(url, FORKS))


async def processes(url: str, settings: Settings) -> None:
    """Processes of `multiprocessing`, forked."""
    context = multiprocessing.get_context("fork")
    async with connect(url, settings=settings) as log:
        talk = await log.create(user("before", id="before"), id="c1")
        made = [context.Process(target=lambda n=n: asyncio.run(in_child(log, url, f"child-{n}"))) for n in range(2)]
        for each in made:
            each.start()
        await talk.append(user("meanwhile", id="meanwhile"))
        for each in made:
            await asyncio.to_thread(each.join)
            assert each.exitcode == 0
        await talk.append(user("after", id="after"))
        await whole(log, {"before", "meanwhile", "after"} | of_children(url, len(made)))


def preload(url: str, settings: Settings) -> None:
    """Opened in a parent, blocking, and used in its children, which end as programs do; threads of the parent go on."""
    log = turnlog.sync.connect(url, settings=settings)
    log.open()
    log.create(user("before", id="before"), id="c1")
    over, said = threading.Event(), set[str]()

    def go_on(name: str) -> None:
        while not over.is_set():
            id_ = f"{name}-{len(said)}"
            log.conversation("c1").append(user("parent", id=id_))
            said.add(id_)

    def use(n: int) -> None:
        try:
            log.conversation("c1").info()
        except TurnlogError as error:
            check_refusal(error)
        else:
            raise AssertionError("it was carried out")
        log.close()
        log.close()
        if url != "ram:":
            log.open()
            log.conversation("c1").append(user("child", id=f"child-{n}"))
        if n % 2:
            log.close()

    threads = [threading.Thread(target=go_on, args=(f"t{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    pids = [child(lambda n=n: use(n), normal=True) for n in range(FORKS)]  # type: ignore[misc]
    pids.append(child(lambda: None, normal=True))
    for pid in pids:
        ended_well(pid)
    over.set()
    for thread in threads:
        thread.join()
    there = {record.id for page in log.conversation("c1").pages() for record in page.records}
    assert there == {"before"} | said | (set() if url == "ram:" else {f"child-{n}" for n in range(FORKS)})
    log.close()


def leaves_the_block(url: str, settings: Settings) -> None:
    """A child that runs out of the block in which its parent has opened it."""
    pid = -1
    with suppress(SystemExit), turnlog.sync.connect(url, settings=settings) as log:
        log.create(id="c1")
        pid = os.fork()
        if pid == 0:
            sys.exit(0)
        ended_well(pid)
        log.conversation("c1").append(user("after"))
        assert log.conversation("c1").info().head == 1
    if pid == 0:
        sys.exit(0)


def outlives(url: str, settings: Settings) -> None:
    """A child that was forked while its parent had the store open goes on when the parent has closed it."""
    told, tell = os.pipe()

    async def on(_: Turnlog) -> None:
        async with connect(url, settings=settings) as own:
            await own.conversation("c1").append(user("first"))
            assert os.read(told, 1) == b"!"
            for n in range(5):
                await own.conversation("c1").append(user(f"{n}"))
            os.kill(os.getpid(), 9)

    async def begin() -> int:
        async with connect(url, settings=settings) as log:
            await log.create(id="c1")
            pid = child(lambda: asyncio.run(on(log)), normal=False)
            while (await log.conversation("c1").info()).head < 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            return pid

    async def look() -> None:
        async with connect(url, settings=settings) as log:
            assert (await log.conversation("c1").info()).head == 6
            assert await log.conversation("c1").verify() == []

    pid = asyncio.run(begin())
    os.write(tell, b"!")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9
    asyncio.run(look())


async def another_connection(url: str, settings: Settings) -> None:
    """The parent has a connection that is none of turnlog's lanes, and stays open: the child cannot have the file."""
    async with connect(url, settings=settings) as log:
        await log.create(id="c1")
        connection = apsw.Connection(url.removeprefix("sqlite:///"))
        connection.execute("SELECT * FROM sqlite_schema").fetchall()

        async def refused_file() -> None:
            try:
                await log.open()
            except StoreUnavailable as error:
                if "in use while" in str(error):
                    return
                raise
            raise AssertionError("it was opened")

        ended_well(child(lambda: asyncio.run(refused_file()), normal=False))
        await log.conversation("c1").append(user("after"))
        connection.close()


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def locked_by_another(url: str, settings: Settings) -> None:
    """Another process holds the write lock for longer than a fork waits, so a lane is at work in the parent at the fork."""
    fork_guard.PARK_S_MAX = 0.5
    log = turnlog.sync.connect(url, settings=settings)
    log.open()
    talk = log.create(user("before"), id="c1")

    def use() -> None:
        signal.alarm(15)
        for _ in range(2):  # and a fork of the child does not wait for the parent's lanes
            try:
                log.open()
            except StoreUnavailable as error:
                check_left(error)
            else:
                raise AssertionError("it was opened")
            with turnlog.sync.connect(f"{url}.other", settings=settings) as other:
                other.create(user("child"))
                begun = time.monotonic()
                ended_well(child(lambda: None, normal=False))
                assert time.monotonic() - begun < fork_guard.PARK_S_MAX

    path = url.removeprefix("sqlite:///")
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        writer = threading.Thread(target=lambda: talk.append(user("meanwhile")))
        writer.start()
        time.sleep(0.3)
        pid = child(use, normal=False)
        try:
            ended_well(pid)
        finally:
            holder.communicate()
            writer.join()
    talk.append(user("after"))
    ended_well(child(lambda: log.open(), normal=False))  # noqa: PLW0108  # once the lane is free, so is the file
    assert talk.info().head == 3
    log.close()


def main(case: str, url: str, tenant: str) -> None:
    settings = Settings(tenant=tenant)
    match case:
        case "under-load":
            asyncio.run(forks_under_load(url, settings))
        case "multiprocessing":
            asyncio.run(processes(url, settings))
        case "preload":
            preload(url, settings)
        case "block":
            leaves_the_block(url, settings)
        case "another-connection":
            asyncio.run(another_connection(url, settings))
        case "locked":
            locked_by_another(url, settings)
        case "outlives":
            outlives(url, settings)


main(*sys.argv[1:])
