"""The name of who speaks, as it is sent and as it is counted."""

import re
from unicodedata import combining, normalize

_UNFIT = re.compile(r"[^a-zA-Z0-9_-]+")


def speaker(name: str | None) -> str | None:
    """`name` as OpenAI takes it: 1 to 64 letters without accents, digits, _ and -; None if nothing of it is left."""
    if name is None:
        return None
    if not name.isascii():
        name = "".join(character for character in normalize("NFKD", name) if not combining(character))
    return _UNFIT.sub("_", name)[:64].strip("_") or None
