"""Messages as they come from a log."""

from collections.abc import Sequence

from msgspec.structs import replace

from turnlog import Message


def stored_in(messages: Sequence[Message]) -> list[Message]:
    """The messages with seqs from 1."""
    return [replace(message, seq=seq) for seq, message in enumerate(messages, 1)]
