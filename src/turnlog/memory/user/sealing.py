"""A seal on what a conversation keeps of its user's memory: unreadable once the key, which lies with the user, is erased.

The text is XORed with a stream that SHAKE-256 makes of the key and a nonce of its own, and carries a keyed BLAKE2b tag.
It keeps nothing secret from whoever can read the store, where the key lies too: it lets one erasure reach every copy.
"""

from hashlib import blake2b, shake_256
from hmac import compare_digest
from secrets import token_bytes

_MARK = b"\x00sealed\x00"
_NONCE, _TAG = 16, 16


def seal(text: bytes, key: str) -> bytes:
    """`text` under the seal of `key`."""
    nonce = token_bytes(_NONCE)
    hidden = _xor(text, key, nonce)
    return _MARK + nonce + _tag(nonce + hidden, key) + hidden


def unseal(text: bytes, key: str) -> bytes | None:
    """What was sealed with `key`; a text without a seal as it is; None for one that another key sealed."""
    if not text.startswith(_MARK):
        return text
    start = len(_MARK)
    nonce, tag, hidden = text[start : start + _NONCE], text[start + _NONCE :][:_TAG], text[start + _NONCE + _TAG :]
    return _xor(hidden, key, nonce) if compare_digest(tag, _tag(nonce + hidden, key)) else None


def _xor(text: bytes, key: str, nonce: bytes) -> bytes:
    stream = shake_256(key.encode() + nonce).digest(len(text))
    return (int.from_bytes(text, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(text), "big")


def _tag(text: bytes, key: str) -> bytes:
    return blake2b(text, digest_size=_TAG, key=key.encode()).digest()
