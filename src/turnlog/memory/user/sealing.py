"""Encrypts what a conversation stores of its user's memory, so that to erase one key makes every copy unreadable.

AES-256-GCM (NIST SP 800-38D): the key is the 256 random bits whose hex digits lie in the user's digest, the nonce is 96
random bits, the tag has 128. One key may seal 2**32 texts before nonces threaten to collide; it is replaced at each erasure.
A seal hides nothing from whoever can read the store, because the key is stored there too: see decision 044.
"""

from secrets import token_bytes

_MARK = b"\x00sealed\x00"
_NONCE = 12


def seal(text: bytes, key: str, conversation_id: str) -> bytes:
    """`text` encrypted with `key` (64 hex digits); it can be read as a text of that conversation only."""
    # decision 057: `cryptography` is imported at the first use, since it costs 30 ms that a log without users never needs.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = token_bytes(_NONCE)
    return _MARK + nonce + AESGCM(bytes.fromhex(key)).encrypt(nonce, text, _MARK + conversation_id.encode())


def unseal(text: bytes, key: str, conversation_id: str) -> bytes | None:
    """The text that was sealed, or one without a seal as it is; None if the key, the conversation or a byte is another."""
    if not text.startswith(_MARK):
        return text
    if not key:
        return None  # an erasure has dropped the key, and with it what was sealed
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, start = AESGCM(bytes.fromhex(key)), len(_MARK) + _NONCE
    try:
        return cipher.decrypt(text[len(_MARK) : start], text[start:], _MARK + conversation_id.encode())
    except (InvalidTag, ValueError):  # decision 057: a cut text (ValueError) is absent like a changed one, and is made anew
        return None
