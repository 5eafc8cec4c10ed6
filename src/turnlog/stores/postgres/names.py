"""The numbers that stand for names in the tables: keyed hashes, so that nobody can search for two names with one number."""

from hashlib import blake2b

from turnlog.ports import Key

_KNOWN_MAX = 10_000


class Names:
    """Numbers of conversations and of message ids under the database's `secret` (decision 014)."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self._log = blake2b(digest_size=8, key=secret, person=b"log")
        self._mark = blake2b(digest_size=8, key=secret, person=b"mark")
        self._logs: dict[Key, int] = {}

    def log(self, key: Key) -> int:
        """The number that names a conversation in every table: 64 bits, signed."""
        found = self._logs.get(key)
        if found is None:
            if len(self._logs) >= _KNOWN_MAX:
                self._logs.clear()
            hashed = self._log.copy()
            hashed.update(f"{key.tenant}\0{key.conversation_id}".encode())
            found = self._logs[key] = int.from_bytes(hashed.digest(), "big", signed=True)
        return found

    def mark(self, packed: bytes) -> int:
        """The number of a packed message id: 64 bits, signed."""
        hashed = self._mark.copy()  # a copy of a hash with its key in it costs less than a new one
        hashed.update(packed)
        return int.from_bytes(hashed.digest(), "big", signed=True)
