"""The tokens of what is not text: pictures by their vendors' rules, sound and files by what is known of them."""

import base64
from collections.abc import Callable
from io import BytesIO
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
_FIXED = (b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"RIFF")
"""How pictures begin that have their size in the first 48 bytes."""
_JPEG, _HEIF = b"\xff\xd8", b"ftyp"
_HEAD_CHARS = 64
_LONG_HEAD_CHARS = 1 << 18
"""Base64 digits that are read for a size; a JPEG has it after whatever the camera wrote, a HEIC in its tables."""


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
    """Width and height from the header of a PNG, JPEG, GIF, WebP, HEIC or AVIF given by value, if they can be read."""
    head = base64.b64decode((part.data or "")[:_HEAD_CHARS])
    # decision 057: only formats that a vendor takes; imagesize makes SVGs infinite and takes 2 s for some Netpbm
    if head.startswith(_JPEG) or head[4:8] == _HEIF:
        head = base64.b64decode((part.data or "")[:_LONG_HEAD_CHARS])
    elif not head.startswith(_FIXED):
        return None
    # decision 057: imported at the first picture, since it brings urllib and an XML parser
    import imagesize

    found = imagesize.get(BytesIO(head), exif_rotation=False)  # no rule of a vendor asks which side is the longer one
    return found if min(found) > 0 else None


def _bytes(data: str) -> int:
    return len(data) * 3 // 4
