"""Memory in a context: named sections, each one `system` message that is marked `derived`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec.structs import force_setattr

from turnlog import codec
from turnlog.codec import Record
from turnlog.context.exchanges import UNLIMITED
from turnlog.errors import InvalidInput
from turnlog.message import Message
from turnlog.tokens import Counter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Recalled(msgspec.Struct, frozen=True):
    """A text that a search returned; `seq` is its message in this conversation, 0 when it is from another one."""

    text: str
    seq: int = 0


class Memory(msgspec.Struct, frozen=True):
    """What memory contributes to a context: `Memory({"facts": ["Lives in Oslo"]})`.

    `sections` maps the name of a section to its lines, the most important first. The lines of `summary` cover the messages
    up to seq `summary_to`, and are left out when it is 0. Recalled texts that the recent window shows are left out.
    """

    sections: Mapping[str, Sequence[str]] = {}
    summary_to: int = 0
    recalled: Sequence[Recalled] = ()

    def __post_init__(self) -> None:
        for name, lines in self.sections.items():
            if not isinstance(lines, list | tuple):
                raise InvalidInput(f"memory.sections.{name}", "must be a list of lines")
        force_setattr(self, "sections", {name: tuple(lines) for name, lines in self.sections.items()})

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.recalled or any(self.sections.values()))

    def lines(self, section: str) -> tuple[str, ...]:
        """The lines of a section."""
        if section == "summary" and not self.summary_to:
            return ()
        return self.sections.get(section, ())  # type: ignore[return-value]  # tuples since __post_init__


class SectionText(msgspec.Struct, frozen=True):
    """A section as a context shows it, and its cost. The heading is kept with the lines, so that a compaction's sections
    keep their bytes when the heading changes in a later release.
    """

    name: str
    heading: str
    lines: tuple[str, ...]
    tokens: int

    @property
    def record(self) -> Record:
        """The section's message. Equal sections have equal bytes."""
        return codec.encode(self.message, tokens=self.tokens, limits=UNLIMITED)

    @property
    def message(self) -> Message:
        """The message before it is encoded."""
        text = "\n".join((self.heading, *self.lines))
        metadata = {"section": self.name}
        return Message("system", text, id=f"part-{self.name}", created_at=_EPOCH, metadata=metadata, derived=True)


def fit(name: str, heading: str, lines: Sequence[str], limit: int, count: Counter) -> SectionText | None:
    """The section with as many of its first lines as cost at most `limit` tokens; None if not even one fits."""
    size, tokens = 0, 0
    while size < len(lines) and (tokens := tokens + count.text(lines[size])) <= limit:
        size += 1
    while size:
        section = SectionText(name, heading, tuple(lines[:size]), 0)
        if (tokens := count(section.message)) <= limit:
            return SectionText(name, heading, section.lines, tokens)
        size -= 1
    return None


def without_summary(sections: tuple[SectionText, ...]) -> tuple[SectionText, ...]:
    """The sections for a window that begins at the first message, where a summary would repeat it."""
    return tuple(section for section in sections if section.name != "summary")


def cost(sections: Sequence[SectionText]) -> int:
    """The tokens of all `sections`."""
    return sum([section.tokens for section in sections])
