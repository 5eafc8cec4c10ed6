"""The names of keys. Ids hold no braces and no slash: no two names run together, and a conversation has one hash tag."""

from binascii import crc32

from turnlog.ports import Key

SHARDS = 8
SCHEMA = "tl:schema"
PING = "tl:ping"
HEADERS = "tl:{*}:h"


def of(key: Key, kinds: str) -> list[str]:
    """A conversation's keys, one for each letter: h header, l records, i ids, s snapshots, f forks."""
    tag = f"tl:{{{key.tenant}/{key.conversation_id}}}:"
    return [tag + kind for kind in kinds]


def conversation(header: str) -> Key:
    """The conversation whose header has this name."""
    tenant, _, id_ = header[4:-3].partition("/")
    return Key(tenant, id_)


def shard(key: Key) -> str:
    """The beginning of the names of the tenant's lists that hold this conversation."""
    return shards(key.tenant)[crc32(key.conversation_id.encode()) % SHARDS]


def shards(tenant: str) -> list[str]:
    """The beginnings of the names of all these lists of a tenant."""
    return [f"tl:x:{{{tenant}/{number}}}" for number in range(SHARDS)]


def lists(tenant: str, user_id: str | None, tags: tuple[str, ...]) -> list[str]:
    """The lists of a user and of tags."""
    users = [] if user_id is None else [f"tl:u:{tenant}/{user_id}"]
    return users + [f"tl:g:{tenant}/{tag}" for tag in tags]
