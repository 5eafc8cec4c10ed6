"""Tests that await."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any


def awaited(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """The test as a plain function with the same fixtures."""

    @wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))  # type: ignore[arg-type]  # an async test is a coroutine function

    return run
