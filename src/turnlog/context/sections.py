"""What memory tells around the window: each section within its share of the budget, and all within what is left of it."""

from collections.abc import Sequence

from turnlog.context.parts import Part, changes, fit
from turnlog.context.planner_state import PlannerState
from turnlog.context.policy import STABLE, VOLATILE


def before_window(ground: PlannerState, room: int) -> tuple[Part, ...]:
    """What memory tells before the window, each section within its share and all within `room` tokens."""
    if ground.silent:
        return ()
    memory, parts = ground.view.memory, []
    for name in ground.policy.on(STABLE):
        part = fit(name, memory.items(name), min(ground.mark(ground.policy.share(name)), room), ground.count)
        if part:
            parts.append(part)
            room -= part.tokens
    return tuple(parts)


def behind_window(ground: PlannerState, start: int, frozen: Sequence[Part], room: int) -> tuple[Part, ...]:
    """What is told behind a window from `start` on, likewise; `frozen` is told before it."""
    if ground.silent:
        return ()
    parts = []
    for name in ground.policy.on(VOLATILE):
        limit = min(ground.mark(ground.policy.share(name)), room)
        part = fit(name, texts_behind(ground, name, start, frozen), limit, ground.count)
        if part:
            parts.append(part)
            room -= part.tokens
    return tuple(parts)


def texts_behind(ground: PlannerState, name: str, start: int, frozen: Sequence[Part]) -> list[str]:
    """What the volatile section `name` has to say behind a window from `start` on; `frozen` is told before it."""
    memory = ground.view.memory
    if name == "recalled":
        return [found.text for found in memory.recalled if found.seq < start]
    if name == "time":
        return [memory.time] if memory.time else []
    told = {part.name: part.items for part in frozen}
    return [
        line
        for section in ground.policy.on(("profile", "facts"))
        for line in changes(
            section,
            told.get(section, ()),
            memory.items(section),
            ground.mark(ground.policy.share(section)),
            ground.count,
        )
    ]


def without_summary(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """`parts` for a window that has everything, of which no summary needs to tell."""
    return tuple(part for part in parts if part.name != "summary")


def cost(parts: Sequence[Part]) -> int:
    """Tokens of `parts` together."""
    return sum([part.tokens for part in parts])
