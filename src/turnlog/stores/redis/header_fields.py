"""The stored form of a header: a hash whose fields are named in `lua/prelude.lua`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from turnlog.errors import ConversationDeleted, ConversationNotFound, CorruptRecord, StoreFailed
from turnlog.store import Header, Key

FIELDS = ("c", "u", "o", "t", "g", "m", "p", "b", "n", "r", "e", "a", "v", "d", "k", "w", "s")
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


def text(value: bytes | None) -> str | None:
    """Decode a text field; None if it is missing or not valid UTF-8."""
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def number(value: bytes | None) -> int:
    """Decode a number field; 0 if it is missing or not a number."""
    try:
        return int(value or 0)
    except ValueError:
        return 0


def parent(value: bytes | None) -> str | None:
    """Decode the id of the parent. Raises `StoreFailed` if it is damaged, which is not the same as missing."""
    told = text(value)
    if told is None and value is not None:
        raise StoreFailed("the header of a fork is damaged: the id of its parent is no text")
    return told


def split(tags: bytes | None) -> tuple[str, ...]:
    """Decode the tags; none if they are not valid UTF-8."""
    return tuple((text(tags) or "").split("\n")) if text(tags) else ()


def changes(given: dict[str, Any]) -> list[Any]:
    """Encode the fields that an update may change; an empty value removes the field."""
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
    """Encode the fields of a new header."""
    given = {"title": header.title, "tags": header.tags, "metadata": header.metadata, "archived": header.archived}
    said = changes(given)
    # an empty field is left out: it means the same as an absent one, and weighs more (decision 021)
    pairs = [(said[n], said[n + 1]) for n in range(0, len(said), 2) if said[n + 1]]
    pairs += [("c", header.created_at), ("u", header.updated_at), ("b", header.parent_seq), ("n", head)]
    pairs += [("r", header.revision), ("e", header.epoch), ("v", header.version), ("s", header.tokens)]
    pairs += [(name, value) for name, value in (("o", header.user_id), ("p", header.parent)) if value is not None]
    return [part for pair in pairs for part in pair]


def build(key: Key, values: Sequence[bytes | None]) -> Header:
    """The header from the values of `FIELDS` and the history, as `header_of` in `lua/prelude.lua` answers.

    Raises `ConversationNotFound`, `ConversationDeleted`, or `CorruptRecord` for a damaged header, with what is left of it.
    """
    header = left(key, values)
    try:
        for value in (values[2], values[3], values[4], values[6]):
            (value or b"").decode()
        for value in (*values[:2], *values[7:11], values[12]):
            int(value or 0)
        metadata = values[5]
        return msgspec.structs.replace(header, metadata=_decode(metadata)) if metadata else header
    except (ValueError, msgspec.MsgspecError) as error:
        reason = f"the header of {key.conversation_id!r} is damaged: {error}"
        raise CorruptRecord(seq=0, reason=reason, record=header) from error


def left(key: Key, values: Sequence[bytes | None]) -> Header:
    """The header without metadata, and without whatever else cannot be read: what is no number counts as 0.

    Raises `ConversationNotFound` or `ConversationDeleted`.
    """
    created, updated, user, title, tags, _, above, base, head, revision, epoch, archived, version, dead = values[:14]
    # asked first: a dead header has lost its time of birth, and must not pass for one that never was
    if dead is not None:
        raise ConversationDeleted(key.conversation_id)
    if created is None:
        raise ConversationNotFound(key.conversation_id)
    return Header(
        key.conversation_id,
        number(created),
        number(updated),
        text(user),
        text(title),
        split(tags),
        {},
        text(above),
        number(base),
        number(head),
        number(revision),
        number(epoch),
        archived is not None,
        number(version),
        incarnation(values[14] or b"", values[17] or b""),
        number(values[16]),
    )


def incarnation(number: bytes, history: bytes) -> str:
    """Combine a conversation's own number with the name of its server's history (decision 023)."""
    return f"{_hex(number) ^ _hex(history):016x}"


def _hex(told: bytes) -> int:
    try:
        # cut to 64 bits: the server's name of its history has 160
        return int(told[:16] or b"0", 16)
    except ValueError:
        return 0
