"""Ways to make one conversation unusable behind its store's back, by kind of store."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from turnlog.store import Key


class Stage(NamedTuple):
    """Where the conversation lies that is to be poisoned: the URL of its store, and its key. It holds some messages."""

    url: str
    key: Key


Poison = Callable[[Stage], AbstractAsyncContextManager[None]]
"""While the context is open, appends to the conversation fail or wait."""
