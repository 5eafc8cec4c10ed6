"""The names of keys. Ids hold no braces and no slash: no two names run together, and a conversation has one hash tag."""

from binascii import crc32
from functools import lru_cache

from turnlog.store import Key

SHARDS = 8
"""In a cluster; one server needs but one."""
SCHEMA = "tl:schema"
PING = "tl:ping"
LISTS = ("tl:u:*", "tl:g:*", "tl:x:{*}:[ut]")
HEADERS = "tl:{*}:[hq]"
"""Of headers, and of reservations of ids where there may be no header yet."""


@lru_cache(maxsize=128)
def of(key: Key, kinds: str) -> tuple[str, ...]:
    """A conversation's keys, one for each letter: h header, l records, i ids, s snapshots, f forks, q reservations."""
    # braces are the hash tag: all keys of a conversation lie in one slot, so that a script may name them together
    tag = f"tl:{{{key.tenant}/{key.conversation_id}}}:"
    return tuple([tag + kind for kind in kinds])


def conversation(header: str) -> Key:
    """The conversation whose header or reservations have this name."""
    tenant, _, id_ = header[4:-3].partition("/")
    return Key(tenant, id_)


def shard(key: Key, count: int) -> str:
    """The beginning of the names of those of the tenant's lists that hold this conversation, of `count` lots of them."""
    # decision 022: lists of a tenant are spread over slots, or one server would take every append of a large tenant
    return f"tl:x:{{{key.tenant}/{crc32(key.conversation_id.encode()) % count if count > 1 else 0}}}"


def shards(tenant: str, count: int) -> list[str]:
    """The beginnings of the names of all these lists of a tenant."""
    return [f"tl:x:{{{tenant}/{number}}}" for number in range(count)]


def tenant(list_: str) -> str:
    """Whose list this is."""
    return list_[5:].lstrip("{").partition("/")[0]


def belongs(list_: str, user_id: str | None, tags: tuple[str, ...]) -> bool:
    """Whether a conversation of this user and these tags belongs into one of its tenant's lists."""
    kind, name = list_[3], list_.partition("/")[2]
    return kind == "x" or (kind == "u" and name == user_id) or (kind == "g" and name in tags)


def lists(tenant: str, user_id: str | None, tags: tuple[str, ...]) -> list[str]:
    """The lists of a user and of tags."""
    users = [] if user_id is None else [f"tl:u:{tenant}/{user_id}"]
    return users + [f"tl:g:{tenant}/{tag}" for tag in tags]
