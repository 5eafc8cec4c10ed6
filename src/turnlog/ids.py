"""Identifiers that are made here."""

from random import getrandbits
from time import time_ns

_VERSION_7 = 0x7 << 76 | 0b10 << 62
_RANDOM = 0xFFF << 64 | (1 << 62) - 1


def uuid7() -> str:
    """A new UUID whose text sorts by the time it was made (RFC 9562, version 7, random counter)."""
    bits = time_ns() // 1_000_000 << 80 | _VERSION_7 | getrandbits(76) & _RANDOM
    text = bits.to_bytes(16, "big").hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
