"""Parts of a context that memory gives: what is told of them, in one `system` message each, marked `derived`."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from turnlog import codec
from turnlog.codec import Record
from turnlog.context.exchanges import UNLIMITED
from turnlog.memory.user.digest import UserDigest
from turnlog.message import Message
from turnlog.tokens import Counter

HEADINGS = {
    "profile": "About the user:",
    "facts": "Known facts:",
    "entities": "Named in this conversation:",
    "summary": "Summary of the earlier conversation:",
    "changes": "Changed since the above was written:",
    "recalled": "From earlier, perhaps of use:",
    "time": "Current time:",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Recalled(msgspec.Struct, frozen=True):
    """A text that was found again; `seq` is its place in this conversation, 0 when it is from elsewhere."""

    text: str
    seq: int = 0


class Memory(msgspec.Struct, frozen=True):
    """What is derived from the log, and from the user's other conversations, as of now; what there is none of is empty.

    Lists begin with what matters most. The summary tells of the messages up to seq `summary_to`. `known` is for whoever
    asks; what a model is to know of it is in the other fields.
    """

    profile: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    summary: str = ""
    summary_to: int = 0
    recalled: tuple[Recalled, ...] = ()
    time: str = ""
    entities: tuple[str, ...] = ()
    known: UserDigest = UserDigest()

    @property
    def silent(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.profile or self.facts or self.entities or self.summary_to or self.recalled or self.time)

    def items(self, section: str) -> tuple[str, ...]:
        """What a stable section has to say."""
        match section:
            case "profile":
                return self.profile
            case "facts":
                return self.facts
            case "entities":
                return self.entities
        return (self.summary,) if self.summary and self.summary_to else ()


class Part(msgspec.Struct, frozen=True):
    """A section of memory as it is shown, and what it costs."""

    name: str
    items: tuple[str, ...]
    tokens: int

    @property
    def record(self) -> Record:
        """The message that tells it. Equal parts have equal bytes."""
        return codec.encode(_message(self), tokens=self.tokens, limits=UNLIMITED)


def fit(name: str, items: Sequence[str], limit: int, count: Counter) -> Part | None:
    """The section with as many of its first items as cost at most `limit` tokens together; None if not one does."""
    kept, tokens = 0, 0
    while kept < len(items) and (tokens := tokens + count.text(items[kept])) <= limit:
        kept += 1
    while kept:
        part = Part(name, tuple(items[:kept]), 0)
        if (tokens := count(_message(part))) <= limit:
            return Part(name, part.items, tokens)
        kept -= 1
    return None


def changes(name: str, frozen: Sequence[str], now: Sequence[str], limit: int, count: Counter) -> list[str]:
    """What a section tells now and did not when it was frozen, then what it told then and is so no longer.

    What would find no place within the section's `limit` of tokens does not count as new.
    """
    if tuple(now) == tuple(frozen):
        return []
    part = fit(name, now, limit, count)
    fresh = [item for item in (part.items if part else ()) if item not in frozen]
    return fresh + [f"no longer: {item}" for item in frozen if item not in now]


def _message(part: Part) -> Message:
    text = "\n".join((HEADINGS[part.name], *part.items))
    return Message("system", text, id=f"part-{part.name}", created_at=_EPOCH, metadata={"section": part.name}, derived=True)
