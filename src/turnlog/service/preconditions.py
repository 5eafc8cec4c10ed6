"""Conditional and repeatable requests: entity tags (RFC 9110) and keys (draft-ietf-httpapi-idempotency-key-header).

A tag is `"<head>"` after an append, and `"<head>.<revision>.<epoch>.<incarnation>"` of a conversation, to which a body that
shows memory adds a digest of it. `"<head>.<revision>"` is understood as well. A tag of another form is valid and matches
nothing.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from turnlog.errors import Conflict, HeadMoved, HistoryMoved, InvalidInput, RevisionMoved
from turnlog.log.conversation import Expected
from turnlog.service.errors import PreconditionFailed
from turnlog.store import Header

_TAG = re.compile(r'[\s,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|$)')
_OURS = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18})(?:\.([0-9]{1,18})\.([0-9a-f]{16})(?:\.[0-9a-f]{12})?)?)?", re.ASCII)
_KEY = re.compile(r"[ -~]{1,255}", re.ASCII)
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"', re.ASCII)


class Tag(NamedTuple):
    """What a tag says of a conversation; None where it says nothing."""

    head: int | None = None
    revision: int | None = None
    epoch: int | None = None
    incarnation: str | None = None

    @property
    def expected(self) -> Expected:
        """What the library is to expect, in the same step as the write where it can."""
        return {
            "expect_head": self.head,
            "expect_revision": self.revision,
            "expect_incarnation": self.incarnation,
        }


def etag(header: Header, memory: bytes = b"") -> bytes:
    """The tag of a conversation, shown with `memory` as JSON."""
    text = f"{header.head}.{header.revision}.{header.epoch}.{header.incarnation}"
    return f'"{text}.{blake2b(memory, digest_size=6).hexdigest()}"'.encode() if memory else f'"{text}"'.encode()


def read_tags(field: str, value: str | None) -> list[Tag] | None:
    """The tags of an `If-Match`; None if it asks for nothing. Weak and foreign tags match nothing, so they are left out.

    Raises `PreconditionFailed` when none is left.
    """
    if value is None or value == "*":
        return None
    found = [_OURS.fullmatch(opaque) for weak, opaque in _entity_tags(field, value) if not weak]
    tags = [Tag(int(it[1]), _number(it[2]), _number(it[3]), it[4]) for it in found if it is not None]
    if not tags:
        raise PreconditionFailed("no strong ETag of this service is listed: weak ones and others match nothing")
    return tags


def is_among(tag: bytes, value: str | None) -> bool:
    """Whether an `If-None-Match` lists `tag`; the comparison is weak."""
    if value is None:
        return False
    return value == "*" or any(f'"{opaque}"'.encode("latin-1") == tag for _, opaque in _entity_tags("If-None-Match", value))


def _entity_tags(field: str, value: str) -> list[tuple[str | None, str]]:
    found, at = [], 0
    while at < len(value):
        match = _TAG.match(value, at)
        if match is None:
            break
        found.append((match[1], match[2]))
        at = match.end()
    if not found or value[at:].strip(", \t"):
        raise InvalidInput(field, 'must be * or ETags in double quotes with commas between, such as "3"')
    return found


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def chosen(tags: Sequence[Tag], header: Header) -> Tag:
    """The tag with the present head, else the last one, which the append then refuses unless it is a repetition.

    Raises `HistoryMoved` for a tag of another history.
    """
    fitting = [tag for tag in tags if tag.incarnation in (None, header.incarnation)]
    if not fitting:
        raise HistoryMoved(expected=tags[-1].incarnation or "", actual=header.incarnation)
    return next((tag for tag in fitting if tag.head == header.head), fitting[-1])


def matching(tags: Sequence[Tag], header: Header, *, revision_only: bool) -> Tag:
    """The first tag that the conversation has now. Raises the conflict of the last one if none fits."""
    faults = [_fault(tag, header, revision_only) for tag in tags]
    for tag, fault in zip(tags, faults, strict=True):
        if fault is None:
            return tag
    raise faults[-1] or PreconditionFailed("no tag is listed")


def _fault(tag: Tag, header: Header, revision_only: bool) -> Conflict | None:
    """What has changed since the conversation had `tag`."""
    if tag.incarnation not in (None, header.incarnation):
        return HistoryMoved(expected=tag.incarnation or "", actual=header.incarnation)
    if tag.revision not in (None, header.revision):
        return RevisionMoved(expected=tag.revision or 0, actual=header.revision)
    if revision_only and tag.revision is not None:
        return None
    if tag.head != header.head:
        return HeadMoved(expected=tag.head or 0, actual=header.head)
    if tag.epoch not in (None, header.epoch):
        return PreconditionFailed(f"messages were erased since: the erase epoch is {header.epoch}, not {tag.epoch}")
    return None


def read_key(value: str | None) -> str | None:
    """An idempotency key: a string in quotes, or what stands there bare. `"q1"` and `q1` are the same key."""
    if value is None:
        return None
    quoted = _QUOTED.fullmatch(value)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value
    if not _KEY.fullmatch(key) or (value.startswith('"') and not quoted):
        raise InvalidInput("Idempotency-Key", "must be 1 to 255 printable ASCII characters, in double quotes or bare")
    return key
