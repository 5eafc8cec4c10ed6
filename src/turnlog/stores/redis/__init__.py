"""The store on Redis or Valkey, on one server or a cluster: each append is one script, atomic and idempotent."""

from turnlog.errors import needs_extra

with needs_extra("redis", "hiredis"):
    from turnlog.stores.redis.store import RedisStore

__all__ = ["RedisStore"]
