"""The stored form of a header: a hash whose fields are named in `lua/prelude.lua`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from turnlog.errors import ConversationDeleted, ConversationNotFound, StoreFailed
from turnlog.ports import Header, Key

FIELDS = ("c", "u", "o", "t", "g", "m", "p", "b", "n", "r", "e", "a", "v", "d", "k", "w")
_encode = msgspec.json.Encoder(order="deterministic").encode


def text(value: bytes | None) -> str | None:
    """The text of a field; None where there is none."""
    return None if value is None else value.decode()


def split(tags: bytes | None) -> tuple[str, ...]:
    """Tags from their stored form."""
    return tuple(tags.decode().split("\n")) if tags else ()


def changes(given: dict[str, Any]) -> list[Any]:
    """Fields and values of what a person may change; an empty value stands for an absent field."""
    stored: list[Any] = []
    for name, value in given.items():
        match name:
            case "title":
                stored += ["t", value or ""]
            case "tags":
                stored += ["g", "\n".join(value)]
            case "metadata":
                stored += ["m", _encode(value) if value else ""]
            case "archived":
                stored += ["a", "1" if value else ""]
    return stored


def flatten(header: Header, head: int) -> list[Any]:
    """Fields and values of a new header."""
    given = {"title": header.title, "tags": header.tags, "metadata": header.metadata, "archived": header.archived}
    said = changes(given)
    pairs = [(said[n], said[n + 1]) for n in range(0, len(said), 2) if said[n + 1]]
    pairs += [("c", header.created_at), ("u", header.updated_at), ("b", header.parent_seq), ("n", head)]
    pairs += [("r", header.revision), ("e", header.epoch), ("v", header.version)]
    pairs += [(name, value) for name, value in (("o", header.user_id), ("p", header.parent)) if value is not None]
    return [part for pair in pairs for part in pair]


def build(key: Key, values: Sequence[bytes | None]) -> Header:
    """The header from the values of `FIELDS` and the history, as `header_of` in `lua/prelude.lua` answers.

    Raises `ConversationNotFound`, `ConversationDeleted`, or `StoreFailed` for what no header can be made of.
    """
    try:
        return _build(key, values)
    except (ValueError, msgspec.MsgspecError) as error:
        raise StoreFailed(f"the header of {key.conversation_id!r} is damaged: {error}") from error


def _build(key: Key, values: Sequence[bytes | None]) -> Header:
    created, updated, user, title, tags, metadata, parent, base, head, revision, epoch, archived, version, dead = values[:14]
    if dead is not None:
        raise ConversationDeleted(key.conversation_id)
    if created is None:
        raise ConversationNotFound(key.conversation_id)
    return Header(
        key.conversation_id,
        int(created),
        int(updated or 0),
        text(user),
        text(title),
        split(tags),
        msgspec.json.decode(metadata) if metadata else {},
        text(parent),
        int(base or 0),
        int(head or 0),
        int(revision or 0),
        int(epoch or 0),
        archived is not None,
        int(version or 0),
        incarnation(values[14] or b"", values[16] or b""),
    )


def incarnation(number: bytes, history: bytes) -> str:
    """A conversation's own number, mixed with what names the history of its server's data (decision 023)."""
    return f"{int(number[:16] or b'0', 16) ^ int(history[:16] or b'0', 16):016x}"
