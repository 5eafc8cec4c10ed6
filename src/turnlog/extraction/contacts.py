"""The URLs and e-mail addresses in a text."""

from itertools import islice

from turnlog.extraction.document import EMAIL, URL, Mention

_TRAIL = ".,;:!?'\"*_…"
ADDRESSES_MAX = 200
"""Addresses of one kind in a message, at most."""


def addresses(text: str) -> list[Mention]:
    """The URLs and e-mail addresses in `text`, without the punctuation around them."""
    found: list[Mention] = []
    if "://" in text or "www." in text.lower():
        for match in islice(URL.finditer(text), ADDRESSES_MAX):
            url = _trimmed(match[0])
            if len(url) > 8:
                found.append(Mention(url, "URL", match.start(), match.start() + len(url)))
    if "@" in text:
        for match in islice(EMAIL.finditer(text), ADDRESSES_MAX):
            if not any(url.start <= match.start() < url.end for url in found):
                address = match[0].lstrip(".-")
                found.append(Mention(address, "EMAIL", match.end() - len(address), match.end()))
    return found


def _trimmed(url: str) -> str:
    """`url` without closing punctuation; a closing bracket stays if the URL opened it."""
    url = url.rstrip(_TRAIL)
    for opening, closing in ("()", "[]", "{}"):
        if closing in url and url.count(closing) > url.count(opening):
            url = url[: url.index(closing)] if opening not in url else _balanced(url, opening, closing)
    return url.rstrip(_TRAIL)


def _balanced(url: str, opening: str, closing: str) -> str:
    over = url.count(closing) - url.count(opening)
    return url[: max(len(url.rstrip(closing)), len(url) - over)]
