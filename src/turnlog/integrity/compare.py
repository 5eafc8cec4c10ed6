"""A log held against what is known of it, by an integrity state or a digest that was kept elsewhere. Decides only."""

from collections.abc import Sequence
from typing import NamedTuple

from turnlog import codec
from turnlog.codec import Record
from turnlog.errors import CorruptRecord
from turnlog.integrity.digest import BLOCK, TAG_BYTES, Integrity, Seen
from turnlog.store import Fault

LISTED = 1000
"""So many messages are named one by one; of the rest it is said how many they are."""


class Witness(NamedTuple):
    """Who knows what the log was, at an erase epoch. `foreign`: the log may be a copy that counts its own erasures."""

    name: str
    fold: Integrity
    seen: Seen
    epoch: int
    foreign: bool = False


class Odd(NamedTuple):
    """A message that is not the one that was stored at its seq; its tag, and whether it is a tombstone."""

    seq: int
    tag: bytes
    blank: bool


class Comparison:
    """Takes the records of a log in order, then tells what is wrong."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self.watermark = witness.seen.watermark
        self._rolling: bytes | None = bytes(32)
        self._block: list[tuple[Record, bytes]] = []
        self._odd: list[Odd] = []
        self._more_odd = 0
        self._odd_blocks: list[tuple[int, tuple[int, ...]]] = []

    def take(self, seq: int, record: Record | None) -> None:
        """The record at `seq`, None if it could not be read; each seq once, from 1 on."""
        fold, seen = self._witness.fold, self._witness.seen
        if seq > self.watermark:
            return
        leaf = None if record is None else fold.leaf(record)
        self._rolling = None if leaf is None or self._rolling is None else fold.chained(self._rolling, leaf)
        if seq < seen.tagged_from:
            self._take_older(seq, record, leaf)
        elif record is not None and leaf is not None and leaf[:TAG_BYTES] != seen.tag(seq):
            self._take_odd(Odd(seq, leaf[:TAG_BYTES], _is_blank(record)))

    def _take_odd(self, odd: Odd) -> None:
        if len(self._odd) < LISTED:
            self._odd.append(odd)
        else:
            self._more_odd += 1

    def _take_older(self, seq: int, record: Record | None, leaf: bytes | None) -> None:
        if record is not None and leaf is not None:
            self._block.append((record, leaf[:TAG_BYTES]))
        if seq % BLOCK:
            return
        block, self._block = self._block, []
        tags = b"".join([tag for _, tag in block])
        if len(block) == BLOCK and self._witness.fold.summed(tags) != self._witness.seen.sum_until(seq):
            blank = tuple(record.seq for record, _ in block if _is_blank(record))
            self._odd_blocks.append((seq - BLOCK + 1, blank))

    def faults(self, head: int, epoch: int) -> list[Fault]:
        """What is wrong, given the log's head and its erase epoch after the last record was taken."""
        name, _, seen, _, _ = self._witness
        found = [] if self._erasures_explain(epoch) else self._unexplained(epoch)
        found += [Fault(odd.seq, self._odd_is(odd)) for odd in self._odd if not odd.blank]
        found += [Fault(first, _one_of(first)) for first, blank in self._odd_blocks if not blank]
        if self._more_odd:
            found.append(Fault(self._odd[-1].seq + 1, f"begins {self._more_odd} more messages that are not as they were"))
        if head < seen.watermark:
            found.append(Fault(head + 1, f"is missing, and what follows: the {name} reaches to seq {seen.watermark}"))
        clean = not (found or self._odd or self._odd_blocks)
        if clean and self._rolling not in (None, seen.rolling):
            found.append(Fault(0, f"is not as the {name} says, though each message seems to be"))
        if epoch < self._witness.epoch and not self._witness.foreign:
            found.append(Fault(0, f"counts fewer erasures than the {name}"))
        return found

    def notes(self, epoch: int) -> list[Fault]:
        """What is worth telling and is no fault."""
        if epoch < self._witness.epoch and self._witness.foreign:
            told = [Fault(0, f"counts fewer erasures than the {self._witness.name}, as a copy made by import does")]
        else:
            told = []
        if not self._erasures_explain(epoch):
            return told
        told += [Fault(odd.seq, "redacted since") for odd in self._odd if odd.blank]
        for first, blank in self._odd_blocks:
            told += [Fault(seq, "may have been redacted since") for seq in blank]
            if blank:
                told.append(Fault(first, f"and what follows up to seq {first + BLOCK - 1} was checked by checksums only"))
        return told

    def _erasures_explain(self, epoch: int) -> bool:
        """Whether the store counts so many erasures since, one for each new tombstone at least."""
        since = epoch - self._witness.epoch
        blank = sum(odd.blank for odd in self._odd) + sum(1 for _, blank in self._odd_blocks if blank)
        return blank <= since or (since < 0 and self._witness.foreign)

    def _unexplained(self, epoch: int) -> list[Fault]:
        since = max(0, epoch - self._witness.epoch)
        what = f"is blank, and the store counts {since} erasures since the {self._witness.name}"
        return [
            *(Fault(odd.seq, what) for odd in self._odd if odd.blank),
            *(Fault(first, _one_of(first)) for first, blank in self._odd_blocks if blank),
        ]

    def _odd_is(self, odd: Odd) -> str:
        place = _place_of(odd.tag, self._witness.seen)
        return f"is the message that was stored at seq {place}" if place else "is not the message that was stored there"


def _place_of(tag: bytes, seen: Seen) -> int:
    """The seq at which `seen` has this tag; 0 if it is not among the newest."""
    at = seen.tags.find(tag)
    while at % TAG_BYTES and at >= 0:
        at = seen.tags.find(tag, at + 1)
    return seen.tagged_from + at // TAG_BYTES if at >= 0 else 0


def _one_of(first: int) -> str:
    return f"or another message up to seq {first + BLOCK - 1} is not the one that was stored there"


def _is_blank(record: Record) -> bool:
    try:
        return record.body == codec.tombstone(record).body
    except CorruptRecord:
        return False


def joined(faults: Sequence[Fault]) -> list[Fault]:
    """One fault for each seq, in order of seq, which says all that there is to say."""
    told: dict[int, list[str]] = {}
    for seq, what in faults:
        words = told.setdefault(seq, [])
        if what not in words:
            words.append(what)
    return [Fault(seq, "; ".join(words)) for seq, words in sorted(told.items())]
