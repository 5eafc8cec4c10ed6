"""Folds to watch a runner with."""

from collections.abc import Awaitable, Callable, Sequence

from turnlog import Message
from turnlog.fold import Section


class Ids:
    """The id of every message in order: what was lost, doubled or out of order shows."""

    name = "ids"

    def __init__(self, version: int = 1, name: str = "ids") -> None:
        self.version = version
        self.name = name
        self.steps: list[list[str]] = []

    def initial(self) -> list[str]:
        return []

    async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
        self.steps.append([message.id for message in messages])
        return state + self.steps[-1]


class Watched(Ids):
    """Calls `watch` with the messages of each step before it counts."""

    def __init__(self, watch: Callable[[Sequence[Message]], Awaitable[None]], name: str = "ids") -> None:
        super().__init__(name=name)
        self.watch = watch

    def initial(self) -> list[str]:
        return []

    async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
        await self.watch(messages)
        return await super().step(state, messages)


class Dear(Watched):
    """One worker at a time."""

    lease_s = 60.0

    def initial(self) -> list[str]:
        return []


class Questions:
    """The questions of the user, shown in contexts, the newest first."""

    name = "questions"
    version = 1
    section = Section(heading="Open questions:", share=0.05)

    def initial(self) -> list[str]:
        return []

    async def step(self, state: list[str], messages: Sequence[Message]) -> list[str]:
        return state + [message.text for message in messages if message.role == "user" and message.text.endswith("?")]

    def lines(self, state: list[str]) -> Sequence[str]:
        return state[::-1]


class NeedsArguments(Questions):
    """Cannot be made by its name alone."""

    def __init__(self, size: int) -> None:
        self.size = size


class Misnamed(Questions):
    name = "Not a name"


class Facts(Questions):
    """Its section has the name of a built-in one."""

    name = "facts"


class Failing(Questions):
    """Cannot tell its lines of a state that has any."""

    name = "failing"

    def lines(self, state: list[str]) -> Sequence[str]:
        return [str(1 // 0)] if state else []
