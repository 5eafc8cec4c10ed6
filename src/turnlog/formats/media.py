"""Pictures, sound and files: where their bytes are, and the words that stand for them where a format takes none."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from turnlog.message import Audio, File, Image

PLACEHOLDER_CHARS_MAX = 128

_DATA_URL = re.compile(r"data:([^;,]+);base64,([A-Za-z0-9+/]+={0,2})", re.IGNORECASE)
_SAME = {"image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav"}
_SUFFIXES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "mp4": "video/mp4",
}


class MediaSource(NamedTuple):
    """Where the bytes are: `data`, base64, with its `media_type`, or `url`; neither when no provider could fetch it."""

    url: str | None
    data: str | None
    media_type: str | None


def source(part: Image | Audio | File, *, schemes: tuple[str, ...] = ("http", "https")) -> MediaSource:
    """The source of `part`; bytes inside a data URL count as data, and a media type is guessed from a URL's suffix.

    A provider fetches URLs of the `schemes` alone.
    """
    if part.data is not None:
        return MediaSource(None, part.data or None, _media_type(part.media_type))
    url = part.url or ""
    if url[:5].lower() == "data:":
        found = _DATA_URL.fullmatch(url)
        return MediaSource(None, found[2], _media_type(found[1])) if found else MediaSource(None, None, None)
    path = _path(url, schemes)
    if path is None:
        return MediaSource(None, None, None)
    return MediaSource(url, None, _media_type(part.media_type) or _SUFFIXES.get(path.rpartition(".")[2].lower()))


def data_url(source: MediaSource) -> str:
    """The bytes of `source`, which holds data, as a URL (RFC 2397)."""
    return f"data:{source.media_type};base64,{source.data}"


def placeholder(part: Image | Audio | File) -> str:
    """The words that stand for `part`: what it is, and its file name or URL when that is short."""
    kind = type(part).__name__.lower()
    name = part.filename if isinstance(part, File) and part.filename else part.url
    if not name or len(name) > PLACEHOLDER_CHARS_MAX or name[:5].lower() == "data:":
        return f"[{kind}]"
    return f"[{kind}: {name}]"


def _media_type(value: str | None) -> str | None:
    name = (value or "").partition(";")[0].strip().lower()
    return _SAME.get(name, name) or None


def _path(url: str, schemes: tuple[str, ...]) -> str | None:
    """The path in a URL of one of the `schemes`, None for any other."""
    try:
        found = urlsplit(url)
    except ValueError:
        return None
    return found.path if found.scheme in schemes and found.netloc else None
