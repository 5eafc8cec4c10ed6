"""Short conversations for the tests of memory."""

from turnlog.memory.learn import learn
from turnlog.memory.learned import Learned
from turnlog.message import Message


def spoken(*lines: str) -> list[Message]:
    """Messages with seqs from 1; a line that begins with "A: " is the assistant's."""
    return [
        Message("assistant", line[3:], seq=seq) if line.startswith("A: ") else Message("user", line, seq=seq)
        for seq, line in enumerate(lines, 1)
    ]


def after(*lines: str) -> Learned:
    return learn(Learned(), spoken(*lines))


def named(*lines: str) -> str | None:
    learned = after(*lines)
    return learned.name.text if learned.name else None


def likes(*lines: str) -> set[tuple[str, str]]:
    return {("-" if item.polarity == "dislike" else "+", item.text) for item in after(*lines).current_preferences}


def entities(*lines: str) -> set[tuple[str, str]]:
    return {(item.text, item.kind) for item in after(*lines).entities}


def pending(*lines: str) -> list[str]:
    return [task.text for task in after(*lines).pending_tasks]
