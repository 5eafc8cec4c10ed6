"""The same `Turnlog` and `Conversation`, blocking: for scripts and notebooks.

Every method runs on an event loop in a thread of its own, so it also works where a loop is already running, and any number
of threads may call. What the methods take, return and raise is what those of `turnlog.log` do; a call that comes when the
`Turnlog` is closed, or is under way then and cannot be finished, raises `StoreUnavailable`.
"""

from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from turnlog import wiring
from turnlog.fold import Fold
from turnlog.log import conversation, turnlog
from turnlog.log import user as users
from turnlog.portal import Portal
from turnlog.settings import Settings
from turnlog.store import RecordPage

P = ParamSpec("P")
R = TypeVar("R")


def _blocking(method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> Callable[Concatenate[Any, P], R]:
    """`method` of the asynchronous twin, run to its end."""

    @wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._portal.run(method(self._inner, *args, **kwargs))  # type: ignore[no-any-return]

    return call


def _giving(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, conversation.Conversation]],
) -> Callable[Concatenate[Any, P], "Conversation"]:
    """`method` of the asynchronous twin, run to its end; the conversation that it returns blocks, too."""

    @wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> "Conversation":
        return Conversation(self._portal.run(method(self._inner, *args, **kwargs)), self._portal)

    return call


class Conversation:
    """A handle on one conversation: `conversation.Conversation`, blocking."""

    def __init__(self, inner: conversation.Conversation, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal
        self.id = inner.id

    def __repr__(self) -> str:
        return f"sync.{self._inner!r}"

    append = _blocking(conversation.Conversation.append)
    info = _blocking(conversation.Conversation.info)
    records = _blocking(conversation.Conversation.records)
    read = _blocking(conversation.Conversation.read)
    messages = _blocking(conversation.Conversation.messages)
    record = _blocking(conversation.Conversation.record)
    context = _blocking(conversation.Conversation.context)
    turn = _blocking(conversation.Conversation.turn)
    update = _blocking(conversation.Conversation.update)
    fork = _giving(conversation.Conversation.fork)
    redact = _blocking(conversation.Conversation.redact)
    delete = _blocking(conversation.Conversation.delete)
    verify = _blocking(conversation.Conversation.verify)
    inspect = _blocking(conversation.Conversation.inspect)
    digest = _blocking(conversation.Conversation.digest)
    digest_anew = _blocking(conversation.Conversation.digest_anew)
    reconcile = _blocking(conversation.Conversation.reconcile)
    catch_up = _blocking(conversation.Conversation.catch_up)
    memory = _blocking(conversation.Conversation.memory)
    known = _blocking(conversation.Conversation.known)

    def pages(self, *, after: int = 0) -> Iterator[RecordPage]:
        """The whole log from `after` on, page by page."""
        pages = self._inner.pages(after=after)

        async def following() -> RecordPage | None:
            return await anext(pages, None)

        while (page := self._portal.run(following())) is not None:
            yield page


class User:
    """A handle on a user: `turnlog.User`, blocking."""

    def __init__(self, inner: users.User, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal
        self.id = inner.id

    def __repr__(self) -> str:
        return f"sync.{self._inner!r}"

    memory = _blocking(users.User.memory)
    correct = _blocking(users.User.correct)
    forget = _blocking(users.User.forget)
    gather = _blocking(users.User.gather)
    renew = _blocking(users.User.renew)
    erase = _blocking(users.User.erase)
    tells_of = _blocking(users.User.tells_of)


class Turnlog:
    """The conversations of one tenant in one store: `turnlog.Turnlog`, blocking. Use it as a context manager."""

    def __init__(self, inner: turnlog.Turnlog) -> None:
        self._inner = inner
        self._portal = Portal(inner.close)

    def __repr__(self) -> str:
        return f"sync.{self._inner!r}"

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Open the store, also again after `close`. Raises `StoreUnavailable` or `SchemaTooNew`."""
        self._portal.open()
        with ExitStack() as undo:
            undo.callback(self._portal.close)
            self._portal.run(self._inner.open())
            undo.pop_all()

    ping = _blocking(turnlog.Turnlog.ping)
    create = _giving(turnlog.Turnlog.create)
    conversations = _blocking(turnlog.Turnlog.conversations)

    def conversation(self, conversation_id: str) -> Conversation:
        """A handle on a conversation, there or not; does no I/O."""
        return Conversation(self._inner.conversation(conversation_id), self._portal)

    def user(self, user_id: str) -> User:
        """A handle on a user, known or not; does no I/O."""
        return User(self._inner.user(user_id), self._portal)

    def close(self) -> None:
        """Finish what was accepted, close the store and end the thread. Closing twice is fine."""
        self._portal.close()


def connect(url: str | None = None, *, settings: Settings | None = None, folds: Sequence[Fold[Any]] = ()) -> Turnlog:
    """A blocking `Turnlog` on the store at `url`, as `turnlog.connect` says; open it with `with` or `open()`."""
    return Turnlog(wiring.connect(url, settings=settings, folds=folds))
