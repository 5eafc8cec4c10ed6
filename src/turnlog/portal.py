"""Runs coroutines on an event loop in a separate thread, for callers that block (decision 048)."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from threading import Lock, Thread, get_ident
from typing import Any, TypeVar
from weakref import finalize

from turnlog import process
from turnlog.errors import StoreUnavailable, TurnlogError

R = TypeVar("R")

GRACE_S = 1.0
"""Seconds that running calls have to finish before the store is closed, and again to end after they are cancelled."""


class Loop:
    """An event loop that runs in its own thread until `stop`."""

    def __init__(self) -> None:
        # not what the policy makes: psycopg needs this one on Windows
        self.loop = asyncio.SelectorEventLoop()
        self.thread = Thread(target=self._run, name="turnlog-sync", daemon=True)
        self.futures: set[Future[Any]] = set()
        self.thread.start()

    def submit(self, coroutine: Coroutine[Any, Any, R], future: "Future[R]") -> None:
        """Run `coroutine` for `future`. Cancelling the future or stopping the loop cancels the coroutine."""
        self.futures.add(future)
        future.add_done_callback(self.futures.discard)
        self.loop.call_soon_threadsafe(self._begin, coroutine, future)

    def _begin(self, coroutine: Coroutine[Any, Any, R], future: "Future[R]") -> None:
        task = self.loop.create_task(coroutine)
        task.add_done_callback(partial(_settle, future))
        future.add_done_callback(partial(self._cancel_with, task))  # at once if the caller was interrupted meanwhile

    def _cancel_with(self, task: "asyncio.Task[R]", future: "Future[R]") -> None:
        if future.cancelled():
            with suppress(RuntimeError):  # the loop has ended, and the task with it
                self.loop.call_soon_threadsafe(task.cancel)

    def stop(self) -> None:
        """Ask the loop to stop; its thread then ends."""
        self.loop.call_soon_threadsafe(self.loop.stop)

    def close(self, finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `finish`, cancel the calls that still run, and join the thread. Raises what `finish` raises."""
        finishing = asyncio.run_coroutine_threadsafe(self.finish(finish), self.loop)
        try:
            finishing.result()
        finally:
            self.stop()
            self.thread.join()

    async def finish(self, finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait `GRACE_S` for running calls, run `finish`, and cancel the calls that are left."""
        try:
            await self._wait_for_others()
            await finish()
        finally:
            await self._wait_for_others(cancel=True)
            await self.loop.shutdown_asyncgens()

    async def _wait_for_others(self, *, cancel: bool = False) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others if cancel else ():
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=GRACE_S)

    def _run(self) -> None:
        try:
            self.loop.run_forever()
        finally:
            for future in list(self.futures):  # of tasks that did not end: nobody waits for ever
                future.cancel()
            self.loop.close()


def _settle(future: "Future[R]", task: "asyncio.Task[R]") -> None:
    if task.cancelled():
        future.cancel()
        return
    error = task.exception()
    if not future.set_running_or_notify_cancel():
        return  # nobody waits any more
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(task.result())


async def _finish_and_stop(loop: Loop, finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        await loop.finish(finish)
    finally:
        loop.loop.stop()


def _end(loop: Loop, finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """End the loop of a portal that was garbage collected, possibly in the loop's own thread."""
    loop.loop.call_soon_threadsafe(lambda: asyncio.ensure_future(_finish_and_stop(loop, finish), loop=loop.loop))


class Portal:
    """Runs coroutines on a `Loop` and waits for them. The first call starts the loop; `close` runs `finish` as the last one.

    Any thread may call, except the loop's own. A closed portal can be opened again.
    """

    def __init__(self, finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._finish = finish
        self._closing = Lock()
        self._starting = Lock()
        self._loop: Loop | None = None
        self._finalizer: finalize[..., Any] | None = None
        self._closed = False

    def open(self) -> None:
        """Accept calls again after `close`."""
        self._refuse_own_thread()
        with self._closing:  # one that is under way comes to its end first
            self._closed = False

    def run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Run `coroutine`; return or raise what it does. An interrupt of the caller cancels it.

        Raises `StoreUnavailable` if the portal is closed, before the call or during it, and `RuntimeError` in the thread of
        the loop that would have to run the coroutine.
        """
        future: Future[R] = Future()  # decision 048: created first, so that an interrupt at any later point cancels it
        try:
            self._submit(coroutine, future)
            return future.result()
        except CancelledError:
            raise StoreUnavailable("it was closed while the call was under way") from None
        finally:
            future.cancel()

    def close(self) -> None:
        """Run `finish` and end the loop and its thread. Closing twice has no effect."""
        self._refuse_own_thread()
        with self._closing:
            with self._starting:  # who was accepted before is on the loop already, and will be told something
                loop, self._loop, self._closed = self._loop, None, True
            if loop is not None:
                assert self._finalizer is not None
                self._finalizer.detach()
                process.closed(self)
                loop.close(self._finish)

    def abandon(self) -> None:
        """Forget the loop, whose thread does not exist in a forked child."""
        process.keep(self._loop, self._finalizer)
        if self._finalizer is not None:
            self._finalizer.detach()
        self._closing, self._starting = Lock(), Lock()
        self._loop, self._closed = None, True

    def _submit(self, coroutine: Coroutine[Any, Any, R], future: "Future[R]") -> None:
        try:
            self._refuse_own_thread()
            with self._starting:
                self._running().submit(coroutine, future)
        # decision 057: these refuse it (closed, own thread, no thread or handle to be had) before it has begun. After an
        # interrupt it may have begun, and is left to its loop, which cancels it with its future.
        except (RuntimeError, OSError, TurnlogError):
            coroutine.close()
            raise

    def _running(self) -> Loop:
        """Return the loop, started if needed. The caller holds `_starting`."""
        if self._closed:
            raise process.unusable(self)
        if self._loop is None:
            self._loop = Loop()
            self._finalizer = finalize(self, _end, self._loop, self._finish)
            self._finalizer.atexit = False  # the thread is a daemon; nothing that was accepted is under way then
            process.opened(self)
        return self._loop

    def _refuse_own_thread(self) -> None:
        loop = self._loop
        if loop is not None and loop.thread.ident == get_ident():
            raise RuntimeError("a blocking call on the event loop that would have to carry it out: use the asynchronous one")
