"""Short conversations for the tests of memory."""

from msgspec.structs import replace

from turnlog.memory.facts import Fact
from turnlog.memory.knowledge import KnowledgeState, extract_all
from turnlog.message import Message


def spoken(*lines: str) -> list[Message]:
    """Messages with seqs from 1, as they come from a log; a line that begins with "A: " is the assistant's."""
    said = [Message("assistant", line[3:]) if line.startswith("A: ") else Message("user", line) for line in lines]
    return [replace(message, seq=seq, id=f"m-{seq}") for seq, message in enumerate(said, 1)]


def after(*lines: str) -> KnowledgeState:
    return extract_all(spoken(*lines))


def named(*lines: str) -> str | None:
    name = after(*lines).profile.name
    return name.text if name else None


def likes(*lines: str) -> set[tuple[str, str]]:
    held = after(*lines).profile.current_preferences
    return {("-" if item.polarity == "dislike" else "+", item.text) for item in held}


def entities(*lines: str) -> set[tuple[str, str]]:
    return {(item.text, item.kind) for item in after(*lines).entities}


def pending(*lines: str) -> list[str]:
    return [task.text for task in after(*lines).profile.pending_tasks]


def facts(*lines: str) -> list[Fact]:
    """The facts that hold, without preferences."""
    return [fact for fact in after(*lines).current_facts if not fact.text.startswith(("likes ", "dislikes ", "prefers "))]


def told(*lines: str) -> set[str]:
    return {fact.text for fact in facts(*lines)}
