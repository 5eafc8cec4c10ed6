"""Numbers that stand for names in the tables: keyed hashes, so that no client can construct two names with one number."""

from hashlib import blake2b

from turnlog.errors import StoreFailed
from turnlog.store import Key

_KNOWN_MAX = 2000


def utf8(value: str) -> bytes:
    """Encode a text. Raises `StoreFailed` if it is not valid Unicode."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise StoreFailed("a text holds half of a surrogate pair, which UTF-8 cannot say") from None


class Names:
    """Computes the numbers of conversations and of message ids with the database's `secret` (decision 014)."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self._log = blake2b(digest_size=8, key=secret, person=b"log")
        self._mark = blake2b(digest_size=8, key=secret, person=b"mark")
        self._logs: dict[Key, int] = {}

    def log(self, key: Key) -> int:
        """Return the number that names a conversation in every table: 64 bits, signed."""
        hashed = self._log.copy()
        hashed.update(utf8(f"{key.tenant}\0{key.conversation_id}"))
        return int.from_bytes(hashed.digest(), "big", signed=True)

    def log_again(self, key: Key) -> int:
        """As `log`, with a cache for conversations that get many appends."""
        found = self._logs.get(key)
        if found is None:
            if len(self._logs) >= _KNOWN_MAX:
                # emptied, not trimmed: an order of use would cost each append more than the hashes that come again
                self._logs.clear()
            found = self._logs[key] = self.log(key)
        return found

    def mark(self, packed: bytes) -> int:
        """Return the number of a packed message id: 64 bits, signed."""
        hashed = self._mark.copy()  # a copy of a hash with its key in it costs less than a new one
        hashed.update(packed)
        return int.from_bytes(hashed.digest(), "big", signed=True)
