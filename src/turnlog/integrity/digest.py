"""The fold `integrity`: a digest of the log that tells later whether anything was changed behind the store's back.

Each record has a leaf, BLAKE2b over its id, time, version and body. The state chains all leaves into one digest, and keeps
the beginning of each of the newest leaves, its tag, and a sum for each 64 older ones, so that a change can be named by seq.
With a key, nobody without it can make a state that fits a changed log.
"""

import struct
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple, NoReturn

import msgspec

from turnlog.codec import Record, checked
from turnlog.errors import InvalidInput
from turnlog.message import Message
from turnlog.store import Header, Snapshot

BLOCK = 64
"""So many older messages share a sum."""
NEWEST = 4096
"""So many of the newest messages have a tag of their own, and up to a block more."""
TAG_BYTES, SUM_BYTES = 4, 8
_FORM = 1
_HEAD = struct.Struct(">B8sQ32s")


class Seen(NamedTuple):
    """What a state tells: with which key it was made, up to which seq, the digest, sums of blocks, then tags."""

    key_id: bytes
    watermark: int
    rolling: bytes
    sums: bytes
    tags: bytes

    @property
    def tagged_from(self) -> int:
        """The seq of the first message that has a tag of its own."""
        return older(self.watermark) * BLOCK + 1

    def tag(self, seq: int) -> bytes:
        """The tag of the message at `seq`, which is not before `tagged_from`."""
        at = (seq - self.tagged_from) * TAG_BYTES
        return self.tags[at : at + TAG_BYTES]

    def sum_until(self, seq: int) -> bytes:
        """The sum of the block whose last message is at `seq`."""
        end = seq // BLOCK * SUM_BYTES
        return self.sums[end - SUM_BYTES : end]


class Digest(msgspec.Struct, frozen=True, omit_defaults=False):
    """A digest to be kept elsewhere, as JSON: the log of a conversation up to `watermark`, at an erase `epoch`.

    `digest` and `key_id` are hexadecimal; `sums` and `tags` name what was changed; `incarnation` is the conversation's.
    """

    conversation_id: str
    watermark: int
    epoch: int
    digest: str
    key_id: str
    sums: bytes
    tags: bytes
    incarnation: str = ""
    form: int = _FORM

    @property
    def seen(self) -> Seen:
        """What it tells. Raises `InvalidInput` if no `digest_of` made it."""
        try:
            seen = Seen(bytes.fromhex(self.key_id), self.watermark, bytes.fromhex(self.digest), self.sums, self.tags)
        except ValueError:
            _refuse("digest", "is not hexadecimal")
        return _checked("digest", self.form, seen)


class Integrity:
    """The fold. Its `key` is secret; states that were made with another key cannot be compared."""

    name = "integrity"
    version = 1

    def __init__(self, key: bytes = b"") -> None:
        self._key = blake2b(key, digest_size=32, person=b"turnlog key").digest() if key else b""
        self.key_id = blake2b(self._key, digest_size=8, person=b"turnlog key id").digest() if key else bytes(8)

    def initial(self) -> bytes:
        return _HEAD.pack(_FORM, self.key_id, 0, bytes(32))

    async def step(self, state: bytes, messages: Sequence[Message]) -> NoReturn:
        raise NotImplementedError("a digest is over records: see step_records")

    async def step_records(self, state: bytes, records: Sequence[Record]) -> bytes:
        """Raises `CorruptRecord` for a record that is not intact, `InvalidInput` for a state of another key."""
        key_id, count, rolling, sums, tags = read_state(state)
        if key_id != self.key_id:
            raise InvalidInput("integrity_key", "is not the key that the integrity state was made with")
        leaves = [self.leaf(checked(record)) for record in records]
        for leaf in leaves:
            rolling = self.chained(rolling, leaf)
        tags += b"".join([leaf[:TAG_BYTES] for leaf in leaves])
        done = (older(count + len(leaves)) - older(count)) * BLOCK * TAG_BYTES
        sums += b"".join([self.summed(tags[at : at + BLOCK * TAG_BYTES]) for at in range(0, done, BLOCK * TAG_BYTES)])
        return _HEAD.pack(_FORM, key_id, count + len(leaves), rolling) + sums + tags[done:]

    def leaf(self, record: Record) -> bytes:
        """32 bytes that stand for the record as it is stored."""
        id_ = record.id.encode()
        data = b"%d %d %d %b%b" % (record.created_at, record.version, len(id_), id_, record.body)
        return blake2b(data, digest_size=32, key=self._key, person=b"turnlog leaf").digest()

    def chained(self, rolling: bytes, leaf: bytes) -> bytes:
        """The digest of a log, from that of the log before its last record."""
        return blake2b(rolling + leaf, digest_size=32, key=self._key, person=b"turnlog log").digest()

    def summed(self, tags: bytes) -> bytes:
        """The sum of a block, from its tags."""
        return blake2b(tags, digest_size=SUM_BYTES, key=self._key, person=b"turnlog block").digest()


def older(count: int) -> int:
    """How many blocks of a log of `count` messages have a sum; the messages behind them have tags."""
    return max(0, count - NEWEST) // BLOCK


def read_state(state: bytes) -> Seen:
    """What a state tells. Raises `InvalidInput` if it is none."""
    try:
        form, key_id, count, rolling = _HEAD.unpack_from(state)
    except struct.error:
        _refuse("state", "is too short for an integrity state")
    end = _HEAD.size + min(older(count) * SUM_BYTES, len(state))
    return _checked("state", form, Seen(key_id, count, rolling, state[_HEAD.size : end], state[end:]))


def digest_of(header: Header, snapshot: Snapshot) -> Digest:
    """What a snapshot of the fold tells about the conversation of this `header`, to be kept elsewhere."""
    key_id, count, rolling, sums, tags = read_state(snapshot.state)
    return Digest(header.id, count, snapshot.epoch, rolling.hex(), key_id.hex(), sums, tags, header.incarnation)


def _checked(field: str, form: int, seen: Seen) -> Seen:
    if form != _FORM:
        _refuse(field, f"has the form {form}, which this turnlog does not know")
    blocks = older(seen.watermark)
    sizes = (blocks * SUM_BYTES, (seen.watermark - blocks * BLOCK) * TAG_BYTES, 32, 8)
    if seen.watermark < 0 or sizes != (len(seen.sums), len(seen.tags), len(seen.rolling), len(seen.key_id)):
        _refuse(field, "is not as long as it has to be")
    return seen


def _refuse(field: str, rule: str) -> NoReturn:
    raise InvalidInput(field, rule) from None
