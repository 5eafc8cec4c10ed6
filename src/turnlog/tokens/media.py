"""The tokens of what is not text: pictures by their vendors' rules, sound and files by what is known of them."""

import base64
from collections.abc import Callable
from math import ceil

import msgspec

from turnlog.message import Audio, File, Image

Size = tuple[int, int]
"""Width and height in pixels."""
ImageRule = Callable[[Size | None], int]
"""The tokens of a picture of a size; of any size for None."""

_PAGE = 4_600
"""Tokens of a page of a document: up to 3,000 for its text (Anthropic, "PDF support") and a picture of it."""
_BYTES_PER_PAGE = 50_000
_SOUND_PER_S = 32
"""Tokens of a second of sound (Google, "Understand and count tokens"); OpenAI takes 10."""
_SOUND_S_UNKNOWN = 60
_SPEECH_BYTES_PER_S = 4_000
"""Of compressed speech at 32 kbit/s; better recordings have more bytes for a second, and are counted too high."""
_WAVE_BYTES_PER_S = 16_000
"""Of uncompressed speech: 8 kHz, 16 bits."""
_HEAD_CHARS = 64
_JPEG_CHARS = 1 << 18
"""How much of a picture is looked at for its size; a JPEG has it behind whatever the camera wrote before."""


class Tiles(msgspec.Struct, frozen=True):
    """The rule of OpenAI for gpt-4o and its kin at high detail, from "Images and vision": the picture shrinks into a square
    of 2,048, then to a short side of 768, and costs `base` and `tile` for each square of 512 that it touches."""

    base: int = 85
    tile: int = 170

    def __call__(self, size: Size | None) -> int:
        """At most eight tiles."""
        if size is None:
            return self.base + 8 * self.tile
        for limit, side in ((2048, max), (768, min)):
            shrink = min(1.0, limit / side(size))
            size = (max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink)))
        return self.base + self.tile * ceil(size[0] / 512) * ceil(size[1] / 512)


class Patches(msgspec.Struct, frozen=True):
    """The rule of OpenAI for its small models, from "Images and vision": `factor` for each square of 32 up to 1,536."""

    factor: float

    def __call__(self, size: Size | None) -> int:
        """Larger pictures shrink to 1,536 squares or a few less; here they cost the 1,536."""
        patches = 1536 if size is None else min(1536, ceil(size[0] / 32) * ceil(size[1] / 32))
        return ceil(patches * self.factor)


class Area(msgspec.Struct, frozen=True):
    """The rule of Anthropic, from "Vision": a token for each 750 pixels, up to what the largest picture costs."""

    most: int = 5_000

    def __call__(self, size: Size | None) -> int:
        """3.75 megapixels are the most that the newest models look at; older ones shrink pictures to 1,600 tokens."""
        return self.most if size is None else min(self.most, ceil(size[0] * size[1] / 750))


class Flat(msgspec.Struct, frozen=True):
    """The same for every picture: about the most that a picture costs at any vendor, its largest formats left aside."""

    tokens: int = 1_600

    def __call__(self, size: Size | None) -> int:
        """The price."""
        return self.tokens


def sound(part: Audio) -> int:
    """About the tokens of a recording: by its bytes, or those of a minute when it is elsewhere."""
    if part.data is None:
        return _SOUND_S_UNKNOWN * _SOUND_PER_S
    rate = _WAVE_BYTES_PER_S if "wav" in (part.media_type or "") else _SPEECH_BYTES_PER_S
    return ceil(_bytes(part.data) / rate) * _SOUND_PER_S


def document(part: File, text: Callable[[str], int]) -> int:
    """The tokens of a file: of its text, else about those of the pages that its bytes suggest; one if it is elsewhere."""
    if part.data is None:
        return _PAGE
    kind = part.media_type or ""
    if kind.startswith("text/") or kind.endswith(("json", "xml", "yaml", "javascript")):
        return text(base64.b64decode(part.data).decode(errors="replace"))
    return ceil(_bytes(part.data) / _BYTES_PER_PAGE) * _PAGE


def size(part: Image) -> Size | None:
    """Width and height from the header of a PNG, JPEG, GIF or WebP given by value; None when they cannot be told."""
    if part.data is None:
        return None
    head = base64.b64decode(part.data[:_HEAD_CHARS])
    if head.startswith(b"\xff\xd8"):
        found = _jpeg(base64.b64decode(part.data[:_JPEG_CHARS]))
    elif head.startswith(b"\x89PNG\r\n\x1a\n"):
        found = _number(head[16:20]), _number(head[20:24])
    elif head.startswith((b"GIF87a", b"GIF89a")):
        found = _number(head[7:5:-1]), _number(head[9:7:-1])
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        found = _webp(head)
    else:
        return None
    return found if found and min(found) > 0 else None


def _bytes(data: str) -> int:
    return len(data) * 3 // 4


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _jpeg(data: bytes) -> Size | None:
    """From the frame header, which is found by going from marker to marker (ITU-T T.81, B.2)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _number(data[at + 7 : at + 9]), _number(data[at + 5 : at + 7])
        at += 1 if marker == 0xFF else 2 + _number(data[at + 2 : at + 4])
    return None


def _webp(head: bytes) -> Size | None:
    """From the first chunk: lossy, lossless or extended (RFC 9649)."""
    kind = head[12:16]
    if kind == b"VP8 ":
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    return None
