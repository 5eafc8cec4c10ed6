"""Names of keys. Ids contain no braces and no slash, so that names are unambiguous and a conversation has one hash tag."""

from binascii import crc32
from functools import lru_cache

from turnlog.store import Key

SHARDS = 8
"""How many shards the lists of a tenant have in a cluster; one server needs one."""
SCHEMA = "tl:schema"
PING = "tl:ping"
LISTS = ("tl:u:*", "tl:g:*", "tl:x:{*}:[ut]")
HEADERS = "tl:{*}:[hq]"
"""Matches headers and reservations; a reservation may exist before its header."""


@lru_cache(maxsize=128)
def of(key: Key, kinds: str) -> tuple[str, ...]:
    """Return a conversation's keys by letter: h header, l records, i ids, s snapshots, f forks, q reservations."""
    # braces are the hash tag: all keys of a conversation lie in one slot, so that a script may name them together
    tag = f"tl:{{{key.tenant}/{key.conversation_id}}}:"
    return tuple([tag + kind for kind in kinds])


def conversation(header: str) -> Key:
    """Return the conversation whose header or reservations have this name."""
    tenant, _, id_ = header[4:-3].partition("/")
    return Key(tenant, id_)


def shard(key: Key, count: int) -> str:
    """Return the prefix of the lists of the tenant that hold this conversation, of `count` shards."""
    # decision 022: lists of a tenant are spread over slots, or one server would take every append of a large tenant
    return f"tl:x:{{{key.tenant}/{crc32(key.conversation_id.encode()) % count if count > 1 else 0}}}"


def shards(tenant: str, count: int) -> list[str]:
    """Return the prefixes of all `count` shards of a tenant."""
    return [f"tl:x:{{{tenant}/{number}}}" for number in range(count)]


def tenant(list_: str) -> str:
    """Return the tenant of a list."""
    return list_[5:].lstrip("{").partition("/")[0]


def belongs(list_: str, user_id: str | None, tags: tuple[str, ...]) -> bool:
    """Return whether a conversation with this user and these tags belongs in a list."""
    kind, name = list_[3], list_.partition("/")[2]
    return kind == "x" or (kind == "u" and name == user_id) or (kind == "g" and name in tags)


def lists(tenant: str, user_id: str | None, tags: tuple[str, ...]) -> list[str]:
    """Return the names of the lists of a user and of tags."""
    users = [] if user_id is None else [f"tl:u:{tenant}/{user_id}"]
    return users + [f"tl:g:{tenant}/{tag}" for tag in tags]
