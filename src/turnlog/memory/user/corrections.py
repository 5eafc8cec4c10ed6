"""What a person says of facts about them: that one is so, or that it is not."""

from collections.abc import Iterable, Mapping

import msgspec

from turnlog.memory.user.items import KnownFact

_encode = msgspec.json.Encoder(order="deterministic").encode


class Correction(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person says of the fact `id` at `at` (microseconds since 1970 UTC): that it is so, or without text not.

    `seq` is its place in the log of corrections.
    """

    id: str
    seq: int
    at: int
    text: str | None = None
    slot: str = ""
    value: str = ""
    valid_from: int | None = None
    valid_to: int | None = None

    @property
    def holds(self) -> bool:
        """Whether it says something that is so now."""
        return self.text is not None and self.valid_to is None


def corrected(known: Mapping[str, Correction], more: Iterable[Correction]) -> dict[str, Correction]:
    """The last correction of each fact."""
    found = dict(known)
    for correction in more:
        existing = found.get(correction.id)
        if existing is None or _rank(existing) < _rank(correction):
            found[correction.id] = correction
    return found


def stands(correction: Correction | None, at: int) -> bool:
    """Whether what the user said at a moment stands beside a correction of it: one that they said otherwise after it."""
    return correction is None or (correction.text is not None and correction.at < at)


def as_fact(correction: Correction) -> KnownFact:
    """The fact that a correction with a text states."""
    return KnownFact(
        correction.id,
        correction.text or "",
        correction.slot,
        correction.value,
        1.0,
        correction.valid_from,
        correction.valid_to,
        correction.at,
        corrected=True,
    )


def _rank(correction: Correction) -> tuple[int, bytes]:
    return correction.seq, _encode(correction)
